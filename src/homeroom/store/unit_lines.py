"""Lines of units that wait to write: a thread takes all that wait in a line, up to a limit.

One thread at a time serves a line. While it commits what it took, other units join the line.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from homeroom.store.unit_deadlines import PendingUnit

MAX_SHARED_UNITS: Final = 64
"""Units in one transaction that share the locks of their schools."""
MAX_EXCLUSIVE_UNITS: Final = 16
"""Units in one transaction that need their school alone: the first one waits for the last."""


@dataclass(eq=False, slots=True)
class UnitLine:
    """Units that wait for the same: for the locks of a school, or of any school for a thread."""

    school: int | None
    waiting: deque[PendingUnit] = field(default_factory=deque)
    is_served: bool = False

    def take(self) -> list[PendingUnit]:
        """Take the first units that can share a transaction out of the line."""
        needs_school = self.waiting[0].unit.scope is None
        limit = MAX_EXCLUSIVE_UNITS if needs_school else MAX_SHARED_UNITS
        units: list[PendingUnit] = []
        while self.waiting and len(units) < limit:
            if (self.waiting[0].unit.scope is None) != needs_school:
                break
            units.append(self.waiting.popleft())
        return units


class UnitLines:
    """The units that wait for a thread of the engine.

    The units that share the locks of their schools stand in one line, of all schools. A unit that
    needs its school alone stands in the line of its school. So does one that did not get its locks
    at once: there it waits for them and holds up no other school. While a school has a line, all
    its units join it. Units without a school and a scope stand in no line: any thread runs them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._shared = UnitLine(None)
        self._by_school: dict[int, UnitLine] = {}
        self._ready: deque[UnitLine | PendingUnit] = deque()
        """Lines that no thread serves, and units without a line."""
        self._is_closed = False

    def put(self, pending: PendingUnit) -> None:
        """Add a unit to its line, if it has one."""
        school = pending.unit.school
        if school is None and pending.unit.scope is None:
            self.put_alone(pending)
            return
        waits = pending.unit.waits
        with self._changed:
            line = self._shared
            if school is not None and school in self._by_school:
                line = self._by_school[school]
            elif school is not None and (waits or pending.unit.scope is None):
                line = self._by_school[school] = UnitLine(school)
            if waits:  # it was in a line before
                line.waiting.appendleft(pending)
            else:
                line.waiting.append(pending)
            if not line.is_served:
                line.is_served = True
                self._add_ready(line)

    def put_alone(self, pending: PendingUnit) -> None:
        """Add a unit that waits for no other."""
        with self._changed:
            self._add_ready(pending)

    def take(self) -> tuple[list[PendingUnit], UnitLine | None] | None:
        """Wait for units to run, and return them with their line; None when this is closed.

        The caller gives the line back with `finish`.
        """
        with self._changed:
            while not self._ready:
                if self._is_closed:
                    return None
                self._changed.wait()
            ready = self._ready.popleft()
            if isinstance(ready, PendingUnit):
                return [ready], None
            return ready.take(), ready

    def finish(self, line: UnitLine) -> None:
        """Let any thread serve a line, if units wait in it."""
        with self._changed:
            if line.waiting:
                self._add_ready(line)
                return
            line.is_served = False
            if line.school is not None:
                del self._by_school[line.school]

    def close(self) -> None:
        """Let the threads end when they have run what waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _add_ready(self, ready: UnitLine | PendingUnit) -> None:
        self._ready.append(ready)
        self._changed.notify()
