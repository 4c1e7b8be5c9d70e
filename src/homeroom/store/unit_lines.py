"""Lines of units that wait to write: a thread takes all that wait in a line, up to a limit.

One thread at a time serves a line. While it commits what it took, other units join the line.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from homeroom.store.unit_deadlines import PendingUnit

MAX_SHARED_UNITS: Final = 64
"""Units in one transaction that only add rows."""
MAX_EXCLUSIVE_UNITS: Final = 16
"""Units in one transaction that need their school alone: the first one waits for the last."""


@dataclass(eq=False, slots=True)
class UnitLine:
    """Units that wait for the same; `school` is the one that they lock exclusively."""

    school: int | None
    max_units: int
    waiting: deque[PendingUnit] = field(default_factory=deque)
    is_served: bool = False


class UnitLines:
    """The units that wait for a thread of the engine.

    Each school has a line of the units that need it alone. The units that only add rows, of all
    schools, stand in one line. Other units stand in no line: any thread runs them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._shared = UnitLine(None, MAX_SHARED_UNITS)
        self._by_school: dict[int, UnitLine] = {}
        self._ready: deque[UnitLine | PendingUnit] = deque()
        """Lines that no thread serves, and units without a line."""
        self._is_closed = False

    def put(self, pending: PendingUnit) -> None:
        """Add a unit to its line, if it has one."""
        school = pending.unit.school
        if school is None:
            self.put_alone(pending)
            return
        with self._changed:
            if not pending.unit.is_exclusive:
                line = self._shared
            elif school in self._by_school:
                line = self._by_school[school]
            else:
                line = self._by_school[school] = UnitLine(school, MAX_EXCLUSIVE_UNITS)
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
            count = min(len(ready.waiting), ready.max_units)
            return [ready.waiting.popleft() for _ in range(count)], ready

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
