"""Recordings of classes: adding, protecting, deleting, and the switches that make them."""

from dataclasses import dataclass, replace

from homeroom.base.clock import DAY
from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.contract.errno import Errno
from homeroom.domain.clips import Clip, NewClip, select_clips_to_delete
from homeroom.domain.courses import REFERENCE_RULE, CourseKind
from homeroom.domain.jobs import EraseFile, EraseFiles
from homeroom.domain.lessons import Lesson, RecordingChange, RecordingVerdict, judge_recording
from homeroom.domain.refusal import OperatorError, Refusal
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import can_record, current_school
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.lessons import bound, living_lesson

SWEPT_AT_ONCE = 500
"""Clips that one unit of work sweeps away."""


@dataclass(frozen=True, slots=True)
class SwitchesAsked:
    """What one class shall be switched to; no switches leaves the recording as it is."""

    lesson: LessonId
    switches: RecordingChange | None
    watch_by_login: bool | None = None
    allow_unlogged_chat: bool | None = None


def set_switches(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    course: CourseId,
    asked: list[SwitchesAsked],
) -> list[Lesson | Refusal]:
    """Switch recording, live and replay of classes; each is judged alone, all written together."""
    held = current_school(uow, school)
    uow.courses.get_usable(school, course, uow.now, REFERENCE_RULE)
    lessons = uow.lessons.get_many(one.lesson for one in asked)
    works = can_record(uow, deps, school, held.plan)
    changed: dict[LessonId, Lesson] = {}
    results: list[Lesson | Refusal] = []
    for one in asked:
        try:
            old = changed.get(one.lesson) or living_lesson(lessons.get(one.lesson), course)
            new = _switched(uow, deps, old, one, works=works)
        except Refusal as refusal:
            results.append(refusal)
        else:
            changed[one.lesson] = new
            results.append(new)
    uow.lessons.save_recording(changed.values())
    return results


def delete(uow: UnitOfWork, school: SchoolId, lesson: LessonId, file_id: str | None) -> None:
    """Delete one clip of a class or all of them; their bytes go after the commit."""
    held = _held(uow, school, lesson, Errno.KIND_NOT_SUPPORTED_FOR_VIDEO)
    gone = select_clips_to_delete(held, uow.clips.list_of_lesson(lesson), file_id, uow.now)
    uow.clips.delete(gone, uow.now)
    for clip in gone:
        uow.enqueue(EraseFile(clip.file.path), school)


def lock(uow: UnitOfWork, school: SchoolId, lesson: LessonId, *, locked: bool) -> None:
    """Protect the recordings of a class that is over, or stop protecting them."""
    held = _held(uow, school, lesson, Errno.KIND_NOT_SUPPORTED)
    if not held.is_over(uow.now):
        raise Refusal(Errno.LOCK_NEEDS_END)
    uow.lessons.save_locked(lesson, locked=locked)


def every(uow: UnitOfWork, lesson: LessonId) -> list[Clip]:
    """Return every clip a class ever had, in order; the class itself may be deleted."""
    if uow.lessons.get(lesson) is None:
        raise OperatorError(f"no class has the id {lesson}")
    return uow.clips.list_of_lesson(lesson)


def add(uow: UnitOfWork, lesson: LessonId, file: NewClip) -> Clip:
    """Add a recorded file to a class."""
    held = uow.lessons.get(lesson)
    if held is None or held.deleted_at is not None:
        raise Refusal(Errno.NO_SUCH_LESSON)
    return uow.clips.add(lesson, file, uow.now)


def overdue(uow: UnitOfWork) -> list[SchoolId]:
    """Return the schools that have kept recordings for longer than they want to."""
    return [
        school
        for school, days in uow.schools.list_retention_days()
        if uow.clips.list_overdue(school, uow.now - days * DAY, 1)
    ]


def sweep(uow: UnitOfWork, school: SchoolId) -> int:
    """Delete recordings kept longer than the school wants to, some at once; returns how many."""
    days = current_school(uow, school).plan.retention_days
    if not days:
        return 0
    gone = uow.clips.list_overdue(school, uow.now - days * DAY, SWEPT_AT_ONCE)
    if gone:
        uow.clips.delete(gone, uow.now)
        uow.enqueue(EraseFiles([clip.file.path for clip in gone]), school)
    return len(gone)


def _held(uow: UnitOfWork, school: SchoolId, lesson: LessonId, wrong_kind: Errno) -> Lesson:
    """Return a class of the school whose course may have video, or refuse it."""
    held = uow.lessons.get(lesson)
    if held is None or held.school != school or held.deleted_at is not None:
        raise Refusal(Errno.LESSON_NOT_IN_SCHOOL)
    course = uow.courses.get(held.course)
    if course is None or course.kind is not CourseKind.STANDARD:
        raise Refusal(wrong_kind)
    return held


def _switched(
    uow: UnitOfWork, deps: Dependencies, old: Lesson, one: SwitchesAsked, *, works: bool
) -> Lesson:
    switches = old.recording
    if one.switches is not None:
        refusals = {
            RecordingVerdict.LACKS_RECORDING: Errno.LIVE_NEEDS_RECORDING,
            RecordingVerdict.FROZEN: Errno.RECORDING_FROZEN,
            RecordingVerdict.NO_SERVICE: Errno.VIDEO_SERVICE_FAULT,
        }
        wanted = one.switches.apply_to(old.recording)
        verdict = judge_recording(old, wanted, uow.now, can_record=works)
        if verdict in refusals:
            raise Refusal(refusals[verdict])
        switches = wanted.effective()
    audience = old.watch_policy.with_changes(one.watch_by_login, one.allow_unlogged_chat)
    stream = bound(uow, deps, old.key, old.stream, switches)
    return replace(old, recording=switches, watch_policy=audience, stream=stream)
