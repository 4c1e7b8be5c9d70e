"""What the retention deletes of viewers, chats and publish sessions can be restored for a week."""

import json
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import Table

from homeroom.base.clock import DAY, MINUTE
from homeroom.base.ids import LessonId, SchoolId
from homeroom.domain.chat import Author, EntryKind, NewChatEntry
from homeroom.domain.refusal import OperatorError
from homeroom.domain.retention import GRACE_SECONDS, SweptScope, SweptSort
from homeroom.domain.streams import StreamKind
from homeroom.store.engine import Row
from homeroom.store.publish_sessions import NewPublishSession
from homeroom.store.tables import chat_entries, pushes, swept_rows, viewers
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat, retention
from tests.support.given import Given
from tests.support.process import typed

T = TypeVar("T")
TABLES = (viewers, chat_entries, pushes)


def write(given: Given, use_case: Callable[[UnitOfWork], T]) -> T:
    return given.store.write(use_case, SchoolId(given.school.id))


def rows(given: Given, lesson: LessonId) -> dict[str, list[Row]]:
    """Return all rows of a class in the tables that are swept."""

    def of(table: Table) -> list[Row]:
        query = table.select().where(table.c.lesson_id == lesson).order_by(table.c.id)
        return [tuple(row) for row in given.rows(query)]

    return {table.name: of(table) for table in TABLES}


def fill(given: Given) -> LessonId:
    """Let two viewers watch a class, write and be answered, and a teacher publish."""
    lesson = given.lesson()
    for number in range(2):
        viewer = given.viewer(lesson, telephone=f"1381234567{number}", user=given.user())
        by = Author(viewer.name, viewer=viewer.id)
        new = [NewChatEntry(lesson, EntryKind.MESSAGE, by, f'“{text}" 你好') for text in "ab"]
        write(given, lambda uow: chat.post_messages(uow, new))  # noqa: B023  called at once
        write(given, lambda uow: uow.viewers.mute(lesson, viewer.id, uow.now))  # noqa: B023  called at once
    push = NewPublishSession(lesson, StreamKind.CLASS, "", "client", "param", "192.0.2.1")
    write(given, lambda uow: uow.publish_sessions.add(push, uow.now))
    return lesson


def sweep(given: Given) -> None:
    """Sweep until nothing is overdue."""
    school = SchoolId(given.school.id)
    while any(batch.ids for batch in write(given, lambda uow: retention.sweep(uow, school))):
        pass


def swept_class(given: Given) -> tuple[LessonId, dict[str, list[Row]]]:
    """Fill a class and let its rows be swept; return it and the rows that it had."""
    given.plan(viewer_days=31, chat_days=31)
    lesson = fill(given)
    before = rows(given, lesson)
    assert all(before.values())
    given.until(given.seen(lesson).hours.end + 20 * MINUTE + 31 * DAY)
    assert SchoolId(given.school.id) in write(given, retention.find_overdue_schools)
    sweep(given)
    assert not any(rows(given, lesson).values())
    return lesson, before


def restore(given: Given, scope: SweptScope) -> dict[SweptSort, int]:
    totals = dict.fromkeys(SweptSort, 0)
    while counts := {
        sort: count
        for sort, count in write(given, lambda uow: retention.restore_swept(uow, scope)).items()
        if count
    }:
        totals |= {sort: totals[sort] + count for sort, count in counts.items()}
    return totals


@pytest.mark.parametrize("batch", [1, 500])
def test_what_was_swept_is_restored_as_it_was(
    given: Given, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Ids, telephone numbers, mutes, and which viewer wrote which message."""
    monkeypatch.setattr(retention, "SWEEP_BATCH", batch)
    lesson, before = swept_class(given)
    given.clock.advance(GRACE_SECONDS - 1)
    counts = restore(given, SweptScope(lesson=lesson))
    assert counts == {SweptSort.VIEWERS: 2, SweptSort.CHATS: 4, SweptSort.PUSHES: 1}
    assert rows(given, lesson) == before


def test_a_viewer_who_came_back_gets_the_earlier_times_too(given: Given) -> None:
    given.plan(viewer_days=1, chat_days=0)
    lesson = given.lesson()
    viewer = given.viewer(lesson, identity="visitor:back", telephone="13812345678")
    first_seen = given.now
    by = Author(viewer.name, viewer=viewer.id)
    new = [NewChatEntry(lesson, EntryKind.MESSAGE, by, "hello")]
    write(given, lambda uow: chat.post_messages(uow, new))
    given.until(given.seen(lesson).hours.end + 20 * MINUTE + DAY)
    sweep(given)
    again = given.viewer(lesson, identity="visitor:back")
    assert again.id != viewer.id

    restore(given, SweptScope(school=SchoolId(given.school.id)))

    (row,) = given.rows(viewers.select().where(viewers.c.lesson_id == lesson))
    facts = dict(zip(viewers.c.keys(), row, strict=True))
    assert (facts["id"], facts["telephone"]) == (again.id, "13812345678")
    assert facts["first_seen_at"] == first_seen
    (entry,) = write(given, lambda uow: uow.chats.list_recent(lesson))
    assert entry.new.author.viewer == again.id


def test_after_a_week_it_is_erased(given: Given) -> None:
    lesson, _ = swept_class(given)
    school = SchoolId(given.school.id)

    def left() -> int:
        write(given, lambda uow: retention.erase_swept(uow, school))
        return len(given.rows(swept_rows.select().where(swept_rows.c.lesson_id == lesson)))

    given.clock.advance(GRACE_SECONDS - 1)
    assert left() == 7
    given.clock.advance(1)
    assert school in write(given, retention.find_schools_to_erase)
    assert left() == 0
    assert school not in write(given, retention.find_schools_to_erase)


def test_an_operator_lists_restores_and_erases_it(given: Given) -> None:
    lesson, before = swept_class(given)
    other, _ = swept_class(given)
    where = ["--data", str(given.house.files.folder)]
    if given.house.engine == "postgresql":
        where += ["--database", str(given.house.services.settings.database)]

    def run(*args: str) -> object:
        return json.loads(typed("swept", *args, "--json", *where))

    def counts(*args: str) -> list[tuple[int, str, int]]:
        listed = run("list", *args)
        assert isinstance(listed, list)
        return [(row["classId"], row["sort"], row["count"]) for row in listed]

    def of(lesson_id: LessonId) -> list[tuple[int, str, int]]:
        return [(lesson_id, "chats", 4), (lesson_id, "pushes", 1), (lesson_id, "viewers", 2)]

    assert counts("--sid", str(given.school.id)) == [*of(lesson), *of(other)]
    assert counts("--class", str(lesson)) == of(lesson)
    assert run("restore", "--class", str(lesson)) == {"viewers": 2, "chats": 4, "pushes": 1}
    assert rows(given, lesson) == before
    assert run("purge", "--class", str(other)) == {"erased": 7}
    assert counts("--sid", str(given.school.id)) == []


def test_nothing_is_restored_or_erased_without_a_choice(given: Given) -> None:
    for use_case in (retention.restore_swept, retention.purge_swept):
        with pytest.raises(OperatorError, match="name a school, a class or a time"):
            write(given, lambda uow: use_case(uow, SweptScope()))  # noqa: B023  called at once
