"""Lists are read in the order of an index, on both engines, however large the school is."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

from homeroom.base.ids import SchoolId
from homeroom.store import (
    readback,
    readback_activities,
    readback_comments,
    readback_drive,
    readback_members,
    readback_viewers,
)
from homeroom.store.chat import Chats
from homeroom.store.migrate import migrate
from homeroom.store.paging import (
    SCHOOL,
    CursorMismatchError,
    ListDefinition,
    Page,
    PageRequest,
    fetch_page,
)
from homeroom.store.publish_sessions import PublishSessions
from homeroom.store.sessions import Sessions
from homeroom.store.sqlite import SqliteTransaction
from homeroom.store.viewers import Viewers
from tests.support.big_school import FIRST_TELEPHONE, NOW, Size
from tests.support.plans import Database, explain_sqlite, filled_postgres, filled_sqlite

if TYPE_CHECKING:
    from pathlib import Path

BIG, NEIGHBOUR = 1, 2
SIZE: Final = Size(3000, labels=300, courses=400)
PAGE: Final = 100
ENGINES: Final = ("sqlite", pytest.param("postgresql", marks=pytest.mark.pg))
LISTS: Final = (
    readback.TEACHERS,
    readback.STUDENTS,
    readback.COURSES,
    readback.MEMBERS,
    readback_members.CLASS_MEMBERS,
    readback_members.CLASS_GUESTS,
    readback_members.GROUPINGS,
    readback.LESSONS,
    readback.CLIPS,
    readback_viewers.VIEWERS,
    readback_viewers.LESSON_VIEWERS,
    readback_viewers.MESSAGES,
    readback_comments.COMMENTS,
    readback_activities.UNITS,
    readback_activities.ACTIVITIES,
    readback.LABELS,
    readback_drive.FOLDERS,
    readback_drive.FILES,
)
LARGE: Final = tuple(
    listed
    for listed in LISTS
    if listed
    not in (readback.TEACHERS, readback_drive.FOLDERS, readback_drive.FILES, readback.CLIPS)
)
"""Lists with several pages in one school, course or class."""
VALUES: Final[Mapping[str, int | str]] = {
    "uid": 20,
    "telephone": str(FIRST_TELEPHONE + 20),
    "email": "x",
    "reader": BIG,
    "course": 3,
    "lesson": 5,
    "teacher": 4,
    "helper": 4,
    "student": 14,
    "label": 2,
    "grouping": 3,
    "stranger_to": 2,
    "unit": 3,
    "activity": 5,
    "activity_type": 1,
    "parent": 1,
    "folder": 1,
    "file": 3,
    "name": "%7%",
    "identity": "x",
    "file_id": "f3",
    "kind": "message",
    "role": 1,
    "state": 4,
    "deleted": 0,
    "since": NOW,
    "until": NOW,
}
SORTED: Final = frozenset(
    # The rows that such a filter finds are few, and of one person, class, course or folder.
    {("classes", "helper"), ("classes", "lesson"), ("viewers", "lesson"), ("viewers", "course")}
    | {("groups", "course"), ("groups", "grouping")}
    | {("comments", "lesson"), ("comments", "student")}
    | {("units", "unit"), ("activities", "activity"), ("activities", "lesson")}
    | {(listed.name, name) for listed in LISTS for name in ("uid", "telephone", "email")}
    | {
        (listed.name, name)
        for listed in LISTS
        for name in ("identity", "file_id", "parent", "folder", "file")
    }
)


@pytest.fixture(scope="module", params=ENGINES)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Return a database with a big school."""
    if request.param == "sqlite":
        with filled_sqlite(tmp_path_factory.mktemp("plans") / "homeroom.db", SIZE) as sqlite:
            yield sqlite
    else:
        with filled_postgres(request.getfixturevalue("postgres").fresh(), SIZE) as postgres:
            yield postgres


@pytest.fixture(scope="module")
def sqlite_tx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteTransaction]:
    """Open a transaction on an empty database."""
    path: Path = tmp_path_factory.mktemp("empty") / "homeroom.db"
    migrate(path)
    tx = SqliteTransaction(path, reads_only=True)
    yield tx
    tx.connection.close()


def fill_parameters(listed: ListDefinition[Any]) -> dict[str, int | str]:
    """Return values for what the table of a list needs."""
    return {name: VALUES[name] for name in listed.parameters}


def cases() -> Iterator[Any]:
    """Return each list with each of its filters alone, of one school and of all."""
    for listed in LISTS:
        for name in (None, *listed.filters):
            for scope in ({SCHOOL: BIG}, {}):
                filters = scope if name is None else {**scope, name: VALUES[name]}
                filters |= fill_parameters(listed)
                words = [listed.name, name or "all", "of one" if scope else "of any"]
                yield pytest.param(listed, filters, name, id=" ".join(words))


@pytest.mark.parametrize(("listed", "filters", "name"), [*cases()])
def test_a_page_is_read_by_index_and_not_sorted(
    database: Database, listed: ListDefinition[Any], filters: dict[str, int | str], name: str | None
) -> None:
    steps = database.explain(
        lambda: fetch_page(database.tx, listed, filters, PageRequest(PAGE, now=NOW))
    )
    plan = "\n".join(steps)
    assert "SCAN " not in plan, plan
    assert "Seq Scan" not in plan, plan
    if (listed.name, name) not in SORTED:
        assert "TEMP B-TREE" not in plan, plan
        # An incremental sort is of the viewers of one class.
        assert "Sort  (" not in plan.replace("Incremental Sort", ""), plan


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("course", "ix_lessons_course_id_created_at_id"),
        ("teacher", "ix_lessons_teacher_id_created_at_id"),
        ("helper", "ix_co_teachers_user_id_lesson_id"),
        ("identity", "uq_lessons_unique_identity"),
        ("since", "ix_lessons_school_id_begins_at_id"),
        ("until", "ix_lessons_school_id_begins_at_id"),
        ("state", "ix_lessons_school_id_created_at_id"),
    ],
)
def test_a_filter_of_classes_uses_its_index(database: Database, name: str, index: str) -> None:
    filters = {SCHOOL: BIG, name: VALUES[name]}
    steps = database.explain(
        lambda: fetch_page(database.tx, readback.LESSONS, filters, PageRequest(PAGE, now=NOW))
    )
    assert any(index in step for step in steps), steps


