"""Groups of units of work in one transaction of PostgreSQL.

Units run side by side, each in a greenlet that stops where it asks the database. When all have
stopped, those with the same statement get one for all of them. A unit that needs its scope alone,
or its school, begins when the units of the scope before it have ended: it reads what they wrote.

A unit that fails before it wrote anything fails alone. If it has written, the whole group is rolled
back, and each unit runs again in a transaction of its own.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import psycopg
from greenlet import greenlet

from homeroom.base.errors import HomeroomError
from homeroom.store.engine import (
    LockBusyError,
    NeedsExclusiveError,
    QueuedUnit,
    Row,
    Traceable,
    UnavailableError,
)
from homeroom.store.postgres_connection import PostgresTransaction
from homeroom.store.school_locks import TransactionLocks, join_locks, list_locks
from homeroom.store.statement import POSTGRESQL, Statement
from homeroom.store.unit_deadlines import PendingUnit

GROUP_LOCK_MS: Final = 100
"""Longest wait of a group for a lock of other transactions; alone, a unit may wait longer."""

Outcome = tuple[Any, Exception | None]
"""The result of a unit, or its failure."""


class GroupFailedError(HomeroomError):
    """A unit of a group failed after it had written: the group must be rolled back."""

    def __init__(self, failure: Exception) -> None:
        super().__init__(str(failure))
        self.failure = failure


class PendingGroup:
    """Units that run in one transaction; the engine runs it like one `PendingUnit`."""

    reads = False
    lock_ms = GROUP_LOCK_MS

    def __init__(self, units: list[PendingUnit], *, waits: bool) -> None:
        """Take units: of one school, if the group waits for the locks of the first of them.

        The other locks are attempted: a lock that another transaction has for long holds up only
        the units that need it.
        """
        self._units = units
        self._locks_of_units = [list_locks(unit.unit) for unit in units]
        attempted = join_locks(self._locks_of_units)
        first = self._locks_of_units[0] if waits else ()
        self.locks = TransactionLocks({lock: attempted.pop(lock) for lock in first}, attempted)
        self.deadline = min(unit.deadline for unit in units)
        self.transaction = ""
        self.server_run = ""
        self.result: list[Outcome] = []
        self.is_repeated = False
        """Whether the units run again because the connection was lost."""
        self.is_committing = False
        """Whether COMMIT was sent: from then on all units may be committed, or none."""

    @property
    def is_single(self) -> bool:
        """Whether it has one unit, which need not run again to be alone."""
        return len(self._units) == 1

    @property
    def is_done(self) -> bool:
        """Whether no unit waits for its end any more."""
        return all(unit.is_done for unit in self._units)

    def attach(self, connection: PostgresTransaction) -> None:
        """Name the connection that is cut at the deadline of any unit."""
        for unit in self._units:
            unit.attach(connection)

    def detach(self) -> bool:
        """Give the connection back; returns whether it can still be used."""
        can_be_used = [unit.detach() for unit in self._units]
        return all(can_be_used)

    def run(self, tx: PostgresTransaction) -> list[Outcome]:
        """Run the units; raises `GroupFailedError` if each must run alone."""
        outcomes: dict[PendingUnit, Outcome] = dict.fromkeys(self._units, (None, LockBusyError()))
        free = [
            unit
            for unit, locks in zip(self._units, self._locks_of_units, strict=True)
            if locks.keys() <= tx.locks
        ]
        outcomes.update(zip(free, _Runners(tx, [unit.unit for unit in free]).run(), strict=True))
        return list(outcomes.values())

    def begin_commit(self, outcomes: list[Outcome]) -> None:
        """Note that COMMIT is sent now; raises `UnavailableError` after a deadline."""
        for unit, (result, _) in zip(self._units, outcomes, strict=True):
            unit.begin_commit(result)
        self.result = outcomes
        self.is_committing = True

    def finish(self) -> int:
        """Report what is committed, and return the number of units that have ended.

        A refusal may rest on what another unit of the group has written, so it is reported now.
        """
        ended = 0
        for unit, (result, failure) in zip(self._units, self.result, strict=True):
            if isinstance(failure, NeedsExclusiveError):
                unit.unit.scope = None
            elif isinstance(failure, LockBusyError):
                unit.unit.waits = True
            else:
                unit.finish(result, failure)
                ended += 1
        return ended

    def fail(self, make_error: Callable[[], Exception]) -> None:
        """Fail each unit with an error of its own."""
        for unit in self._units:
            unit.finish(None, make_error())

    def restart(self) -> Iterator[PendingUnit]:
        """Return the units that have not ended, and run again: nothing of them is committed."""
        for unit in self._units:
            unit.is_repeated = self.is_repeated
            with suppress(UnavailableError):
                unit.restart()
                yield unit


class _Request(NamedTuple):
    """A statement that a unit waits for."""

    statement: Statement
    values: dict[str, Any]
    has_rows: bool

    @property
    def is_read(self) -> bool:
        return self.statement.compile_for(POSTGRESQL).sql.startswith("SELECT ")


class _UnitTransaction(Traceable):
    """The transaction of a group, as one of its units uses it."""

    def __init__(self, ask: Callable[[_Request], Any], units_at_once: int) -> None:
        self._ask = ask
        self.units_at_once = units_at_once
        self.has_written = False

    def fetch_all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        rows: list[Row] = self._run(_Request(statement, values, has_rows=True))
        return rows

    def execute(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return the number of rows that it wrote."""
        count: int = self._run(_Request(statement, values, has_rows=False))
        return count

    def _run(self, request: _Request) -> Any:  # noqa: ANN401  rows, or their number
        if self.trace is not None:
            self.trace(request.statement.compile_for(POSTGRESQL), request.values)
        self.has_written = self.has_written or not request.is_read
        return self._ask(request)


