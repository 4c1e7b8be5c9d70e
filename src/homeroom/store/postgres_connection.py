"""Connections to PostgreSQL, opened here for the engine and for every command.

libpq reads the address, so that all that it takes works: several hosts, `target_session_attrs`,
key-value strings, percent-encoded passwords.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import compress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper

from homeroom.store.engine import Row, StoreError, Traceable
from homeroom.store.outages import OutageCause
from homeroom.store.postgres_batches import build_batch
from homeroom.store.postgres_errors import translate_error
from homeroom.store.school_locks import LOCK_MS, NO_LOCKS, AdvisoryLock, TransactionLocks
from homeroom.store.statement import POSTGRESQL, CompiledStatement, Statement

CONNECT_SECONDS = 5
"""Longest wait for one host of the address."""
COMMAND_SECONDS = 30
"""Longest use of a connection of `open_briefly`."""
CANCEL_SECONDS = 2
"""Longest wait for the server to accept a cancel request, before its connection is cut."""
FULL_SECONDS = 2.0
"""Longest wait for a server that has no connection left: one that was just closed frees its place
a moment later."""
_FULL_PAUSE_SECONDS = 0.1

_DEFAULTS = {
    "connect_timeout": CONNECT_SECONDS,
    # A peer that vanished without a word is noticed after half a minute.
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "fallback_application_name": "homeroom",
}
"""Parameters of libpq for which the address names no value."""

# A plan made while a table was empty must not turn into a scan when it no longer is: rows are
# looked up by index, one by one, and a list is read in the order of its index. Without these plans
# an unavoidable scan looks so expensive that PostgreSQL would compile it (JIT), for 200 ms a run.
_SETTINGS = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "random_page_cost": "1.1",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "lock_timeout": "30s",
    "statement_timeout": "30s",
}
_SET_FOR_SESSION = "".join(f"SET {name} = '{value}'; " for name, value in _SETTINGS.items())
# One call of a function costs less than a SET LOCAL, by more than a statement.
_SET_FOR_TRANSACTION = (
    "SELECT "
    + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items())
    + "; "
)
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
_IDENTIFY = (
    "SELECT pg_backend_pid(),"
    " concat(pg_postmaster_start_time(), ' ', (SELECT stats_reset FROM pg_stat_bgwriter))"
)


def connect(
    address: str, *, autocommit: bool = True, full_seconds: float = FULL_SECONDS
) -> "psycopg.Connection[Row]":
    """Open a connection; `address` is all that libpq takes.

    Raises `StoreError` if there is none, or if the database has an encoding other than UTF8.
    """
    deadline = time.monotonic() + full_seconds
    while (connection := _try_to_connect(address, deadline)) is None:
        time.sleep(_FULL_PAUSE_SECONDS)
    connection.autocommit = autocommit
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        message = f"the database has the encoding {encoding}: createdb -E UTF8 -T template0"
        raise StoreError(message)
    return connection


def _try_to_connect(address: str, deadline: float) -> "psycopg.Connection[Row] | None":
    """Return a connection, or None if the server has none left and the deadline is ahead."""
    try:
        parameters: dict[str, Any] = _DEFAULTS | conninfo_to_dict(address)
        return psycopg.connect(**parameters | {"client_encoding": "UTF8"}, autocommit=True)
    except psycopg.Error as failure:
        error = translate_error(failure)
        is_full = getattr(error, "cause", None) is OutageCause.NO_FREE_CONNECTION
        if is_full and time.monotonic() < deadline:
            return None
        raise error from failure


class ConnectionCutter:
    """A second handle of a connection's socket, with which another thread can end its wait."""

    def __init__(self, connection: "psycopg.Connection[Row]") -> None:
        self._connection = connection
        # A number of its own: that of the connection may belong to another file once it is closed.
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        self._is_cut = False

    def cut(self) -> None:
        """Cancel what the server does, and cut the connection; returns at once.

        A thread that waits for the server gets an error. A server that is paused accepts no cancel
        request, so this needs a thread of its own.
        """
        if self._is_cut:
            return
        self._is_cut = True
        threading.Thread(target=self._cut, name="store-cutter", daemon=True).start()

    def disconnect(self) -> None:
        """Cut a connection on which the server does nothing."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the second handle."""
        self._socket.close()

    def _cut(self) -> None:
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=CANCEL_SECONDS)
        self.disconnect()


@contextmanager
def open_briefly(address: str) -> Iterator["psycopg.Connection[Row]"]:
    """Open a connection for a few short statements; it is cut after `COMMAND_SECONDS`."""
    connection = connect(address)
    cutter = ConnectionCutter(connection)
    timer = threading.Timer(COMMAND_SECONDS, cutter.cut)
    timer.daemon = True
    timer.start()
    try:
        yield connection
    finally:
        timer.cancel()
        cutter.close()
        connection.close()


