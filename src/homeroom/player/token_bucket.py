"""Limits of what viewers may send: buckets of tokens that fill up again with time."""

from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many at once, and so many a second after that."""

    burst: int
    per_second: float
    max_debt: int = 0
    """How much of what is refused is held against who asked: whoever goes on waits longer."""


VIEWER_MESSAGES = RateLimit(5, 0.5, max_debt=5)
ROOM_MESSAGES = RateLimit(40, 20)
LIKES = RateLimit(20, 10, max_debt=20)
JOINS = RateLimit(5, 1)
"""Of one connection; each costs as much as some hundred other frames."""
COMMANDS = RateLimit(60, 20)
"""Of one connection, whatever is in them."""


class TokenBucket:
    """What is left of a limit; time in seconds of a clock that only goes forward."""

    __slots__ = ("_refilled_at", "_tokens", "limit")

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self._tokens: float = limit.burst
        self._refilled_at = monotonic()

    def try_take(self, count: int = 1) -> bool:
        """Take so many, or none where there are not as many left."""
        self._refill()
        if self._tokens < count:
            self._tokens = max(self._tokens - count, -self.limit.max_debt)
            return False
        self._tokens -= count
        return True

    @property
    def is_full(self) -> bool:
        """Tell whether it may be forgotten: a new one would hold as much."""
        self._refill()
        return self._tokens >= self.limit.burst

    def _refill(self) -> None:
        now = monotonic()
        self._tokens = min(
            self.limit.burst, self._tokens + (now - self._refilled_at) * self.limit.per_second
        )
        self._refilled_at = now