def _run_unit(unit: QueuedUnit, tx: _UnitTransaction) -> Outcome:
    try:
        return unit.run(tx), None
    except psycopg.Error:
        raise  # the transaction is aborted, or its connection lost
    except Exception as failure:
        if tx.has_written:
            raise GroupFailedError(failure) from failure
        return None, failure


class _ScopeQueue:
    """The units of one scope, by their places: in stages that run one after another."""

    def __init__(self) -> None:
        self._is_shared = False
        self.stages: deque[list[int]] = deque()
        self.running = 0

    def add(self, place: int, *, is_shared: bool) -> None:
        """Add a unit; those that share the scope and follow each other run side by side."""
        if is_shared and self._is_shared:
            self.stages[-1].append(place)
        else:
            self.stages.append([place])
        self._is_shared = is_shared


class _Runners:
    """Units that run side by side, each in a greenlet, as far as their scopes allow it."""

    def __init__(self, tx: PostgresTransaction, units: Sequence[QueuedUnit]) -> None:
        self._tx = tx
        self._units = units
        self._outcomes: dict[int, Outcome] = {}
        self._hub = greenlet.getcurrent()
        self._greenlets = [greenlet(self._run_unit) for _ in units]
        queues: dict[object, _ScopeQueue] = {}
        self._queues: list[_ScopeQueue] = []
        """The queue of each unit."""
        for place, unit in enumerate(units):
            scope = unit.scope
            key = (unit.school, scope.name if scope is not None else None)
            queue = queues.setdefault(key, _ScopeQueue())
            queue.add(place, is_shared=scope is not None and scope.is_shared)
            self._queues.append(queue)
        self._units_at_once = sum(len(queue.stages[0]) for queue in queues.values())
        self._waiting: list[tuple[int, _Request]] = []
        """The requests of the units that have stopped."""

    def run(self) -> list[Outcome]:
        """Run all units; raises an error of the database, or `GroupFailedError`."""
        try:
            for queue in self._queues:
                self._start_next(queue)
            while self._waiting:
                self._answer_waiting()
        finally:
            for runner in self._greenlets:
                if runner:  # it has begun and not ended, as the group has failed
                    runner.throw()
        return [self._outcomes[place] for place in range(len(self._units))]

    def _start_next(self, queue: _ScopeQueue) -> None:
        """Start the next units of a scope when those before have ended."""
        while queue.stages and not queue.running:
            places = queue.stages.popleft()
            queue.running = len(places)
            for place in places:
                self._resume(place, place)

    def _run_unit(self, place: int) -> None:
        tx = _UnitTransaction(self._hub.switch, self._units_at_once)
        self._outcomes[place] = _run_unit(self._units[place], tx)

    def _resume(self, place: int, value: Any) -> None:  # noqa: ANN401  rows, or their number
        """Let a unit run on until it asks the database again."""
        request = self._greenlets[place].switch(value)
        if self._greenlets[place].dead:
            self._queues[place].running -= 1
        else:
            self._waiting.append((place, request))

    def _answer_waiting(self) -> None:
        by_statement: dict[tuple[Statement, bool], list[tuple[int, _Request]]] = {}
        for place, request in self._waiting:
            same = by_statement.setdefault((request.statement, request.has_rows), [])
            same.append((place, request))
        self._waiting = []
        for requests in by_statement.values():
            answers = _answer_all(self._tx, [request for _, request in requests])
            for (place, _), answer in zip(requests, answers, strict=True):
                self._resume(place, answer)
                self._start_next(self._queues[place])


def _answer(tx: PostgresTransaction, request: _Request) -> Any:  # noqa: ANN401  rows, or their number
    run = tx.fetch_all if request.has_rows else tx.execute
    return run(request.statement, request.values)


def _answer_all(tx: PostgresTransaction, requests: Sequence[_Request]) -> list[Any]:
    """Run one statement for several units, and return the rows, or their number, of each."""
    first = requests[0]
    if len(requests) == 1:
        return [_answer(tx, first)]
    values = [request.values for request in requests]
    return tx.run_batch(first.statement, values, has_rows=first.has_rows)
