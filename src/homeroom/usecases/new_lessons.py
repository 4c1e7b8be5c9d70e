"""Add classes to a course: one, or several at once."""

from collections.abc import Sequence

import msgspec

from homeroom.base.clock import HOUR
from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.base.text import is_storable
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno
from homeroom.domain.accounts import AccountName, User
from homeroom.domain.courses import CHANGE_RULE, Course, check_course
from homeroom.domain.lessons import (
    ClassroomSettings,
    Lesson,
    NewLesson,
    RecordingOptions,
    check_hours,
    check_limits,
    check_plan,
    resolve_classroom,
)
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import Plan, month_bounds
from homeroom.domain.teachers import (
    CO_TEACHER_RULE,
    TEACHER_RULE,
    check_candidates,
    check_co_teachers,
)
from homeroom.store.lesson_rows import NewLessonRow
from homeroom.store.lessons import NewLessonFacts
from homeroom.store.teachers import CourseCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import lesson_messages, people
from homeroom.usecases.accounts import can_record, get_current_school
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.lesson_messages import LessonAddition
from homeroom.usecases.lessons import (
    bind_stream,
    extend_expiry,
    list_teachers,
    warn_hours_used_up,
)


class LessonRequest(msgspec.Struct, frozen=True):
    """A class to add, and its teacher."""

    new: NewLesson
    teacher: UserId | AccountName | Refusal
    """A refusal is of the account that was sent; it is due when the teacher is checked."""


class ScheduledLesson(Value, frozen=True):
    """A class that was added, and its warnings."""

    lesson: Lesson
    warnings: tuple[Errno, ...]


class _Candidate(Value, frozen=True):
    """A request whose identity and times are right."""

    place: int
    new: NewLesson
    teacher: UserId
    facts: NewLessonFacts


class _AcceptedLesson(Value, frozen=True):
    """A class that is to be written, with its warnings."""

    place: int
    row: NewLessonRow
    warnings: tuple[Errno, ...]


def add(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    course_id: CourseId,
    request: LessonRequest,
) -> Lesson:
    """Add a class to a course of this school.

    Raises `Refusal`; with IDENTITY_TAKEN it is about the class made earlier (READINGS Q1).
    """
    new = request.new
    context = uow.lessons.get_context(school, course_id, new)
    plan, facts = context.plan, context.facts
    if facts.existing is not None:
        raise refuse_identity(uow.lessons.get(facts.existing))
    course = check_course(context.course, school, uow.now, CHANGE_RULE)
    _check_times(uow, new, facts)
    teacher = people.resolve_uid(uow, school, request.teacher, Errno.NOT_A_TEACHER_OF_SCHOOL)
    persons = people.find_teachers(uow, school, (teacher, *new.co_teachers), course_id)
    classroom = _check_setup(plan, school, new, persons, facts)
    check_limits(plan, *count_lessons(uow, plan, school, course_id))
    can_record_now = new.recording.record and can_record(uow, deps, school, plan)
    new, warnings = _complete(new, classroom, can_record_now=can_record_now)
    lesson = save(uow, deps, course, new, persons)
    for warning in warnings:
        uow.warn(warning)
    warn_hours_used_up(uow, plan, school, new.hours)
    return lesson


def save(
    uow: UnitOfWork,
    deps: Dependencies,
    course: Course,
    new: NewLesson,
    persons: Sequence[CourseCandidate],
) -> Lesson:
    """Save a class that was checked; `persons` are the teacher and the co-teachers."""
    row = _make_row(uow, deps, new, persons[0].candidate.user)
    lesson = uow.lessons.add(course, row, uow.now)
    uow.class_roles.add_co_teachers(lesson.id, new.co_teachers)
    list_teachers(uow, course.id, persons)
    extended = extend_expiry(uow, course, new.hours.end)
    names = {person.candidate.user: person.name for person in persons}
    added = LessonAddition(lesson, course.name, new.co_teachers, names)
    lesson_messages.emit_new_lessons(uow, course.school, [added], extended)
    return lesson


