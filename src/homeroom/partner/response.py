"""Responses of the partner API, before a wire puts them into its envelope."""

from collections.abc import Sequence
from dataclasses import dataclass

from homeroom.contract.errno import Errno
from homeroom.contract.results import Result
from homeroom.domain.refusal import Refusal

MAX_REASONS = 3
"""Refused entries of a batch whose reasons are given; the others are counted."""


@dataclass(frozen=True, slots=True)
class PartnerResponse:
    """Response to a call: its errno, its result where there is one, and a reason in English."""

    errno: Errno = Errno.DONE
    result: Result | None = None
    reason: str = ""


def make_refusal_response(refusal: Refusal) -> PartnerResponse:
    """Return the response of a refusal that carries no result."""
    return PartnerResponse(refusal.errno, reason=refusal.reason)


def summarize_reasons(reasons: Sequence[str]) -> str:
    """Return the reason of a batch: the first few reasons, and how many more there are."""
    more = len(reasons) - MAX_REASONS
    return "; ".join(reasons[:MAX_REASONS]) + (f" and {more} more" if more > 0 else "")
