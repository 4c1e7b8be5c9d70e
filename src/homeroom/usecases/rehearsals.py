"""Rehearsed lessons: a script is checked, and played on a class by the clock (READINGS Q100)."""

import logging
from collections.abc import Collection, Iterable, Sequence
from heapq import merge
from typing import Final

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.messages.classroom import NETWORK_DEFAULTS
from homeroom.contract.messages.room import DeviceCheck
from homeroom.contract.messages.script import (
    AnyStep,
    CheckStep,
    NetworkStep,
    RateStep,
    format_step,
)
from homeroom.domain.class_students import ClassTie, is_class_student
from homeroom.domain.classroom_events import (
    ClassIdentity,
    ClassroomEvent,
    ClassroomEventKind,
    LeaveReason,
    Stay,
)
from homeroom.domain.events import Actor
from homeroom.domain.lessons import Hours, Lesson
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from homeroom.domain.ready_lesson import write_lesson
from homeroom.domain.refusal import OperatorError
from homeroom.domain.rehearsals import Rehearsal, ScriptError
from homeroom.domain.teachers import MemberRole
from homeroom.store.paging import PageRequest
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import attendance, device_checks, extensions, schools
from homeroom.usecases.attendance import RoomEntry, RoomExit
from homeroom.usecases.classroom_closing import let_all_leave
from homeroom.usecases.lesson_messages import emit_closed_lesson
from homeroom.usecases.rehearsal_messages import send

log = logging.getLogger("homeroom.rehearsals")

MAX_LESSON_MEMBERS: Final = 99
"""Most members of a class, and most guests, who play the ready lesson."""

Timed = tuple[Moment, AnyStep]


class RehearsalState(Value, frozen=True):
    """A rehearsed class: who is inside, and what is to come."""

    inside: Sequence[Stay]
    coming: Sequence[Timed]


def get_state(uow: UnitOfWork, school: SchoolId, lesson_id: LessonId) -> RehearsalState:
    """Return who is inside a class, and what is to come; raises `OperatorError`."""
    lesson = _get_lesson(uow, school, lesson_id)
    coming = uow.scripted_events.list_of_lesson(lesson.id)
    return RehearsalState(attendance.list_inside(uow, lesson.id), coming)


def drop(uow: UnitOfWork, school: SchoolId, lesson_id: LessonId) -> int:
    """Drop what has not happened yet, and return its size; raises `OperatorError`."""
    return uow.scripted_events.delete(_get_lesson(uow, school, lesson_id).id)


def add_lesson(uow: UnitOfWork, school: SchoolId, lesson_id: LessonId) -> int:
    """Add the ready lesson, played by the members of the class; return its size.

    Raises `OperatorError`, as for a class without students.
    """
    lesson = _get_lesson(uow, school, lesson_id)
    first_page = PageRequest(limit=MAX_LESSON_MEMBERS)
    members = uow.member_lists.list_members(lesson.course, lesson.id, {}, first_page)
    guests = uow.member_lists.list_guests(lesson.course, lesson.id, {}, first_page)
    people = {person.uid for person in (*members.rows, *guests.rows)}
    identities = _find_identities(uow, lesson, people)
    students = [uid for uid, identity in identities.items() if identity == ClassIdentity.STUDENT]
    auditors = [uid for uid, identity in identities.items() if identity == ClassIdentity.AUDITOR]
    if not students:
        raise OperatorError(f"class {lesson_id} has no students who could play a lesson")
    script = write_lesson(
        lesson.hours.end - lesson.hours.begin,
        lesson.teacher,
        sorted(students),
        [*uow.class_roles.list_co_teachers(lesson.id), *sorted(auditors)],
        allows_extension=not (lesson.is_dual or extensions.was_extended(uow, lesson.id)),
    )
    add(uow, school, lesson_id, script)
    return len(script)


def add(uow: UnitOfWork, school: SchoolId, lesson_id: LessonId, script: Sequence[AnyStep]) -> None:
    """Add a script to what is to come in a class; raises `OperatorError` and adds nothing.

    What is due is played by `play`.
    """
    lesson = _get_lesson(uow, school, lesson_id)
    if lesson.deleted_at is not None:
        raise OperatorError(f"class {lesson_id} is deleted")
    _check(uow, lesson, script)
    uow.scripted_events.add(lesson.id, _schedule(lesson, script))


