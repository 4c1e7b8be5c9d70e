"""Deleting and protecting recordings: what goes, and what stays."""

from pathlib import Path

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import LessonId, SchoolId
from homeroom.domain.clips import Clip
from homeroom.store.engine import StoreError
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply, Value


def delete(given: Given, lesson: LessonId, file_id: str | None = None) -> Reply:
    """Call deleteClassVideo for one clip, or for all."""
    return given.api.call("deleteClassVideo", classId=lesson, fileId=file_id)


def clips_of(given: Given, lesson: LessonId) -> list[Clip]:
    return given.store.read(lambda uow: uow.clips.list_of_lesson(lesson))


def stored(given: Given) -> int:
    """Return the bytes that the school's storage counts."""
    return given.store.read(lambda uow: uow.schools.sum_stored_bytes(SchoolId(given.school.id)))


def on_disk(given: Given, clip: Clip) -> Path:
    return given.house.files.folder / clip.file.path


def test_a_deleted_clip_loses_its_bytes_before_the_answer_and_keeps_its_row(given: Given) -> None:
    """Its storage is free again, and its fileId is remembered as deleted."""
    lesson = given.held_lesson()
    kept, gone = given.clip(lesson, b"-" * 30), given.clip(lesson, b"-" * 12)
    assert on_disk(given, gone).stat().st_size == 12
    assert stored(given) == 42
    reply = delete(given, lesson, gone.file.file_id)
    assert reply.body == {"error_info": {"errno": 1, "error": "程序正常执行"}}
    assert not on_disk(given, gone).exists()
    assert on_disk(given, kept).stat().st_size == 30
    assert stored(given) == 30
    rows = {clip.id: clip.deleted_at for clip in clips_of(given, lesson)}
    assert rows == {kept.id: None, gone.id: given.now}


@pytest.mark.parametrize(
    "name",
    [
        *("fileId[]", "fileId[0]", "fileId[a][b]", "fileId[", "[fileId]", "fileid", "FileId"),
        *("FILEID", "file_id", "file-id", "file id", "File_Ids", "fileIds", "fielId", "fleId"),
        *(
            "fileId2",
            "filId",
            "fileI",
            "tileId",
            "file.id",
            "clipId",
            "clip",
            "videoFile",
            "x[file]",
        ),
        *("classVideo", "VIDEO", "file", "fileId\u200b"),
    ],
)
def test_a_misspelled_file_id_deletes_nothing(given: Given, name: str) -> None:
    """Case A4: each of these was the same as no fileId, which means every clip."""
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    form: dict[str, Value] = {"classId": lesson, name: clip.file.file_id}
    for more in ({}, {"fileId": clip.file.file_id}):
        reply = given.api.call("deleteClassVideo", **form, **more)
        assert reply.errno == 100
        assert reply.reason.endswith(": send fileId")
    assert on_disk(given, clip).exists()
    assert given.api.call("deleteClassVideo", classId=lesson, **{"fileId[]": ""}).errno == 100
    assert delete(given, lesson, clip.file.file_id).errno == 1


def test_the_reason_names_the_misspelled_and_the_right_name(given: Given) -> None:
    """Case A4: the reason is the one of the case."""
    reply = given.api.call("deleteClassVideo", classId=1, **{"fileId[]": "x"})
    assert (reply.errno, reply.reason) == (100, "fileId[]: send fileId")


def test_other_unknown_names_are_ignored(given: Given) -> None:
    """Case A4: clients send extra fields, which must not keep them from their work."""
    lesson = given.held_lesson()
    given.clip(lesson)
    extra: dict[str, Value] = {"lang": "zh", "field": 1, "_": "", "courseId": 1, "profit": 1}
    assert given.api.call("deleteClassVideo", classId=lesson, **extra).errno == 1


def test_a_deletion_is_acknowledged_even_if_its_bytes_must_wait(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_jobs: object) -> int:
        raise StoreError("the disk is full")

    lesson = given.held_lesson()
    clip = given.clip(lesson)
    worker = given.house.main.job_loop
    with monkeypatch.context() as broken:
        for name in ("run_due", "_run_leased"):
            broken.setattr(worker, name, failing)
        assert delete(given, lesson).errno == 1
    assert on_disk(given, clip).exists()
    assert delete(given, lesson).errno == 632


@pytest.mark.parametrize("everything", [None, "", "  "])
def test_no_file_id_means_every_clip(given: Given, everything: str | None) -> None:
    lesson, other = given.held_lesson(), given.held_lesson()
    clips = [given.clip(lesson) for _ in range(3)]
    untouched = given.clip(other)
    assert delete(given, lesson, everything).errno == 1
    assert not any(on_disk(given, clip).exists() for clip in clips)
    assert on_disk(given, untouched).exists()
    assert stored(given) == untouched.file.size


def test_deleting_all_when_some_are_gone_deletes_the_rest(given: Given) -> None:
    lesson = given.held_lesson()
    first, second = given.clip(lesson), given.clip(lesson)
    assert delete(given, lesson, first.file.file_id).errno == 1
    assert delete(given, lesson).errno == 1
    assert not on_disk(given, second).exists()
    assert delete(given, lesson).errno == 632


