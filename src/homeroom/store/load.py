"""The load of a store: units that wait for it, and since when."""

import time
from itertools import count


class StoreLoad:
    """Counts units of work and reads from when they are queued until they begin.

    The event loop adds them, and the threads of the engine take them away. Each operation on the
    dictionary is atomic.
    """

    def __init__(self) -> None:
        self._numbers = count()
        self._queued_at: dict[int, float] = {}

    def add(self) -> int:
        """Add a unit that is queued, and return its number."""
        number = next(self._numbers)
        self._queued_at[number] = time.monotonic()
        return number

    def remove(self, number: int) -> None:
        """Remove a unit that begins or fails; it may have been removed before."""
        self._queued_at.pop(number, None)

    @property
    def queue_length(self) -> int:
        """The number of units that wait."""
        return len(self._queued_at)

    @property
    def queue_seconds(self) -> float:
        """The time for which the first of them has waited; 0 when none does."""
        return max(
            (time.monotonic() - moment for moment in list(self._queued_at.values())), default=0
        )
