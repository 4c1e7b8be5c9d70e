"""Add, replace and remove the teachers of a course."""

from collections.abc import Callable, Container

from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.values import replace
from homeroom.contract.errno import Errno
from homeroom.contract.messages.schedule import ChangedTeacher
from homeroom.domain.accounts import AccountName
from homeroom.domain.courses import CHANGE_RULE, NEW_TEACHER_RULE, V2_RULE, Course
from homeroom.domain.lessons import Origin
from homeroom.domain.refusal import Refusal
from homeroom.domain.teachers import (
    COURSE_TEACHER_RULE,
    NEXT_LESSON_TEACHER_RULE,
    NEXT_TEACHER_RULE,
    TeacherCandidate,
    check_candidates,
)
from homeroom.store.class_roles import ComingLesson
from homeroom.store.teachers import CourseCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import lesson_messages, people

Person = UserId | AccountName | Refusal
"""A teacher by UID or by account; a refusal is of an account that could not be read."""


def replace_in_lessons(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    person: Person,
    select: Callable[[list[ComingLesson]], list[ComingLesson | Refusal]],
) -> dict[LessonId, Refusal | None]:
    """Give a teacher to all classes of a course that have not begun (READINGS Q61).

    Each class is checked alone; all that are accepted are written together. The former teachers
    stay in the list of the course. `select` may refuse classes before that.
    """
    uow.courses.get_usable(school, course, uow.now, NEW_TEACHER_RULE)
    uid = people.resolve_uid(uow, school, person, Errno.BAD_DATA)
    (row,) = people.find_teachers(uow, school, (uid,), course)
    check_candidates([row.candidate], NEXT_TEACHER_RULE)
    coming = uow.class_roles.list_coming(course, uid, uow.now)
    if not coming:
        raise Refusal(Errno.NO_LESSON_TO_COME)
    verdicts: dict[LessonId, Refusal | None] = {}
    for lesson, selected in zip(coming, select(coming), strict=True):
        try:
            if isinstance(selected, Refusal):
                raise selected
            _check_lesson(lesson, row.candidate)
        except Refusal as refusal:
            verdicts[lesson.id] = refusal
        else:
            verdicts[lesson.id] = None
    accepted = [lesson for lesson in coming if verdicts[lesson.id] is None]
    if accepted:
        uow.lessons.save_teacher([lesson.id for lesson in accepted], uid)
        uow.courses.add_teachers(course, [uid])
        changed = [lesson.id for lesson in accepted if lesson.teacher != uid]
        teacher = ChangedTeacher(row.name, uid)
        lesson_messages.emit_lesson_teacher(uow, school, course, changed, teacher)
    return verdicts


def remove(uow: UnitOfWork, school: SchoolId, course_id: CourseId, person: Person) -> None:
    """Remove a teacher without classes to come from the list of a course (READINGS Q62)."""
    course = uow.courses.get_usable(school, course_id, uow.now, CHANGE_RULE)
    uid = people.resolve_uid(uow, school, person, Errno.BAD_DATA)
    (row,) = people.find_teachers(uow, school, (uid,), course_id)
    if not row.candidate.exists:
        raise Refusal(Errno.BAD_DATA)
    if row.candidate.state is None:
        raise Refusal(Errno.NOT_A_TEACHER_OF_SCHOOL)
    if not row.is_course_teacher:
        raise Refusal(Errno.NOT_A_COURSE_TEACHER)
    if course.head_teacher == uid:
        raise Refusal(Errno.TEACHER_NOT_REMOVED, "editCourse replaces the head teacher")
    busy = uow.courses.find_unfinished_lesson(course_id, uid, uow.now)
    if busy is not None:
        raise Refusal(Errno.TEACHER_HAS_LESSONS, f"class {busy} is not over")
    uow.courses.delete_teacher(course_id, uid)


def _check_lesson(lesson: ComingLesson, candidate: TeacherCandidate) -> None:
    """Refuse a class that cannot have the teacher; one that has the teacher already is done."""
    if lesson.is_dual:
        raise Refusal(Errno.KIND_NOT_SUPPORTED, f"class {lesson.id} is one of dual-teacher classes")
    if lesson.origin is not Origin.V1:
        raise Refusal(Errno.LESSON_MADE_ELSEWHERE)
    if lesson.teacher == candidate.user:
        return
    check_candidates([replace(candidate, is_guest=lesson.is_guest)], NEXT_LESSON_TEACHER_RULE)
    if lesson.is_co_teacher:
        raise Refusal(Errno.TEACHER_IS_CO_TEACHER)


def add(
    uow: UnitOfWork, school: SchoolId, course_id: CourseId, requests: list[UserId | Refusal]
) -> list[Refusal | None]:
    """Add teachers to a course; each is checked alone, all accepted ones are written together."""
    course = uow.courses.get_usable(school, course_id, uow.now, V2_RULE)
    uids = tuple(request for request in requests if not isinstance(request, Refusal))
    rows = iter(people.find_teachers(uow, school, uids, course_id))
    new: dict[UserId, None] = {}
    verdicts: list[Refusal | None] = []
    for request in requests:
        try:
            if isinstance(request, Refusal):
                raise request
            _check_new_teacher(next(rows), course, new)
        except Refusal as refusal:
            verdicts.append(refusal)
        else:
            new[request] = None
            verdicts.append(None)
    uow.courses.add_teachers(course_id, new)
    return verdicts


def _check_new_teacher(row: CourseCandidate, course: Course, new: Container[UserId]) -> None:
    """Refuse a person who may not become a teacher of the course, or is one."""
    check_candidates((row.candidate,), COURSE_TEACHER_RULE)
    if course.head_teacher == row.candidate.user:
        raise Refusal(Errno.IS_HEAD_TEACHER)
    if row.is_course_teacher:
        raise Refusal(Errno.ALREADY_EXISTS, "the person is a teacher of the course")
    if row.candidate.user in new:
        raise Refusal(Errno.ALREADY_EXISTS, "the person is named twice")