@pytest.mark.parametrize("scope", [{SCHOOL: BIG}, {}], ids=["of one", "of any"])
@pytest.mark.parametrize("listed", LARGE, ids=lambda listed: listed.name)
def test_a_page_costs_the_same_at_any_depth(
    database: Database, listed: ListDefinition[Any], scope: dict[str, int]
) -> None:
    def read_after(key: tuple[int, ...] | None, order: str | None, limit: int = PAGE) -> Page[Any]:
        request = PageRequest(limit, key, order, now=NOW)
        return fetch_page(database.tx, listed, {**scope, **fill_parameters(listed)}, request)

    total = len(read_after(None, None, SIZE.classes * 2).rows)
    # The last but one: the last page also reads what may follow its rows.
    before = read_after(None, None, total - PAGE - 1)
    # The first page may be of one class, and the others of many.
    middle = read_after(None, None, total // 2)
    first = max(
        database.measure(lambda: read_after(None, None)),
        database.measure(lambda: read_after(middle.next, middle.order)),
    )
    last = database.measure(lambda: read_after(before.next, before.order))
    assert len(read_after(before.next, before.order).rows) == PAGE
    assert last <= 1.5 * first + database.start, (first, last)


@pytest.mark.parametrize(
    "listed",
    [listed for listed in LARGE if listed.school.name == "school_id" and len(listed.order) < 3],
    ids=lambda listed: listed.name,
)
def test_a_small_school_does_not_pay_for_a_big_one(
    database: Database, listed: ListDefinition[Any]
) -> None:
    def read_of(school: int) -> Callable[[], Page[Any]]:
        filters = {SCHOOL: school}
        return lambda: fetch_page(database.tx, listed, filters, PageRequest(PAGE, now=NOW))

    assert len(read_of(NEIGHBOUR)().rows) < PAGE
    assert database.measure(read_of(NEIGHBOUR)) <= database.measure(read_of(BIG))


@pytest.mark.parametrize("listed", LISTS, ids=lambda listed: listed.name)
def test_every_page_of_all_schools_goes_on_where_the_last_one_ended(
    database: Database, listed: ListDefinition[Any]
) -> None:
    everywhere = fill_parameters(listed)
    whole = fetch_page(database.tx, listed, everywhere, PageRequest(10**6, now=NOW))
    rows: list[Any] = []
    page = fetch_page(database.tx, listed, everywhere, PageRequest(997, now=NOW))
    rows += page.rows
    while page.next is not None:
        request = PageRequest(997, page.next, page.order, now=NOW)
        page = fetch_page(database.tx, listed, everywhere, request)
        rows += page.rows
    assert rows == whole.rows
    of_schools = [
        fetch_page(
            database.tx, listed, {**everywhere, SCHOOL: school}, PageRequest(10**6, now=NOW)
        ).rows
        for school in (BIG, NEIGHBOUR)
    ]
    if listed.school.name == "school_id":
        assert rows == [row for part in of_schools for row in part]


def test_pushes_that_run_are_found_by_index(sqlite_tx: SqliteTransaction) -> None:
    pushes = PublishSessions(sqlite_tx)
    queries = (
        lambda: pushes.list_running("an engine"),
        lambda: pushes.list_running_with_streams("an engine"),
    )
    for query in queries:
        steps = explain_sqlite(sqlite_tx, query)
        assert any("ix_pushes_engine_running" in step for step in steps), steps
        assert not [step for step in steps if step.startswith(("SCAN ", "USE TEMP "))], steps


def test_pushes_of_long_ago_are_found_by_index(sqlite_tx: SqliteTransaction) -> None:
    steps = explain_sqlite(sqlite_tx, lambda: PublishSessions(sqlite_tx).list_schools_with_old(1))
    assert any("ix_pushes_started_at" in step for step in steps), steps


def test_what_is_kept_too_long_is_found_by_index(sqlite_tx: SqliteTransaction) -> None:
    school = SchoolId(1)
    queries = (
        lambda: Viewers(sqlite_tx).list_overdue(school, 1, 1),
        lambda: Chats(sqlite_tx).list_overdue(school, 1, 1),
        lambda: Sessions(sqlite_tx).list_schools_to_purge(1),
    )
    for query in queries:
        steps = explain_sqlite(sqlite_tx, query)
        assert not [step for step in steps if step.startswith("SCAN ")], steps


def test_a_place_belongs_to_one_order(database: Database) -> None:
    span = PageRequest(1, (10**9, 1), "classes")
    assert fetch_page(database.tx, readback.LESSONS, {SCHOOL: 1}, span).rows == []
    with pytest.raises(CursorMismatchError):
        fetch_page(database.tx, readback.LESSONS, {SCHOOL: 1, "since": 1}, span)
    with pytest.raises(CursorMismatchError):
        fetch_page(database.tx, readback.LESSONS, {SCHOOL: 1}, PageRequest(1, (1,), "classes"))
