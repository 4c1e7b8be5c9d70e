"""Add sub classes to a dual-teacher main class (READINGS Q85)."""

from collections.abc import Sequence

import msgspec

from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno
from homeroom.domain.class_edits import (
    LMS_TEACHER_RULE,
    check_lms_co_teachers,
    check_service_term,
)
from homeroom.domain.classroom_activities import resolve_new_classroom
from homeroom.domain.courses import EXPIRY_EXTENSION_SECONDS, Course, check_course
from homeroom.domain.dual_lessons import (
    ADD_RULE,
    ADD_STAGE_RULE,
    MAX_SUB_LESSONS,
    MAX_SUB_LESSONS_OF_CALL,
    NewSubLesson,
    check_main_lesson,
    check_sub_lesson,
)
from homeroom.domain.lessons import Lesson, NewLesson, Origin, RecordingOptions, check_plan
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.teachers import check_candidates
from homeroom.store.lesson_rows import NewLessonRow
from homeroom.store.teachers import CandidatePlace, CourseCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import lesson_messages, people
from homeroom.usecases.accounts import can_record, get_current_school
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.lesson_messages import LessonAddition
from homeroom.usecases.lessons import bind_stream
from homeroom.usecases.new_lessons import refuse_identity


class AddedSubLessons(msgspec.Struct, frozen=True):
    """The main class, and the result for each sub class to add."""

    main: Lesson
    outcomes: list[Lesson | Refusal]
    is_unrecorded: bool
    """Recording was requested, and the school's storage or the video service did not allow it."""


class _SubLessonCandidate(Value, frozen=True):
    """A sub class to add, with what its checks depend on."""

    request: NewSubLesson
    existing: Lesson | None
    """The class that has its identity already."""
    is_in_maintenance: bool
    course: Course | None
    persons: list[CourseCandidate]
    """The teacher and the co-teachers, with their roles in the course."""


class _AcceptedSubLesson(Value, frozen=True):
    """A sub class that is to be written."""

    course: Course
    row: NewLessonRow
    persons: list[CourseCandidate]


def add(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    main_course: CourseId,
    main_id: LessonId,
    requests: Sequence[NewSubLesson | Refusal],
) -> AddedSubLessons:
    """Add sub classes to a main class; each is checked alone, all accepted ones are written.

    Requests that are refused already stay refused. IDENTITY_TAKEN is about the earlier class.
    """
    current = get_current_school(uow, school)
    if not current.plan.dual_teacher:
        raise Refusal(Errno.NOT_PERMITTED, "the school's plan has no dual-teacher classes")
    if len(requests) > MAX_SUB_LESSONS_OF_CALL:
        raise Refusal(
            Errno.PARAM_MISSING, f"subClassJson has more than {MAX_SUB_LESSONS_OF_CALL} entries"
        )
    uow.courses.get_usable(school, main_course, uow.now, ADD_RULE)
    main = check_main_lesson(uow.lessons.get(main_id), school, main_course, uow.now)
    valid = [request for request in requests if not isinstance(request, Refusal)]
    candidates = _find_candidates(uow, school, main, valid)
    can_record_now = any(request.recording.record for request in valid) and can_record(
        uow, deps, school, current.plan
    )
    checker = _Checker(uow, deps, current, main, candidates, can_record_now=can_record_now)
    checked = iter([checker.check(candidate) for candidate in candidates])
    outcomes = [request if isinstance(request, Refusal) else next(checked) for request in requests]
    lessons = _write(uow, main, checker.accepted)
    return AddedSubLessons(main, _replace_accepted(outcomes, lessons), checker.is_unrecorded)


def _find_candidates(
    uow: UnitOfWork, school: SchoolId, main: Lesson, requests: Sequence[NewSubLesson]
) -> list[_SubLessonCandidate]:
    """Return what the checks depend on, read in a constant number of statements."""
    new_lessons = [
        NewLesson(request.name, main.hours, identity=request.identity) for request in requests
    ]
    all_facts = uow.lessons.list_facts(school, new_lessons)
    ids = [facts.existing for facts in all_facts if facts.existing is not None]
    existing = uow.lessons.get_many(ids) if ids else {}
    courses = uow.courses.get_many(request.course for request in requests)
    places: list[CandidatePlace] = [
        (uid, request.course, None)
        for request in requests
        for uid in (main.teacher, *request.co_teachers)
    ]
    persons = iter(people.find_teachers_of_places(uow, school, places))
    return [
        _SubLessonCandidate(
            request,
            existing[facts.existing] if facts.existing is not None else None,
            facts.is_in_maintenance,
            courses.get(request.course),
            [next(persons) for _ in range(1 + len(request.co_teachers))],
        )
        for request, facts in zip(requests, all_facts, strict=True)
    ]


