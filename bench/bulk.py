"""Rows by the hundred thousand, put straight into the database."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bench.load import LoadPlan, drive
from bench.target import Account, Target, create_places, lesson_requests, new_school, serving
from homeroom.base.settings import Settings
from homeroom.folder import database_address
from homeroom.store.postgres_connection import PostgresTransaction
from homeroom.store.sqlite import SqliteTransaction
from homeroom.store.tables import lessons

SCATTERED = "(n * 2654435761) % 4294967296"
"""Another order of the same numbers: keys must not come sorted, as real ones do not."""
NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})"
FIRST_TELEPHONE = 15_000_000_000


@dataclass(frozen=True)
class FilledServer:
    """A running server over many classes, and requests for more of them."""

    target: Target
    requests: list[str]


@contextmanager
def serve_many_classes(settings: Settings, classes: int) -> Iterator[FilledServer]:
    """Serve a school with that many classes, spread over its courses, its teachers and a year."""
    account = new_school(settings)
    with serving(settings) as target:
        requests = lesson_requests(account, create_places(account.partner(target.port)))
        seen = drive(LoadPlan(target.port, 1, 60, requests, 0, requests_in_all=len(requests)))
        assert not seen.other, seen.other
    _multiply(settings, classes // len(requests))
    with serving(settings) as target:
        yield FilledServer(target, requests)


def _multiply(settings: Settings, times: int) -> None:
    """Put copies of every class in, each with keys of its own."""
    changed = {
        "begins_at": "begins_at + n * 3600 % 31536000",
        "ends_at": "ends_at + n * 3600 % 31536000",
        "unique_identity": f"CAST({SCATTERED} AS TEXT) || '/' || CAST(id AS TEXT)",
        "key": f"CAST({SCATTERED} AS TEXT) || '-' || CAST(id AS TEXT)",
    }
    names = [column.name for column in lessons.c if column.name != "id"]
    values = ", ".join(changed.get(name, name) for name in names)
    copies = f"INSERT INTO lessons ({', '.join(names)}) SELECT {values} FROM lessons, numbers"  # noqa: S608  our own names
    _run(settings, f"{NUMBERS.format(times)} {copies}", "ANALYZE")


def students(settings: Settings, account: Account, many: int) -> list[int]:
    """Put students of a school in, without passwords, which are not needed here."""
    _run(
        settings,
        f"{NUMBERS.format(many)} INSERT INTO users (telephone, nickname, created_at) "  # noqa: S608  our own numbers
        f"SELECT CAST({FIRST_TELEPHONE} + n AS TEXT), 'Student', 0 FROM numbers",
        "INSERT INTO students (school_id, user_id, name, created_at) "  # noqa: S608  our own numbers
        f"SELECT {account.sid}, id, 'Student', 0 FROM users WHERE nickname = 'Student'",
    )
    rows = _run(settings, "SELECT id FROM users WHERE nickname = 'Student' ORDER BY id")
    return [row[0] for row in rows]


def _run(settings: Settings, *statements: str) -> list[Any]:
    where = database_address(settings)
    connection = (
        SqliteTransaction(where) if isinstance(where, Path) else PostgresTransaction(where)
    ).connection
    with closing(connection):
        connection.execute("BEGIN")
        for statement in statements[:-1]:
            connection.execute(statement)
        rows = connection.execute(statements[-1])
        result = cast("list[Any]", rows.fetchall()) if rows.description else []
        connection.execute("COMMIT")
    return result
