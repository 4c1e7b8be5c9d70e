"""Errnos and reasons of the entries of a batch."""

from collections.abc import Iterable

from homeroom.contract.errno import Errno
from homeroom.contract.results import PlainEntry
from homeroom.domain.refusal import Refusal


def get_errno(verdict: Refusal | Errno | None) -> Errno:
    """Return the errno of an entry; None stands for done."""
    if isinstance(verdict, Refusal):
        return verdict.errno
    return verdict or Errno.DONE


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
