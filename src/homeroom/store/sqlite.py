"""SQLite: one writer thread with group commit, and reader threads with snapshots of their own.

The writer takes all units of work that are queued, up to a limit, and runs one after another. It
commits once for all of them, and reports each result only after the commit. A unit that fails does
not affect the others of its group. Most failing units are refused before their first write, and
there is nothing to undo. If one fails later, the group is rolled back and runs once more, with a
savepoint for each unit: savepoints for all would cost each unit a tenth of its time.
"""

import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from homeroom.base.errors import HomeroomError
from homeroom.store.engine import (
    CommitStats,
    PoolUse,
    QueuedUnit,
    Row,
    StoreError,
    Traceable,
    Transaction,
    UnavailableError,
)
from homeroom.store.outages import OutageCause, find_sqlite_cause
from homeroom.store.sqlite_statistics import delete_statistics, has_statistics
from homeroom.store.statement import SQLITE, CompiledStatement, Statement

MAX_GROUP_UNITS = 64
"""Units of work in one commit: enough to pay for the fsync, few enough to keep latency flat."""
LOCK_WAIT_SECONDS = 3.0
"""Longest wait of a unit of work while another program holds the database."""
LOCK_RETRY_SECONDS = 0.25
"""Time after which a wait for the lock looks whether it is to end."""
MAX_KEPT_WAL_BYTES = 16 * 1024 * 1024
"""Bytes of the write-ahead log that stay on the disk after it was emptied."""


Outcome = tuple[QueuedUnit, Any, BaseException | None]
"""A unit with its result or its exception."""


SYNCHRONOUS = "FULL"
"""A commit waits until the disk has it, so that no crash of the machine undoes it."""


class _NeedsSavepointsError(HomeroomError):
    """A unit of a group must be undone, and has no savepoint."""