def list_due(uow: UnitOfWork) -> list[tuple[SchoolId, LessonId]]:
    """Return the classes in which events of a script are due."""
    return uow.scripted_events.list_due_classes(uow.now)


def play(uow: UnitOfWork, lesson_id: LessonId) -> None:
    """Play what is due in a class, in order and each event at its own moment.

    An event that cannot happen any more is left out: the class may have changed since.
    """
    due = uow.scripted_events.take_due(lesson_id, uow.now)
    lesson = uow.lessons.get(lesson_id)
    if not due or lesson is None or lesson.deleted_at is not None:
        return
    history = uow.classroom_events.list_of_lesson(lesson.id)
    room = Rehearsal(lesson, _find_identities(uow, lesson, _list_people(history, due)))
    for event in history:
        room.apply(event)
    for at, step in due:
        try:
            events = room.build(step)
        except ScriptError as error:
            do = format_step(step)["do"]
            fields = {"class": lesson.id, "do": do, "at": at, "reason": str(error)}
            log.warning("scripted_event_left_out", extra=fields)
            continue
        for event in events:
            room.apply(event)
            _record(uow, room, event)
    if room.lesson.is_over(uow.now) and not uow.open_classrooms.is_open(lesson.id):
        # Its closing was before the script: nothing else lets them leave.
        let_all_leave(uow, room.lesson, room.ends_at, LeaveReason.ROOM_CLOSED)


def _check(uow: UnitOfWork, lesson: Lesson, script: Sequence[AnyStep]) -> None:
    """Make sure that each event of a script can happen; raises `OperatorError` with its place."""
    history = uow.classroom_events.list_of_lesson(lesson.id)
    coming = uow.scripted_events.list_of_lesson(lesson.id)
    new = list(_schedule(lesson, script))
    if lesson.hours.end + OVERTIME_SECONDS <= uow.now and any(
        event.kind is ClassroomEventKind.ENTER for event in history
    ):
        _check_late(script)
    people = _list_people(history, [*coming, *new])
    room = Rehearsal(lesson, _find_identities(uow, lesson, people))
    # Each has its moment, what is first at one moment, and the place in the script.
    past = ((event.at, 0, 0, event) for event in history)
    before = ((at, 1, 0, step) for at, step in coming)
    places = sorted(
        ((at, 2, place, step) for place, (at, step) in enumerate(new, 1)), key=lambda row: row[:3]
    )
    for _, _, place, item in merge(past, before, places, key=lambda row: row[:3]):
        try:
            events = [item] if isinstance(item, ClassroomEvent) else room.build(item)
            if place and not isinstance(item, ClassroomEvent):
                _check_data(item)
        except (ScriptError, msgspec.ValidationError) as error:
            if place and not isinstance(item, ClassroomEvent):
                do = format_step(item)["do"]
                raise OperatorError(f"event {place} ({do}): {error}") from None
            continue
        for event in events:
            room.apply(event)


def _check_late(script: Sequence[AnyStep]) -> None:
    """Make sure that a script changes no sums: `End` was sent. Raises `OperatorError`."""
    for place, step in enumerate(script, 1):
        if not isinstance(step, RateStep):
            do = format_step(step)["do"]
            raise OperatorError(f"event {place} ({do}): the class is over, and its End was sent")


def _check_data(step: AnyStep) -> None:
    """Check data that goes into a message as it is; raises `ScriptError`."""
    if isinstance(step, NetworkStep):
        for name, value in step.data.items():
            if name not in NETWORK_DEFAULTS:
                raise ScriptError(f"data: a network report has no {name!r}")
            if type(value) is not type(NETWORK_DEFAULTS[name]):
                raise ScriptError(f"data: {name} must be of another type")
    elif isinstance(step, CheckStep):
        known_names = {field.encode_name for field in msgspec.structs.fields(DeviceCheck)}
        if others := sorted(step.data.keys() - known_names):
            raise ScriptError(f"data: a device check has no {others[0]!r}")
        msgspec.convert(step.data, DeviceCheck)


