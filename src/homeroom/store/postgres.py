"""PostgreSQL: a few open connections, one transaction for each unit of work.

An advisory lock makes the units of one school run one after another. It is taken before the first
read. Units that only add rows share the lock and run side by side. Reads have snapshots of their
own and take no lock.

A unit whose connection is lost is run again once, on a new connection. If its COMMIT got no answer,
the unit's outcome is looked up first: no unit runs twice after it may have been committed. Every
unit ends by its deadline, whatever the server does.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
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
from homeroom.store.postgres_pool import ConnectionPool
from homeroom.store.unit_deadlines import PendingUnit, PendingUnits

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

_LOCK_CLASS = 20_431
"""First half of the keys of our advisory locks; it keeps them apart from other programs' locks."""


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
        self._write_queue: SimpleQueue[PendingUnit | None] = SimpleQueue()
        # Units that wait for the lock of one school must not hold up the reads of other requests.
        self._read_queue: SimpleQueue[PendingUnit | None] = SimpleQueue()
        writers = MAX_CONNECTIONS - READER_THREADS
        self._threads = [
            *_start_threads("store-writer", writers, self._run_all, self._write_queue),
            *_start_threads("store-reader", READER_THREADS, self._run_all, self._read_queue),
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
        self._queue(unit, self._write_queue, reads=False)

    def read(self, unit: QueuedUnit) -> None:
        """Queue a snapshot read."""
        self._queue(unit, self._read_queue, reads=True)

    def begin_stopping(self, seconds: float) -> None:
        """Give each unit, of now or later, some seconds; once one takes longer, fail all."""
        self._units.begin_stopping(seconds)

    def close(self) -> None:
        """Finish the queued units, as far as the server lets them, and close the connections."""
        for _ in self._threads:
            self._write_queue.put(None)
            self._read_queue.put(None)
        deadline = monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        # What still runs waits for the server. Its thread ends with the process, if not before.
        self._units.close()
        self._pool.close()

    def _queue(
        self, unit: QueuedUnit, queue: "SimpleQueue[PendingUnit | None]", *, reads: bool
    ) -> None:
        try:
            queue.put(self._units.add(unit, reads=reads))
        except UnavailableError as failure:
            unit.on_done(None, failure)

    def _open_connection(self, is_first: bool) -> PostgresTransaction:  # noqa: FBT001  the pool's only parameter
        # With other connections there is no need to wait for a place on the server.
        tx = PostgresTransaction(self._address, full_seconds=FULL_SECONDS if is_first else 0)
        tx.trace = self.trace
        return tx

    def _run_all(self, queue: "SimpleQueue[PendingUnit | None]") -> None:
        while (pending := queue.get()) is not None:
            if pending.is_done:
                continue
            try:
                result = self._run(pending)
            except Exception as failure:  # noqa: BLE001  the caller of the unit gets it
                pending.finish(None, failure)
            else:
                if not pending.reads:
                    with self._stats_lock:
                        self.stats.commits += 1
                        self.stats.units += 1
                pending.finish(result, None)

    def _run(self, pending: PendingUnit) -> Any:  # noqa: ANN401  the unit's own result
        """Run a unit until it is committed, or has failed for good."""
        conflicts = 0
        is_repeated = False
        while True:
            try:
                return self._attempt(pending)
            except NeedsExclusiveError:
                pending.unit.is_exclusive = True
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
                if is_repeated:
                    raise translate_error(failure) from None
                is_repeated = True
            pending.restart()

    def _attempt(self, pending: PendingUnit) -> Any:  # noqa: ANN401  the unit's own result
        unit = pending.unit
        with self._lease(pending) as tx:
            if pending.reads:
                tx.begin_read()
            else:
                pending.server_run = tx.server_run
                pending.transaction = tx.begin_write(_lock_sql(unit))
            result = unit.run(tx)
            pending.begin_commit(result)
            tx.commit()
        return result

    @contextmanager
    def _lease(self, pending: PendingUnit) -> Iterator[PostgresTransaction]:
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

    def _find_outcome(self, pending: PendingUnit) -> bool:
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
                if self._units.is_over(pending, LOOKUP_PAUSE_SECONDS):
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
            if self._units.is_over(pending, LOOKUP_PAUSE_SECONDS):
                break
        raise OutcomeUnknownError


def _lock_sql(unit: QueuedUnit) -> str:
    """Return the SQL that locks the school of a unit.

    Shared and exclusive units of a school exclude each other.
    """
    if unit.school is None:
        return ""
    mode = "" if unit.is_exclusive else "_shared"
    return f"SELECT pg_advisory_xact_lock{mode}({_LOCK_CLASS}, {unit.school}); "


def _start_threads(
    name: str,
    count: int,
    run: Callable[["SimpleQueue[PendingUnit | None]"], None],
    queue: "SimpleQueue[PendingUnit | None]",
) -> list[threading.Thread]:
    # Daemons: a thread that waits for a server that never answers must not hold the process.
    threads = [
        threading.Thread(target=run, args=(queue,), name=f"{name}_{number}", daemon=True)
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads
