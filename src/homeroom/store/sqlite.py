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
    BUSY_SECONDS,
    Row,
    StoreError,
    Tally,
    Traced,
    Unit,
)
from homeroom.store.statement import SQLITE, Statement

GROUP = 64
"""Units that one commit may hold: enough to pay for the fsync, few enough to keep latency flat."""


class SqliteTx(Traced):
    """A connection of SQLite, between a BEGIN and a COMMIT."""

    def __init__(self, path: Path, *, reads_only: bool = False) -> None:
        self.connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        pragmas = [
            "foreign_keys = ON",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"busy_timeout = {BUSY_SECONDS * 1000}",
            "cache_size = -32768",
            "wal_autocheckpoint = 1000",
        ]
        if reads_only:
            pragmas.append("query_only = ON")
        for pragma in pragmas:
            self.connection.execute(f"PRAGMA {pragma}")

    def plain(self, sql: str) -> None:
        """Run a statement of transaction control."""
        if self.trace is not None:
            self.trace(sql, {})
        self.connection.execute(sql)

    def all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        return self._execute(statement, values).fetchall()

    def run(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""
        return self._execute(statement, values).rowcount

    def _execute(self, statement: Statement, values: dict[str, Any]) -> sqlite3.Cursor:
        sql, constants = statement.on(SQLITE)
        if constants:
            values = {**constants, **values}
        if self.trace is not None:
            self.trace(sql, values)
        return self.connection.execute(sql, values)


class SqliteEngine:
    """SQLite behind one writer thread and two readers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tally = Tally()
        self._waiting: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self.tx = SqliteTx(path)
        self._writer = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._writer.start()
        self._local = threading.local()
        self._readers = ThreadPoolExecutor(2, "store-reader")
        self._open: list[SqliteTx] = [self.tx]

    def write(self, unit: Unit) -> None:
        """Queue a unit that writes."""
        unit.alone = True  # there is one writer
        self._waiting.put(unit)

    def read(self, unit: Unit) -> None:
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
                while len(group) < GROUP:
                    unit = self._waiting.get_nowait()
                    if unit is None:
                        self._waiting.put(None)
                        break
                    group.append(unit)
            for unit, result, failure in self._commit(group):
                unit.reply(result, failure)

    def _commit(self, group: list[Unit]) -> Sequence[tuple[Unit, Any, BaseException | None]]:
        """Run a group and commit it; a failed commit fails every unit of it."""
        outcomes: list[tuple[Unit, Any, BaseException | None]] = []
        try:
            self.tx.plain("BEGIN IMMEDIATE")
            for unit in group:
                self.tx.plain("SAVEPOINT unit")
                try:
                    outcomes.append((unit, unit.run(self.tx), None))
                except Exception as failure:
                    if not self.tx.connection.in_transaction:
                        # Disk full or an I/O error: SQLite has undone the whole group by itself.
                        raise
                    self.tx.plain("ROLLBACK TO unit")
                    outcomes.append((unit, None, failure))
                self.tx.plain("RELEASE unit")
            self.tx.plain("COMMIT")
            self.tally.commits += 1
            self.tally.units += len(group)
        except Exception as failure:  # noqa: BLE001  whatever it is, nothing of the group was kept
            with suppress(sqlite3.Error):
                if self.tx.connection.in_transaction:
                    self.tx.plain("ROLLBACK")
            lost = StoreError(f"the group was not committed: {failure}")
            lost.__cause__ = failure
            return [(unit, None, lost) for unit in group]
        return outcomes

    def _read(self, unit: Unit) -> None:
        try:
            tx = self._reader()
            tx.plain("BEGIN")
            try:
                result = unit.run(tx)
            finally:
                tx.plain("ROLLBACK")
        except Exception as failure:  # noqa: BLE001  it belongs to whoever sent the unit
            unit.reply(None, failure)
        else:
            unit.reply(result, None)

    def _reader(self) -> SqliteTx:
        tx: SqliteTx | None = getattr(self._local, "tx", None)
        if tx is None:
            tx = self._local.tx = SqliteTx(self.path, reads_only=True)
            self._open.append(tx)
        return tx
