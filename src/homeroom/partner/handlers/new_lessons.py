"""Handlers of several new classes."""

from collections.abc import Iterable

from msgspec import UNSET

from homeroom.base.ids import SchoolId
from homeroom.base.pauses import pause_between
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry
from homeroom.contract.new_lessons import (
    CLASS_NAME,
    MAX_NEW_LESSONS,
    AddCourseClassMultiple,
    NewLessonEntry,
    NewLessonResult,
    NewLessonResults,
)
from homeroom.contract.params import InvalidValueError
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import Refusal
from homeroom.domain.webcasts import Hosts, build_lesson_addresses
from homeroom.partner.handlers.entries import get_errno, note_reasons, refuse_faulty
from homeroom.partner.handlers.lessons import (
    get_lock_keys,
    make_live_addresses,
    make_request,
)
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.usecases import new_lessons
from homeroom.usecases.new_lessons import LessonRequest, ScheduledLesson

NewLessonOutcome = ScheduledLesson | Refusal


def get_all_lock_keys(school: SchoolId, params: AddCourseClassMultiple) -> Iterable[str]:
    """Return the lock keys of the identities of the new classes."""
    for entry in params.lessons:
        if isinstance(entry, NewLessonEntry):
            yield from get_lock_keys(school, entry)


def prepare_requests(
    _storage: Storage, params: AddCourseClassMultiple
) -> list[LessonRequest | Refusal]:
    """Return the classes to add; an e-mail address of a teacher can take some milliseconds."""
    requests: list[LessonRequest | Refusal] = []
    identities: dict[str, int] = {}
    for place, entry in enumerate(pause_between(params.lessons), 1):
        identity = _get_identity(entry)
        earlier = identities.setdefault(identity, place) if identity is not None else place
        if isinstance(entry, InvalidEntry):
            requests.append(Refusal(Errno.BAD_PARAMS, entry.reason))
        elif earlier != place:
            reason = f"courseUniqueIdentity is that of entry {earlier}"
            requests.append(Refusal(Errno.ALREADY_EXISTS, reason))
        else:
            requests.append(make_request(entry, Errno.TEACHER_ACCOUNT_MALFORMED))
    return requests


def add_course_class_multiple(
    call: CallContext[list[LessonRequest | Refusal]], params: AddCourseClassMultiple
) -> NewLessonResults:
    """Create classes and return a result for each."""
    entries = params.lessons
    requests: Iterable[LessonRequest | Refusal] = (
        Refusal(Errno.BEING_CREATED, "another request about its identity is unfinished after 1 s")
        if isinstance(request, LessonRequest)
        and not call.busy_keys.isdisjoint(get_lock_keys(call.school, entry))
        else request
        for entry, request in zip(entries, call.prepared, strict=True)
    )
    outcomes = new_lessons.add_all(
        call.uow, call.deps, call.school, params.course_id, refuse_faulty(call, requests)
    )
    if params.lessons.dropped:
        call.reasons.append(
            f"entries past the first {MAX_NEW_LESSONS} were dropped: {params.lessons.dropped}"
        )
    note_reasons(
        call.reasons, (outcome if isinstance(outcome, Refusal) else None for outcome in outcomes)
    )
    return NewLessonResults(
        data=[
            _make_result(call.hosts, entry, outcome)
            for entry, outcome in zip(entries, outcomes, strict=True)
        ]
    )


def _get_identity(entry: NewLessonEntry | InvalidEntry) -> str | None:
    """Return the identity of an entry, also of one that is malformed in something else."""
    if isinstance(entry, NewLessonEntry):
        return entry.course_unique_identity
    value = entry.get_value("courseUniqueIdentity")
    is_identity = isinstance(value, str) or type(value) is int
    return str(value).strip() or None if is_identity else None


def _make_result(
    hosts: Hosts, entry: NewLessonEntry | InvalidEntry, outcome: NewLessonOutcome
) -> NewLessonResult:
    errno, lesson = _read_outcome(outcome)
    return NewLessonResult(
        data=lesson.id if lesson is not None else UNSET,
        class_name=_get_name(entry),
        custom_column=entry.custom_column if entry.custom_column is not None else UNSET,
        more_data=make_live_addresses(build_lesson_addresses(lesson, hosts))
        if lesson is not None
        else UNSET,
        errno=errno.number,
        error=errno.zh,
    )


def _read_outcome(outcome: NewLessonOutcome) -> tuple[Errno, Lesson | None]:
    """Return the errno of an entry, and the class that it is about."""
    if isinstance(outcome, ScheduledLesson):
        return next(iter(outcome.warnings), Errno.DONE), outcome.lesson
    lesson = outcome.about if isinstance(outcome.about, Lesson) else None
    return get_errno(outcome), lesson


def _get_name(entry: NewLessonEntry | InvalidEntry) -> str:
    if isinstance(entry, NewLessonEntry):
        return entry.class_name
    try:
        name: str = CLASS_NAME.read(entry.get_value("className"))
    except InvalidValueError:
        return ""
    return name
