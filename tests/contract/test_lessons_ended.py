"""Deleting classes that are over: the numbers of delEndCourseClass, and what goes with a class."""

from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import func, select

from homeroom.base.clock import DAY, MINUTE
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.contract.clips import DEL_END_COURSE_CLASS
from homeroom.domain.clips import Clip, NewClip, clip_path
from homeroom.domain.streams import StreamKind
from homeroom.store.tables import jobs
from homeroom.usecases import streams
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply, Value

NAME: Final = DEL_END_COURSE_CLASS.name
NONE: Final = 10**9
"""An id that nothing has."""


def delete(lesson: Scheduled, **fields: Value) -> Reply:
    """Call delEndCourseClass."""
    ids: dict[str, Value] = {"courseId": lesson.course, "classId": lesson.lesson}
    return lesson.given.api.call(NAME, **{**ids, **fields})


def over(given: Given, **fields: Value) -> Scheduled:
    """Return a class that has gone by."""
    return Scheduled(given, **fields).over()


def deleted(given: Given) -> Reply:
    lesson = over(given)
    assert delete(lesson).errno == 1
    return delete(lesson)


def made_elsewhere(given: Given) -> Scheduled:
    lesson = over(given)
    given.made_elsewhere(lesson.lesson)
    return lesson


def locked(given: Given) -> Scheduled:
    lesson = over(given)
    given.done("updateClassLockStatus", classId=lesson.lesson, isLock=1)
    return lesson


def with_lasting_identity(given: Given) -> Reply:
    given.plan(keep_identities=True)
    return delete(over(given, courseUniqueIdentity="one"))


CASES: Final = (
    Case(1, lambda g: delete(over(g))),
    *common(DEL_END_COURSE_CLASS, courseId=1, classId=1),
    Case(144, lambda g: delete(over(g), courseId=g.other().course())),
    Case(144, lambda g: delete(over(g), courseId=NONE)),
    Case(369, lambda g: delete(over(g), courseId=g.public_course())),
    Case(369, lambda g: delete(made_elsewhere(g))),
    Case(143, lambda g: delete(over(g), classId=NONE)),
    Case(142, lambda g: delete(over(g), courseId=g.course())),
    Case(212, deleted),
    Case(140, lambda g: delete(Scheduled(g).running())),
    Case(140, lambda g: delete(Scheduled(g).past_end())),
    Case(104, lambda g: delete(Scheduled(g).soon())),
    Case(145, lambda g: delete(locked(g))),
    Case(823, with_lasting_identity),
)


def test_the_table_has_every_number_of_the_action() -> None:
    check_table(DEL_END_COURSE_CLASS, CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_del_end_course_class(given: Given, case: Case) -> None:
    case.run(given)


def clips_of(lesson: Scheduled) -> list[Clip]:
    return lesson.given.store.read(lambda uow: uow.clips.list_of_lesson(lesson.lesson))


def on_disk(given: Given, clip: Clip) -> Path:
    return given.house.files.folder / clip.file.path


def stored(given: Given) -> int:
    return given.store.read(lambda uow: uow.schools.sum_stored_bytes(SchoolId(given.school.id)))


def recording(given: Given) -> NewClip:
    """Return a file that the media engine reports, and that is to be finished later."""
    file_id = KeyGenerator().file_id()
    return NewClip(
        file_id=file_id,
        path=clip_path(file_id),
        name="recording.mp4",
        kind=StreamKind.CLASS,
        started_at=given.now - MINUTE,
        duration_ms=None,
        size=3,
        sha256=None,
        is_finished=False,
    )


def test_the_clips_go_with_their_class_and_free_their_storage(given: Given) -> None:
    lesson = over(given, record=1)
    clips = [given.clip(lesson.lesson) for _ in range(2)]
    other = given.clip(over(given, record=1).lesson)
    assert delete(lesson).body == {"error_info": {"errno": 1, "error": "程序正常执行"}}
    assert lesson.seen.deleted_at == given.now
    assert all(clip.deleted_at == given.now for clip in clips_of(lesson))
    assert not any(on_disk(given, clip).exists() for clip in clips)
    assert on_disk(given, other).exists()
    assert stored(given) == other.file.size
    assert given.api.call("deleteClassVideo", classId=lesson.lesson).errno == 233


def test_where_deleted_clips_can_be_restored_their_files_stay_for_a_while(given: Given) -> None:
    given.plan(undelete_days=3)
    lesson = over(given, record=1)
    clip = given.clip(lesson.lesson)
    assert delete(lesson).errno == 1
    assert on_disk(given, clip).exists()
    assert [row.erase_after for row in clips_of(lesson)] == [given.now + 3 * DAY]


def test_a_locked_class_keeps_everything_until_it_is_unlocked(given: Given) -> None:
    lesson = locked(given)
    clip = given.clip(lesson.lesson)
    refused = delete(lesson)
    assert (refused.errno, "are locked" in refused.reason) == (145, True)
    assert on_disk(given, clip).exists()
    given.done("updateClassLockStatus", classId=lesson.lesson, isLock=0)
    assert delete(lesson).errno == 1


def test_a_recording_that_is_not_finished_goes_too(given: Given) -> None:
    lesson = over(given, record=1)
    stream = lesson.seen.key
    clip = given.store.write(lambda uow: streams.add_recorded_clip(uow, stream, recording(given)))
    assert delete(lesson).errno == 1
    assert [row.deleted_at for row in clips_of(lesson)] == [given.now]
    finished = given.store.write(lambda uow: uow.clips.finish(clip.id, 1000, 3, "0" * 64))
    assert not finished


def test_a_recording_that_comes_after_the_deletion_follows_its_class(given: Given) -> None:
    lesson = over(given, record=1)
    stream = lesson.seen.key
    assert delete(lesson).errno == 1
    given.clock.advance(MINUTE)
    file = recording(given)
    given.store.write(lambda uow: streams.add_recorded_clip(uow, stream, file))
    (clip,) = clips_of(lesson)
    assert (clip.deleted_at, clip.is_restorable) == (given.now, False)
    assert stored(given) == 0


def test_an_identity_is_free_again(given: Given) -> None:
    lesson = over(given, courseUniqueIdentity="one")
    assert delete(lesson).errno == 1
    assert given.lesson(lesson.course, courseUniqueIdentity="one") != lesson.lesson


def test_a_class_closed_early_is_over_and_one_of_an_ended_course_may_go(given: Given) -> None:
    lesson = Scheduled(given).running()
    given.closed_early(lesson.lesson)
    given.done("endCourse", courseId=lesson.course)
    assert delete(lesson).errno == 1


def test_the_class_of_a_deleted_course_is_deleted(given: Given) -> None:
    lesson = over(given)
    given.set_course(lesson.course, deleted_at=given.now)
    assert delete(lesson).errno == 212


def test_a_refusal_deletes_nothing(given: Given) -> None:
    lesson = made_elsewhere(given)
    clip = given.clip(lesson.lesson)
    assert delete(lesson).errno == 369
    assert clips_of(lesson) == [clip]
    query = select(func.count()).select_from(jobs).where(jobs.c.school_id == given.school.id)
    assert given.rows(query) == [(0,)]
    assert lesson.seen.deleted_at is None