class SqliteTransaction(Traceable):
    """A connection to SQLite, and the transaction that is open on it."""

    def __init__(self, path: Path, *, reads_only: bool = False) -> None:
        self._path = path
        wait_seconds = LOCK_WAIT_SECONDS if reads_only else LOCK_RETRY_SECONDS
        pragmas = [
            "foreign_keys = ON",
            f"busy_timeout = {round(wait_seconds * 1000)}",
            "journal_mode = WAL",
            f"synchronous = {SYNCHRONOUS}",
            "cache_size = -32768",
            "wal_autocheckpoint = 1000",
            f"journal_size_limit = {MAX_KEPT_WAL_BYTES}",
        ]
        if reads_only:
            pragmas.append("query_only = ON")
        try:
            self.connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, cached_statements=512
            )
            for pragma in pragmas:
                self.connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as failure:
            raise translate_error(failure, path) from failure

    def control(self, sql: str) -> None:
        """Run a statement that controls the transaction."""
        if self.trace is not None:
            self.trace(CompiledStatement(sql), {})
        try:
            self.connection.execute(sql)
        except sqlite3.Error as failure:
            raise translate_error(failure, self._path) from failure

    def fetch_all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        try:
            return self._execute(statement, values).fetchall()
        except sqlite3.Error as failure:
            raise translate_error(failure, self._path) from failure

    def execute(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return the number of rows that it wrote."""
        try:
            return self._execute(statement, values).rowcount
        except sqlite3.Error as failure:
            raise translate_error(failure, self._path) from failure

    def _execute(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        compiled = statement.compile_for(SQLITE)
        if self.trace is not None:
            self.trace(compiled, values)
        return self.connection.execute(compiled.sql, compiled.bind(values))


def translate_error(failure: sqlite3.Error, path: Path) -> StoreError:
    """Return an error of the driver as one of the store, with its cause if it has one."""
    cause = find_sqlite_cause(getattr(failure, "sqlite_errorcode", None), path.parent)
    return UnavailableError(cause) if cause is not None else StoreError(str(failure))


def open_transaction(path: Path, *, reads_only: bool = False) -> SqliteTransaction:
    """Open a connection that chooses its plans without statistics."""
    tx = SqliteTransaction(path, reads_only=reads_only)
    if has_statistics(tx.connection):
        tx.connection.close()
        delete_statistics(path)
        tx = SqliteTransaction(path, reads_only=reads_only)
    return tx


class SqliteEngine:
    """A SQLite file with one writer thread and two reader threads."""

    parallel_units = 1

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stats = CommitStats()
        self.blocked_by: OutageCause | None = None
        """What the writer waits for."""
        self._is_closing = False
        self._is_writing = False
        self._urgent: deque[QueuedUnit] = deque()
        self._waiting: queue.SimpleQueue[QueuedUnit | None] = queue.SimpleQueue()
        self.tx = open_transaction(path)
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()
        self._local = threading.local()
        self._readers = ThreadPoolExecutor(2, "store-reader")
        self._open: list[SqliteTransaction] = [self.tx]

    @property
    def pool(self) -> PoolUse:
        """The use of the writer's connection; reads have their own."""
        return PoolUse(int(self._is_writing), 1)

    def write(self, unit: QueuedUnit) -> None:
        """Queue a unit of work."""
        if self._is_closing:
            unit.on_done(None, UnavailableError(OutageCause.SHUTTING_DOWN))
            return
        unit.scope = None  # there is one writer, so no other unit runs at the same time
        if unit.is_urgent:
            self._urgent.append(unit)
            unit = QueuedUnit(_do_nothing, _ignore_outcome)  # wakes the writer
        self._waiting.put(unit)

    def read(self, unit: QueuedUnit) -> None:
        """Queue a snapshot read."""
        try:
            self._readers.submit(self._read, unit)
        except RuntimeError:  # the executor was shut down
            unit.on_done(None, UnavailableError(OutageCause.SHUTTING_DOWN))

    def begin_stopping(self, seconds: float) -> None:
        """Do nothing: no unit waits longer than `LOCK_WAIT_SECONDS` for the file."""

    def close(self) -> None:
        """Finish the queued units, then close the connections.

        Units that another program holds up are not waited for; they fail.
        """
        self._is_closing = True
        self._waiting.put(None)
        self._writer.join()
        for unit in [*self._take_urgent(), *self._take_waiting(None)]:
            unit.on_done(None, UnavailableError(OutageCause.SHUTTING_DOWN))
        self._readers.shutdown()
        for tx in self._open:
            tx.connection.close()

    def _write(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [*self._take_urgent(), first, *self._take_waiting(MAX_GROUP_UNITS - 1)]
            self._is_writing = True
            outcomes = self._commit(group)
            self._is_writing = False
            for unit, result, failure in outcomes:
                unit.on_done(result, failure)

    def _take_urgent(self) -> list[QueuedUnit]:
        units = []
        with suppress(IndexError):
            while True:
                units.append(self._urgent.popleft())
        return units

    def _take_waiting(self, limit: int | None) -> list[QueuedUnit]:
        """Take units out of the queue, at most some number, up to the sign that it is closed."""
        units: list[QueuedUnit] = []
        with suppress(queue.Empty):
            while limit is None or len(units) < limit:
                unit = self._waiting.get_nowait()
                if unit is None:
                    self._waiting.put(None)
                    break
                units.append(unit)
        return units

    def _commit(self, group: list[QueuedUnit]) -> Sequence[Outcome]:
        """Run a group of units and commit it; if the commit fails, all units of the group fail."""
        try:
            self._begin(group)
            try:
                outcomes = self._run(group, with_savepoints=False)
            except _NeedsSavepointsError:
                self.tx.control("ROLLBACK")
                self._begin(group)
                outcomes = self._run(group, with_savepoints=True)
            self.tx.control("COMMIT")
            self.stats.commits += 1
            self.stats.units += len(group)
        except Exception as failure:  # noqa: BLE001  after any exception, nothing of the group was committed
            with suppress(StoreError):
                if self.tx.connection.in_transaction:
                    self.tx.control("ROLLBACK")
            return [(unit, None, _copy_error(failure)) for unit in group]
        return outcomes

    def _run(self, group: list[QueuedUnit], *, with_savepoints: bool) -> list[Outcome]:
        """Run the units of a group one after another, and return their outcomes.

        Raises `_NeedsSavepointsError` if a unit fails after it and an earlier one have written.
        """
        outcomes: list[Outcome] = []
        connection = self.tx.connection
        changes_at_begin = connection.total_changes
        for unit in group:
            changes = connection.total_changes
            if with_savepoints:
                self.tx.control("SAVEPOINT unit")
            try:
                outcomes.append((unit, unit.run(self.tx), None))
            except Exception as failure:
                if not connection.in_transaction:
                    # The disk is full or has failed: SQLite has rolled back the whole group.
                    raise
                if with_savepoints:
                    self.tx.control("ROLLBACK TO unit")
                elif connection.total_changes != changes:
                    if changes != changes_at_begin:
                        raise _NeedsSavepointsError from None
                    self.tx.control("ROLLBACK")
                    self._begin(group)
                    changes_at_begin = connection.total_changes
                outcomes.append((unit, None, failure))
            if with_savepoints:
                self.tx.control("RELEASE unit")
        return outcomes

    def _begin(self, group: list[QueuedUnit]) -> None:
        """Begin the transaction of a group, as soon as no other program holds the database.

        When its first unit has waited long enough, the group fails, and with it all units that
        came in the meantime: each of them would wait as long for the same lock.
        """
        deadline = group[0].queued_at + LOCK_WAIT_SECONDS
        while True:
            try:
                self.tx.control("BEGIN IMMEDIATE")
            except UnavailableError as error:
                if error.cause is not OutageCause.LOCKED:
                    raise
                self.blocked_by = error.cause
                if self._is_closing or time.monotonic() >= deadline:
                    group += self._take_urgent() + self._take_waiting(None)
                    raise
            else:
                self.blocked_by = None
                return

    def _read(self, unit: QueuedUnit) -> None:
        try:
            tx = self._reader()
            tx.control("BEGIN")
            try:
                result = unit.run(tx)
            finally:
                with suppress(StoreError):  # after some errors SQLite has rolled back itself
                    tx.control("ROLLBACK")
        except Exception as failure:  # noqa: BLE001  the caller of the unit gets it
            unit.on_done(None, failure)
        else:
            unit.on_done(result, None)

    def _reader(self) -> SqliteTransaction:
        tx: SqliteTransaction | None = getattr(self._local, "tx", None)
        if tx is None:
            tx = self._local.tx = open_transaction(self.path, reads_only=True)
            self._open.append(tx)
        return tx


def _do_nothing(_tx: Transaction) -> None:
    """Do nothing: of a unit that only wakes the writer."""


def _ignore_outcome(_result: object, _failure: BaseException | None) -> None:
    """Ignore the outcome of such a unit."""


def _copy_error(failure: Exception) -> StoreError:
    """Return the error of one unit of a group that was not committed.

    Each unit has an error of its own: an exception that is raised in several tasks would collect
    the tracebacks of all.
    """
    if isinstance(failure, UnavailableError):
        return UnavailableError(failure.cause, failure.detail)
    error = StoreError(f"the group was not committed: {failure}")
    error.__cause__ = failure
    return error
