"""How often somebody may try: a few times freely, then after waits that grow."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic

from homeroom.base.clock import MINUTE

MAX_KEYS = 10_000
"""Tries that are remembered; those of longest ago go first."""
FIRST_WAIT_SECONDS = 5.0
"""Seconds; each later one is twice as long."""
MAX_DOUBLINGS = 30
IPV6_PREFIX_BITS = 64
"""What one customer of an IPv6 network has at least: all of it counts as one address."""


@dataclass(slots=True)
class _Attempts:
    since: float
    """When the last of those that were given back was."""
    count: int = 0
    until: float = 0.0


class RateLimiter:
    """Tries by key: so many are free, one more each time a number of seconds has gone by."""

    def __init__(
        self,
        free_attempts: int,
        refill_seconds: float,
        max_wait_seconds: float = 15 * MINUTE,
        *,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """Take the longest wait in seconds, and a clock that only goes forward."""
        self._free_attempts = free_attempts
        self._refill_seconds = refill_seconds
        self._max_wait_seconds = max_wait_seconds
        self._now = now
        self._attempts: OrderedDict[str, _Attempts] = OrderedDict()

    def seconds_to_wait(self, key: str) -> float:
        """Return for how many seconds the next try has to wait; 0 is not at all."""
        tries = self._attempts.get(key)
        return 0.0 if tries is None else max(0.0, tries.until - self._now())

    def record_attempt(self, key: str) -> None:
        """Count a try, before it is known how it ends: many at once are counted, too."""
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

    def undo_attempt(self, key: str) -> None:
        """Take a try back that was not held against anybody."""
        tries = self._attempts.get(key)
        if tries is not None:
            tries.count, tries.until = tries.count - 1, 0.0

    def reset(self, key: str) -> None:
        """Let somebody begin anew."""
        self._attempts.pop(key, None)


def network_of(address: str) -> str:
    """Return what counts as one address."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(ip_network((int(known), IPV6_PREFIX_BITS), strict=False))
    return address
