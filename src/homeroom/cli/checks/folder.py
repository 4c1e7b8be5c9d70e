"""The data folder: it is writable, and the disk has space."""

import shutil
import tempfile
from pathlib import Path

from homeroom.cli.checks.result import CheckResult, CheckStatus

LOW_SPACE_BYTES = 1_000_000_000
MIN_SPACE_BYTES = 100_000_000


def check_folder(folder: Path) -> CheckResult:
    """Check that the folder exists and is writable."""
    check = "data folder"
    if not folder.is_dir():
        return CheckResult(check, CheckStatus.FAIL, f"{folder} is not there")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return CheckResult(check, CheckStatus.FAIL, f"{folder} is not writable: {error.strerror}")
    return CheckResult(check, CheckStatus.OK, f"{folder.resolve()} is writable")


def check_space(check: str, folder: Path) -> CheckResult:
    """Check the free space of the disk of a folder."""
    free = shutil.disk_usage(folder).free
    text = f"{free / 10**9:.1f} GB free"
    if free < MIN_SPACE_BYTES:
        return CheckResult(check, CheckStatus.FAIL, text)
    return CheckResult(check, CheckStatus.WARN if free < LOW_SPACE_BYTES else CheckStatus.OK, text)
