"""Query plans, and the work of queries, on a database with a big school."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg

from homeroom.store.engine import Transaction
from homeroom.store.migrate import migrate
from homeroom.store.postgres_connection import PostgresTransaction
from homeroom.store.sqlite import SqliteTransaction, open_transaction
from tests.support.big_school import Size, fill


class Database(Protocol):
    """A database with a big school, on one of the engines."""

    start: int
    """Work to find the first row of a statement: a later page may need two statements."""

    @property
    def tx(self) -> Transaction:
        """The transaction to read in."""
        ...

    def explain(self, query: Callable[[], object]) -> list[str]:
        """Return the steps of the plan of the last statement of a query."""
        ...

    def measure(self, query: Callable[[], object]) -> int:
        """Return how much work a query is: instructions, or pages of the database."""
        ...


def trace(
    tx: SqliteTransaction | PostgresTransaction, query: Callable[[], object]
) -> list[tuple[str, Any]]:
    """Return the statements of a query, with their parameters."""
    seen: list[tuple[str, Any]] = []
    tx.trace = lambda compiled, values: seen.append((compiled.sql, compiled.bind(values)))
    query()
    tx.trace = None
    return seen


def explain_sqlite(tx: SqliteTransaction, query: Callable[[], object]) -> list[str]:
    """Return the plan of the last statement of a query on SQLite."""
    sql, parameters = trace(tx, query)[-1]
    return [row[3] for row in tx.connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]


class SqliteDatabase:
    """Work is counted in instructions of SQLite's virtual machine."""

    start = 20

    def __init__(self, path: "Path") -> None:
        self.tx = open_transaction(path, reads_only=True)

    def explain(self, query: Callable[[], object]) -> list[str]:
        """Return the steps of the plan of the last statement of a query."""
        return explain_sqlite(self.tx, query)

    def measure(self, query: Callable[[], object]) -> int:
        """Return the number of instructions, in tens."""
        count = 0

        def add() -> int:
            nonlocal count
            count += 1
            return 0

        self.tx.connection.set_progress_handler(add, 10)
        query()
        self.tx.connection.set_progress_handler(None, 0)
        return count


class PostgresDatabase:
    """Work is counted in pages that PostgreSQL looks at."""

    start = 6

    def __init__(self, address: str) -> None:
        self.tx = PostgresTransaction(address)

    def explain(self, query: Callable[[], object]) -> list[str]:
        """Return the steps of the plan of the last statement of a query."""
        sql, parameters = trace(self.tx, query)[-1]
        rows = self.tx.connection.execute(f"EXPLAIN {sql}".encode(), parameters)
        return [row[0] for row in rows]

    def measure(self, query: Callable[[], object]) -> int:
        """Return the number of pages."""
        count = 0
        for sql, parameters in trace(self.tx, query):
            explained = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {sql}"
            row = self.tx.connection.execute(explained.encode(), parameters).fetchone()
            assert row is not None
            plan = row[0][0]["Plan"]
            count += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return count


@contextmanager
def filled_sqlite(path: Path, size: Size) -> Iterator[SqliteDatabase]:
    """Fill a database; the statistics are deleted when the server opens it, as any others are."""
    migrate(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        fill(connection.execute, size)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
    database = SqliteDatabase(path)
    yield database
    database.tx.connection.close()


@contextmanager
def filled_postgres(address: str, size: Size) -> Iterator[PostgresDatabase]:
    """Fill a database, and let the planner see how large the one school is."""
    migrate(address)
    with psycopg.connect(address, autocommit=True) as server:
        fill(lambda sql: server.execute(sql.encode()), size)
        server.execute("VACUUM ANALYZE")
    database = PostgresDatabase(address)
    yield database
    database.tx.close()
