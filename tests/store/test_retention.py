"""Data of viewers and chats is deleted some days after the class; sessions when they end."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from homeroom.async_store import AsyncStore
from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import LessonId, SchoolId
from homeroom.domain.chat import Author, EntryKind, NewChatEntry
from homeroom.jobs.sweeper import Sweep, Sweeper
from homeroom.store.tables import chat_entries, sessions, viewers
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat, retention
from tests.support.engine import PATIENCE
from tests.support.given import Given

T = TypeVar("T")


def write(given: Given, use_case: Callable[[UnitOfWork], T]) -> T:
    return given.store.write(use_case, SchoolId(given.school.id))


def add_watched_lesson(given: Given) -> LessonId:
    """Let a viewer watch a class and chat; return the class."""
    lesson = given.lesson()
    viewer = given.viewer(lesson, telephone="13812345678")
    by = Author(viewer.name, viewer=viewer.id)
    write(
        given,
        lambda uow: chat.post_messages(uow, [NewChatEntry(lesson, EntryKind.MESSAGE, by, "hello")]),
    )
    write(given, lambda uow: uow.viewers.reserve(lesson, viewer.id, uow.now))
    return lesson


def sweep(given: Given, *more: Sweep) -> None:
    """Run the sweeps that the server runs every hour."""

    async def main() -> None:
        sweeps = [*more, Sweep(retention.find_overdue_schools, retention.sweep)]
        await Sweeper(AsyncStore(given.store), sweeps).sweep()

    asyncio.run(main())


def sweep_and_count(given: Given, lesson: LessonId) -> tuple[int, int]:
    """Sweep, and return the numbers of viewers and of entries of a class."""
    sweep(given)
    found = [
        given.rows(table.select().where(table.c.lesson_id == lesson))
        for table in (viewers, chat_entries)
    ]
    return len(found[0]), len(found[1])


def advance_past(given: Given, lesson: LessonId, days: int) -> None:
    """Set the clock to one second before the end of some days after a class."""
    given.until(given.seen(lesson).hours.end + 20 * MINUTE + days * DAY - 1)


def test_viewers_are_kept_half_a_year_and_chats_for_ever(given: Given) -> None:
    lesson = add_watched_lesson(given)
    advance_past(given, lesson, 180)
    assert sweep_and_count(given, lesson) == (1, 1)
    given.clock.advance(1)
    assert sweep_and_count(given, lesson) == (0, 1)
    (entry,) = write(given, lambda uow: uow.chats.list_recent(lesson))
    assert (entry.new.text, entry.new.author.viewer) == ("hello", None)


def test_a_school_says_how_long_each_is_kept(given: Given) -> None:
    given.plan(viewer_days=2, chat_days=1)
    lesson, of_other = add_watched_lesson(given), add_watched_lesson(given.other())
    advance_past(given, lesson, 1)
    assert sweep_and_count(given, lesson) == (1, 1)
    given.clock.advance(1)
    assert sweep_and_count(given, lesson) == (1, 0)
    given.clock.advance(DAY)
    assert sweep_and_count(given, lesson) == (0, 0)
    assert sweep_and_count(given, of_other) == (1, 1)


def test_viewers_can_be_kept_for_ever(given: Given) -> None:
    given.plan(viewer_days=0)
    lesson = add_watched_lesson(given)
    given.clock.advance(40_000 * DAY)
    assert sweep_and_count(given, lesson) == (1, 1)
    given.clock.advance(-40_000 * DAY)


def test_the_days_count_from_the_moment_a_class_was_closed_early(given: Given) -> None:
    """Not from its planned end: like the days of its recordings (READINGS Q6)."""
    given.plan(viewer_days=1, chat_days=1)
    lesson = add_watched_lesson(given)
    given.closed_early(lesson)
    given.clock.advance(DAY - 1)
    assert sweep_and_count(given, lesson) == (1, 1)
    given.clock.advance(1)
    assert sweep_and_count(given, lesson) == (0, 0)


def test_who_watches_the_replay_is_kept_from_then(given: Given) -> None:
    given.plan(viewer_days=1)
    lesson = add_watched_lesson(given)
    advance_past(given, lesson, 1)
    given.viewer(lesson)
    given.clock.advance(1)
    assert sweep_and_count(given, lesson)[0] == 1


def test_sessions_go_when_they_expired(given: Given) -> None:
    school, user = SchoolId(given.school.id), given.student()

    def left() -> int:
        sweep(given)
        return len(given.rows(sessions.select().where(sessions.c.school_id == school)))

    write(given, lambda uow: uow.sessions.add(school, user, uow.now, uow.now + HOUR))
    given.clock.advance(HOUR - 1)
    assert left() == 1
    given.clock.advance(1)
    assert left() == 0


def test_much_goes_a_part_at_a_time(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SWEEP_BATCH", 2)
    given.plan(viewer_days=1)
    lesson, school = add_watched_lesson(given), SchoolId(given.school.id)
    for _ in range(4):
        given.viewer(lesson)
    advance_past(given, lesson, 1)
    given.clock.advance(1)
    assert school in write(given, retention.find_overdue_schools)
    swept = [write(given, lambda uow: retention.sweep(uow, school)) for _ in range(4)]
    assert [sum(len(batch.ids) for batch in batches) for batches in swept] == [2, 2, 1, 0]
    assert school not in write(given, retention.find_overdue_schools)


def test_what_cannot_be_swept_keeps_nothing_else_waiting(
    given: Given, caplog: pytest.LogCaptureFixture
) -> None:
    given.plan(viewer_days=1)
    lesson = add_watched_lesson(given)
    advance_past(given, lesson, 1)
    given.clock.advance(1)

    def fails(_work: UnitOfWork, *_more: object) -> int:
        raise ValueError("this one fails")

    def mine(_work: UnitOfWork) -> list[SchoolId]:
        return [SchoolId(given.school.id)]

    sweep(given, Sweep(fails, fails), Sweep(mine, fails))  # type: ignore[arg-type]  # stands in for the real stores

    assert "a sweep failed" in caplog.text
    assert "the sweep of a school failed" in caplog.text
    assert given.rows(viewers.select().where(viewers.c.lesson_id == lesson)) == []


def test_it_sweeps_at_its_start_and_when_told_to(given: Given) -> None:
    swept: asyncio.Queue[None] = asyncio.Queue()

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def overdue(_work: UnitOfWork) -> list[SchoolId]:
            loop.call_soon_threadsafe(swept.put_nowait, None)
            return []

        one = Sweeper(AsyncStore(given.store), [Sweep(overdue, retention.sweep)])
        running = asyncio.create_task(one.run())
        async with asyncio.timeout(PATIENCE):
            await swept.get()
            one.wake()
            await swept.get()
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(main())
