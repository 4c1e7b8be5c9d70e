"""Attendance: who enters and leaves the classroom of a class, and how long they stay (Q95)."""

from collections.abc import Collection

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.messages.room import EnterClass, LeaveClass
from homeroom.domain.classroom_events import (
    ClassIdentity,
    ClassroomEvent,
    ClassroomEventKind,
    LeaveReason,
    SignOfLife,
    Stay,
    find_inside,
)
from homeroom.domain.events import SERVICE, Event
from homeroom.domain.lessons import Lesson
from homeroom.store.unit_of_work import UnitOfWork


class RoomEntry(Value, frozen=True):
    """An entry of a person into a class."""

    user: UserId
    identity: int
    device: int
    client: int = 0
    """0 for the first device of the person."""
    allowed_at: Moment = 0
    """AllowEnterTime on the wire: from when on a person who was kicked could return."""


class RoomExit(Value, frozen=True):
    """A leave of a person from a class."""

    user: UserId
    identity: int
    reason: int
    client: int = 0


def enter(
    uow: UnitOfWork,
    lesson: Lesson,
    entry: RoomEntry,
    at: Moment | None = None,
    *,
    is_simulated: bool = False,
) -> None:
    """Log that a person enters a class, and send it. The caller has checked that they may."""
    moment = at if at is not None else uow.now
    uow.open_classrooms.open([lesson.id])
    uow.classroom_events.add(
        ClassroomEvent(
            lesson.id,
            moment,
            ClassroomEventKind.ENTER,
            entry.user,
            details={
                "identity": int(entry.identity),
                "device": int(entry.device),
                "client": entry.client,
            },
            is_simulated=is_simulated,
        )
    )
    if not uow.wants_messages(lesson.school):
        return
    user = uow.accounts.get(entry.user)
    uow.emit(
        Event(
            school=lesson.school,
            course=lesson.course,
            lesson=lesson.id,
            at=moment,
            source=entry.user,
            target=entry.user,
            body=EnterClass(
                nick_name=user.nickname if user is not None else "",
                uid=entry.user,
                identity=entry.identity,
                login_mobile=(user.telephone if user is not None else None) or "",
                login_email=(user.email if user is not None else None) or "",
                client_id=entry.client,
                allow_enter_time=entry.allowed_at,
                device=entry.device,
            ),
            is_simulated=is_simulated,
        )
    )


def leave(
    uow: UnitOfWork,
    lesson: Lesson,
    exit_: RoomExit,
    at: Moment | None = None,
    *,
    actor: UserId | None = None,
    is_simulated: bool = False,
) -> None:
    """Log that a person leaves a class, and send it.

    `actor` is who makes them leave: without one they do it themselves, or the service does.
    """
    moment = at if at is not None else uow.now
    uow.classroom_events.add(
        ClassroomEvent(
            lesson.id,
            moment,
            ClassroomEventKind.LEAVE,
            exit_.user,
            actor,
            {
                "identity": int(exit_.identity),
                "client": exit_.client,
                "reason": int(exit_.reason),
            },
            is_simulated=is_simulated,
        )
    )
    is_own = exit_.reason == LeaveReason.NORMAL
    uow.emit(
        Event(
            school=lesson.school,
            course=lesson.course,
            lesson=lesson.id,
            at=moment,
            source=actor if actor is not None else exit_.user if is_own else SERVICE,
            target=exit_.user,
            body=LeaveClass(
                uid=exit_.user,
                identity=exit_.identity,
                client_id=exit_.client,
                reason=exit_.reason,
            ),
            is_simulated=is_simulated,
        )
    )


def list_inside(uow: UnitOfWork, lesson: LessonId) -> list[Stay]:
    """Return who is inside a class, and by which devices."""
    return find_inside(uow.classroom_events.list_passages(lesson))


# --- real presence -------------------------------------------------------------------------------


def renew(uow: UnitOfWork, signs: Collection[SignOfLife]) -> None:
    """Save signs of life of teachers: the first one of a person in an open class is the entry.

    Presence by page and by encoder at once is one presence.
    """
    for sign in sorted(signs, key=lambda sign: (sign.lesson, sign.user, sign.source)):
        if not uow.open_classrooms.renew_sign(sign.lesson, sign.user, sign.source):
            _add_sign(uow, sign)


def _add_sign(uow: UnitOfWork, sign: SignOfLife) -> None:
    lesson = uow.lessons.get(sign.lesson)
    if lesson is None or lesson.deleted_at is not None or lesson.is_over(uow.now):
        return
    if uow.now < lesson.lifecycle.opens_at:
        return
    uow.open_classrooms.add_sign(lesson.id, sign.user, sign.source)
    if _find_stay(uow, lesson.id, sign.user) is None:
        enter(uow, lesson, RoomEntry(sign.user, ClassIdentity.TEACHER, sign.device))


def end(uow: UnitOfWork, signs: Collection[SignOfLife], reason: LeaveReason) -> None:
    """End signs of life, but not newer ones; with the last one of a person, the person leaves."""
    for sign in signs:
        beat = sign.beat or None
        if not uow.open_classrooms.delete_sign(sign.lesson, sign.user, sign.source, beat):
            continue
        lesson = uow.lessons.get(sign.lesson)
        stay = _find_stay(uow, sign.lesson, sign.user)
        if lesson is None or stay is None or uow.open_classrooms.has_sign(lesson.id, sign.user):
            continue
        leave(uow, lesson, RoomExit(sign.user, stay.identity, reason))


def list_signs(uow: UnitOfWork) -> list[SignOfLife]:
    """Return the signs of life of all persons in all classes."""
    return uow.open_classrooms.list_signs()


def _find_stay(uow: UnitOfWork, lesson: LessonId, user: UserId) -> Stay | None:
    """Return the stay of a person who is inside by the first device, or None."""
    for stay in list_inside(uow, lesson):
        if stay.user == user and stay.client == 0:
            return stay
    return None


def find_school(uow: UnitOfWork, lesson_id: LessonId) -> SchoolId | None:
    """Return the school of a class, None if there is no such class."""
    lesson = uow.lessons.get(lesson_id)
    return lesson.school if lesson is not None else None
