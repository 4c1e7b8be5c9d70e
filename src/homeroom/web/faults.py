"""Faults an integrator asks for, so that a client's way of dealing with them can be tested."""

from dataclasses import dataclass, replace

from homeroom.base.ids import SchoolId
from homeroom.contract.errno import Errno, Outcome

MAX_FAULTS = 1000
MAX_DELAY_MS = 60_000
MAX_TIMES = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """What shall happen to the next calls of an action."""

    id: int
    action: str
    school: SchoolId | None
    """None: whoever calls."""
    errno: Errno | None
    delay_ms: int
    drop: bool
    """The connection ends without an answer."""
    times: int
    """How many more calls it meets."""
    after_commit: bool
    """The work is done first, and the fault hides that it was."""

    @property
    def keeps_work(self) -> bool:
        """Tell whether the work is done all the same: a warning is an answer to work done."""
        is_warning = self.errno is not None and self.errno.outcome is Outcome.WARNING
        return self.after_commit or is_warning or (self.errno is None and not self.drop)


class FaultInjector:
    """The faults that were asked for and have not all happened yet."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, fault: Fault) -> Fault:
        """Put a fault on the list; it gets its id."""
        self._last_id += 1
        fault = replace(fault, id=self._last_id)
        self._faults = [*self._faults, fault][-MAX_FAULTS:]
        return fault

    def pending(self) -> list[Fault]:
        """Return the faults that have still to happen."""
        return list(self._faults)

    def clear(self) -> int:
        """Take every fault off the list; returns how many there were."""
        count = len(self._faults)
        self._faults = []
        return count

    def next_for(self, school: SchoolId, action: str) -> Fault | None:
        """Return the fault that meets this call, if any, counted down."""
        for place, fault in enumerate(self._faults):
            if fault.action == action and fault.school in (None, school):
                if fault.times <= 1:
                    del self._faults[place]
                else:
                    self._faults[place] = replace(fault, times=fault.times - 1)
                return fault
        return None
