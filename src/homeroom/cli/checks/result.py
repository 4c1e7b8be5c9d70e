"""The result of a check, and how many examples it names."""

from enum import StrEnum

import msgspec

MAX_EXAMPLES = 3
"""Findings that the message of a check names."""


class CheckStatus(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class CheckResult(msgspec.Struct, frozen=True):
    """The result of one check."""

    check: str
    state: CheckStatus
    message: str = msgspec.field(name="said")
    """The key in --json has the name that scripts read."""