class _Checker:
    """Checks sub classes one after the other, and holds those that it accepts."""

    def __init__(
        self,
        uow: UnitOfWork,
        deps: Dependencies,
        school: School,
        main: Lesson,
        candidates: Sequence[_SubLessonCandidate],
        *,
        can_record_now: bool,
    ) -> None:
        self._uow = uow
        self._deps = deps
        self._school = school
        self._main = main
        self._can_record = can_record_now
        subs = uow.sub_lessons.list_of(main.id)
        self._used_courses = {main.course, *(course.id for _, course in subs)}
        self._free_places = MAX_SUB_LESSONS - len(subs)
        self._lesson_counts: dict[CourseId, int] = {}
        if school.plan.max_course_classes:
            self._lesson_counts = uow.quotas.count_lessons_of_courses(
                candidate.request.course for candidate in candidates
            )
        self.accepted: list[_AcceptedSubLesson] = []
        self.is_unrecorded = False

    def check(self, candidate: _SubLessonCandidate) -> _AcceptedSubLesson | Refusal:
        """Return the sub class as it will be written, or its refusal.

        An identity that an earlier entry has got gives that entry once more.
        """
        identity = candidate.request.identity
        if candidate.existing is not None:
            return refuse_identity(candidate.existing)
        for earlier in self.accepted:
            if identity is not None and earlier.row.new.identity == identity:
                return earlier
        try:
            course, new = self._check(candidate)
        except Refusal as refusal:
            return refusal
        if new.recording.record and not self._can_record:
            self.is_unrecorded = True
            new = replace(new, recording=RecordingOptions())
        key = self._deps.keys.public_key()
        stream = bind_stream(self._uow, self._deps, key, None, new.recording)
        row = NewLessonRow(new, self._main.teacher, key, stream)
        self.accepted.append(_AcceptedSubLesson(course, row, candidate.persons))
        return self.accepted[-1]

    def _check(self, candidate: _SubLessonCandidate) -> tuple[Course, NewLesson]:
        request, plan, main = candidate.request, self._school.plan, self._main
        course = check_course(candidate.course, self._school.id, self._uow.now, ADD_RULE)
        if course.id in self._used_courses:
            raise Refusal(
                Errno.SAME_COURSE_AS_MAIN,
                f"course {course.id} has the main class, or was named by another sub class",
            )
        self._used_courses.add(course.id)
        recording, uses_main = check_sub_lesson(request)
        if candidate.is_in_maintenance:
            raise Refusal(Errno.MAINTENANCE_OVERLAP)
        check_service_term(main.hours, plan)
        teacher, *co_teachers = (person.candidate for person in candidate.persons)
        if main.teacher in request.co_teachers:
            raise Refusal(
                Errno.CO_TEACHER_IS_MAIN_TEACHER, f"UID {main.teacher} teaches the main class"
            )
        check_candidates([teacher], LMS_TEACHER_RULE)
        check_lms_co_teachers(request.co_teachers, co_teachers, plan.max_co_teachers)
        classroom = resolve_new_classroom(request.classroom, plan, ADD_STAGE_RULE)
        check_plan(plan, classroom, recording, has_co_teachers=bool(co_teachers))
        limit = plan.max_course_classes
        if limit and self._lesson_counts[course.id] >= limit:
            raise Refusal(Errno.TOO_MANY_LESSONS)
        if len(self.accepted) >= self._free_places:
            raise Refusal(Errno.TOO_MANY_SUB_LESSONS)
        new = NewLesson(
            name=request.name,
            hours=main.hours,
            co_teachers=request.co_teachers,
            classroom=classroom,
            recording=recording,
            identity=request.identity,
            origin=Origin.LMS,
            main=main.id,
            uses_main_recording=uses_main,
        )
        return course, new


def _write(
    uow: UnitOfWork, main: Lesson, accepted: Sequence[_AcceptedSubLesson]
) -> dict[str, Lesson]:
    """Write sub classes in a constant number of statements; return them by their keys."""
    if not accepted:
        return {}
    lessons = uow.lessons.add_all([(entry.course, entry.row) for entry in accepted], uow.now)
    by_key = {lesson.key: lesson for lesson in lessons}
    uow.class_roles.add_co_teachers_of_lessons(
        {by_key[entry.row.key].id: entry.row.new.co_teachers for entry in accepted}
    )
    uow.courses.add_teachers_of_courses(
        (entry.course.id, person.candidate.user)
        for entry in accepted
        for person in entry.persons
        if not person.is_course_teacher
    )
    extended = uow.courses.extend_expiries(
        [entry.course.id for entry in accepted], main.hours.end + EXPIRY_EXTENSION_SECONDS
    )
    added = [
        LessonAddition(
            by_key[entry.row.key],
            entry.course.name,
            entry.row.new.co_teachers,
            {person.candidate.user: person.name for person in entry.persons},
        )
        for entry in accepted
    ]
    lesson_messages.emit_new_lessons(uow, main.school, added, extended)
    return by_key


def _replace_accepted(
    outcomes: Sequence[_AcceptedSubLesson | Refusal], lessons: dict[str, Lesson]
) -> list[Lesson | Refusal]:
    """Return the classes that were written in place of the requests for them.

    A request that stands there twice was written once.
    """
    results: list[Lesson | Refusal] = []
    used_keys = set()
    for outcome in outcomes:
        if isinstance(outcome, Refusal):
            results.append(outcome)
            continue
        lesson = lessons[outcome.row.key]
        results.append(refuse_identity(lesson) if lesson.key in used_keys else lesson)
        used_keys.add(lesson.key)
    return results
