"""The two engines, and all that differs between them.

SQLite: one writer thread takes every unit that waits, runs each in a savepoint of its own, commits
once for all of them and only then answers each. PostgreSQL: a few held connections, one transaction
a unit, serialised within a school by an advisory lock that is taken before the first read. Readers
have snapshots of their own on both.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg.types.numeric import Int8Dumper

from homeroom.store.statement import POSTGRESQL, SQLITE, Statement

Value = int | str | None
Row = tuple[Any, ...]
Trace = Callable[[str, dict[str, Any]], None]
"""Told each statement and its values; for benchmarks and for tests that count."""

GROUP = 64
"""Units that one commit may hold: enough to pay for the fsync, few enough to keep latency flat."""
HELD_CONNECTIONS = 8
READING_CONNECTIONS = 2
"""Of the held ones, those that only read."""
ATTEMPTS = 10
"""Times a unit is run again after PostgreSQL gave up on it for the sake of another."""
BUSY_SECONDS = 10


class StoreFailed(Exception):
    """The database could not do or keep the work.

    Nothing of it was kept, but for one case: a connection to PostgreSQL that was lost during the
    commit leaves it open whether it was.
    """


class Contended(Exception):
    """Another unit holds for over a second what this one needs."""


class NeedsAlone(Exception):
    """The unit found that it may not run beside others of its school; it is run again alone."""


class Tx(Protocol):
    """A transaction: what a noun of the store speaks to."""

    def all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        ...

    def run(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""
        ...


@dataclass(slots=True)
class Unit:
    """One piece of work waiting for a transaction."""

    run: Callable[[Tx], Any]
    reply: Callable[[Any, BaseException | None], None]
    """Told the result or the failure, from a thread of the store, after the commit."""
    school: int | None = None
    alone: bool = True
    """Whether other units of the school must wait; reads and plain additions need not."""


@dataclass(slots=True)
class Tally:
    """What an engine has committed since it was opened: how often, and how many units of work."""

    commits: int = 0
    units: int = 0


class Engine(Protocol):
    """A database engine."""

    tally: Tally

    def work(self, unit: Unit) -> None:
        """Queue a unit that writes."""
        ...

    def look(self, unit: Unit) -> None:
        """Queue a unit that only reads, on a snapshot."""
        ...

    def close(self) -> None:
        """Finish what waits and let go of the database."""
        ...


class _Traced:
    trace: Trace | None = None


# --- SQLite -------------------------------------------------------------------------------------


class SqliteTx(_Traced):
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

    def work(self, unit: Unit) -> None:
        """Queue a unit that writes."""
        unit.alone = True  # there is one writer
        self._waiting.put(unit)

    def look(self, unit: Unit) -> None:
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
            lost = StoreFailed(f"the group was not committed: {failure}")
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


# --- PostgreSQL -----------------------------------------------------------------------------------

_LOCK_CLASS = 20_431
"""The first half of our advisory locks' keys, so that they meet nobody else's."""
_LOOK = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresTx(_Traced):
    """A held connection of PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True, connect_timeout=BUSY_SECONDS)
        # One width for all integers, or each statement would be prepared once per width.
        self.connection.adapters.register_dumper(int, Int8Dumper)
        self.connection.prepare_threshold = 1
        # A plan made while a table was empty must not turn into a scan when it no longer is: rows
        # are looked up by index, one by one. A scan that cannot be helped then seems dear enough
        # to be compiled, for 200 ms a run.
        self.connection.execute(
            "SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off; "
            "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off"
        )
        self.connection.execute("SET lock_timeout = '30s'; SET statement_timeout = '60s'")
        self.cursor = self.connection.cursor()

    def plain(self, sql: str) -> None:
        """Run statements of transaction control, in one round trip."""
        if self.trace is not None:
            self.trace(sql, {})
        self.cursor.execute(sql.encode(), prepare=False)

    def all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        self._execute(statement, values)
        return self.cursor.fetchall()

    def run(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return how many rows it wrote."""
        self._execute(statement, values)
        return self.cursor.rowcount

    def _execute(self, statement: Statement, values: dict[str, Any]) -> None:
        sql, constants = statement.on(POSTGRESQL)
        if constants:
            values = {**constants, **values}
        if self.trace is not None:
            self.trace(sql, values)
        self.cursor.execute(sql.encode(), values)


def _told(failure: psycopg.Error) -> str:
    """Return what PostgreSQL says of a failure, without the values of rows that it may quote."""
    return failure.diag.message_primary or type(failure).__name__


class PostgresEngine:
    """PostgreSQL behind a few held connections."""

    def __init__(self, url: str, trace: Trace | None = None) -> None:
        self._url = url
        self.trace = trace
        self.tally = Tally()
        self._tallying = threading.Lock()
        self._local = threading.local()
        self._writers = ThreadPoolExecutor(HELD_CONNECTIONS - READING_CONNECTIONS, "store-writer")
        # Units that wait for the turn of one school must not keep others from being let in.
        self._readers = ThreadPoolExecutor(READING_CONNECTIONS, "store-reader")
        self._open: list[PostgresTx] = []

    def work(self, unit: Unit) -> None:
        """Queue a unit that writes."""
        self._writers.submit(self._run, unit, self._begin(unit))

    def look(self, unit: Unit) -> None:
        """Queue a unit that only reads, on a snapshot."""
        self._readers.submit(self._run, unit, _LOOK)

    def close(self) -> None:
        """Finish what waits and let go of the database."""
        self._writers.shutdown()
        self._readers.shutdown()
        for tx in self._open:
            tx.connection.close()

    def _begin(self, unit: Unit) -> str:
        """Begin, and take the school's turn before the first snapshot: later it would be stale.

        Units that only add run together; any other waits for them and they for it. After the turn
        no wait is longer than a second, which is what errno 460 promises.
        """
        if unit.school is None:
            return "BEGIN; SET LOCAL lock_timeout = '1s'"
        kind = "" if unit.alone else "_shared"
        lock = f"SELECT pg_advisory_xact_lock{kind}({_LOCK_CLASS}, {unit.school})"
        return f"BEGIN; {lock}; SET LOCAL lock_timeout = '1s'"

    def _run(self, unit: Unit, begin: str) -> None:
        try:
            result = self._attempt(unit, begin, ATTEMPTS)
        except Exception as failure:  # noqa: BLE001  it belongs to whoever sent the unit
            unit.reply(None, failure)
        else:
            if begin is not _LOOK:
                with self._tallying:
                    self.tally.commits += 1
                    self.tally.units += 1
            unit.reply(result, None)

    def _attempt(self, unit: Unit, begin: str, left: int) -> Any:  # noqa: ANN401  the unit's own result
        tx = self._tx()
        has_begun = False
        try:
            tx.plain(begin)
            has_begun = True
            result = unit.run(tx)
            tx.plain("COMMIT")
        except (
            psycopg.errors.SerializationFailure,
            psycopg.errors.DeadlockDetected,
            psycopg.errors.UniqueViolation,
            psycopg.errors.ForeignKeyViolation,
        ) as failure:
            # What another unit has just put there or taken away is seen when this one looks again.
            self._undo(tx)
            if left == 0:
                raise StoreFailed(_told(failure)) from None
            return self._attempt(unit, begin, left - 1)
        except psycopg.errors.LockNotAvailable as failure:
            self._undo(tx)
            raise Contended(str(failure)) from failure
        except NeedsAlone:
            self._undo(tx)
            unit.alone = True
            return self._attempt(unit, self._begin(unit), left)
        except psycopg.Error as failure:
            self._undo(tx)
            if tx.connection.closed and not has_begun and left > 0:
                # PostgreSQL was restarted while the connection lay idle: another one will do.
                return self._attempt(unit, begin, left - 1)
            raise StoreFailed(_told(failure)) from None
        except BaseException:
            self._undo(tx)
            raise
        return result

    def _tx(self) -> PostgresTx:
        tx: PostgresTx | None = getattr(self._local, "tx", None)
        if tx is None or tx.connection.closed:
            try:
                tx = self._local.tx = PostgresTx(self._url)
            except psycopg.Error as failure:
                raise StoreFailed(f"no connection: {failure}") from failure
            tx.trace = self.trace
            self._open.append(tx)
        return tx

    def _undo(self, tx: PostgresTx) -> None:
        try:
            tx.plain("ROLLBACK")
        except psycopg.Error:
            tx.connection.close()
            self._open.remove(tx)
            self._local.tx = None
