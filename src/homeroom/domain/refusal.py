"""Exceptions for refused requests: of the partner API, and of operators."""

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


class OperatorError(HomeroomError):
    """A command of an operator, or a request of a page, is refused; the message says why."""
