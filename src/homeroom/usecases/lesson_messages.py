"""Messages about classes: added, edited, closed early, deleted (READINGS Q94).

Use cases call these functions after they have written a change. Without receivers nothing is read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec import UNSET, UnsetType

from homeroom.base.ids import CourseId, LabelId, LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.messages.schedule import (
    ChangedTeacher,
    ClassChanged,
    ClassChanges,
    CourseChanges,
    OpType,
    ScheduleStatus,
)
from homeroom.domain.courses import Course
from homeroom.domain.events import Event
from homeroom.domain.lessons import Lesson
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.course_messages import build_course_event, build_extensions, find_labels

T = TypeVar("T")
STANDARD_CLASS = 1
SUB_CLASS = 9


class LessonAddition(Value, frozen=True):
    """A class that was added, with what its message needs."""

    lesson: Lesson
    course_name: str
    co_teachers: tuple[UserId, ...]
    names: dict[UserId, str]
    """Names of the teacher and of the co-teachers."""


class EditedPair(Value, frozen=True):
    """A class before and after an edit."""

    old: Lesson
    new: Lesson
    co_teachers: tuple[UserId, ...] | None = None
    """None: they did not change."""


def emit_new_lessons(
    uow: UnitOfWork,
    school: SchoolId,
    added: Sequence[LessonAddition],
    extended: Collection[CourseId],
) -> None:
    """Write the messages of classes that were added, and of courses whose expiry they moved."""
    if not uow.wants_messages(school):
        return
    events = []
    for item in added:
        lesson = item.lesson
        changes = ClassChanges(
            course_id=lesson.course,
            class_id=lesson.id,
            seat_num=_count_seats(lesson),
            is_auto_onstage=int(lesson.classroom.enters_off_stage),
            class_type=SUB_CLASS if lesson.main is not None else STANDARD_CLASS,
            class_name=lesson.name,
            course_name=item.course_name,
            begin_time=lesson.hours.begin,
            end_time=lesson.hours.end,
            class_status=ScheduleStatus.NOT_STARTED,
            main_class_id=lesson.main or 0,
            teacher_info=ChangedTeacher(item.names[lesson.teacher], lesson.teacher),
            assistant_teacher_infos=[
                ChangedTeacher(item.names[user], user) for user in item.co_teachers
            ],
        )
        events.append(_build_lesson_event(uow, school, OpType.ADD, changes))
    ends = [item.lesson.hours.end for item in added]
    uow.emit_all([*events, *build_extensions(uow, school, extended, ends)])


def emit_edited_lessons(
    uow: UnitOfWork,
    school: SchoolId,
    edits: Sequence[EditedPair],
    extended: Collection[CourseId] = (),
) -> None:
    """Write the messages of classes that were edited, and of courses whose expiry they moved.

    An edit of what the message has no field for causes none.
    """
    if not uow.wants_messages(school):
        return
    names = uow.teachers.list_names(school, uids) if (uids := _list_new_teachers(edits)) else {}
    changes = (_compare(edit, names) for edit in edits)
    events = [
        _build_lesson_event(uow, school, OpType.CHANGE, change)
        for change in changes
        if change is not None
    ]
    ends = [edit.new.hours.end for edit in edits]
    uow.emit_all([*events, *build_extensions(uow, school, extended, ends)])


def emit_lesson_teacher(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    lessons: Iterable[LessonId],
    teacher: ChangedTeacher,
) -> None:
    """Write the messages of classes of a course that got another teacher."""
    if uow.wants_messages(school):
        changes = (
            ClassChanges(course_id=course, class_id=lesson, teacher_info=teacher)
            for lesson in lessons
        )
        uow.emit_all(
            [_build_lesson_event(uow, school, OpType.CHANGE, change) for change in changes]
        )


def emit_lesson_labels(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    labels: Mapping[LessonId, Sequence[LabelId]],
) -> None:
    """Write the messages of classes of a course that got new labels."""
    if not labels or not uow.wants_messages(school):
        return
    changes = (
        ClassChanges(course_id=course, class_id=lesson, label_infos=info)
        for lesson, info in find_labels(uow, labels).items()
    )
    uow.emit_all([_build_lesson_event(uow, school, OpType.CHANGE, change) for change in changes])


def emit_closed_lesson(uow: UnitOfWork, lesson: Lesson) -> None:
    """Write the message of a class that was closed early."""
    if uow.wants_messages(lesson.school):
        changes = ClassChanges(
            course_id=lesson.course, class_id=lesson.id, class_status=ScheduleStatus.ENDED
        )
        uow.emit(_build_lesson_event(uow, lesson.school, OpType.CHANGE, changes))


def emit_deleted_lessons(
    uow: UnitOfWork, school: SchoolId, deleted: Mapping[LessonId, CourseId]
) -> None:
    """Write the messages of classes that were deleted, each with its course."""
    if uow.wants_messages(school):
        uow.emit_all(_build_deletions(uow, school, deleted))


def emit_ended_course(
    uow: UnitOfWork,
    course: Course,
    deleted: Mapping[LessonId, CourseId],
    status: ScheduleStatus,
) -> None:
    """Write the messages of a course that was ended or deleted: first those of its classes."""
    if not uow.wants_messages(course.school):
        return
    changes = CourseChanges(course_id=course.id, course_status=status)
    uow.emit_all(
        [
            *_build_deletions(uow, course.school, deleted),
            build_course_event(uow, course.school, OpType.CHANGE, changes),
        ]
    )


def _build_lesson_event(
    uow: UnitOfWork, school: SchoolId, op: OpType, changes: ClassChanges
) -> Event:
    course = changes.course_id
    body = ClassChanged(
        course=course,
        op_type=op,
        op_time=uow.now,
        user=uow.find_actor(school),
        op_source=uow.actor.source,
        op_data=changes,
    )
    return Event(school=school, body=body, at=uow.now, course=course, lesson=changes.class_id)


def _build_deletions(
    uow: UnitOfWork, school: SchoolId, deleted: Mapping[LessonId, CourseId]
) -> list[Event]:
    changes = (
        ClassChanges(course_id=course, class_id=lesson, class_status=ScheduleStatus.DELETED)
        for lesson, course in deleted.items()
    )
    return [_build_lesson_event(uow, school, OpType.DELETE, change) for change in changes]


def _compare(edit: EditedPair, names: Mapping[UserId, str]) -> ClassChanges | None:
    """Return what an edit changed of a class; None if no field of the message changed."""
    old, new = edit.old, edit.new

    def pick(before: T, after: T) -> T | UnsetType:
        return after if before != after else UNSET

    changes = ClassChanges(
        course_id=new.course,
        class_id=new.id,
        seat_num=pick(_count_seats(old), _count_seats(new)),
        is_auto_onstage=pick(
            int(old.classroom.enters_off_stage), int(new.classroom.enters_off_stage)
        ),
        class_name=pick(old.name, new.name),
        begin_time=pick(old.hours.begin, new.hours.begin),
        end_time=pick(old.hours.end, new.hours.end),
        teacher_info=ChangedTeacher(names[new.teacher], new.teacher)
        if new.teacher != old.teacher
        else UNSET,
        assistant_teacher_infos=[ChangedTeacher(names[user], user) for user in edit.co_teachers]
        if edit.co_teachers is not None
        else UNSET,
    )
    return changes if changes != ClassChanges(course_id=new.course, class_id=new.id) else None


def _list_new_teachers(edits: Iterable[EditedPair]) -> set[UserId]:
    uids: set[UserId] = set()
    for edit in edits:
        uids.update(edit.co_teachers or ())
        if edit.new.teacher != edit.old.teacher:
            uids.add(edit.new.teacher)
    return uids


def _count_seats(lesson: Lesson) -> int:
    """Return the seats of a class as messages count them: the teacher has one too."""
    return lesson.classroom.seats + 1
