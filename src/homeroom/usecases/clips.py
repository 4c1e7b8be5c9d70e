"""Recordings of classes: adding, protecting, deleting, and the switches that make them."""

from dataclasses import dataclass, replace

import msgspec

from homeroom.base.clock import DAY
from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.contract.errno import Errno
from homeroom.domain.clips import Clip, NewClip, chosen
from homeroom.domain.courses import NAMED, CourseKind
from homeroom.domain.kinds import Kind
from homeroom.domain.lessons import Lesson, NewSwitches, Recording, judge_switches
from homeroom.domain.refusal import Declined, Refused
from homeroom.store.work import Work
from homeroom.usecases.accounts import can_record, current_school
from homeroom.usecases.lessons import bound, living_lesson
from homeroom.usecases.means import Means

SWEPT_AT_ONCE = 500
"""Clips that one unit of work sweeps away."""


@dataclass(frozen=True, slots=True)
class SwitchesAsked:
    """What one class shall be switched to; no switches leaves the recording as it is."""

    lesson: LessonId
    switches: NewSwitches | None
    watch_by_login: bool | None = None
    allow_unlogged_chat: bool | None = None


def set_switches(
    work: Work, means: Means, school: SchoolId, course: CourseId, asked: list[SwitchesAsked]
) -> list[Lesson | Refused]:
    """Switch recording, live and replay of classes; each is judged alone, all written together."""
    held = current_school(work, school)
    work.courses.held_by(school, course, work.now, NAMED)
    lessons = work.lessons.several(one.lesson for one in asked)
    works = can_record(work, means, school, held.plan)
    changed: dict[LessonId, Lesson] = {}
    results: list[Lesson | Refused] = []
    for one in asked:
        try:
            old = changed.get(one.lesson) or living_lesson(lessons.get(one.lesson), course)
            new = _switched(work, means, old, one, works=works)
        except Refused as refusal:
            results.append(refusal)
        else:
            changed[one.lesson] = new
            results.append(new)
    work.lessons.save_switches(changed.values())
    return results


def delete(work: Work, school: SchoolId, lesson: LessonId, file_id: str | None) -> None:
    """Delete one clip of a class or all of them; their bytes go after the commit."""
    held = _held(work, school, lesson, Errno.KIND_NOT_SUPPORTED_FOR_VIDEO)
    gone = chosen(held, work.clips.of_lesson(lesson), file_id, work.now)
    work.clips.delete(gone, work.now)
    for clip in gone:
        work.defer(Kind.ERASE_FILE, {"path": clip.file.path}, school)


def lock(work: Work, school: SchoolId, lesson: LessonId, *, locked: bool) -> None:
    """Protect the recordings of a class that is over, or stop protecting them."""
    held = _held(work, school, lesson, Errno.KIND_NOT_SUPPORTED)
    if not held.is_over(work.now):
        raise Refused(Errno.LOCK_NEEDS_END)
    work.lessons.lock(lesson, locked=locked)


def every(work: Work, lesson: LessonId) -> list[Clip]:
    """Return every clip a class ever had, in order; the class itself may be deleted."""
    if work.lessons.get(lesson) is None:
        raise Declined(f"no class has the id {lesson}")
    return work.clips.of_lesson(lesson)


def add(work: Work, lesson: LessonId, file: NewClip) -> Clip:
    """Add a recorded file to a class."""
    held = work.lessons.get(lesson)
    if held is None or held.deleted_at is not None:
        raise Refused(Errno.NO_SUCH_LESSON)
    return work.clips.add(lesson, file, work.now)


def overdue(work: Work) -> list[SchoolId]:
    """Return the schools that have kept recordings for longer than they want to."""
    return [
        school
        for school, days in work.schools.retaining()
        if work.clips.overdue(school, work.now - days * DAY, 1)
    ]


def sweep(work: Work, school: SchoolId) -> int:
    """Delete recordings kept longer than the school wants to, some at once; returns how many."""
    days = current_school(work, school).plan.retention_days
    if not days:
        return 0
    gone = work.clips.overdue(school, work.now - days * DAY, SWEPT_AT_ONCE)
    if gone:
        work.clips.delete(gone, work.now)
        paths = msgspec.json.encode([clip.file.path for clip in gone]).decode()
        work.defer(Kind.ERASE_FILES, {"paths": paths}, school)
    return len(gone)


def _held(work: Work, school: SchoolId, lesson: LessonId, wrong_kind: Errno) -> Lesson:
    """Return a class of the school whose course may have video, or refuse it."""
    held = work.lessons.get(lesson)
    if held is None or held.school != school or held.deleted_at is not None:
        raise Refused(Errno.LESSON_NOT_IN_SCHOOL)
    course = work.courses.get(held.course)
    if course is None or course.kind is not CourseKind.STANDARD:
        raise Refused(wrong_kind)
    return held


def _switched(work: Work, means: Means, old: Lesson, one: SwitchesAsked, *, works: bool) -> Lesson:
    switches = old.switches
    if one.switches is not None:
        refusals = {
            Recording.UNFOUNDED: Errno.LIVE_NEEDS_RECORDING,
            Recording.FROZEN: Errno.RECORDING_FROZEN,
            Recording.NO_SERVICE: Errno.VIDEO_SERVICE_FAULT,
        }
        wanted = one.switches.on(old.switches)
        verdict = judge_switches(old, wanted, work.now, can_record=works)
        if verdict in refusals:
            raise Refused(refusals[verdict])
        switches = wanted.effective()
    audience = old.audience.changed(one.watch_by_login, one.allow_unlogged_chat)
    stream = bound(work, means, old.key, old.stream, switches)
    return replace(old, switches=switches, audience=audience, stream=stream)
