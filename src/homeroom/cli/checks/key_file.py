"""The key file: it decrypts the secrets in the database."""

from homeroom.base.settings import Settings
from homeroom.cli.checks.result import CheckResult, CheckStatus
from homeroom.folder import find_key_file


def check_key_file(settings: Settings) -> CheckResult:
    """Name the key file, which the store was opened with."""
    path = find_key_file(settings).path
    text = f"{path} decrypts the secrets"
    if path.resolve().parent == settings.data.resolve():
        text += "; it is in the data folder, as in each copy of that"
    return CheckResult("key file", CheckStatus.OK, text)
