"""Messages on request, and the inbox of the sandbox (READINGS Q101)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from homeroom.base.ids import ActivityId, CourseId, LessonId, MessageId, SchoolId, UserId
from homeroom.contract.messages.catalogue import build_default_body, parse_body
from homeroom.contract.messages.kinds import KINDS, MessageKind, MessageSubject
from homeroom.domain.activities import Activity
from homeroom.domain.courses import Course
from homeroom.domain.events import Event
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import OperatorError
from homeroom.store.message_log import LoggedAttempt, LoggedMessage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import schools
from homeroom.usecases.message_defaults import MessageSubjects, build_subject_fields, fill_body


class InboxEntry(msgspec.Struct, frozen=True):
    """A message with the attempts to deliver it."""

    logged: LoggedMessage
    attempts: Sequence[LoggedAttempt]


class MessageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is asked for."""

    kind: MessageKind
    school: SchoolId
    lesson: LessonId | None = None
    course: CourseId | None = None
    activity: ActivityId | None = None
    person: UserId | None = None
    fields: dict[str, Any]
    """Fields of the body by their names on the wire; the others get default values."""


def emit(uow: UnitOfWork, request: MessageRequest) -> None:
    """Write the message of a request, as the act would that causes it (Q101).

    Raises `OperatorError` for ids that are not of the school, for fields of another type, and for
    a school without receivers.
    """
    schools.get(uow, request.school)
    if not uow.wants_messages(request.school):
        raise OperatorError(f"school {request.school} has no endpoint that is active")
    subjects = _find_subjects(uow, request)
    course = subjects.course.id if subjects.course is not None else None
    lesson = subjects.lesson.id if subjects.lesson is not None else None
    _check_subject(request, lesson, course)
    body = build_default_body(request.kind)
    if body is None:
        raise OperatorError(f"messages of the kind {request.kind} cannot be asked for yet")
    body = fill_body(body, build_subject_fields(uow, request.school, subjects))
    unknown = sorted(request.fields.keys() - body.keys())
    try:
        parsed = parse_body(request.kind, _merge(body, request.fields))
    except msgspec.ValidationError as error:
        raise OperatorError(f"fields: {error}") from None
    allowed = msgspec.to_builtins(parsed).keys()
    if unknown := [name for name in unknown if name not in allowed]:
        raise OperatorError(f"fields: {request.kind} has no {', '.join(unknown)}")
    uow.emit(
        Event(
            school=request.school,
            body=parsed,
            at=uow.now,
            course=course,
            lesson=lesson,
            person=request.person,
            is_simulated=True,
        )
    )


def parse_kind(text: str) -> MessageKind:
    """Return the kind of a name; raises `OperatorError` for another text."""
    try:
        return MessageKind(text)
    except ValueError:
        names = ", ".join(MessageKind)
        raise OperatorError(f"no message is named {text[:50]!r}; there are {names}") from None


def list_inbox(
    uow: UnitOfWork,
    school: SchoolId,
    after: int,
    kind: MessageKind | None,
    lesson: LessonId | None,
    limit: int,
) -> list[InboxEntry]:
    """Return messages of a school after one, with their attempts."""
    logged = uow.message_log.list_messages(school, after, kind, lesson, limit)
    attempts: defaultdict[MessageId, list[LoggedAttempt]] = defaultdict(list)
    if logged:
        for attempt in uow.message_log.list_attempts([each.message.id for each in logged]):
            attempts[attempt.message].append(attempt)
    return [InboxEntry(each, attempts[each.message.id]) for each in logged]


def _find_subjects(uow: UnitOfWork, request: MessageRequest) -> MessageSubjects:
    """Return what a request names; raises `OperatorError` for what is not of the school."""

    def check(noun: str, number: int, thing: Activity | Lesson | Course | None) -> None:
        if thing is None or thing.school != request.school:
            raise OperatorError(f"school {request.school} has no {noun} {number}")

    course_id, lesson_id, activity, lesson = request.course, request.lesson, None, None
    if request.activity is not None:
        activity = uow.activities.get(request.activity)
        check("activity", request.activity, activity)
    if activity is not None:
        course_id, lesson_id = activity.course, lesson_id or activity.lesson
    if lesson_id is not None:
        lesson = uow.lessons.get(lesson_id)
        check("class", lesson_id, lesson)
    if lesson is not None:
        course_id = lesson.course
    course = uow.courses.get(course_id) if course_id is not None else None
    if course_id is not None:
        check("course", course_id, course)
    return MessageSubjects(course, lesson, activity, request.person)


def _check_subject(
    request: MessageRequest, lesson: LessonId | None, course: CourseId | None
) -> None:
    """Make sure that the message has what its stream is about."""
    subject = KINDS[request.kind].stream
    needed = {
        MessageSubject.CLASS: ("classId", lesson),
        MessageSubject.COURSE: ("courseId", course),
        MessageSubject.PERSON: ("uid", request.person),
        MessageSubject.SCHOOL: ("sid", request.school),
    }[subject]
    if needed[1] is None:
        raise OperatorError(f"a message of the kind {request.kind} needs {needed[0]}")


def _merge(body: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """Return a body with some of its fields changed, also inside of objects."""
    merged = dict(body)
    for name, value in fields.items():
        inner = merged.get(name)
        both = isinstance(inner, dict) and isinstance(value, dict)
        merged[name] = _merge(inner, value) if both else value  # type: ignore[arg-type]  # both are
    return merged