def add_all(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    course_id: CourseId,
    requests: Sequence[LessonRequest | Refusal],
) -> list[ScheduledLesson | Refusal]:
    """Add classes to a course; each is checked alone, all accepted ones are written together.

    Requests that are refused already stay refused (READINGS Q64).
    """
    plan = get_current_school(uow, school).plan
    course = uow.courses.get_usable(school, course_id, uow.now, CHANGE_RULE)
    outcomes: dict[int, ScheduledLesson | Refusal] = {}
    candidates = _select_candidates(uow, school, requests, outcomes)
    persons = _find_persons(uow, school, course_id, candidates)
    counts = count_lessons(uow, plan, school, course_id) if candidates else (0, 0)
    can_record_now = any(candidate.new.recording.record for candidate in candidates) and can_record(
        uow, deps, school, plan
    )
    accepted: list[_AcceptedLesson] = []
    for candidate in candidates:
        new = candidate.new
        people_of_lesson = [persons[uid] for uid in (candidate.teacher, *new.co_teachers)]
        try:
            classroom = _check_setup(plan, school, new, people_of_lesson, candidate.facts)
            check_limits(plan, *(count + len(accepted) for count in counts))
        except Refusal as refusal:
            outcomes[candidate.place] = refusal
            continue
        new, warnings = _complete(new, classroom, can_record_now=can_record_now)
        row = _make_row(uow, deps, new, candidate.teacher)
        accepted.append(_AcceptedLesson(candidate.place, row, warnings))
    if accepted:
        hours_warnings = _find_hours_warnings(uow, plan, school, accepted)
        rows = [entry.row for entry in accepted]
        lessons = uow.lessons.add_all([(course, row) for row in rows], uow.now)
        uow.class_roles.add_co_teachers_of_lessons(
            {lesson.id: row.new.co_teachers for lesson, row in zip(lessons, rows, strict=True)}
        )
        teachers = {uid for row in rows for uid in (row.teacher, *row.new.co_teachers)}
        list_teachers(uow, course_id, [persons[uid] for uid in teachers])
        extended = extend_expiry(uow, course, max(row.new.hours.end for row in rows))
        names = {uid: persons[uid].name for uid in teachers}
        added = [
            LessonAddition(lesson, course.name, row.new.co_teachers, names)
            for lesson, row in zip(lessons, rows, strict=True)
        ]
        lesson_messages.emit_new_lessons(uow, school, added, extended)
        for entry, lesson, of_hours in zip(accepted, lessons, hours_warnings, strict=True):
            outcomes[entry.place] = ScheduledLesson(lesson, (*entry.warnings, *of_hours))
    return [outcomes[place] for place in range(len(requests))]


def _select_candidates(
    uow: UnitOfWork,
    school: SchoolId,
    requests: Sequence[LessonRequest | Refusal],
    outcomes: dict[int, ScheduledLesson | Refusal],
) -> list[_Candidate]:
    """Return the requests whose identity and times are right; add the refusals of the others."""
    valid = []
    for place, request in enumerate(requests):
        if isinstance(request, Refusal):
            outcomes[place] = request
        else:
            valid.append((place, request))
    accounts = _find_accounts(uow, school, [request for _, request in valid])
    all_facts = uow.lessons.list_facts(school, [request.new for _, request in valid])
    existing = uow.lessons.get_many(
        [facts.existing for facts in all_facts if facts.existing is not None]
    )
    candidates = []
    for (place, request), facts in zip(valid, all_facts, strict=True):
        try:
            if facts.existing is not None:
                raise refuse_identity(existing.get(facts.existing))
            _check_times(uow, request.new, facts)
            teacher = _get_teacher(request, accounts)
        except Refusal as refusal:
            outcomes[place] = refusal
        else:
            candidates.append(_Candidate(place, request.new, teacher, facts))
    return candidates


def _find_accounts(
    uow: UnitOfWork, school: SchoolId, requests: Sequence[LessonRequest]
) -> dict[str, User]:
    """Return the teachers that are named by account."""
    names = [
        request.teacher.value for request in requests if isinstance(request.teacher, AccountName)
    ]
    return people.find_by_names(uow, school, names) if names else {}


def _get_teacher(request: LessonRequest, accounts: dict[str, User]) -> UserId:
    """Return the UID of the teacher; refuse an account that no user has (READINGS Q15)."""
    if isinstance(request.teacher, Refusal):
        raise request.teacher
    if not isinstance(request.teacher, AccountName):
        return request.teacher
    user = accounts.get(request.teacher.value)
    if user is None:
        raise Refusal(Errno.NOT_A_TEACHER_OF_SCHOOL, "no such teacherAccount")
    return user.id


