"""SQLite chooses the plans of our queries without statistics, whatever has counted the rows."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.base.settings import Settings
from homeroom.domain.teachers import MemberRole
from homeroom.folder import open_store
from homeroom.store.sqlite import SqliteTransaction
from homeroom.store.sqlite_statistics import delete_statistics, has_statistics
from homeroom.store.unit_of_work import UnitOfWork


def analyze(folder: Path) -> list[str]:
    """Make statistics in another program, as if all rows of a table had one key.

    Returns the plan of a simple query that this program would use.
    """
    path = folder / "homeroom.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("ANALYZE")
        other.execute("DELETE FROM sqlite_stat1")
        other.execute(
            "INSERT INTO sqlite_stat1"
            " SELECT tbl_name, name, '1000000 1000000' FROM sqlite_master WHERE type = 'index'"
        )
    with closing(sqlite3.connect(path)) as other:
        query = "SELECT * FROM course_members WHERE course_id = 1"
        return [row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {query}")]


def explain_rosters(uow: UnitOfWork) -> list[str]:
    """Return the query plans of what a roster reads, on the connection of a unit."""
    seen: list[tuple[str, Any]] = []
    tx = cast("SqliteTransaction", uow._tx)  # noqa: SLF001  the connection whose plans matter
    tx.trace = lambda compiled, values: seen.append((compiled.sql, compiled.bind(values)))
    uow.rosters.find_candidates(SchoolId(1), CourseId(1), [UserId(1)])
    uow.rosters.count(CourseId(1), MemberRole.STUDENT)
    tx.trace = None
    rows = [tx.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in seen]
    return [row[3] for plan in rows for row in plan]


def test_statistics_of_another_program_are_deleted_at_the_start(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with open_store(settings) as store:
        plans = store.write(explain_rosters)

    assert analyze(tmp_path) == ["SCAN course_members"]

    with open_store(settings) as store:
        assert store.write(explain_rosters) == plans
        assert store.read(explain_rosters) == plans


def test_an_analyze_beside_the_server_changes_no_plan(tmp_path: Path) -> None:
    with open_store(Settings(data=tmp_path)) as store:
        plans = store.write(explain_rosters)

        assert analyze(tmp_path) == ["SCAN course_members"]

        assert store.write(explain_rosters) == plans
        assert store.read(explain_rosters) == plans


def test_statistics_that_cannot_be_deleted_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "homeroom.db"
    with open_store(Settings(data=tmp_path)):
        pass
    analyze(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        delete_statistics(path)
        assert has_statistics(other)
        other.execute("ROLLBACK")
        delete_statistics(path)
        assert not has_statistics(other)
