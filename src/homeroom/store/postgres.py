"""PostgreSQL: a few held connections, one transaction a unit.

Units of one school take turns by an advisory lock, which is taken before the first read; those that
only add share it. Readers have snapshots of their own.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg.types.numeric import Int8Dumper

from homeroom.store.engine import (
    BUSY_SECONDS,
    ContendedError,
    NeedsExclusiveError,
    Row,
    StoreError,
    Tally,
    Trace,
    Traced,
    Unit,
)
from homeroom.store.statement import POSTGRESQL, Statement

HELD_CONNECTIONS = 10
READING_CONNECTIONS = 2
"""Of the held ones, those that only read."""
ATTEMPTS = 10
"""Times a unit is run again after PostgreSQL gave up on it for the sake of another."""

_LOCK_CLASS = 20_431
"""The first half of our advisory locks' keys, so that they meet nobody else's."""
_LOOK = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresTx(Traced):
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

    def write(self, unit: Unit) -> None:
        """Queue a unit that writes."""
        self._writers.submit(self._run, unit, self._begin(unit))

    def read(self, unit: Unit) -> None:
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
                raise StoreError(_told(failure)) from None
            return self._attempt(unit, begin, left - 1)
        except psycopg.errors.LockNotAvailable as failure:
            self._undo(tx)
            raise ContendedError(str(failure)) from failure
        except NeedsExclusiveError:
            self._undo(tx)
            unit.alone = True
            return self._attempt(unit, self._begin(unit), left)
        except psycopg.Error as failure:
            self._undo(tx)
            if tx.connection.closed and not has_begun and left > 0:
                # PostgreSQL was restarted while the connection lay idle: another one will do.
                return self._attempt(unit, begin, left - 1)
            raise StoreError(_told(failure)) from None
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
                raise StoreError(f"no connection: {failure}") from failure
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
