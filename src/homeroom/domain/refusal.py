"""How a rule says no."""

from homeroom.contract.errno import Errno


class Refusal(Exception):
    """A refusal: its number, a reason in plain English, and what it is about, if anything."""

    def __init__(self, errno: Errno, reason: str | None = None, *, about: object = None) -> None:
        super().__init__(errno, reason)
        self.errno = errno
        self.reason = reason or errno.en
        self.about = about


class OperatorError(Exception):
    """What an operator asked for and cannot have; the message says why in one line."""
