"""PostgreSQL: a few open connections, one transaction for each unit of work.

An advisory lock makes the units of one school run one after another. It is taken before the first
read. Units that only add rows share the lock and run side by side. Reads have snapshots of their
own and take no lock.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg.types.numeric import Int8Dumper

from homeroom.store.engine import (
    BUSY_TIMEOUT_SECONDS,
    CommitStats,
    ContendedError,
    NeedsExclusiveError,
    QueuedUnit,
    Row,
    StoreError,
    Trace,
    Traceable,
    UnavailableError,
)
from homeroom.store.outages import find_connection_cause, find_postgresql_cause
from homeroom.store.statement import POSTGRESQL, Statement

MAX_CONNECTIONS = 10
"""Connections of one server process. This is the back-pressure: further units wait in a queue."""
READER_CONNECTIONS = 2
"""Connections, of the above, that only read."""
MAX_RETRIES = 10
"""Times that a unit is run again after a conflict with another transaction."""

_LOCK_CLASS = 20_431
"""First half of the keys of our advisory locks; it keeps them apart from other programs' locks."""
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresTransaction(Traceable):
    """A connection to PostgreSQL, and the transaction that is open on it."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(
            url, autocommit=True, connect_timeout=BUSY_TIMEOUT_SECONDS
        )
        # One width for all integers, or each statement would be prepared once per width.
        self.connection.adapters.register_dumper(int, Int8Dumper)
        self.connection.prepare_threshold = 1
        # A plan made while a table was empty must not turn into a scan when it no longer is: rows
        # are looked up by index, one by one. Without these plans an unavoidable scan looks so
        # expensive that PostgreSQL would compile it (JIT), for 200 ms a run.
        self.connection.execute(
            "SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off; "
            "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off"
        )
        self.connection.execute("SET lock_timeout = '30s'; SET statement_timeout = '60s'")
        self.cursor = self.connection.cursor()

    def control(self, sql: str) -> None:
        """Run statements that control the transaction, in one round trip."""
        if self.trace is not None:
            self.trace(sql, {})
        self.cursor.execute(sql.encode(), prepare=False)

    def fetch_all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        self._run(statement, values)
        return self.cursor.fetchall()

    def execute(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return the number of rows that it wrote."""
        self._run(statement, values)
        return self.cursor.rowcount

    def _run(self, statement: Statement, values: dict[str, Any]) -> None:
        sql, constants = statement.compile_for(POSTGRESQL)
        if constants:
            values = {**constants, **values}
        if self.trace is not None:
            self.trace(sql, values)
        self.cursor.execute(sql.encode(), values)


def translate_error(failure: psycopg.Error) -> StoreError:
    """Return an error of the driver as one of the store, with its cause if it has one."""
    if failure.sqlstate is None and isinstance(failure, psycopg.OperationalError):
        # No connection, or one that has just been lost.
        text = str(failure)
        return UnavailableError(find_connection_cause(text), text)
    cause = find_postgresql_cause(failure.sqlstate or "")
    # Without the detail, which may quote values of rows.
    text = failure.diag.message_primary or type(failure).__name__
    return UnavailableError(cause, text) if cause is not None else StoreError(text)


class PostgresEngine:
    """A PostgreSQL database with a few open connections."""

    def __init__(self, url: str, trace: Trace | None = None) -> None:
        self._url = url
        self.trace = trace
        self.stats = CommitStats()
        self._stats_lock = threading.Lock()
        self._local = threading.local()
        self._writers = ThreadPoolExecutor(MAX_CONNECTIONS - READER_CONNECTIONS, "store-writer")
        # Units that wait for the lock of one school must not hold up the reads of other requests.
        self._readers = ThreadPoolExecutor(READER_CONNECTIONS, "store-reader")
        self._open: list[PostgresTransaction] = []

    def write(self, unit: QueuedUnit) -> None:
        """Queue a unit of work."""
        self._writers.submit(self._run, unit, self._begin(unit))

    def read(self, unit: QueuedUnit) -> None:
        """Queue a snapshot read."""
        self._readers.submit(self._run, unit, _BEGIN_READ)

    def close(self) -> None:
        """Finish the queued units, then close the connections."""
        self._writers.shutdown()
        self._readers.shutdown()
        for tx in self._open:
            tx.connection.close()

    def _begin(self, unit: QueuedUnit) -> str:
        """Return the SQL that begins a transaction and locks its school.

        The lock comes before the first snapshot: a snapshot taken before the lock would be stale.
        Shared and exclusive units of a school exclude each other. Once the school is locked, no
        wait is longer than a second, as Errno.BEING_CREATED promises.
        """
        if unit.school is None:
            return "BEGIN; SET LOCAL lock_timeout = '1s'"
        mode = "" if unit.is_exclusive else "_shared"
        lock_sql = f"SELECT pg_advisory_xact_lock{mode}({_LOCK_CLASS}, {unit.school})"
        return f"BEGIN; {lock_sql}; SET LOCAL lock_timeout = '1s'"

    def _run(self, unit: QueuedUnit, begin: str) -> None:
        try:
            result = self._attempt(unit, begin, MAX_RETRIES)
        except Exception as failure:  # noqa: BLE001  the caller of the unit gets it
            unit.on_done(None, failure)
        else:
            if begin is not _BEGIN_READ:
                with self._stats_lock:
                    self.stats.commits += 1
                    self.stats.units += 1
            unit.on_done(result, None)

    def _attempt(self, unit: QueuedUnit, begin: str, retries_left: int) -> Any:  # noqa: ANN401  the unit's own result
        tx = self._connection()
        has_begun = False
        try:
            tx.control(begin)
            has_begun = True
            result = unit.run(tx)
            tx.control("COMMIT")
        except (
            psycopg.errors.SerializationFailure,
            psycopg.errors.DeadlockDetected,
            psycopg.errors.UniqueViolation,
            psycopg.errors.ForeignKeyViolation,
        ) as failure:
            # Another unit has just added or deleted a row that this one needs: run it again, and it
            # sees that row.
            self._rollback(tx)
            if retries_left == 0:
                raise translate_error(failure) from None
            return self._attempt(unit, begin, retries_left - 1)
        except psycopg.errors.LockNotAvailable as failure:
            self._rollback(tx)
            raise ContendedError(str(failure)) from failure
        except NeedsExclusiveError:
            self._rollback(tx)
            unit.is_exclusive = True
            return self._attempt(unit, self._begin(unit), retries_left)
        except psycopg.Error as failure:
            self._rollback(tx)
            if tx.connection.closed and not has_begun and retries_left > 0:
                # PostgreSQL was restarted while the connection was idle: open another one.
                return self._attempt(unit, begin, retries_left - 1)
            raise translate_error(failure) from None
        except BaseException:
            self._rollback(tx)
            raise
        return result

    def _connection(self) -> PostgresTransaction:
        tx: PostgresTransaction | None = getattr(self._local, "tx", None)
        if tx is None or tx.connection.closed:
            try:
                tx = self._local.tx = PostgresTransaction(self._url)
            except psycopg.Error as failure:
                raise translate_error(failure) from failure
            tx.trace = self.trace
            self._open.append(tx)
        return tx

    def _rollback(self, tx: PostgresTransaction) -> None:
        try:
            tx.control("ROLLBACK")
        except psycopg.Error:
            tx.connection.close()
            self._open.remove(tx)
            self._local.tx = None
