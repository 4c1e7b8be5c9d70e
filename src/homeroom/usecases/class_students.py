"""Add students to single classes and remove them (READINGS Q65)."""

from collections.abc import Collection, Mapping, Sequence

from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.text import format_count
from homeroom.contract.errno import Errno
from homeroom.contract.messages.schedule import ChangedStudent, OpType
from homeroom.domain.class_students import ClassTie, is_class_student
from homeroom.domain.courses import CLASS_STUDENT_RULE, LESSON_RULE, Course
from homeroom.domain.lessons import Lesson, describe_end
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.teachers import MemberRole
from homeroom.domain.viewers import Ticket, ViewerKind
from homeroom.store.rosters import RosterCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import get_current_school
from homeroom.usecases.lessons import check_v1_lesson
from homeroom.usecases.rosters import (
    Candidate,
    MemberRequest,
    check_is_no_teacher,
    check_school_student,
    find_candidates,
)
from homeroom.usecases.student_messages import build_student, emit_class_students

Verdict = Refusal | None
"""The result of one entry: a refusal, or None when it is done."""


def add_to_lesson(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    lesson_id: LessonId,
    identity: int,
    requests: Sequence[MemberRequest | Refusal],
) -> list[Verdict]:
    """Add people to one class of the v1 API; each is checked alone, all are written together."""
    _check_identity(identity)
    parent = uow.courses.get_usable(school, course, uow.now, LESSON_RULE)
    lesson = _check_open(uow.lessons.get(lesson_id), course, uow)
    current = get_current_school(uow, school)
    return add_students(uow, current, parent, {lesson.id: lesson.name}, requests)


def add_students(
    uow: UnitOfWork,
    school: School,
    course: Course,
    lesson: Mapping[LessonId, str],
    requests: Sequence[MemberRequest | Refusal],
    *,
    checks_presence_first: bool = False,
) -> list[Verdict]:
    """Add people to a class: who is not in the course as a guest, a student of it comes back.

    Who is in the class already, but no more on the school's list, is a stranger to the school,
    unless presence is checked first. `lesson` is the id of the class with its name.
    """
    (lesson_id,) = lesson
    candidates = find_candidates(uow, school.id, course.id, requests)
    additions = _Additions(uow, school, course, lesson, _list_uids(candidates))
    verdicts = [
        _add(additions, lesson_id, candidate, checks_presence_first=checks_presence_first)
        for candidate in candidates
    ]
    additions.save()
    return verdicts


def _add(
    additions: "_Additions",
    lesson: LessonId,
    candidate: Candidate | Refusal,
    *,
    checks_presence_first: bool,
) -> Verdict:
    if isinstance(candidate, Refusal):
        return candidate
    request, person = candidate
    try:
        if checks_presence_first:
            additions.check_is_new(lesson, person)
        check_school_student(person, additions.school)
        additions.check_is_new(lesson, person)
        additions.check_is_no_co_teacher(lesson, person)
        check_is_no_teacher(person, additions.course, by_account=request.user is None)
        additions.add(lesson, person)
    except Refusal as refusal:
        return refusal
    return None


def add_to_lessons(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    request: MemberRequest | Refusal,
    lesson_ids: Sequence[LessonId | Refusal],
) -> list[Verdict]:
    """Add a person to several classes of a course; what is wrong with the person refuses all."""
    parent = uow.courses.get_usable(school, course, uow.now, CLASS_STUDENT_RULE)
    candidate = find_candidates(uow, school, course, [request])[0]
    if isinstance(candidate, Refusal):
        raise candidate
    named_as, person = candidate
    current = get_current_school(uow, school)
    check_school_student(person, current)
    check_is_no_teacher(person, parent, by_account=named_as.user is None)
    valid = [lesson_id for lesson_id in lesson_ids if not isinstance(lesson_id, Refusal)]
    lessons = uow.lessons.get_many(valid)
    names = {lesson.id: lesson.name for lesson in lessons.values()}
    additions = _Additions(uow, current, parent, names, [person.user])
    verdicts: list[Verdict] = []
    for lesson_id in lesson_ids:
        try:
            if isinstance(lesson_id, Refusal):
                raise lesson_id
            lesson = _check_open(
                lessons.get(lesson_id), course, uow, missing=Errno.LESSON_NOT_IN_COURSE
            )
            additions.check_is_new(lesson.id, person)
            additions.add(lesson.id, person)
            verdicts.append(None)
        except Refusal as refusal:
            verdicts.append(refusal)
    additions.save()
    return verdicts


def remove_from_lesson(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    lesson_id: LessonId,
    identity: int,
    requests: Sequence[MemberRequest | Refusal],
) -> list[Verdict]:
    """Remove people from one class of the v1 API."""
    _check_identity(identity)
    uow.courses.get_usable(school, course, uow.now, LESSON_RULE)
    lesson = _check_open(uow.lessons.get(lesson_id), course, uow)
    return remove_students(uow, school, lesson, requests)


