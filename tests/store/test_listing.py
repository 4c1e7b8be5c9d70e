"""Lists are read by index, as SQLite's query plans show."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from homeroom.base.ids import SchoolId
from homeroom.base.settings import Settings
from homeroom.folder import open_store
from homeroom.store import readback, readback_viewers
from homeroom.store.chat import Chats
from homeroom.store.paging import (
    SCHOOL,
    CursorMismatchError,
    ListDefinition,
    PageRequest,
    fetch_page,
)
from homeroom.store.publish_sessions import PublishSessions
from homeroom.store.sessions import Sessions
from homeroom.store.sqlite import SqliteTransaction
from homeroom.store.viewers import Viewers

if TYPE_CHECKING:
    from pathlib import Path

BY_SCHOOL = (
    readback.TEACHERS,
    readback.STUDENTS,
    readback.COURSES,
    readback.MEMBERS,
    readback.LESSONS,
    readback.CLIPS,
    readback_viewers.VIEWERS,
    readback_viewers.LESSON_VIEWERS,
    readback_viewers.MESSAGES,
    readback.LABELS,
    readback.FOLDERS,
)


@pytest.fixture(scope="module")
def tx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteTransaction]:
    """Open a transaction on an empty database."""
    folder: Path = tmp_path_factory.mktemp("plans")
    with open_store(Settings(data=folder)):
        tx = SqliteTransaction(folder / "homeroom.db", reads_only=True)
        yield tx
        tx.connection.close()


def explain_page(
    tx: SqliteTransaction, definition: ListDefinition[Any], filters: Mapping[str, int | str]
) -> list[str]:
    """Return the query plan of a page."""
    return explain(tx, lambda: fetch_page(tx, definition, filters, PageRequest(100, now=1)))


def explain(tx: SqliteTransaction, query: Callable[[], object]) -> list[str]:
    """Return the query plan of the first statement of a query."""
    seen: list[tuple[str, Any]] = []
    tx.trace = lambda compiled, values: seen.append((compiled.sql, compiled.bind(values)))
    query()
    tx.trace = None
    sql, parameters = seen[0]
    return [row[3] for row in tx.connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]


@pytest.mark.parametrize("definition", BY_SCHOOL, ids=lambda definition: definition.name)
def test_a_page_of_a_school_is_found_by_index(
    tx: SqliteTransaction, definition: ListDefinition[Any]
) -> None:
    steps = explain_page(tx, definition, {SCHOOL: 1})
    assert not [step for step in steps if step.startswith("SCAN ")], steps


@pytest.mark.parametrize(
    "definition",
    [
        readback.TEACHERS,
        readback.STUDENTS,
        readback.COURSES,
        readback.MEMBERS,
        readback.LESSONS,
        readback_viewers.LESSON_VIEWERS,
        readback_viewers.MESSAGES,
    ],
    ids=lambda definition: definition.name,
)
def test_a_page_of_a_large_list_is_not_sorted(
    tx: SqliteTransaction, definition: ListDefinition[Any]
) -> None:
    for filters in ({SCHOOL: 1}, {}):
        steps = explain_page(tx, definition, filters)
        assert not [step for step in steps if step.startswith("USE TEMP B-TREE")], steps


@pytest.mark.parametrize(
    ("name", "value", "index"),
    [
        ("course", 1, "ix_lessons_course_id_begins_at"),
        ("teacher", 1, "ix_lessons_teacher_id_ends_at"),
        ("helper", 1, "ix_co_teachers_user_id"),
        ("identity", "x", "uq_lessons_unique_identity"),
        ("since", 1, "ix_lessons_school_id_begins_at"),
        ("until", 1, "ix_lessons_school_id_begins_at"),
        ("state", 1, "ix_lessons_school_id_created_at"),
    ],
)
def test_a_filter_of_classes_uses_its_index(
    tx: SqliteTransaction, name: str, value: int | str, index: str
) -> None:
    steps = explain_page(tx, readback.LESSONS, {SCHOOL: 1, name: value})
    assert any(index in step for step in steps), steps
    assert not [step for step in steps if step.startswith("SCAN ")], steps


@pytest.mark.parametrize(
    "definition", [readback.TEACHERS, readback.STUDENTS], ids=lambda one: one.name
)
@pytest.mark.parametrize("name", ["telephone", "email"])
def test_an_account_is_found_by_index(
    tx: SqliteTransaction, definition: ListDefinition[Any], name: str
) -> None:
    steps = explain_page(tx, definition, {SCHOOL: 1, name: "x"})
    assert not [step for step in steps if step.startswith("SCAN ")], steps


@pytest.mark.parametrize("definition", BY_SCHOOL, ids=lambda definition: definition.name)
def test_every_filter_of_a_list_is_sql(
    tx: SqliteTransaction, definition: ListDefinition[Any]
) -> None:
    for name in definition.filters:
        assert fetch_page(tx, definition, {name: 1}, PageRequest(1, now=1)).rows == []


def test_pushes_that_run_are_found_by_index(tx: SqliteTransaction) -> None:
    pushes = PublishSessions(tx)
    queries = (
        lambda: pushes.list_running("an engine"),
        lambda: pushes.list_running_with_streams("an engine"),
    )
    for query in queries:
        steps = explain(tx, query)
        assert any("ix_pushes_engine_running" in step for step in steps), steps
        assert not [step for step in steps if step.startswith(("SCAN ", "USE TEMP "))], steps


def test_pushes_of_long_ago_are_found_by_index(tx: SqliteTransaction) -> None:
    steps = explain(tx, lambda: PublishSessions(tx).list_schools_with_old(1))
    assert any("ix_pushes_started_at" in step for step in steps), steps


def test_what_is_kept_too_long_is_found_by_index(tx: SqliteTransaction) -> None:
    school = SchoolId(1)
    queries = (
        lambda: Viewers(tx).list_overdue(school, 1, 1),
        lambda: Chats(tx).list_overdue(school, 1, 1),
        lambda: Sessions(tx).list_schools_to_purge(1),
    )
    for query in queries:
        steps = explain(tx, query)
        assert not [step for step in steps if step.startswith("SCAN ")], steps


def test_a_place_belongs_to_one_order(tx: SqliteTransaction) -> None:
    span = PageRequest(1, (1, 1), "classes")
    assert fetch_page(tx, readback.LESSONS, {SCHOOL: 1}, span).rows == []
    with pytest.raises(CursorMismatchError):
        fetch_page(tx, readback.LESSONS, {SCHOOL: 1, "since": 1}, span)
    with pytest.raises(CursorMismatchError):
        fetch_page(tx, readback.LESSONS, {SCHOOL: 1}, PageRequest(1, (1,), "classes"))
