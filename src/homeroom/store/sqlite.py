"""SQLite: one writer thread, and readers with snapshots of their own.

The writer takes every unit that waits, runs each in a savepoint of its own, commits once for all of
them and only then answers each.
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
"""Units that one commit may hold: enough to pay for the fsync, few enough to keep latency flat."""


class SqliteTransaction(Traceable):
    """A connection of SQLite, between a BEGIN and a COMMIT."""

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
        """Run a statement of transaction control."""
        if self.trace is not None:
            self.trace(sql, {})
        self.connection.execute(sql)

    def fetch_all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        return self._execute(statement, values).fetchall()

    def execute(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""
        return self._execute(statement, values).rowcount

    def _execute(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        sql, constants = statement.compile_for(SQLITE)
        if constants:
            values = {**constants, **values}
        if self.trace is not None:
            self.trace(sql, values)
        return self.connection.execute(sql, values)


class SqliteEngine:
    """SQLite behind one writer thread and two readers."""

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
        """Queue a unit that writes."""
        unit.is_exclusive = True  # there is one writer
        self._waiting.put(unit)

    def read(self, unit: QueuedUnit) -> None:
        """Queue a unit that only reads, on a snapshot."""
        self._readers.submit(self._read, unit)

    def close(self) -> None:
        """Finish what waits and let go of the database."""
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
        """Run a group and commit it; a failed commit fails every unit of it."""
        outcomes: list[tuple[QueuedUnit, Any, BaseException | None]] = []
        try:
            self.tx.control("BEGIN IMMEDIATE")
            for unit in group:
                self.tx.control("SAVEPOINT unit")
                try:
                    outcomes.append((unit, unit.run(self.tx), None))
                except Exception as failure:
                    if not self.tx.connection.in_transaction:
                        # Disk full or an I/O error: SQLite has undone the whole group by itself.
                        raise
                    self.tx.control("ROLLBACK TO unit")
                    outcomes.append((unit, None, failure))
                self.tx.control("RELEASE unit")
            self.tx.control("COMMIT")
            self.stats.commits += 1
            self.stats.units += len(group)
        except Exception as failure:  # noqa: BLE001  whatever it is, nothing of the group was kept
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
        except Exception as failure:  # noqa: BLE001  it belongs to whoever sent the unit
            unit.on_done(None, failure)
        else:
            unit.on_done(result, None)

    def _reader(self) -> SqliteTransaction:
        tx: SqliteTransaction | None = getattr(self._local, "tx", None)
        if tx is None:
            tx = self._local.tx = SqliteTransaction(self.path, reads_only=True)
            self._open.append(tx)
        return tx
