"""Connection budget: how many connections a process takes, and which close for others.

A connection has shown a *right* after a signed call, a valid ticket or token, or an accepted
publish or play. Until then it counts against its address, and it is *waiting* while the server
waits for its peer: for a handshake, for a request, or for the peer to read a response. When room is
needed, the connection that has waited longest closes. So idle and slow connections take room from
each other only, and a new peer always gets in.
"""

import resource
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from time import monotonic

from homeroom.base.address_log import AddressLog
from homeroom.base.values import Value

MAX_WAITING_PER_ADDRESS = 256
"""Connections of one address that may wait for their peer without a right."""
MAX_WAITING_SHARE = 4
"""The same as a part of all connections: one in four."""
RESERVED_SHARE = 8
"""Part of all connections for those without a right, publishers and operators: one in eight."""
GRACE_SECONDS = 1.0
"""An address may exceed its limit for this long, while there is room: a class comes at once."""
MAX_BACKLOG = 1024


class ConnectionLimits(Value, frozen=True):
    """Limits of the connections of a process."""

    total: int
    """All connections."""
    reserved: int
    """Connections, of the above, that viewers and callers leave to others."""
    waiting_per_address: int
    """Connections without a right that one address may keep waiting."""
    backlog: int
    """Connections that the kernel accepts before the process sees them."""


