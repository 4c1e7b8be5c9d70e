"""The lifecycle of a class: when it opens and closes, and its phase at a moment.

`store/lifecycle.py` says the same in SQL; a property test compares the two.
"""

from enum import StrEnum

from homeroom.base.clock import MINUTE, Moment
from homeroom.base.values import Value

OPEN_EARLY_SECONDS = 20 * MINUTE
"""A class opens this long before its start; from then on most of its settings are frozen."""
OVERTIME_SECONDS = 20 * MINUTE
"""A class that is not closed early stays open this long after its planned end."""


class Phase(StrEnum):
    """The phase of a class; pages and scripts know the phases by these values."""

    BEFORE = "before"
    """More than 20 minutes before the start."""
    OPEN_EARLY = "open_early"
    """The last 20 minutes before the start: the teacher may already go live."""
    RUNNING = "running"
    """From the start to the end of overtime."""
    OVER = "over"
    """Past its overtime."""
    CLOSED_EARLY = "closed_early"
    """Closed by its teacher or an operator before its overtime ended (READINGS Q6)."""

    @property
    def is_over(self) -> bool:
        """True once the class has ended, one way or the other."""
        return self in OVER_PHASES


OVER_PHASES = frozenset((Phase.OVER, Phase.CLOSED_EARLY))


class Lifecycle(Value, frozen=True):
    """The times of a class that its phase depends on."""

    begins_at: Moment
    ends_at: Moment
    """The planned end."""
    closed_at: Moment | None
    """When the class was closed early; none if it was not."""

    @property
    def opens_at(self) -> Moment:
        """The moment from which streams may be published and watched."""
        return self.begins_at - OPEN_EARLY_SECONDS

    @property
    def closes_at(self) -> Moment:
        """The actual end: the end of overtime, or the moment the class was closed early."""
        end = self.ends_at + OVERTIME_SECONDS
        return min(end, self.closed_at) if self.closed_at is not None else end

    def is_over(self, now: Moment) -> bool:
        """Return whether the class has ended: overtime has passed, or it was closed early."""
        return now >= self.closes_at

    def is_frozen(self, now: Moment) -> bool:
        """Return whether the settings are frozen: fewer than 20 minutes are left to the start.

        Exactly 20 minutes before the start they are not, though the class opens at that second.
        """
        return now > self.opens_at

    def phase(self, now: Moment) -> Phase:
        """Return the phase at a moment."""
        if self.is_over(now):
            was_closed = self.closes_at < self.ends_at + OVERTIME_SECONDS
            return Phase.CLOSED_EARLY if was_closed else Phase.OVER
        if now >= self.begins_at:
            return Phase.RUNNING
        return Phase.OPEN_EARLY if now >= self.opens_at else Phase.BEFORE
