"""Checks of camera, microphone and speaker on the teacher's page."""

from homeroom.base.clock import Moment
from homeroom.base.ids import UserId
from homeroom.contract.messages.room import DeviceCheck, DeviceCheckInClass, DeviceCheckOutside
from homeroom.domain.classroom_events import ClassroomEvent, ClassroomEventKind
from homeroom.domain.events import Event
from homeroom.domain.lessons import Lesson
from homeroom.store.unit_of_work import UnitOfWork


def record(uow: UnitOfWork, lesson: Lesson, check: DeviceCheck) -> None:
    """Send the result of a check: of the class while it is open, else of the person."""
    if lesson.lifecycle.opens_at <= uow.now < lesson.lifecycle.closes_at:
        record_in_class(uow, lesson, lesson.teacher, check, uow.now)
        return
    uow.emit(
        Event(
            school=lesson.school,
            person=lesson.teacher,
            at=uow.now,
            source=lesson.teacher,
            body=DeviceCheckOutside(uid=lesson.teacher, data=check),
        )
    )


def record_in_class(
    uow: UnitOfWork,
    lesson: Lesson,
    user: UserId,
    check: DeviceCheck,
    at: Moment,
    *,
    is_simulated: bool = False,
) -> None:
    """Log the result of a check inside a class, and send it."""
    verdicts = {
        "camera": check.camera_impersonal,
        "microphone": check.microphone_impersonal,
        "speaker": check.headphone_impersonal,
    }
    uow.classroom_events.add(
        ClassroomEvent(
            lesson.id,
            at,
            ClassroomEventKind.CHECK,
            user,
            details=verdicts,
            is_simulated=is_simulated,
        )
    )
    uow.emit(
        Event(
            school=lesson.school,
            course=lesson.course,
            lesson=lesson.id,
            at=at,
            source=user,
            target=user,
            body=DeviceCheckInClass(uid=user, data=check),
            is_simulated=is_simulated,
        )
    )
