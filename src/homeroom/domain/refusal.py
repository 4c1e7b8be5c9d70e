"""Exceptions for refused requests: of the partner API, of operators, and until a later time."""

from homeroom.base.errors import HomeroomError
from homeroom.contract.errno import Errno


class Refusal(HomeroomError):
    """A rule of the contract refuses a request.

    Has the errno, a reason in plain English, and the existing thing it is `about`, if there is one.
    """

    def __init__(self, errno: Errno, reason: str | None = None, *, about: object = None) -> None:
        super().__init__(errno, reason)
        self.errno = errno
        self.reason = reason or errno.en
        self.about = about


class OverloadedError(HomeroomError):
    """The server cannot answer a request now, or the school is over a limit: try again later.

    Nothing was changed. The partner API answers HTTP 503 with Retry-After and the usual envelope
    (READINGS Q102).
    """

    is_defect = False

    def __init__(self, retry_after_seconds: int, reason: str) -> None:
        super().__init__(retry_after_seconds, reason)
        self.retry_after_seconds = retry_after_seconds
        self.reason = reason


class OperatorError(HomeroomError):
    """A command of an operator, or a request of a page, is refused; the message says why."""
