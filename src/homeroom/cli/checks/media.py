"""The folders of the media engine: recordings and reports."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from homeroom.base.clock import SystemClock
from homeroom.base.settings import Settings
from homeroom.base.text import format_count
from homeroom.cli.checks.folder import check_space
from homeroom.cli.checks.result import MAX_EXAMPLES, CheckResult, CheckStatus
from homeroom.media.service import recordings_folder, spool_folder

MAX_REPORT_SECONDS = 60
"""Seconds after which a recording that ended, and its report, should have been taken in."""


def check_media(settings: Settings) -> Iterator[CheckResult]:
    """Look at the folders of the media engine, which need not be where the data are."""
    folder = recordings_folder(settings)
    if folder.is_dir():
        yield check_space("recordings", folder)
        yield from _check_stray_recordings(folder, spool_folder(settings))
    elif settings.media == "external":
        yield CheckResult(
            "recordings", CheckStatus.WARN, f"{folder} is not there: nothing is taken in"
        )
    if settings.media == "embedded":
        yield _check_reports(spool_folder(settings))


def _check_stray_recordings(folder: Path, spooled: Path) -> Iterator[CheckResult]:
    """Look for recordings that are not being written, and that no report will ever tell of."""
    by_now = SystemClock().now() - MAX_REPORT_SECONDS
    reported: set[str] = set()
    quiet: list[Path] = []
    for file in sorted(folder.rglob("*.mp4")):
        with suppress(FileNotFoundError):  # it has become a clip
            if file.lstat().st_mtime < by_now and not file.with_suffix(".json").exists():
                quiet.append(file)
    # In this order, for an engine writes its report before it removes its note.
    for report in spooled.glob("*.json"):
        with suppress(FileNotFoundError, msgspec.DecodeError):
            reported.add(
                Path(msgspec.json.decode(report.read_bytes(), type=_SpooledReport).file).name
            )
    lost = [file for file in quiet if file.name not in reported and file.exists()]
    if lost:
        names = "; ".join(file.name for file in lost[:MAX_EXAMPLES])
        text = f"{len(lost)} became no clip, as {names}: homeroom clip add, or delete them"
        yield CheckResult("stray recordings", CheckStatus.WARN, text)


class _SpooledReport(msgspec.Struct):
    file: str = ""


def _check_reports(folder: Path) -> CheckResult:
    waiting = sorted(folder.glob("*.json"))
    if not waiting:
        return CheckResult("reports", CheckStatus.OK, "none of the media engine waits")
    age = SystemClock().now() - int(waiting[0].stat().st_mtime)
    count = format_count(len(waiting), "of the media engine waits", "of the media engine wait")
    text = f"{count}, for up to {max(age, 0)} s"
    return CheckResult(
        "reports", CheckStatus.WARN if age > MAX_REPORT_SECONDS else CheckStatus.OK, text
    )
