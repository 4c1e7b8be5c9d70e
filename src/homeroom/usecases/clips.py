"""Recordings of classes: add, lock, delete, and change the recording options."""

from homeroom.base.clock import DAY, Moment
from homeroom.base.ids import ClipId, CourseId, LessonId, SchoolId
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno
from homeroom.domain.clips import Clip, NewClip, select_clips_to_delete
from homeroom.domain.courses import LESSON_RULE, REFERENCE_RULE
from homeroom.domain.dual_lessons import check_not_dual
from homeroom.domain.jobs import EraseFile
from homeroom.domain.lessons import (
    Lesson,
    Origin,
    RecordingChange,
    describe_open,
)
from homeroom.domain.lifecycle import Phase
from homeroom.domain.recordings import RecordingVerdict, judge_recording
from homeroom.domain.refusal import OperatorError, Refusal
from homeroom.domain.retention import GRACE_SECONDS, SweptBatch
from homeroom.domain.schools import Plan
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import recording_messages
from homeroom.usecases.accounts import can_record, get_current_school, get_school_and_course
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.erasure import erase_files
from homeroom.usecases.lesson_lookups import get_lesson_of_school
from homeroom.usecases.lessons import bind_stream, check_lesson, delete_row

SWEEP_BATCH = 500
"""Clips that one unit of work deletes."""


class LessonVideoChange(Value, frozen=True):
    """New video settings of one class; None leaves a setting unchanged."""

    lesson: LessonId
    switches: RecordingChange | None
    watch_by_login: bool | None = None
    allow_unlogged_chat: bool | None = None


def change_video_settings(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    course: CourseId,
    changes: list[LessonVideoChange | Refusal],
) -> list[Lesson | Refusal]:
    """Change the video settings of classes; each is checked alone, all are written together.

    A change that was refused already keeps its place.
    """
    current, _ = get_school_and_course(uow, school, course, REFERENCE_RULE)
    lessons = uow.lessons.get_many(
        change.lesson for change in changes if isinstance(change, LessonVideoChange)
    )
    for lesson in lessons.values():
        if lesson.course == course and lesson.deleted_at is None:
            check_not_dual(lesson, Errno.KIND_NOT_SUPPORTED)
    can_record_now = can_record(uow, deps, school, current.plan)
    new_lessons: dict[LessonId, Lesson] = {}
    results: list[Lesson | Refusal] = []
    for change in changes:
        if isinstance(change, Refusal):
            results.append(change)
            continue
        try:
            old = new_lessons.get(change.lesson) or check_lesson(lessons.get(change.lesson), course)
            new = _apply_video_change(uow, deps, old, change, can_record_now=can_record_now)
        except Refusal as refusal:
            results.append(refusal)
        else:
            new_lessons[change.lesson] = new
            results.append(new)
    uow.lessons.save_recording(new_lessons.values())
    return results


def delete(uow: UnitOfWork, school: SchoolId, lesson_id: LessonId, file_id: str | None) -> None:
    """Delete one clip of a class, or all.

    Their files are erased after the commit, or `undelete_days` of the plan later.
    """
    current, lesson = get_lesson_of_school(
        uow, school, lesson_id, Errno.KIND_NOT_SUPPORTED_FOR_VIDEO
    )
    deleted = select_clips_to_delete(lesson, uow.clips.list_of_lesson(lesson_id), file_id, uow.now)
    _delete_clips(uow, school, current.plan, deleted)


def delete_with_lesson(
    uow: UnitOfWork, school: SchoolId, course: CourseId, lesson_id: LessonId
) -> None:
    """Delete a class that is over, with its recordings (READINGS Q20, Q68)."""
    current, _ = get_school_and_course(uow, school, course, LESSON_RULE)
    lesson = check_lesson(uow.lessons.get(lesson_id), course)
    check_not_dual(lesson, Errno.KIND_NOT_SUPPORTED)
    if lesson.origin is not Origin.V1:
        raise Refusal(Errno.KIND_NOT_SUPPORTED, "a client or the LMS calls made the class")
    if lesson.phase(uow.now) is Phase.RUNNING:
        raise Refusal(Errno.LESSON_IS_RUNNING, describe_open(lesson))
    if not lesson.is_over(uow.now):
        reason = f"class {lesson_id} has not begun: delCourseClass deletes it"
        raise Refusal(Errno.FAILED, reason)
    if lesson.is_locked:
        reason = f"the recordings of class {lesson_id} are locked: updateClassLockStatus"
        raise Refusal(Errno.LESSON_IS_OVER, reason)
    available = uow.clips.find_available([lesson_id]).get(lesson_id, [])
    _delete_clips(uow, school, current.plan, available)
    delete_row(uow, lesson, current.plan)