def remove_students(
    uow: UnitOfWork,
    school: SchoolId,
    lesson: Lesson,
    requests: Sequence[MemberRequest | Refusal],
) -> list[Verdict]:
    """Remove the guests of a class, and transfer students of its course out of it."""
    candidates = find_candidates(uow, school, lesson.course, requests)
    ties = uow.class_students.find_ties([lesson.id], _list_uids(candidates))
    removed: dict[UserId, RosterCandidate] = {}
    verdicts: list[Verdict] = []
    for candidate in candidates:
        if isinstance(candidate, Refusal):
            verdicts.append(candidate)
            continue
        _, person = candidate
        person_ties = ties.get((lesson.id, person.user), frozenset())
        if person.user in removed or not is_class_student(person.role, person_ties):
            verdicts.append(
                Refusal(
                    Errno.NOT_IN_LESSON, f"UID {person.user} is no student of class {lesson.id}"
                )
            )
        else:
            removed[person.user] = person
            verdicts.append(None)
    uow.class_students.delete_guests([lesson.id], removed)
    uow.class_students.add_absences(
        [
            (lesson.id, person.user)
            for person in removed.values()
            if person.role is MemberRole.STUDENT
        ]
    )
    if removed:
        students = {lesson.id: list(map(build_student, removed.values()))}
        names = {lesson.id: lesson.name}
        emit_class_students(uow, school, lesson.course, OpType.DELETE, students, names)
    return verdicts


def find_transferred_out(
    uow: UnitOfWork, tickets: Mapping[LessonId, Collection[Ticket]]
) -> set[tuple[LessonId, Ticket]]:
    """Return the tickets of students who were transferred out of the class that they watch."""
    users = {
        (lesson, ticket): UserId(int(ticket.subject))
        for lesson, watching in tickets.items()
        for ticket in watching
        if ticket.kind is ViewerKind.USER
    }
    if not users:
        return set()
    absences = uow.class_students.list_absences(lesson for lesson, _ in users)
    return {
        (lesson, ticket) for (lesson, ticket), user in users.items() if (lesson, user) in absences
    }


class _Additions:
    """Students to add to some classes of one course: checked one by one, written together."""

    def __init__(
        self,
        uow: UnitOfWork,
        school: School,
        course: Course,
        lesson_names: Mapping[LessonId, str],
        uids: Collection[UserId],
    ) -> None:
        self.school = school
        self.course = course
        self._uow = uow
        self._names = lesson_names
        self._ties = uow.class_students.find_ties(lesson_names, uids)
        self._limit = school.plan.max_class_students
        self._counts = uow.class_students.count(course.id, lesson_names) if self._limit else {}
        self._new: dict[tuple[LessonId, UserId], RosterCandidate] = {}

    def check_is_new(self, lesson: LessonId, person: RosterCandidate) -> None:
        """Refuse an auditor of the course, and who is a student of the class already."""
        if person.role is MemberRole.AUDITOR:
            raise Refusal(Errno.ALREADY_AN_AUDITOR)
        is_student = is_class_student(person.role, self._get_ties(lesson, person))
        if is_student or (lesson, person.user) in self._new:
            raise Refusal(
                Errno.ALREADY_IN_LESSON, f"UID {person.user} is a student of class {lesson} already"
            )

    def check_is_no_co_teacher(self, lesson: LessonId, person: RosterCandidate) -> None:
        """Refuse a co-teacher of the class."""
        if ClassTie.CO_TEACHER in self._get_ties(lesson, person):
            raise Refusal(Errno.CO_TEACHER_AS_STUDENT)

    def add(self, lesson: LessonId, person: RosterCandidate) -> None:
        """Add a person to a class; refuse one more than the plan allows."""
        if self._limit and self._counts[lesson] >= self._limit:
            count = format_count(self._limit, "student")
            raise Refusal(
                Errno.TOO_MANY_CLASS_STUDENTS, f"class {lesson}: the school allows {count} a class"
            )
        self._new[lesson, person.user] = person
        if self._limit:
            self._counts[lesson] += 1

    def save(self) -> None:
        """Write the guests, and the return of students of the course."""
        guests = [pair for pair, person in self._new.items() if person.role is None]
        returning = [pair for pair, person in self._new.items() if person.role is not None]
        self._uow.class_students.add_guests(guests)
        if returning:
            lesson_ids, uids = zip(*returning, strict=True)
            self._uow.class_students.delete_absences(lesson_ids, uids)
        students: dict[LessonId, list[ChangedStudent]] = {}
        for (lesson, _), person in self._new.items():
            students.setdefault(lesson, []).append(build_student(person))
        emit_class_students(
            self._uow, self.school.id, self.course.id, OpType.ADD, students, self._names
        )

    def _get_ties(self, lesson: LessonId, person: RosterCandidate) -> frozenset[ClassTie]:
        return self._ties.get((lesson, person.user), frozenset())


def _list_uids(candidates: Sequence[Candidate | Refusal]) -> list[UserId]:
    return [candidate[1].user for candidate in candidates if not isinstance(candidate, Refusal)]


def _check_identity(identity: int) -> None:
    """Refuse another role than that of a student: auditors belong to the whole course."""
    if identity != MemberRole.STUDENT:
        raise Refusal(Errno.ONLY_STUDENTS_IN_LESSONS, "identity must be 1")


def _check_open(
    lesson: Lesson | None,
    course: CourseId,
    uow: UnitOfWork,
    missing: Errno = Errno.NO_SUCH_LESSON,
) -> Lesson:
    """Return a class of the v1 API that is not over; raise `Refusal` otherwise."""
    own = check_v1_lesson(lesson, course, missing)
    if own.is_over(uow.now):
        raise Refusal(Errno.LESSON_IS_OVER, describe_end(own))
    return own
