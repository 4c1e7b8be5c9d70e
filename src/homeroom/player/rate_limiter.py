"""Rate limit on attempts such as logins: some are free, then exponential backoff."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

import msgspec

from homeroom.base.clock import MINUTE

MAX_KEYS = 10_000
"""Keys that are remembered; the oldest are dropped first."""
FIRST_WAIT_SECONDS = 5.0
"""First wait; each later one is twice as long."""
MAX_DOUBLINGS = 30


class _Attempts(msgspec.Struct):
    since: float
    """Time up to which attempts have expired."""
    count: int = 0
    until: float = 0.0


class RateLimiter:
    """Rate limiter with a counter for each key: free attempts, which refill with time."""

    def __init__(
        self,
        free_attempts: int,
        refill_seconds: float,
        max_wait_seconds: float = 15 * MINUTE,
        *,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """Initialize; every `refill_seconds` one more attempt is free."""
        self._free_attempts = free_attempts
        self._refill_seconds = refill_seconds
        self._max_wait_seconds = max_wait_seconds
        self._now = now
        self._attempts: OrderedDict[str, _Attempts] = OrderedDict()

    def seconds_to_wait(self, key: str) -> float:
        """Return the seconds until the next attempt is allowed; 0 if it is allowed now."""
        tries = self._attempts.get(key)
        return max(0.0, tries.until - self._now()) if tries is not None else 0.0

    def record_attempt(self, key: str) -> int:
        """Count an attempt, and return how many count now.

        Called before the result of the attempt is known, so that parallel attempts count.
        """
        now = self._now()
        tries = self._attempts.pop(key, None) or _Attempts(now)
        back = int((now - tries.since) // self._refill_seconds)
        tries.count = max(0, tries.count - back) + 1
        tries.since += back * self._refill_seconds
        over = tries.count - self._free_attempts
        if over >= 0:
            tries.until = now + min(
                self._max_wait_seconds, FIRST_WAIT_SECONDS * 2.0 ** min(over, MAX_DOUBLINGS)
            )
        self._attempts[key] = tries
        if len(self._attempts) > MAX_KEYS:
            self._attempts.popitem(last=False)
        return tries.count

    def undo_attempt(self, key: str) -> None:
        """Remove one attempt from the count, as after a success."""
        tries = self._attempts.get(key)
        if tries is not None:
            tries.count, tries.until = tries.count - 1, 0.0

    def reset(self, key: str) -> None:
        """Forget all attempts of a key."""
        self._attempts.pop(key, None)
