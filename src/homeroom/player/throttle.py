"""How often somebody may try: a few times freely, then after waits that grow."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from time import monotonic

from homeroom.base.clock import MINUTE

MOST_KEYS = 10_000
"""Tries that are remembered; those of longest ago go first."""
FIRST_WAIT = 5.0
"""Seconds; each later one is twice as long."""
MOST_DOUBLED = 30
SITE_BITS = 64
"""What one customer of an IPv6 network has at least: all of it counts as one address."""


@dataclass(slots=True)
class _Tries:
    since: float
    """When the last of those that were given back was."""
    count: int = 0
    until: float = 0.0


class Throttle:
    """Tries by key: so many are free, one more each time a number of seconds has gone by."""

    def __init__(
        self,
        free: int,
        seconds: float,
        longest: float = 15 * MINUTE,
        *,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """Take the longest wait in seconds, and a clock that only goes forward."""
        self._free = free
        self._seconds = seconds
        self._longest = longest
        self._now = now
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def wait(self, key: str) -> float:
        """Return for how many seconds the next try has to wait; 0 is not at all."""
        tries = self._tries.get(key)
        return 0.0 if tries is None else max(0.0, tries.until - self._now())

    def tried(self, key: str) -> None:
        """Count a try, before it is known how it ends: many at once are counted, too."""
        now = self._now()
        tries = self._tries.pop(key, None) or _Tries(now)
        back = int((now - tries.since) // self._seconds)
        tries.count = max(0, tries.count - back) + 1
        tries.since += back * self._seconds
        over = tries.count - self._free
        if over >= 0:
            tries.until = now + min(self._longest, FIRST_WAIT * 2.0 ** min(over, MOST_DOUBLED))
        self._tries[key] = tries
        if len(self._tries) > MOST_KEYS:
            self._tries.popitem(last=False)

    def forgive(self, key: str) -> None:
        """Take a try back that was not held against anybody."""
        tries = self._tries.get(key)
        if tries is not None:
            tries.count, tries.until = tries.count - 1, 0.0

    def forget(self, key: str) -> None:
        """Let somebody begin anew."""
        self._tries.pop(key, None)


def site_of(address: str) -> str:
    """Return what counts as one address."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(ip_network((int(known), SITE_BITS), strict=False))
    return address
