"""Retention: which recordings go by themselves, and when."""

import asyncio
from functools import partial

import pytest

from homeroom.async_store import AsyncStore
from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import LessonId, SchoolId
from homeroom.domain.clips import Clip
from homeroom.domain.retention import GRACE_SECONDS, SweptBatch
from homeroom.jobs.sweeper import Sweep, Sweeper
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import clips
from tests.support.engine import until
from tests.support.given import Given
from tests.support.scheduled import Scheduled


def sweep(given: Given) -> None:
    """Do what the server does every hour."""

    async def main() -> None:
        sweeps = [
            Sweep(clips.find_overdue_schools, clips.sweep),
            Sweep(clips.find_schools_to_erase, clips.erase_deleted),
        ]
        await Sweeper(AsyncStore(given.store), sweeps).sweep()

    asyncio.run(main())


def kept(given: Given, *asked: Clip) -> list[bool]:
    """Sweep, and tell which of some clips are still kept."""
    sweep(given)
    asked_for = [clip.file.file_id for clip in asked]
    found = given.store.read(lambda uow: [uow.clips.find_by_file_id(one) for one in asked_for])
    return [clip is not None and clip.deleted_at is None for clip in found]


def test_recordings_are_kept_for_ever_unless_the_school_says_otherwise(given: Given) -> None:
    clip = given.clip(given.held_lesson())
    given.clock.advance(40_000 * DAY)
    assert kept(given, clip) == [True]
    given.clock.advance(-40_000 * DAY)


def test_a_recording_goes_some_days_after_its_class(given: Given) -> None:
    given.plan(retention_days=7)
    lesson, other = given.held_lesson(), given.other().held_lesson()
    clip, of_other = given.clip(lesson), given.other().clip(other)
    path = given.house.files.locate(clip.file.path)

    given.clock.advance(7 * DAY - 1)
    assert kept(given, clip, of_other) == [True, True]
    given.clock.advance(1)
    assert kept(given, clip, of_other) == [False, True]

    # For a week the operator can restore it. Then the job loop of the server erases the file.
    given.clock.advance(GRACE_SECONDS - 1)
    assert kept(given, clip) == [False]
    assert path.exists()
    given.clock.advance(1)
    sweep(given)
    until(lambda: not path.exists())
    assert given.house.files.locate(of_other.file.path).exists()
    one = given.api.call("deleteClassVideo", classId=lesson, fileId=clip.file.file_id)
    assert one.errno == 634
    assert given.api.call("deleteClassVideo", classId=lesson).errno == 632


def test_a_locked_recording_stays_until_it_is_unlocked(given: Given) -> None:
    given.plan(retention_days=1)
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    given.done("updateClassLockStatus", classId=lesson, isLock=1)
    given.clock.advance(2 * DAY)
    assert kept(given, clip) == [True]
    given.done("updateClassLockStatus", classId=lesson, isLock=0)
    assert kept(given, clip) == [False]


def test_the_days_begin_when_the_class_is_over(given: Given) -> None:
    """Overtime included; of a class that was closed early, when it was closed."""
    given.plan(retention_days=1)
    begin = given.now + HOUR
    long, closed = (
        Scheduled(given, record=1, beginTime=begin, endTime=begin + DAY).lesson for _ in range(2)
    )
    given.until(begin)
    clip, of_closed = given.clip(long), given.clip(closed)
    given.closed_early(closed)

    given.until(begin + DAY)
    assert kept(given, clip, of_closed) == [True, False]
    given.until(begin + 2 * DAY + 20 * MINUTE - 1)
    assert kept(given, clip) == [True]
    given.clock.advance(1)
    assert kept(given, clip) == [False]


def test_a_recording_that_comes_late_stays_as_long_as_any_other(given: Given) -> None:
    given.plan(retention_days=1)
    lesson = given.held_lesson()
    first = given.clip(lesson)
    given.clock.advance(DAY)
    late = given.clip(lesson)
    assert kept(given, first, late) == [False, True]
    given.clock.advance(DAY)
    assert kept(given, late) == [False]


def test_many_recordings_go_a_part_at_a_time(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "SWEEP_BATCH", 2)
    given.plan(retention_days=1)
    lesson: LessonId = given.held_lesson()
    made = [given.clip(lesson) for _ in range(5)]
    given.clock.advance(DAY)
    school = SchoolId(given.school.id)

    def some() -> int:
        batches = given.store.write(partial(clips.sweep, school=school), school)
        return sum(len(batch.ids) for batch in batches)

    assert [some() for _ in range(4)] == [2, 2, 1, 0]
    assert kept(given, *made) == [False] * 5


def test_a_school_whose_recordings_cannot_be_swept_keeps_no_other_waiting(
    given: Given, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = []
    for school in (given, given.other()):
        school.plan(retention_days=1)
        made.append(school.clip(school.held_lesson()))
    given.clock.advance(DAY)
    really = clips.sweep

    def failing(uow: UnitOfWork, school: SchoolId) -> list[SweptBatch]:
        if school == given.school.id:
            raise ValueError("this one fails")
        return really(uow, school)

    monkeypatch.setattr(clips, "sweep", failing)
    assert kept(given, *made) == [True, False]
    assert "the sweep of a school failed" in caplog.text
    monkeypatch.undo()
    assert kept(given, *made) == [False, False]
