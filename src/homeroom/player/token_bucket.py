"""Rate limits on what viewers send: token buckets that refill with time."""

from time import monotonic

from homeroom.base.values import Value


class RateLimit(Value, frozen=True):
    """A rate limit: a burst at once, then a steady rate."""

    burst: int
    per_second: float
    max_debt: int = 0
    """Refused requests cost tokens as well, down to minus this number: insisting takes longer."""


VIEWER_MESSAGES = RateLimit(5, 0.5, max_debt=5)
ROOM_MESSAGES = RateLimit(40, 20)
LIKES = RateLimit(20, 10, max_debt=20)
JOINS = RateLimit(5, 1)
"""For one connection; a join costs the server as much as some hundred other commands."""
COMMANDS = RateLimit(60, 20)
"""For one connection, commands of any kind."""


class TokenBucket:
    """Token bucket of a rate limit, on a monotonic clock."""

    __slots__ = ("_refilled_at", "_tokens", "limit")

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self._tokens: float = limit.burst
        self._refilled_at = monotonic()

    def try_take(self, count: int = 1) -> bool:
        """Take `count` tokens and return True, or return False if too few are left."""
        self._refill()
        if self._tokens < count:
            self._tokens = max(self._tokens - count, -self.limit.max_debt)
            return False
        self._tokens -= count
        return True

    @property
    def is_full(self) -> bool:
        """Return True if a new bucket would hold as much: this one may be dropped."""
        self._refill()
        return self._tokens >= self.limit.burst

    def _refill(self) -> None:
        now = monotonic()
        self._tokens = min(
            self.limit.burst, self._tokens + (now - self._refilled_at) * self.limit.per_second
        )
        self._refilled_at = now
