"""Fault injection: an integrator tests how a client handles errors, delays and lost connections."""

from typing import Protocol

from homeroom.base.ids import SchoolId
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno, Outcome

MAX_FAULTS = 1000
MAX_DELAY_MS = 60_000
MAX_TIMES = 1000


class Fault(Value, frozen=True):
    """A fault of the next calls of an action."""

    id: int
    action: str
    school: SchoolId | None
    """None means every school."""
    errno: Errno | None
    delay_ms: int
    drop: bool
    """The connection ends without a response."""
    times: int
    """Number of calls that it still applies to."""
    after_commit: bool
    """The action runs and is committed, and the fault hides the result."""
    in_entries: bool = False
    """The errno goes into the entries of a batch, and the top is done (READINGS Q99)."""
    entries: tuple[int, ...] = ()
    """The entries, counted from 1; empty: all."""

    @property
    def keeps_work(self) -> bool:
        """Tell whether the action runs in spite of the fault, as for a warning."""
        is_warning = self.errno is not None and self.errno.outcome is Outcome.WARNING
        is_delay = self.errno is None and not self.drop
        return self.after_commit or is_warning or self.in_entries or is_delay

    def applies_to(self, entry: int) -> bool:
        """Tell whether an entry of a batch, counted from 1, gets the errno."""
        return self.in_entries and (not self.entries or entry in self.entries)


class FaultQueue(Protocol):
    """The faults that still apply to later calls, at any process of a server."""

    async def take_next(self, school: SchoolId, action: str) -> Fault | None:
        """Return the fault that applies to this call, if any, and count it down."""


class FaultInjector:
    """The faults that still apply to later calls."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, fault: Fault) -> Fault:
        """Add a fault and return it with its id."""
        self._last_id += 1
        fault = replace(fault, id=self._last_id)
        self._faults = [*self._faults, fault][-MAX_FAULTS:]
        return fault

    def pending(self) -> list[Fault]:
        """Return the faults that still apply."""
        return list(self._faults)

    def clear(self) -> int:
        """Remove all faults and return their number."""
        count = len(self._faults)
        self._faults = []
        return count

    async def take_next(self, school: SchoolId, action: str) -> Fault | None:
        """Return the fault that applies to this call, if any, and count it down."""
        return self.next_for(school, action)

    def next_for(self, school: SchoolId, action: str) -> Fault | None:
        """Return the fault that applies to this call, if any, and count it down."""
        for place, fault in enumerate(self._faults):
            if fault.action == action and fault.school in (None, school):
                if fault.times <= 1:
                    del self._faults[place]
                else:
                    self._faults[place] = replace(fault, times=fault.times - 1)
                return fault
        return None
