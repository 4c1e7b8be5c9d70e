"""Extend a class from the teacher's page: once, shortly before its end."""

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, UserId
from homeroom.base.values import replace
from homeroom.contract.messages.room import ClassExtended
from homeroom.domain.classroom_events import ClassroomEvent, ClassroomEventKind
from homeroom.domain.events import Actor, Event
from homeroom.domain.extensions import ExtensionError, ExtensionRefusal, extend_hours
from homeroom.domain.lessons import Hours, Lesson
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.lesson_messages import EditedPair, emit_edited_lessons
from homeroom.usecases.lessons import extend_expiry


def extend(uow: UnitOfWork, lesson: Lesson, minutes: int) -> Hours:
    """Lengthen a class by its teacher, and return its hours; raises `ExtensionError`.

    Maintenance windows and the length are checked as editCourseClass does.
    """
    hours = extend_hours(lesson, minutes, uow.now)
    if was_extended(uow, lesson.id):
        raise ExtensionError(ExtensionRefusal.AGAIN)
    if uow.lessons.is_in_maintenance(hours):
        raise ExtensionError(ExtensionRefusal.MAINTENANCE)
    set_length(uow, lesson, hours, lesson.teacher, uow.now)
    return hours


def set_length(
    uow: UnitOfWork,
    lesson: Lesson,
    hours: Hours,
    actor: UserId,
    at: Moment,
    *,
    is_simulated: bool = False,
) -> Lesson:
    """Give a class its new hours, and send it; returns the class. The caller has checked them."""
    new = replace(lesson, hours=hours)
    uow.lessons.save(new)
    course = uow.courses.get(lesson.course)
    extended = extend_expiry(uow, course, hours.end) if course is not None else []
    seconds = hours.end - hours.begin
    record_extension(uow, lesson, seconds, actor, at, is_simulated=is_simulated)
    uow.actor = Actor(user=lesson.teacher)
    emit_edited_lessons(uow, lesson.school, [EditedPair(lesson, new)], extended)
    return new


def was_extended(uow: UnitOfWork, lesson: LessonId) -> bool:
    """Return whether a class was extended."""
    events = uow.classroom_events.list_of_lesson(lesson)
    return any(event.kind is ClassroomEventKind.EXTEND for event in events)


def record_extension(
    uow: UnitOfWork,
    lesson: Lesson,
    seconds: int,
    actor: UserId,
    at: Moment,
    *,
    is_simulated: bool = False,
) -> None:
    """Log that a class lasts some seconds from now on, and send it."""
    uow.classroom_events.add(
        ClassroomEvent(
            lesson.id,
            at,
            ClassroomEventKind.EXTEND,
            None,
            actor,
            {"seconds": seconds},
            is_simulated=is_simulated,
        )
    )
    uow.emit(
        Event(
            school=lesson.school,
            course=lesson.course,
            lesson=lesson.id,
            at=at,
            source=actor,
            body=ClassExtended(
                start_time=lesson.hours.begin,
                prelect_time_length=seconds,
                close_class_delay=OVERTIME_SECONDS,
            ),
            is_simulated=is_simulated,
        )
    )
