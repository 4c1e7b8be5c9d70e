"""PostgreSQL: a few open connections, and transactions for one or more units of work.

An advisory lock makes the units of one school run one after another. It is taken before the first
read. Units with a scope share the lock, lock their scope and run side by side. Units that wait for
the same lock share a transaction (`postgres_groups.py`). Reads have snapshots of their own and take
no lock.

A unit whose connection is lost is run again once, on a new connection. If its COMMIT got no answer,
the unit's outcome is looked up first: no unit runs twice after it may have been committed. Every
unit ends by its deadline, whatever the server does.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg

from homeroom.store.engine import (
    CommitStats,
    ContendedError,
    NeedsExclusiveError,
    OutcomeUnknownError,
    PoolUse,
    QueuedUnit,
    StoreError,
    Trace,
    UnavailableError,
)
from homeroom.store.outages import OutageCause
from homeroom.store.postgres_connection import FULL_SECONDS, PostgresTransaction
from homeroom.store.postgres_errors import CONFLICTS, is_lost, translate_error
from homeroom.store.postgres_groups import GroupFailedError, PendingGroup
from homeroom.store.postgres_pool import ConnectionPool
from homeroom.store.unit_deadlines import PendingUnit, PendingUnits
from homeroom.store.unit_lines import UnitLines

MAX_CONNECTIONS = 10
"""Connections of one server process. This is the back-pressure: further units wait in a queue."""
READER_THREADS = 2
"""Threads, beside those of the writers, that only read. There is a thread for each connection."""
MAX_RETRIES = 10
"""Times that a unit is run again after a conflict with another transaction."""
UNIT_SECONDS = 30.0
"""Longest time from the request for a unit or a read to its result or its failure."""
LOOKUP_SECONDS = 10.0
"""Longest time in which the outcome of a commit without an answer is looked up."""
LOOKUP_PAUSE_SECONDS = 0.2
CLOSE_SECONDS = 3.0
"""Longest wait, when the engine is closed, for the units that still run."""


class PostgresEngine:
    """A PostgreSQL database with a few open connections."""

    parallel_units = MAX_CONNECTIONS - READER_THREADS

    def __init__(
        self, address: str, trace: Trace | None = None, *, unit_seconds: float = UNIT_SECONDS
    ) -> None:
        self._address = address
        self.trace = trace
        self.stats = CommitStats()
        self._stats_lock = threading.Lock()
        self._pool = ConnectionPool(self._open_connection, MAX_CONNECTIONS)
        self._units = PendingUnits(unit_seconds, on_cut=self._pool.renew)
        self._writes = UnitLines()
        # Units that wait for the lock of one school must not hold up the reads of other requests.
        self._reads = UnitLines()
        self._threads = [
            *_start_threads("store-writer", self.parallel_units, self._serve, self._writes),
            *_start_threads("store-reader", READER_THREADS, self._serve, self._reads),
        ]

    @property
    def blocked_by(self) -> OutageCause | None:
        """What the queued units wait for, if it is not their turn alone."""
        return OutageCause.NO_FREE_CONNECTION if self._pool.is_busy else None

    @property
    def pool(self) -> PoolUse:
        """The use of the connections."""
        return self._pool.get_use()

    def write(self, unit: QueuedUnit) -> None:
        """Queue a unit of work."""
        self._queue(unit, reads=False)

    def read(self, unit: QueuedUnit) -> None:
        """Queue a snapshot read."""
        self._queue(unit, reads=True)

    def begin_stopping(self, seconds: float) -> None:
        """Give each unit, of now or later, some seconds; once one takes longer, fail all."""
        self._units.begin_stopping(seconds)

    def close(self) -> None:
        """Finish the queued units, as far as the server lets them, and close the connections."""
        self._writes.close()
        self._reads.close()
        deadline = monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        # What still runs waits for the server. Its thread ends with the process, if not before.
        self._units.close()
        self._pool.close()

    def _queue(self, unit: QueuedUnit, *, reads: bool) -> None:
        lines = self._reads if reads else self._writes
        try:
            lines.put(self._units.add(unit, reads=reads))
        except UnavailableError as failure:
            unit.on_done(None, failure)

    def _open_connection(self, is_first: bool) -> PostgresTransaction:  # noqa: FBT001  the pool's only parameter
        # With other connections there is no need to wait for a place on the server.
        tx = PostgresTransaction(self._address, full_seconds=FULL_SECONDS if is_first else 0)
        tx.trace = self.trace
        return tx

    def _serve(self, lines: UnitLines) -> None:
        while (taken := lines.take()) is not None:
            units, line = taken
            if line is None:
                self._run_alone(*units)
                continue
            if waiting := [pending for pending in units if not pending.is_done]:
                self._run_group(PendingGroup(waiting, waits=line.school is not None))
            lines.finish(line)

    def _run_group(self, group: PendingGroup) -> None:
        """Run units in one transaction; if it is not committed, each runs again alone."""
        try:
            is_committed = self._commit(group)
        except OutcomeUnknownError:
            group.fail(OutcomeUnknownError)
            return
        except GroupFailedError as error:
            failure = error.failure
            if group.is_single and not isinstance(failure, NeedsExclusiveError):
                group.fail(lambda: failure)
                return
            is_committed = False
        except Exception:  # noqa: BLE001  the unit that it is about meets it again
            is_committed = False
        if is_committed:
            self._count_commit(group.finish())
        for pending in group.restart():
            if is_committed:  # it needs its school alone, or waits for a lock
                self._writes.put(pending)
            else:
                self._writes.put_alone(pending)

    def _commit(self, group: PendingGroup) -> bool:
        """Run units in one transaction, and return whether it is committed."""
        try:
            self._attempt(group)
        except psycopg.Error as failure:
            if not is_lost(failure):
                return False
            self._pool.renew()
            group.is_repeated = True
            return group.is_committing and self._find_outcome(group)
        return True

    def _run_alone(self, pending: PendingUnit) -> None:
        if pending.is_done:
            return
        try:
            result = self._run(pending)
        except Exception as failure:  # noqa: BLE001  the caller of the unit gets it
            pending.finish(None, failure)
        else:
            if not pending.reads:
                self._count_commit(1)
            pending.finish(result, None)

    def _count_commit(self, units: int) -> None:
        with self._stats_lock:
            self.stats.commits += 1
            self.stats.units += units

    def _run(self, pending: PendingUnit) -> Any:  # noqa: ANN401  the unit's own result
        """Run a unit until it is committed, or has failed for good."""
        conflicts = 0
        while True:
            try:
                return self._attempt(pending)
            except NeedsExclusiveError:
                pending.unit.scope = None
            except CONFLICTS as failure:
                conflicts += 1
                if conflicts > MAX_RETRIES:
                    raise translate_error(failure) from None
            except psycopg.errors.LockNotAvailable as failure:
                raise ContendedError(str(failure)) from failure
            except psycopg.Error as failure:
                if not is_lost(failure):
                    raise translate_error(failure) from None
                self._pool.renew()
                if pending.is_committing and self._find_outcome(pending):
                    return pending.result
                if pending.is_repeated:
                    raise translate_error(failure) from None
                pending.is_repeated = True
            pending.restart()

    def _attempt(self, pending: PendingUnit | PendingGroup) -> Any:  # noqa: ANN401  the unit's own result
        with self._lease(pending) as tx:
            if pending.reads:
                tx.begin_read()
            else:
                pending.server_run = tx.server_run
                pending.transaction = tx.begin_write(pending.locks, pending.lock_ms)
            result = pending.run(tx)
            pending.begin_commit(result)
            tx.commit()
        return result

    @contextmanager
    def _lease(self, pending: PendingUnit | PendingGroup) -> Iterator[PostgresTransaction]:
        """Give a unit a connection, and roll back what is not committed at the end."""
        tx = self._pool.acquire(reads=pending.reads, deadline=pending.deadline)
        try:
            pending.attach(tx)
            yield tx
        finally:
            tx.reset()
            if not pending.detach():
                tx.close()  # the deadline is over, and another thread cuts this connection
            self._pool.release(tx, reads=pending.reads)

    def _find_outcome(self, pending: PendingUnit | PendingGroup) -> bool:
        """Return whether a unit was committed whose COMMIT got no answer.

        Raises `OutcomeUnknownError` if that cannot be found out.
        """
        if pending.reads:
            return True  # a read has nothing to commit, and its result is there
        deadline = min(pending.deadline, monotonic() + LOOKUP_SECONDS)
        while monotonic() < deadline:
            try:
                with self._lease(pending) as tx:
                    status = tx.find_commit_status(pending.transaction)
                    is_same_run = tx.server_run == pending.server_run
            except (psycopg.Error, StoreError):
                self._pool.renew()
                if self._units.is_closed_after(LOOKUP_PAUSE_SECONDS) or pending.is_done:
                    break
                continue
            if status == "committed" and is_same_run:
                return True
            if status is None or status == "committed":
                # A crash loses the last ids with what they wrote, and the server gives the same
                # ids again: this may be the commit of another unit.
                break
            if status == "aborted":
                return False
            if self._units.is_closed_after(LOOKUP_PAUSE_SECONDS) or pending.is_done:
                break
        raise OutcomeUnknownError


def _start_threads(
    name: str, count: int, serve: Callable[[UnitLines], None], lines: UnitLines
) -> list[threading.Thread]:
    # Daemons: a thread that waits for a server that never answers must not hold the process.
    threads = [
        threading.Thread(target=serve, args=(lines,), name=f"{name}_{number}", daemon=True)
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads
