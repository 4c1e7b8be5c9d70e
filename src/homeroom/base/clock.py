"""The wall clock: read in this module only, so that a test or the sandbox can move it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

Moment = int
"""A point in time: whole seconds since 1970 UTC, as on the wire and in the database (ADR 0007)."""

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 365 * DAY


class Clock(Protocol):
    """A source of the present moment."""

    def now(self) -> Moment:
        """Return the present moment."""
        ...


class SteadyClock(Clock, Protocol):
    """A clock that also measures how much time passes, whatever it is set to."""

    def steady(self) -> float:
        """Return the seconds since some moment in the past; setting the clock changes nothing."""
        ...


# Unlike CLOCK_MONOTONIC it counts while the machine sleeps, as the wall clock does.
_STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's own clock."""

    def now(self) -> Moment:
        """Return the present moment."""
        return int(time.time())

    def steady(self) -> float:
        """Return the seconds since the machine was started."""
        return time.clock_gettime(_STEADY_CLOCK)

    def exact(self) -> float:
        """Return the present moment with its fraction, in seconds."""
        return time.time()


class ShiftedClock:
    """A clock that runs some seconds ahead of (or behind) another, and can be moved."""

    def __init__(self, real: Clock, offset: int = 0, *, moved: Callable[[int], None]) -> None:
        """Start at an offset in seconds; `moved` is called with each new offset, to store it."""
        self._real = real
        self._on_move = moved
        self.offset = offset

    def now(self) -> Moment:
        """Return the shifted moment."""
        return self._real.now() + self.offset

    def real_now(self) -> Moment:
        """Return the moment of the clock below."""
        return self._real.now()

    def advance(self, seconds: int) -> None:
        """Move by some seconds, back when negative."""
        self._move_to(self.offset + seconds)

    def set(self, moment: Moment) -> None:
        """Move to a moment; the clock ticks on from there."""
        self._move_to(moment - self._real.now())

    def _move_to(self, offset: int) -> None:
        self._on_move(offset)
        self.offset = offset


def format_moment(moment: Moment) -> str:
    """Return a moment for people, as `2026-12-01 10:20 UTC`; seconds only if there are any."""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at.second else f"{at:%Y-%m-%d %H:%M} UTC"
