"""A clock for tests: it stands still until a test moves it."""

from typing import Final

from homeroom.base.clock import Moment, SteadyClock

START: Final = 1_900_000_000
"""17 March 2030: far from the machine's own time, so that code that reads that time shows up."""


class ManualClock(SteadyClock):
    """A clock that moves only when a test moves it."""

    def __init__(self, moment: Moment = START) -> None:
        self.moment = moment
        """Seconds since 1970; a test may set it, and that much time has passed."""
        self._jumped = 0

    def now(self) -> Moment:
        """Return the moment at which it stands."""
        return self.moment

    def steady(self) -> float:
        """Return the seconds that have passed, without the jumps."""
        return float(self.moment - self._jumped)

    def advance(self, seconds: int) -> None:
        """Let some seconds pass, or go back by a negative number."""
        self.moment += seconds

    def jump(self, seconds: int) -> None:
        """Set the clock forward, or back, without any time passing: as a wrong clock does."""
        self.moment += seconds
        self._jumped += seconds