def add_recorded(uow: UnitOfWork, lesson: Lesson, file: NewClip) -> Clip:
    """Add a recording to a class, which may be deleted by now.

    The recording of a class that was deleted after its end is deleted like the others of that class
    (READINGS Q68).
    """
    clip = uow.clips.add(lesson.id, file, uow.now)
    if lesson.deleted_at is not None and lesson.is_over(lesson.deleted_at):
        plan = get_current_school(uow, lesson.school).plan
        _delete_clips(uow, lesson.school, plan, [clip])
    return clip


def lock(uow: UnitOfWork, school: SchoolId, lesson_id: LessonId, *, locked: bool) -> None:
    """Lock the recordings of a class that is over, or unlock them."""
    _, lesson = get_lesson_of_school(uow, school, lesson_id, Errno.KIND_NOT_SUPPORTED)
    if not lesson.is_over(uow.now):
        raise Refusal(Errno.LOCK_NEEDS_END, describe_open(lesson))
    uow.lessons.save_lock(lesson_id, locked=locked)


def list_clips(uow: UnitOfWork, lesson: LessonId) -> list[Clip]:
    """Return all clips of a class in order, deleted ones too; the class may be deleted."""
    if uow.lessons.get(lesson) is None:
        raise OperatorError(f"no class has the id {lesson}")
    return uow.clips.list_of_lesson(lesson)


def add(uow: UnitOfWork, lesson_id: LessonId, file: NewClip) -> Clip:
    """Add a recorded file to a class by hand."""
    lesson = uow.lessons.get(lesson_id)
    if lesson is None or lesson.deleted_at is not None:
        raise Refusal(Errno.NO_SUCH_LESSON)
    clip = uow.clips.add(lesson_id, file, uow.now)
    recording_messages.send_upload(uow, lesson, clip)
    return clip


def find_by_file_id(uow: UnitOfWork, file_id: str) -> Clip | None:
    """Return a clip by its fileId, a deleted one too, or None."""
    return uow.clips.find_by_file_id(file_id)


def list_page(uow: UnitOfWork, after: int, limit: int) -> list[Clip]:
    """Return clips in order of their ids after a given id, deleted ones too."""
    return uow.clips.list_page(after, limit)


def find_unfinished(uow: UnitOfWork, after: int) -> Clip | None:
    """Return the next unfinished clip after an id whose file may be in this storage, or None."""
    return uow.clips.find_unfinished(after, uow.storage)


def finish(uow: UnitOfWork, clip: ClipId, duration_ms: int | None, size: int, sha256: str) -> bool:
    """Save duration, bytes and hash of a finished file; return False if the file is erased.

    The file is sent to the receivers of the school, once (READINGS Q97).
    """
    former = uow.clips.get(clip)
    if not uow.clips.finish(clip, duration_ms, size, sha256):
        return False
    if former is not None and not former.file.is_finished:
        file = replace(former.file, duration_ms=duration_ms, size=size, sha256=sha256)
        recording_messages.send_file(uow, replace(former, file=file))
    return True


def find_overdue_schools(uow: UnitOfWork) -> list[SchoolId]:
    """Return the schools with recordings that are past their retention."""
    return [
        school
        for school, days in uow.schools.list_retention_days()
        if uow.clips.list_overdue(school, uow.now - days * DAY, 1)
    ]


def sweep(uow: UnitOfWork, school: SchoolId) -> list[SweptBatch]:
    """Delete some recordings that are past the retention of the school, and return which."""
    days = get_current_school(uow, school).plan.retention_days
    if not days:
        return []
    overdue = uow.clips.list_overdue(school, uow.now - days * DAY, SWEEP_BATCH)
    if overdue:
        uow.clips.delete(overdue, uow.now, erase_after=uow.now + GRACE_SECONDS, is_swept=True)
    return [SweptBatch("clips", [clip.id for clip in overdue])]


