"""Modes: no other user of the machine may read or write what the server keeps."""

from homeroom.base.private_files import WideFile, WideModeError, find_wide, narrow
from homeroom.base.settings import Settings
from homeroom.cli.checks.result import MAX_EXAMPLES, CheckResult, CheckStatus
from homeroom.folder import list_private_folders


def check_modes(settings: Settings, *, fix: bool) -> CheckResult:
    """Check the mode of each file and folder; with `fix`, close those that are open to others."""
    check = "modes"
    folders = [folder for folder in list_private_folders(settings) if folder.is_dir()]
    try:
        wide = [file for folder in folders for file in find_wide(folder)]
        if wide and fix:
            for folder in folders:
                narrow(folder, has_all_files=True)
            return CheckResult(check, CheckStatus.OK, f"{_describe(wide)}; closed now")
    except WideModeError as failure:
        return CheckResult(check, CheckStatus.FAIL, str(failure))
    if wide:
        return CheckResult(check, CheckStatus.FAIL, f"{_describe(wide)}: homeroom doctor --fix")
    return CheckResult(check, CheckStatus.OK, "only this user can read the files")


def _describe(wide: list[WideFile]) -> str:
    examples = "; ".join(map(str, wide[:MAX_EXAMPLES]))
    return f"{len(wide)} open to other users of this machine, as {examples}"
