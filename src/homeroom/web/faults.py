"""Fault injection: an integrator tests how a client handles errors, delays and lost connections.

Also attempts to deliver messages can be made to fail (READINGS Q101).
"""

from typing import Protocol

from homeroom.base.ids import EndpointId, SchoolId
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno, Outcome
from homeroom.domain.deliveries import AttemptOutcome

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


class EndpointFault(Value, frozen=True):
    """A fault of the next attempts to deliver messages to an endpoint."""

    id: int
    endpoint: EndpointId
    outcome: AttemptOutcome
    """The end of an attempt, which does not reach the receiver."""
    times: int
    """Number of attempts that it still applies to."""


class FaultQueue(Protocol):
    """The faults that still apply to later calls, at any process of a server."""

    async def take_next(self, school: SchoolId, action: str) -> Fault | None:
        """Return the fault that applies to this call, if any, and count it down."""


class FaultInjector:
    """The faults that still apply to later calls, and to later attempts to deliver messages."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._endpoint_faults: list[EndpointFault] = []
        self._last_id = 0

    def add(self, fault: Fault) -> Fault:
        """Add a fault and return it with its id."""
        self._last_id += 1
        fault = replace(fault, id=self._last_id)
        self._faults = [*self._faults, fault][-MAX_FAULTS:]
        return fault

    def add_to_endpoint(self, fault: EndpointFault) -> EndpointFault:
        """Add a fault of an endpoint and return it with its id."""
        self._last_id += 1
        fault = replace(fault, id=self._last_id)
        self._endpoint_faults = [*self._endpoint_faults, fault][-MAX_FAULTS:]
        return fault

    def pending(self) -> list[Fault]:
        """Return the faults of calls that still apply."""
        return list(self._faults)

    def list_all(self) -> list[Fault | EndpointFault]:
        """Return the faults that still apply, in the order in which they were added."""
        return sorted([*self._faults, *self._endpoint_faults], key=lambda fault: fault.id)

    def clear(self) -> int:
        """Remove all faults and return their number."""
        count = len(self._faults) + len(self._endpoint_faults)
        self._faults = []
        self._endpoint_faults = []
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

    def take_outcome(self, endpoint: EndpointId) -> AttemptOutcome | None:
        """Return how the next attempt at an endpoint must end, if any, and count it down."""
        for place, fault in enumerate(self._endpoint_faults):
            if fault.endpoint == endpoint:
                if fault.times <= 1:
                    del self._endpoint_faults[place]
                else:
                    self._endpoint_faults[place] = replace(fault, times=fault.times - 1)
                return fault.outcome
        return None