def find_schools_to_erase(uow: UnitOfWork) -> list[SchoolId]:
    """Return the schools with deleted clips whose time for a restore is over."""
    return uow.clips.list_schools_to_erase(uow.now)


def erase_deleted(uow: UnitOfWork, school: SchoolId) -> list[SweptBatch]:
    """Let the files of some deleted clips be erased, as their time is over; return which."""
    clips = uow.clips.list_to_erase(school, uow.now, SWEEP_BATCH)
    _erase(uow, school, clips)
    return [SweptBatch("clip_files", [clip.id for clip in clips])]


def restore(uow: UnitOfWork, clips: list[Clip]) -> None:
    """Restore deleted clips; raises `OperatorError` for one that cannot be restored."""
    for clip in clips:
        _check_restorable(clip)
    uow.clips.restore(clips, uow.now)


def purge(uow: UnitOfWork, clips: list[Clip]) -> None:
    """Let the files of deleted clips be erased now; raises `OperatorError` for other clips."""
    for clip in clips:
        _check_restorable(clip)
    lessons = uow.lessons.get_many({clip.lesson for clip in clips})
    for school in {lesson.school for lesson in lessons.values()}:
        _erase(uow, school, [clip for clip in clips if lessons[clip.lesson].school == school])


def list_restorable(
    uow: UnitOfWork, lesson: LessonId | None = None, swept_since: Moment | None = None
) -> list[Clip]:
    """Return the clips that can be restored: of a class, or swept since a moment, or both."""
    if lesson is not None:
        clips = [clip for clip in list_clips(uow, lesson) if clip.is_restorable]
        if swept_since is None:
            return clips
        return [clip for clip in clips if clip.swept_at and clip.swept_at >= swept_since]
    clips, after = [], 0
    while page := uow.clips.list_swept_since(swept_since or 0, after, SWEEP_BATCH):
        clips += page
        after = page[-1].id
    return clips


def get_by_file_id(uow: UnitOfWork, file_id: str) -> Clip:
    """Return a clip by its fileId, a deleted one too; raises `OperatorError`."""
    clip = uow.clips.find_by_file_id(file_id)
    if clip is None:
        raise OperatorError(f"no clip has the fileId {file_id}")
    return clip


def _delete_clips(uow: UnitOfWork, school: SchoolId, plan: Plan, clips: list[Clip]) -> None:
    """Delete clips; their files are erased after the commit, or once the plan lets them go."""
    if days := plan.undelete_days:
        uow.clips.delete(clips, uow.now, erase_after=uow.now + days * DAY)
        return
    uow.clips.delete(clips, uow.now)
    for clip in clips:
        uow.enqueue(EraseFile(clip.file.path, storage=clip.file.storage), school)


def _check_restorable(clip: Clip) -> None:
    if clip.deleted_at is None:
        raise OperatorError(f"clip {clip.file.file_id} is not deleted")
    if not clip.is_restorable:
        raise OperatorError(f"clip {clip.file.file_id} is deleted and its file is erased")


def _erase(uow: UnitOfWork, school: SchoolId, clips: list[Clip]) -> None:
    if clips:
        uow.clips.forget_files(clips)
        erase_files(uow, school, [(clip.file.path, clip.file.storage) for clip in clips])


def _apply_video_change(
    uow: UnitOfWork,
    deps: Dependencies,
    old: Lesson,
    change: LessonVideoChange,
    *,
    can_record_now: bool,
) -> Lesson:
    recording = old.recording
    if change.switches is not None:
        refusals = {
            RecordingVerdict.LACKS_RECORDING: Errno.LIVE_NEEDS_RECORDING,
            RecordingVerdict.FROZEN: Errno.RECORDING_FROZEN,
            RecordingVerdict.NO_SERVICE: Errno.VIDEO_SERVICE_FAULT,
        }
        requested = change.switches.apply_to(old.recording)
        verdict = judge_recording(old, requested, uow.now, can_record=can_record_now)
        if verdict in refusals:
            raise Refusal(refusals[verdict])
        recording = requested.effective()
    policy = old.watch_policy.with_changes(change.watch_by_login, change.allow_unlogged_chat)
    stream = bind_stream(uow, deps, old.key, old.stream, recording)
    return replace(old, recording=recording, watch_policy=policy, stream=stream)
