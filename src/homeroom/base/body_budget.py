"""Body budget: bytes of request bodies in memory, in total and by address, and their speed."""

from collections import Counter
from collections.abc import Callable
from time import monotonic

from homeroom.base.address_log import AddressLog
from homeroom.base.connection_budget import ConnectionSlot

MEBIBYTE = 1024 * 1024
MAX_COUNTED_BYTES = MEBIBYTE
"""Bytes of one body that count: what comes beyond goes to disk, or is refused."""
MAX_BYTES = 256 * MEBIBYTE
"""Bytes of all bodies."""
MAX_BYTES_WITHOUT_RIGHT = 48 * MEBIBYTE
"""Bytes, of the above, of bodies whose sender has not shown a right."""
MAX_BYTES_PER_ADDRESS = 16 * MEBIBYTE
"""The same from one address."""
UNPACED_BYTES = 64 * 1024
"""Bytes of each body that are read as fast as they come."""
MAX_BYTES_PER_SECOND = 4 * MEBIBYTE
"""Speed at which further bytes are read, of all bodies whose sender has not shown a right."""
BURST_BYTES = 8 * MEBIBYTE
"""Further bytes that are read without a wait after a quiet time: a single picture is not slowed."""


class BodyBudget:
    """Bytes of the bodies that are being read or handled."""

    def __init__(
        self, log: AddressLog | None = None, *, now: Callable[[], float] = monotonic
    ) -> None:
        self._log = log or AddressLog()
        self._now = now
        self._next_at = 0.0
        self.bytes = 0
        self.bytes_without_right = 0
        self._by_address: Counter[str] = Counter()
        self.refused = 0
        """Bodies that found no room."""

    def has_room(self, address: str, size: int, *, has_right: bool) -> bool:
        """Tell whether so many more bytes fit in."""
        if self.bytes + size > MAX_BYTES:
            return False
        return has_right or (
            self.bytes_without_right + size <= MAX_BYTES_WITHOUT_RIGHT
            and self._by_address[address] + size <= MAX_BYTES_PER_ADDRESS
        )

    def count(self, address: str, size: int, *, has_right: bool) -> None:
        """Count bytes, or with a negative size count them no longer."""
        self.bytes += size
        if has_right:
            return
        self.bytes_without_right += size
        self._by_address[address] += size
        if not self._by_address[address]:
            del self._by_address[address]

    def pace(self, size: int) -> float:
        """Return the seconds to wait before more is read, after so many bytes without a right."""
        now = self._now()
        earliest = now - BURST_BYTES / MAX_BYTES_PER_SECOND
        self._next_at = max(self._next_at, earliest) + size / MAX_BYTES_PER_SECOND
        return max(0.0, self._next_at - now)

    def refuse(self, address: str) -> None:
        """Count and log a body that found no room."""
        self.refused += 1
        facts = {"bytes": self.bytes, "from_address": self._by_address[address]}
        self._log.record("body_refused: too many bytes are on their way", address, facts)


class CountedBody:
    """The body of one request within the budget."""

    __slots__ = ("_address", "_budget", "_has_right", "_slot", "received", "size")

    def __init__(self, budget: BodyBudget, slot: ConnectionSlot) -> None:
        self._budget = budget
        self._slot = slot
        self._address = slot.address
        self._has_right = slot.has_right
        self.size = 0
        """Bytes that are counted."""
        self.received = 0
        """Bytes that have come."""

    def pace(self) -> float:
        """Return the seconds to wait before the application gets what has come."""
        if self._slot.has_right or self.received <= UNPACED_BYTES:
            return 0.0
        size, self.received = self.received - UNPACED_BYTES, UNPACED_BYTES
        return self._budget.pace(size)

    def add(self, size: int) -> bool:
        """Count more bytes; returns False where there is no room for them."""
        self.received += size
        size = min(size, MAX_COUNTED_BYTES - self.size)
        if self._slot.has_right and not self._has_right:
            # The credentials have come, and are right.
            counted = self.size
            self.close()
            self._has_right, self.size = True, counted
            self._budget.count(self._address, counted, has_right=True)
        if not self._budget.has_room(self._address, size, has_right=self._has_right):
            self._budget.refuse(self._address)
            return False
        self.size += size
        self._budget.count(self._address, size, has_right=self._has_right)
        return True

    def close(self) -> None:
        """Count the body no longer."""
        self._budget.count(self._address, -self.size, has_right=self._has_right)
        self.size = 0