class PostgresTransaction(Traceable):
    """A connection to PostgreSQL, and the transaction that is open on it."""

    def __init__(self, address: str, *, full_seconds: float = FULL_SECONDS) -> None:
        self.connection = connect(address, full_seconds=full_seconds)
        self._cutter = ConnectionCutter(self.connection)
        # One width for all integers, or each statement would be prepared once per width.
        self.connection.adapters.register_dumper(int, Int8Dumper)
        self.connection.prepare_threshold = None
        self.cursor = self.connection.cursor()
        self.locks: frozenset[AdvisoryLock] = frozenset()
        """The locks that the transaction has."""
        self.server_run = ""
        """Names the run of the server, from its start or its recovery from a crash to its end."""
        try:
            pid, self.server_run = self.cursor.execute(_IDENTIFY).fetchone() or (0, "")
            # A pooler makes up the process id of the handshake. What one transaction sets or
            # prepares on its connections is not there in the next.
            self.is_pooled = pid != self.connection.info.backend_pid
            self._settings = _SET_FOR_TRANSACTION if self.is_pooled else ""
            if not self.is_pooled:
                self.control(_SET_FOR_SESSION)
                self.connection.prepare_threshold = 1
        except psycopg.Error as failure:
            self.close()
            raise translate_error(failure) from None

    @property
    def is_idle(self) -> bool:
        """Whether the connection works and no transaction is open on it."""
        return self.connection.pgconn.transaction_status == TransactionStatus.IDLE

    def begin_read(self) -> None:
        """Begin a transaction that only reads, on one snapshot."""
        self.control(_BEGIN_READ + self._settings)

    def begin_write(self, locks: TransactionLocks = NO_LOCKS, lock_ms: int = LOCK_MS) -> str:
        """Begin a transaction, take locks, and return the transaction's id, in one round trip.

        The locks come before the first snapshot: a snapshot taken before would be stale. After
        them, no wait for a lock is longer than that many milliseconds.
        """
        self.control(
            f"BEGIN; {self._settings}{locks.waiting_sql}"
            f"SELECT set_config('lock_timeout', '{lock_ms}', true), pg_current_xact_id()"
            f"{locks.attempting_sql}"
        )
        while self.cursor.nextset():
            pass
        _, transaction, *are_locked = self.cursor.fetchone() or ("", "")
        self.locks = frozenset([*locks.waited, *compress(locks.attempted, are_locked)])
        return str(transaction)

    def commit(self) -> None:
        """Commit the transaction."""
        self.control("COMMIT")
        if self.cursor.statusmessage != "COMMIT":
            # A statement failed and the unit went on: PostgreSQL has rolled back.
            raise StoreError("the transaction was rolled back")

    def reset(self) -> None:
        """Roll back the transaction, if one is open and the connection works."""
        status = self.connection.pgconn.transaction_status
        if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            with suppress(psycopg.Error):
                self.control("ROLLBACK")

    def find_commit_status(self, transaction: str) -> str | None:
        """Return whether a transaction is committed, aborted or in progress.

        Returns None for an id that the server no longer knows. A standby does not decide: it may
        still learn of the commit.
        """
        query = (
            "SELECT CASE WHEN pg_is_in_recovery() THEN 'in progress'"
            " ELSE pg_xact_status(%s::xid8) END"
        )
        try:
            row = self.cursor.execute(query, (transaction,)).fetchone()
        except psycopg.errors.InvalidParameterValue:
            return "aborted"  # the id is in the future: a crash has undone it
        return row[0] if row else None

    def cut(self) -> None:
        """Cancel what the server does and cut the connection, from another thread."""
        self._cutter.cut()

    def close(self) -> None:
        """Close the connection."""
        self._cutter.close()
        self.connection.close()

    def control(self, sql: str) -> None:
        """Run statements that control the transaction, in one round trip."""
        if self.trace is not None:
            self.trace(CompiledStatement(sql), {})
        self.cursor.execute(sql.encode(), prepare=False)

    def fetch_all(self, statement: Statement, values: dict[str, Any]) -> list[Row]:
        """Run a statement and return its rows."""
        self._run(statement, values)
        return self.cursor.fetchall()

    def execute(self, statement: Statement, values: dict[str, Any]) -> int:
        """Run a statement and return the number of rows that it wrote."""
        self._run(statement, values)
        return self.cursor.rowcount

    def run_batch(
        self, statement: Statement, values: Sequence[dict[str, Any]], *, has_rows: bool
    ) -> list[Any]:
        """Run a statement with each of some values, in one round trip.

        Returns the rows for each, or the number of rows that it wrote.
        """
        compiled = statement.compile_for(POSTGRESQL)
        if self.trace is not None:
            for each in values:
                self.trace(compiled, each)
        batch = build_batch(statement)
        if batch is not None and not batch.can_take(values, has_rows=has_rows):
            batch = None
        if batch is not None and has_rows:
            self.cursor.execute(batch.sql, batch.bind(values))
            return batch.split_rows(self.cursor.fetchall(), len(values))
        # Two servers that lock rows in different orders would wait for each other.
        order = sorted(range(len(values)), key=lambda place: str(values[place]))
        in_order = [values[place] for place in order]
        if batch is not None:
            self.cursor.execute(batch.sql, batch.bind(in_order))
            answers = batch.split_rows(self.cursor.fetchall(), len(values))
        else:
            answers = self._run_each(compiled, in_order, has_rows=has_rows)
        return [answer for _, answer in sorted(zip(order, answers, strict=True))]

    def _run_each(
        self, compiled: CompiledStatement, values: Sequence[dict[str, Any]], *, has_rows: bool
    ) -> list[Any]:
        """Run a statement with each of some values, one after another."""
        self.cursor.executemany(
            compiled.sql.encode(), [compiled.bind(each) for each in values], returning=True
        )
        answers: list[Any] = []
        for _ in values:
            answers.append(self.cursor.fetchall() if has_rows else self.cursor.rowcount)
            self.cursor.nextset()
        return answers

    def _run(self, statement: Statement, values: dict[str, Any]) -> None:
        compiled = statement.compile_for(POSTGRESQL)
        if self.trace is not None:
            self.trace(compiled, values)
        self.cursor.execute(compiled.sql.encode(), compiled.bind(values))
