"""Envelopes: what every v1 answer looks like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import StreamAddresses

Data = Any
"""What stands under `data`: the contract says of each action what that is."""

ERROR_INFO = {errno: {"errno": errno.number, "error": errno.zh} for errno in Errno}


@dataclass(frozen=True, slots=True)
class PartnerResponse:
    """What an action answers: its data, and its number where that is not 1."""

    data: Data | UnsetType = UNSET
    more_data: dict[str, Any] | UnsetType = UNSET
    errno: Errno = Errno.DONE
    reason: str = ""


class _Envelope(msgspec.Struct, omit_defaults=True):
    data: Any = UNSET
    more_data: Any = UNSET
    error_info: Any = None


def encode(answer: PartnerResponse) -> bytes:
    """Return the body of an answer: UTF-8, unescaped."""
    return msgspec.json.encode(_Envelope(answer.data, answer.more_data, ERROR_INFO[answer.errno]))


def make_refusal_response(refusal: Refusal) -> PartnerResponse:
    """Return the answer of a refusal that names nothing."""
    return PartnerResponse(errno=refusal.errno, reason=refusal.reason)


def more_data(addresses: StreamAddresses) -> dict[str, Any]:
    """Return where a class is watched, always in the same shape (READINGS Q9)."""
    live_info = {"RTMP": addresses.rtmp, "HLS": addresses.hls, "FLV": addresses.flv}
    return {"live_url": addresses.live_url, "live_info": live_info}


def entry(verdict: Refusal | Errno | None, **more: Data) -> dict[str, Any]:
    """Return one entry of a batch's answer; what is None is left out."""
    errno = verdict.errno if isinstance(verdict, Refusal) else verdict or Errno.DONE
    known = {name: value for name, value in more.items() if value is not None}
    return {**known, "errno": errno.number, "error": errno.zh}


def summarize_refusals(verdicts: Sequence[Refusal | Errno | None]) -> str:
    """Return a reason for a batch in which entries were refused: the first few of them."""
    reasons = [
        f"entry {place}: {verdict.reason}"
        for place, verdict in enumerate(verdicts, 1)
        if isinstance(verdict, Refusal)
    ]
    more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""  # noqa: PLR2004  three reasons fit into a header
    return "; ".join(reasons[:3]) + more
