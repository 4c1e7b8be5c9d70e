"""Rows by the hundred thousand, put straight into the database."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

from bench.target import Account
from homeroom.base.settings import Settings
from homeroom.folder import database_address
from homeroom.store.postgres_connection import PostgresTransaction
from homeroom.store.sqlite import SqliteTransaction

SCATTERED = "(n * 2654435761) % 4294967296"
"""Another order of the same numbers: keys must not come sorted, as real ones do not."""
NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})"
FIRST_TELEPHONE = 15_000_000_000
FIRST_STUDENT = 100_000_000


def multiply(settings: Settings, times: int) -> None:
    """Put copies of every class in, spread over a year, each with keys of its own."""
    changed = {
        "begins_at": "begins_at + n * 3600 % 31536000",
        "ends_at": "ends_at + n * 3600 % 31536000",
        "unique_identity": f"CAST({SCATTERED} AS TEXT) || '/' || CAST(id AS TEXT)",
        "key": f"CAST({SCATTERED} AS TEXT) || '-' || CAST(id AS TEXT)",
    }
    copy_rows(settings, "lessons", times, changed)
    run(settings, "ANALYZE")


def copy_rows(
    settings: Settings, table: str, times: int, changed: dict[str, str], where: str = "1 = 1"
) -> None:
    """Put copies of rows in; the changes are SQL, with `n` the number of the copy."""
    names = read_columns(settings, table)
    names = [name for name in names if name != "id" or "id" in changed]
    values = ", ".join(changed.get(name, name) for name in names)
    copies = f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table}, numbers"  # noqa: S608  our own names
    run(settings, f"{NUMBERS.format(times)} {copies} WHERE {where}")


def add_students(settings: Settings, account: Account, first: int, many: int) -> None:
    """Put students of a school in, with uids from the first on."""
    telephone = f"CAST({FIRST_TELEPHONE} + {first} + n AS TEXT)"
    run(
        settings,
        f"{NUMBERS.format(many)} INSERT INTO users (id, telephone, nickname, created_at) "  # noqa: S608  our own numbers
        f"SELECT {first} + n - 1, {telephone}, 'Student', 0 FROM numbers",
        "INSERT INTO students (school_id, user_id, name, created_at) "  # noqa: S608  our own numbers
        f"SELECT {account.sid}, id, 'Student', 0 FROM users "
        f"WHERE id BETWEEN {first} AND {first + many - 1}",
    )


def students(settings: Settings, account: Account, many: int) -> list[int]:
    """Put students of a school in, without passwords, which are not needed here."""
    add_students(settings, account, FIRST_STUDENT, many)
    return list(range(FIRST_STUDENT, FIRST_STUDENT + many))


def run(settings: Settings, *statements: str) -> list[Any]:
    """Run statements in a transaction and return the rows of the last one."""
    with _connected(settings) as connection:
        connection.execute("BEGIN")
        for statement in statements[:-1]:
            connection.execute(statement)
        rows = connection.execute(statements[-1])
        result = cast("list[Any]", rows.fetchall()) if rows.description else []
        connection.execute("COMMIT")
    return result


def read_columns(settings: Settings, table: str) -> list[str]:
    """Return the columns that a table has in this database, which may be of an earlier version."""
    with _connected(settings) as connection:
        rows = connection.execute(f"SELECT * FROM {table} WHERE 1 = 0")  # noqa: S608  our own names
        return [column[0] for column in rows.description or ()]


@contextmanager
def _connected(settings: Settings) -> Iterator[Any]:
    where = database_address(settings)
    if isinstance(where, Path):
        with closing(SqliteTransaction(where).connection) as connection:
            yield connection
        return
    with closing(PostgresTransaction(where)) as transaction:
        # A million classes take longer than a statement of the server may.
        transaction.connection.execute("SET statement_timeout = 0")
        yield transaction.connection
