"""No statement reads a whole table, on either engine, however many rows a school has."""

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import pytest

from homeroom import store
from homeroom.store.migrate import migrate
from homeroom.store.statement import POSTGRESQL, SQLITE, Statement
from tests.support.big_school import Size
from tests.support.plans import filled_postgres, filled_sqlite

SIZE: Final = Size(3000, labels=300, courses=400)
LARGE: Final = (
    *("users", "students", "named_accounts", "registrations", "courses", "course_members"),
    *("lessons", "co_teachers", "clips", "pushes", "viewers", "chat_entries", "comments", "files"),
    *("messages", "deliveries", "attempts"),
)
SMALL_INDEXES: Final = (
    # Of the few rows that are running, or deleted for some days.
    *("ix_pushes_engine_running", "ix_pushes_client_id_running", "ix_clips_erase_after"),
    # Of the few messages without a position, and of the deliveries that wait.
    *("ix_messages_new", "ix_deliveries_waiting"),
)
READS_ALL: Final = {
    "clips._COUNT_BY_STORAGE": "the doctor counts all clips",
    "clips._FORGET_STORAGE": "an operator gives a storage up",
    "files._COUNT_BY_STORAGE": "the doctor counts all files",
    "files._FORGET_STORAGE": "an operator gives a storage up",
    "clips._LIST_WITHOUT_FILE": "of 500 files, which are looked up where there are more clips",
    "resets._FIND_PATHS_IN_USE": "pictures have no index; a job looks for a thousand in one pass",
    "server_state._FIND_NEWEST_MOMENT": "once, on the first start of this version",
}
OF_A_SCHOOL: Final = (
    # Units of a job that deletes what is old, and of a reset.
    "publish_sessions._LIST_OLD",
    *(f"resets._BY_PARENT[{place}][0]" for place in range(4)),
)
ALL_ROWS_OF_THE_SCHOOL: Final = re.compile(
    # Here the one school has all rows, so that reading them all is right.
    r"resets\._BY_SCHOOL|rosters\._COUNT|schools\._SUM_STORED_BYTES|\._LIST_OVERDUE"
)


def statements() -> Iterator[Any]:
    """Return every statement of the store, with its name."""
    seen: set[int] = set()
    for module in pkgutil.iter_modules(store.__path__):
        if not module.ispkg:
            names = vars(importlib.import_module(f"{store.__name__}.{module.name}"))
            for name, value in names.items():
                for path, statement in find_statements(f"{module.name}.{name}", value):
                    if id(statement) not in seen:
                        seen.add(id(statement))
                        yield pytest.param(path, statement, id=path)


def find_statements(path: str, value: object) -> Iterator[tuple[str, Statement]]:
    """Return the statements in a value of a module."""
    if isinstance(value, Statement):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from find_statements(f"{path}[{key}]", item)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from find_statements(f"{path}[{place}]", item)
    elif isinstance(getattr(value, "statement", None), Statement):
        yield f"{path}.{getattr(value, 'name', '')}", value.statement  # type: ignore[attr-defined]  # checked the line before


CASES: Final = [
    case
    for case in statements()
    if case.id not in READS_ALL and not ALL_ROWS_OF_THE_SCHOOL.search(str(case.id))
]


@pytest.fixture(scope="module")
def big_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return a connection to SQLite, with a big school."""
    with filled_sqlite(tmp_path_factory.mktemp("plans") / "homeroom.db", SIZE) as database:
        yield database.tx.connection


@pytest.fixture(scope="module")
def server(postgres: Any) -> Iterator[Any]:  # noqa: ANN401  the cluster of the tests
    """Return a connection to PostgreSQL, with a big school."""
    with filled_postgres(postgres.fresh(), SIZE) as database:
        yield database.tx.connection


@pytest.mark.parametrize(("path", "statement"), CASES)
def test_statement_uses_indexes_on_sqlite(big_sqlite: Any, path: str, statement: Statement) -> None:  # noqa: ANN401  a connection
    sql = statement.compile_for(SQLITE).sql
    steps = big_sqlite.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?")).fetchall()
    scans = [
        step
        for *_, step in steps
        if step.startswith("SCAN ")
        and step.split()[1] in LARGE
        and step.split()[-1] not in SMALL_INDEXES
    ]
    assert not scans, (path, scans)


@pytest.mark.parametrize(("path", "statement"), CASES)
def test_statement_uses_indexes_on_postgresql(server: Any, path: str, statement: Statement) -> None:  # noqa: ANN401  a connection
    sql, count = number_parameters(statement.compile_for(POSTGRESQL).sql)
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    server.execute(f"PREPARE statement AS {sql}".encode())
    plan = server.execute(f"EXPLAIN (FORMAT JSON) EXECUTE statement{values}".encode()).fetchone()
    server.execute(b"DEALLOCATE statement")
    scans = [*find_scans(plan[0][0]["Plan"])]
    assert not scans, (path, scans)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Return a connection to SQLite without statistics."""
    path = tmp_path_factory.mktemp("plans") / "homeroom.db"
    migrate(path)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


@pytest.mark.parametrize(("path", "statement"), CASES)
def test_statement_does_not_walk_through_a_school(
    empty: sqlite3.Connection, path: str, statement: Statement
) -> None:
    if path in OF_A_SCHOOL:
        return
    sql = statement.compile_for(SQLITE).sql
    steps = empty.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?")).fetchall()
    walks = [
        step
        for *_, step in steps
        if "(school_id=?)" in step
        and step.split()[1] in LARGE
        and step.split()[-2] not in SMALL_INDEXES
    ]
    assert not walks, (path, walks)


def number_parameters(sql: str) -> tuple[str, int]:
    """Return SQL with numbers for its parameters, and how many there are."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return re.sub(r"%\((\w+)\)s", number, sql).replace("%%", "%"), len(names)


def find_scans(plan: dict[str, Any]) -> Iterator[str]:
    """Return the steps of a plan that read all rows of a large table."""
    index = plan.get("Index Name")
    is_scan = plan["Node Type"].endswith("Scan") and plan.get("Relation Name") in LARGE
    if is_scan and "Index Cond" not in plan and index not in SMALL_INDEXES:
        yield f"{plan['Node Type']} of {plan['Relation Name']} by {index}"
    for part in plan.get("Plans", ()):
        yield from find_scans(part)