def _schedule(lesson: Lesson, script: Iterable[AnyStep]) -> Iterable[Timed]:
    return ((lesson.hours.begin + step.at, step) for step in script)


def _get_lesson(uow: UnitOfWork, school: SchoolId, lesson_id: LessonId) -> Lesson:
    schools.get(uow, school)
    lesson = uow.lessons.get(lesson_id)
    if lesson is None or lesson.school != school:
        raise OperatorError(f"school {school} has no class {lesson_id}")
    return lesson


# --- people --------------------------------------------------------------------------------------


def _list_people(history: Iterable[ClassroomEvent], steps: Iterable[Timed]) -> set[UserId]:
    people = {event.user for event in history if event.user is not None}
    uids = (getattr(step, "uid", None) for _, step in steps)
    return people | {uid for uid in uids if uid is not None}


def _find_identities(
    uow: UnitOfWork, lesson: Lesson, people: Collection[UserId]
) -> dict[UserId, int]:
    """Return the identities of those who may enter a class."""
    school = schools.get(uow, lesson.school)
    candidates = uow.rosters.find_candidates(school.id, lesson.course, people)
    ties = uow.class_students.find_ties([lesson.id], people)
    identities: dict[UserId, int] = {}
    for user, candidate in candidates.items():
        own_ties = ties.get((lesson.id, user), frozenset())
        if candidate.is_cancelled:
            continue
        if user == lesson.teacher:
            identities[user] = ClassIdentity.TEACHER
        elif ClassTie.CO_TEACHER in own_ties:
            identities[user] = ClassIdentity.CO_TEACHER
        elif is_class_student(candidate.role, own_ties):
            identities[user] = ClassIdentity.STUDENT
        elif candidate.role is MemberRole.AUDITOR:
            identities[user] = ClassIdentity.AUDITOR
        elif user == school.owner:
            identities[user] = ClassIdentity.PRINCIPAL
        elif uow.schools.is_sub_account(school.id, user):
            identities[user] = ClassIdentity.PRINCIPAL_ASSISTANT
    return identities


# --- playing -------------------------------------------------------------------------------------


def _record(uow: UnitOfWork, room: Rehearsal, event: ClassroomEvent) -> None:
    """Put an event into the log, and send what follows from it."""
    lesson, user, details = room.lesson, event.user, event.details
    match event.kind:
        case ClassroomEventKind.ENTER if user is not None:
            allowed_at = room.allowed_at.get(user, 0)
            entry = RoomEntry(
                user, details["identity"], details["device"], details["client"], allowed_at
            )
            attendance.enter(uow, lesson, entry, event.at, is_simulated=True)
        case ClassroomEventKind.LEAVE if user is not None:
            exit_ = RoomExit(user, details["identity"], details["reason"], details["client"])
            attendance.leave(uow, lesson, exit_, event.at, actor=event.actor, is_simulated=True)
        case ClassroomEventKind.CHECK if user is not None:
            check = msgspec.convert({"addTime": event.at, **details["data"]}, DeviceCheck)
            device_checks.record_in_class(uow, lesson, user, check, event.at, is_simulated=True)
        case ClassroomEventKind.EXTEND:
            hours = Hours(lesson.hours.begin, lesson.hours.begin + details["seconds"])
            actor = event.actor if event.actor is not None else lesson.teacher
            room.lesson = extensions.set_length(
                uow, lesson, hours, actor, event.at, is_simulated=True
            )
        case ClassroomEventKind.CLOSE:
            uow.classroom_events.add(event)
            uow.lessons.close(lesson.id, event.at)
            uow.actor = Actor(user=lesson.teacher)
            emit_closed_lesson(uow, lesson)
            let_all_leave(uow, lesson, event.at, LeaveReason.ROOM_CLOSED)
            for person, client in list(room.inside):
                room.inside.pop((person, client))
        case _:
            uow.classroom_events.add(event)
            send(uow, room, event)