def _find_persons(
    uow: UnitOfWork, school: SchoolId, course: CourseId, candidates: Sequence[_Candidate]
) -> dict[UserId, CourseCandidate]:
    uids = dict.fromkeys(
        uid for candidate in candidates for uid in (candidate.teacher, *candidate.new.co_teachers)
    )
    if not uids:
        return {}
    rows = people.find_teachers(uow, school, tuple(uids), course)
    return {row.candidate.user: row for row in rows}


def refuse_identity(existing: Lesson | None) -> Refusal:
    """Return the refusal of a class whose identity another class has; it is about that one."""
    reason = f"class {existing.id} has this identity" if existing is not None else None
    return Refusal(Errno.IDENTITY_TAKEN, reason, about=existing)


def _check_times(uow: UnitOfWork, new: NewLesson, facts: NewLessonFacts) -> None:
    check_hours(new.hours, uow.now)
    if facts.is_in_maintenance:
        raise Refusal(Errno.MAINTENANCE_OVERLAP)


def _check_setup(
    plan: Plan,
    school: SchoolId,
    new: NewLesson,
    persons: Sequence[CourseCandidate],
    facts: NewLessonFacts,
) -> ClassroomSettings:
    """Refuse people and settings that do not fit; return the settings of the classroom.

    `persons` are the teacher and the co-teachers.
    """
    teacher, *co_teachers = (person.candidate for person in persons)
    check_candidates([teacher], TEACHER_RULE)
    check_co_teachers(new.co_teachers, teacher.user, plan.max_co_teachers)
    check_candidates(co_teachers, CO_TEACHER_RULE)
    classroom = resolve_classroom(new.classroom, plan, has_default_seats=new.has_default_seats)
    if new.folder is not None and facts.folder_owner != school:
        raise Refusal(Errno.FOLDER_NOT_IN_DRIVE)
    check_plan(plan, classroom, new.recording, has_co_teachers=bool(co_teachers))
    return classroom


def count_lessons(
    uow: UnitOfWork, plan: Plan, school: SchoolId, course: CourseId
) -> tuple[int, int]:
    """Return the classes of the course and of the month, where the plan limits them."""
    if not (plan.max_course_classes or plan.monthly_classes):
        return 0, 0
    # Two classes added at once must not both be the last one allowed.
    uow.require_exclusive()
    of_course = uow.quotas.count_lessons_of_course(course) if plan.max_course_classes else 0
    of_month = (
        uow.quotas.count_new_lessons(school, *month_bounds(uow.now, plan))
        if plan.monthly_classes
        else 0
    )
    return of_course, of_month


def _complete(
    new: NewLesson, classroom: ClassroomSettings, *, can_record_now: bool
) -> tuple[NewLesson, tuple[Errno, ...]]:
    """Return a class as it is written, and the warnings of what cannot be."""
    warnings = []
    recording = new.recording.effective()
    if new.recording.lacks_recording:
        warnings.append(Errno.ADDED_WITH_BAD_RECORDING)
    if new.recording.record and not can_record_now:
        warnings.append(Errno.ADDED_WITHOUT_RECORDING)
        recording = RecordingOptions()
    introduction = new.introduction
    if not is_storable(introduction):
        warnings.append(Errno.ADDED_WITHOUT_INTRODUCTION)
        introduction = ""
    complete = replace(new, classroom=classroom, recording=recording, introduction=introduction)
    return complete, tuple(warnings)


def _make_row(uow: UnitOfWork, deps: Dependencies, new: NewLesson, teacher: UserId) -> NewLessonRow:
    key = deps.keys.public_key()
    return NewLessonRow(new, teacher, key, bind_stream(uow, deps, key, None, new.recording))


def _find_hours_warnings(
    uow: UnitOfWork, plan: Plan, school: SchoolId, accepted: Sequence[_AcceptedLesson]
) -> list[tuple[Errno, ...]]:
    """Return for each class whether the plan's hours of its month are used up with it."""
    if not plan.classroom_hours:
        return [()] * len(accepted)
    months = [month_bounds(entry.row.new.hours.begin, plan) for entry in accepted]
    used = uow.quotas.sum_lesson_seconds_of_spans(school, set(months))
    warnings: list[tuple[Errno, ...]] = []
    for entry, month in zip(accepted, months, strict=True):
        hours = entry.row.new.hours
        used[month] += hours.end - hours.begin
        is_used_up = used[month] > plan.classroom_hours * HOUR
        warnings.append((Errno.HOURS_USED_UP,) if is_used_up else ())
    return warnings