@cache
def derive_limits(descriptors: int) -> ConnectionLimits:
    """Return the limits for a process that may open so many files.

    A quarter of the descriptors stays for files, the database and other processes.
    """
    total = descriptors - descriptors // 4
    return ConnectionLimits(
        total,
        max(1, total // RESERVED_SHARE),
        max(1, min(MAX_WAITING_PER_ADDRESS, total // MAX_WAITING_SHARE)),
        max(1, min(MAX_BACKLOG, descriptors // 8)),
    )


def read_limits() -> ConnectionLimits:
    """Return the limits for this process, by its limit of open files now."""
    return derive_limits(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def create_budget() -> "ConnectionBudget":
    """Return the budget of this process, which follows its limit of open files."""
    return ConnectionBudget(read_limits(), read_limits=read_limits)


class ConnectionSlot:
    """The place of one connection in the budget."""

    __slots__ = ("_budget", "address", "close", "has_right", "is_open", "is_waiting", "since")

    def __init__(self, budget: "ConnectionBudget", address: str, close: Callable[[], None]) -> None:
        self._budget = budget
        self.address = address
        """The network that the connection counts for; empty where it counts for none."""
        self.close = close
        self.has_right = False
        self.is_open = False
        self.is_waiting = False
        self.since = 0.0

    def wait(self) -> None:
        """Count as waiting for the peer, from now on; it may be closed to make room."""
        if self.is_open:
            self._budget.start_waiting(self)

    def work(self) -> None:
        """Count as served: the server works for it, and does not close it to make room."""
        if self.is_waiting:
            self._budget.stop_waiting(self)

    def identify(self, address: str) -> None:
        """Count for another address: that of the client behind a trusted proxy."""
        if address != self.address:
            is_waiting = self.is_waiting
            self.work()
            if self.has_right:
                # A proxy uses one connection for several clients.
                self._budget.drop_right(self)
            self.address = address
            if is_waiting:
                self.wait()

    def show_right(self, *, is_privileged: bool = False) -> bool:
        """Count as a connection with a right; returns False where there is no room for one.

        Publishers and operators are privileged: they may use the reserve.
        """
        return self.has_right or self._budget.grant(self, is_privileged=is_privileged)

    def release(self) -> None:
        """Leave the budget; called once the connection is closed."""
        if self.is_open:
            self._budget.remove(self)


class ConnectionBudget:
    """The connections of one process, over all its listeners."""

    def __init__(
        self,
        limits: ConnectionLimits,
        *,
        now: Callable[[], float] = monotonic,
        read_limits: Callable[[], ConnectionLimits] | None = None,
    ) -> None:
        self.limits = limits
        self._read_limits = read_limits
        self._now = now
        self.log = AddressLog(now)
        self._waiting: OrderedDict[ConnectionSlot, None] = OrderedDict()
        """Connections without a right that wait for their peer, the longest first."""
        self._by_address: dict[str, OrderedDict[ConnectionSlot, None]] = {}
        """The same by address."""
        self._idle: OrderedDict[ConnectionSlot, None] = OrderedDict()
        """Connections with a right that wait for their peer, the longest first."""
        self.count = 0
        self.with_right = 0
        self.closed = 0
        """Connections that were closed to make room."""
        self.refused = 0
        """Connections that found no room."""

    def admit(self, address: str, close: Callable[[], None]) -> ConnectionSlot:
        """Return the slot of a connection, which waits for its peer; not open if there is no room.

        `close` closes the connection; it is called when another one needs the room.
        """
        slot = ConnectionSlot(self, address, close)
        if self._read_limits is not None:
            # An operator may change the limit of a running process (`prlimit`). To read it costs
            # less than to accept the connection.
            self.limits = self._read_limits()
        self._close_long_waiting(address)
        # More than one connection closes only after the limit became lower.
        while self.count >= self.limits.total:
            if not self._make_room(address):
                self.refused += 1
                self._warn(address, "connection_refused: every connection is in use")
                return slot
        slot.is_open = True
        self.count += 1
        slot.wait()
        return slot

    @property
    def waiting(self) -> int:
        """Connections without a right that wait for their peer."""
        return len(self._waiting)

    def start_waiting(self, slot: ConnectionSlot) -> None:
        """Put a connection at the end of those that wait."""
        if slot.is_waiting:
            self.stop_waiting(slot)
        slot.is_waiting = True
        if slot.has_right:
            self._idle[slot] = None
            return
        slot.since = self._now()
        self._waiting[slot] = None
        if slot.address:
            same = self._by_address.get(slot.address)
            if same is None:
                same = self._by_address[slot.address] = OrderedDict()
            same[slot] = None

    def stop_waiting(self, slot: ConnectionSlot) -> None:
        """Remove a connection from those that wait."""
        slot.is_waiting = False
        if slot.has_right:
            del self._idle[slot]
            return
        del self._waiting[slot]
        same = self._by_address.get(slot.address)
        if same is not None:
            del same[slot]
            if not same:
                del self._by_address[slot.address]

    def grant(self, slot: ConnectionSlot, *, is_privileged: bool) -> bool:
        """Count a connection as one with a right, if there is room."""
        if not slot.is_open:
            return False
        limit = self.limits.total - (0 if is_privileged else self.limits.reserved)
        if self.with_right >= limit and not self._close_first(self._idle):
            self.refused += 1
            self._warn(slot.address, "right_refused: every connection is in use")
            return False
        is_waiting = slot.is_waiting
        slot.work()
        slot.has_right = True
        self.with_right += 1
        if is_waiting:
            slot.wait()
        return True

    def drop_right(self, slot: ConnectionSlot) -> None:
        """Count a connection as one without a right again."""
        slot.has_right = False
        self.with_right -= 1

    def remove(self, slot: ConnectionSlot) -> None:
        """Forget a connection."""
        slot.work()
        slot.is_open = False
        self.count -= 1
        if slot.has_right:
            self.with_right -= 1

    def _close_long_waiting(self, address: str) -> None:
        """Close what an address keeps waiting beyond its limit, longer than the grace."""
        same = self._by_address.get(address)
        if same is None or len(same) < self.limits.waiting_per_address:
            return
        latest = self._now() - GRACE_SECONDS
        while len(same) >= self.limits.waiting_per_address:
            longest = next(iter(same))
            if longest.since > latest:
                return
            self._close(longest, "connections_capped: this address keeps too many waiting")

    def _make_room(self, address: str) -> bool:
        """Close one connection for another one of an address; returns False if none may close."""
        same = self._by_address.get(address, ())
        if len(same) >= self.limits.waiting_per_address:
            return self._close_first(same)
        return self._close_first(self._waiting) or self._close_first(self._idle)

    def _close_first(self, slots: "OrderedDict[ConnectionSlot, None] | tuple[()]") -> bool:
        for slot in slots:
            self._close(slot, "connections_capped: every connection is in use")
            return True
        return False

    def _close(self, slot: ConnectionSlot, event: str) -> None:
        self._warn(slot.address, event)
        self.closed += 1
        slot.release()
        slot.close()

    def _warn(self, address: str, event: str) -> None:
        waiting = len(self._by_address.get(address, ()))
        facts = {"connections": self.count, "closed": self.closed, "refused": self.refused}
        self.log.record(event, address, {"waiting": waiting, **facts})
