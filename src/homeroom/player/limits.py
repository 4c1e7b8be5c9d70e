"""Limits of what viewers may send: buckets of tokens that fill up again with time."""

from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, and so many a second after that."""

    burst: int
    a_second: float
    debt: int = 0
    """How much of what is refused is held against who asked: whoever goes on waits longer."""


VIEWER_SAYS = Limit(5, 0.5, debt=5)
ROOM_SAYS = Limit(40, 20)
LIKES = Limit(20, 10, debt=20)
JOINS = Limit(5, 1)
"""Of one connection; each costs as much as some hundred other frames."""
FRAMES = Limit(60, 20)
"""Of one connection, whatever is in them."""


class Bucket:
    """What is left of a limit; time in seconds of a clock that only goes forward."""

    __slots__ = ("_at", "_left", "limit")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._left: float = limit.burst
        self._at = monotonic()

    def take(self, count: int = 1) -> bool:
        """Take so many, or none where there are not as many left."""
        self._fill()
        if self._left < count:
            self._left = max(self._left - count, -self.limit.debt)
            return False
        self._left -= count
        return True

    @property
    def is_full(self) -> bool:
        """Tell whether it may be forgotten: a new one would hold as much."""
        self._fill()
        return self._left >= self.limit.burst

    def _fill(self) -> None:
        now = monotonic()
        self._left = min(self.limit.burst, self._left + (now - self._at) * self.limit.a_second)
        self._at = now
