"""SQLite: one writer thread with group commit, and reader threads with snapshots of their own.

The writer takes all units of work that are queued, up to a limit, and runs each in its own
savepoint. It commits once for all of them, and reports each result only after the commit. A unit
that fails is rolled back to its savepoint; the others of its group are not affected.
"""

import queue
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from homeroom.store.engine import (
    BUSY_TIMEOUT_SECONDS,
    CommitStats,
    QueuedUnit,
    Row,
    StoreError,
    Traceable,
)
from homeroom.store.statement import SQLITE, Statement

MAX_GROUP_UNITS = 64
"""Units of work in one commit: enough to pay for the fsync, few enough to keep latency flat."""


class SqliteTransaction(Traceable):
    """A connection to SQLite, and the transaction that is open on it."""

    def __init__(self, path: Path, *, reads_only: bool = False) -> None:
        self.connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        pragmas = [
            "foreign_keys = ON",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}",
            "cache_size = -32768",
            "wal_autocheckpoint = 1000",
        ]
        if reads_only:
            pragmas.append("query_only = ON")
        for pragma in pragmas:
            self.connection.execute(f"PRAGMA {pragma}")

    def control(self, sql: str) -> None:
        """Run a statement that controls the transaction."""
        if self.trace is not None:
            self.trace(sql, {})
        self.connection.execute(sql)

    def fetch_all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        return self._execute(statement, values).fetchall()

    def execute(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return the number of rows that it wrote."""
        return self._execute(statement, values).rowcount

    def _execute(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        sql, constants = statement.compile_for(SQLITE)
        if constants:
            values = {**constants, **values}
        if self.trace is not None:
            self.trace(sql, values)
        return self.connection.execute(sql, values)


class SqliteEngine:
    """A SQLite file with one writer thread and two reader threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stats = CommitStats()
        self._waiting: queue.SimpleQueue[QueuedUnit | None] = queue.SimpleQueue()
        self.tx = SqliteTransaction(path)
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()
        self._local = threading.local()
        self._readers = ThreadPoolExecutor(2, "store-reader")
        self._open: list[SqliteTransaction] = [self.tx]

    def write(self, unit: QueuedUnit) -> None:
        """Queue a unit of work."""
        unit.is_exclusive = True  # there is one writer, so no other unit runs at the same time
        self._waiting.put(unit)

    def read(self, unit: QueuedUnit) -> None:
        """Queue a snapshot read."""
        self._readers.submit(self._read, unit)

    def close(self) -> None:
        """Finish the queued units, then close the connections."""
        self._waiting.put(None)
        self._writer.join()
        self._readers.shutdown()
        for tx in self._open:
            tx.connection.close()

    def _write(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            with suppress(queue.Empty):
                while len(group) < MAX_GROUP_UNITS:
                    unit = self._waiting.get_nowait()
                    if unit is None:
                        self._waiting.put(None)
                        break
                    group.append(unit)
            for unit, result, failure in self._commit(group):
                unit.on_done(result, failure)

    def _commit(
        self, group: list[QueuedUnit]
    ) -> Sequence[tuple[QueuedUnit, Any, BaseException | None]]:
        """Run a group of units and commit it; if the commit fails, all units of the group fail."""
        outcomes: list[tuple[QueuedUnit, Any, BaseException | None]] = []
        try:
            self.tx.control("BEGIN IMMEDIATE")
            for unit in group:
                self.tx.control("SAVEPOINT unit")
                try:
                    outcomes.append((unit, unit.run(self.tx), None))
                except Exception as failure:
                    if not self.tx.connection.in_transaction:
                        # The disk is full or has failed: SQLite has rolled back the whole group.
                        raise
                    self.tx.control("ROLLBACK TO unit")
                    outcomes.append((unit, None, failure))
                self.tx.control("RELEASE unit")
            self.tx.control("COMMIT")
            self.stats.commits += 1
            self.stats.units += len(group)
        except Exception as failure:  # noqa: BLE001  after any exception, nothing of the group was committed
            with suppress(sqlite3.Error):
                if self.tx.connection.in_transaction:
                    self.tx.control("ROLLBACK")
            error = StoreError(f"the group was not committed: {failure}")
            error.__cause__ = failure
            return [(unit, None, error) for unit in group]
        return outcomes

    def _read(self, unit: QueuedUnit) -> None:
        try:
            tx = self._reader()
            tx.control("BEGIN")
            try:
                result = unit.run(tx)
            finally:
                tx.control("ROLLBACK")
        except Exception as failure:  # noqa: BLE001  the caller of the unit gets it
            unit.on_done(None, failure)
        else:
            unit.on_done(result, None)

    def _reader(self) -> SqliteTransaction:
        tx: SqliteTransaction | None = getattr(self._local, "tx", None)
        if tx is None:
            tx = self._local.tx = SqliteTransaction(self.path, reads_only=True)
            self._open.append(tx)
        return tx
