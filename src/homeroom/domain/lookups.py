"""The limit on look-ups of people who do not exist: it keeps a school from trying UIDs and numbers.

Everybody has one UID and one account for all schools (READINGS Q102).
"""

from collections.abc import Sequence

from homeroom.base.clock import HOUR, Moment

WINDOW_SECONDS = HOUR

Lookup = tuple[Moment, int]
"""When a school named unknown people, and how many."""


def count_unknown(lookups: Sequence[Lookup]) -> int:
    """Return the number of unknown people in some look-ups."""
    return sum(people for _, people in lookups)


def seconds_until_allowed(lookups: Sequence[Lookup], limit: int, now: Moment) -> int:
    """Return the seconds until the look-ups of the last hour, oldest first, are below a limit."""
    left = count_unknown(lookups)
    for looked_up_at, people in lookups:
        left -= people
        if left < limit:
            return max(1, looked_up_at + WINDOW_SECONDS - now)
    return 1