def test_a_clip_of_another_class_is_no_clip_of_this_one(given: Given) -> None:
    lesson, other = given.held_lesson(), given.held_lesson()
    given.clip(lesson)
    elsewhere = given.clip(other)
    assert delete(given, lesson, elsewhere.file.file_id).errno == 630
    assert on_disk(given, elsewhere).exists()


def test_a_refused_deletion_deletes_nothing(given: Given) -> None:
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    for file_id in ("none", clip.file.file_id.upper() + "x"):
        assert delete(given, lesson, file_id).errno == 630
    assert on_disk(given, clip).exists()


def test_a_deleted_clip_keeps_its_file_id_when_another_one_is_added(given: Given) -> None:
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    assert delete(given, lesson, clip.file.file_id).errno == 1
    assert [delete(given, lesson, file_id).errno for file_id in (None, "none")] == [632, 632]
    assert delete(given, lesson, clip.file.file_id).errno == 634
    given.clip(lesson)
    assert delete(given, lesson, clip.file.file_id).errno == 634
    assert delete(given, lesson, "none").errno == 630


def test_a_class_is_over_after_its_overtime_or_when_it_is_closed_early(given: Given) -> None:
    held = Scheduled(given, record=1)
    held.past_end()
    assert delete(given, held.lesson).errno == 384
    given.clock.advance(20 * MINUTE - 1)
    assert delete(given, held.lesson).errno == 384
    assert given.api.call("updateClassLockStatus", classId=held.lesson, isLock=1).errno == 391
    given.clock.advance(1)
    assert delete(given, held.lesson).errno == 631
    running = Scheduled(given, record=1).running()
    given.closed_early(running.lesson)
    assert delete(given, running.lesson).errno == 631
    assert given.api.call("updateClassLockStatus", classId=running.lesson, isLock=1).errno == 1


def test_an_uploaded_replay_of_a_class_that_was_not_recorded_can_be_deleted(given: Given) -> None:
    lesson = given.held_lesson(record=0)
    clip = given.clip(lesson)
    assert delete(given, lesson).errno == 1
    assert not on_disk(given, clip).exists()
    assert delete(given, lesson).errno == 632


def test_recordings_of_an_ended_course_can_be_deleted(given: Given) -> None:
    """READINGS Q49: 153 only where it is listed."""
    course = given.course()
    lesson = given.held_lesson(course)
    given.clip(lesson)
    given.done("endCourse", courseId=course)
    assert delete(given, lesson).errno == 1


def test_a_locked_class_keeps_its_recordings_until_it_is_unlocked(given: Given) -> None:
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    given.done("updateClassLockStatus", classId=lesson, isLock=1)
    assert delete(given, lesson, clip.file.file_id).errno == 633
    assert on_disk(given, clip).exists()
    given.done("updateClassLockStatus", classId=lesson, isLock=0)
    assert delete(given, lesson, clip.file.file_id).errno == 1


@pytest.mark.parametrize(
    ("sent", "is_locked"),
    [
        ({"isLock": 1}, True),
        ({"isLock": "2"}, False),
        ({"isLock": "yes"}, False),
        ({"lockStatus": 1}, True),
        ({"isLock": 0, "lockStatus": 1}, False),
    ],
    ids=str,
)
def test_only_1_locks(given: Given, sent: dict[str, Value], is_locked: bool) -> None:  # noqa: FBT001  what is expected
    """One published client says lockStatus; isLock wins. Every class starts unlocked."""
    lesson = given.held_lesson()
    assert given.seen(lesson).is_locked is False
    reply = given.done("updateClassLockStatus", classId=lesson, **sent)
    assert reply.body.keys() == {"error_info"}
    assert given.seen(lesson).is_locked is is_locked


def test_recordings_of_a_deleted_class_take_no_storage(given: Given) -> None:
    """It was pushed in the last minutes before its start: no call could delete them any more."""
    given.plan(storage_mb=1)
    begin = given.now + HOUR
    held = given.lesson(beginTime=begin, endTime=begin + HOUR, record=1)
    given.clip(held, bytes(1_000_000))
    form = given.lesson_form(beginTime=begin, endTime=begin + HOUR, record=1)
    assert given.api.call("addCourseClass", **form).errno == 281
    course = given.seen(held).course
    given.done("delCourseClass", courseId=course, classId=held)
    assert given.api.call("addCourseClass", **form).errno == 1


def test_freed_storage_takes_recordings_again(given: Given) -> None:
    given.plan(storage_mb=1)
    lesson = given.held_lesson()
    given.clip(lesson, bytes(1_000_000))
    begin = given.now + DAY
    form = given.lesson_form(beginTime=begin, endTime=begin + HOUR, record=1)
    full = given.api.call("addCourseClass", **form)
    assert full.errno == 281
    assert given.seen(full.data).recording.record is False
    assert delete(given, lesson).errno == 1
    assert given.done("addCourseClass", **form).errno == 1
