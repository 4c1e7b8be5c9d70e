"""Responses of the partner API, before a wire puts them into its envelope."""

from collections.abc import Sequence
from typing import Any

import msgspec

from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.results import Result
from homeroom.domain.refusal import OverloadedError, Refusal

MAX_REASONS = 3
"""Refused entries of a batch whose reasons are given; the others are counted."""


class PartnerResponse(msgspec.Struct, frozen=True):
    """Response to a call: its errno, its result where there is one, and a reason in English."""

    errno: Errno = Errno.DONE
    result: Result | None = None
    reason: str = ""
    retry_after_seconds: int | None = None
    """Set where the server could not answer: the status is 503, and Retry-After says this."""

    @property
    def entries(self) -> list[Any] | None:
        """The results of a batch that are its `data`; None of any other response."""
        data = getattr(self.result, "data", None)
        return data if isinstance(data, list) else None


def make_refusal_response(refusal: Refusal) -> PartnerResponse:
    """Return the response of a refusal that carries no result."""
    return PartnerResponse(refusal.errno, reason=refusal.reason)


def make_overload_response(
    error: OverloadedError, action: Action[Any, Any] | None
) -> PartnerResponse:
    """Return the response of a server that cannot answer now (READINGS Q102)."""
    return PartnerResponse(
        choose_failure_errno(action),
        reason=error.reason,
        retry_after_seconds=error.retry_after_seconds,
    )


def choose_failure_errno(action: Action[Any, Any] | None) -> Errno:
    """Return the errno of a server that cannot answer or has failed (READINGS Q102).

    It need not be one that the action lists. The action is None before it is known.
    """
    is_listed = action is not None and Errno.SERVER_FAULT in action.errnos
    return Errno.SERVER_FAULT if is_listed else Errno.FAILED


def summarize_reasons(reasons: Sequence[str]) -> str:
    """Return the reason of a batch: the first few reasons, and how many more there are."""
    more = len(reasons) - MAX_REASONS
    return "; ".join(reasons[:MAX_REASONS]) + (f" and {more} more" if more > 0 else "")
