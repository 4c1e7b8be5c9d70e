"""A clock for tests: it stands still until a test moves it."""

from typing import Final

from homeroom.base.clock import Clock, Moment

START: Final = 1_900_000_000
"""17 March 2030: far from the machine's own time, so that code that reads that time shows up."""


class ManualClock(Clock):
    """A clock that moves only when a test moves it."""

    def __init__(self, moment: Moment = START) -> None:
        self.moment = moment
        """Seconds since 1970; a test may set it."""

    def now(self) -> Moment:
        """Return the moment at which it stands."""
        return self.moment

    def advance(self, seconds: int) -> None:
        """Move forward by some seconds, or backward by a negative number."""
        self.moment += seconds
