"""Errnos and reasons of the entries of a batch."""

from collections.abc import Iterable
from typing import Any, TypeVar

from homeroom.contract.errno import Errno, Outcome
from homeroom.contract.results import PlainEntry
from homeroom.domain.refusal import Refusal
from homeroom.partner.routes import CallContext

T = TypeVar("T")


def get_errno(verdict: Refusal | Errno | None) -> Errno:
    """Return the errno of an entry; None stands for done."""
    if isinstance(verdict, Refusal):
        return verdict.errno
    return verdict or Errno.DONE


def refuse_faulty(call: CallContext[Any], requests: Iterable[T | Refusal]) -> list[T | Refusal]:
    """Return the requests of a batch, those that a fault asks for refused (READINGS Q99)."""
    fault = call.entry_fault
    if fault is None or fault.errno is None or fault.errno.outcome is Outcome.WARNING:
        return list(requests)
    refusal = Refusal(fault.errno, f"fault {fault.id} asked for it")
    return [
        refusal if fault.applies_to(place) else request for place, request in enumerate(requests, 1)
    ]


def note_reasons(reasons: list[str], verdicts: Iterable[Refusal | Errno | None]) -> None:
    """Add to the reasons of a response why entries were refused."""
    reasons.extend(
        f"entry {place}: {verdict.reason}"
        for place, verdict in enumerate(verdicts, 1)
        if isinstance(verdict, Refusal)
    )


def make_plain_entries(verdicts: Iterable[Refusal | Errno | None]) -> list[PlainEntry]:
    """Return the results of entries that answer nothing but an errno."""
    return [PlainEntry(errno=errno.number, error=errno.zh) for errno in map(get_errno, verdicts)]
