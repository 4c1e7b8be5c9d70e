"""Messages about students who are added to courses and classes, or removed (READINGS Q94)."""

from collections.abc import Mapping

from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.contract.messages.schedule import (
    ChangedStudent,
    ClassStudentsChanged,
    ClassStudentsChanges,
    CourseStudentsChanged,
    CourseStudentsChanges,
    OpType,
)
from homeroom.domain.courses import Course
from homeroom.domain.events import Event
from homeroom.store.rosters import RosterCandidate
from homeroom.store.unit_of_work import UnitOfWork


def build_student(person: RosterCandidate) -> ChangedStudent:
    """Return a student as messages name them: as on the school's list, or by the nickname."""
    return ChangedStudent(person.school_name or person.nickname, person.user)


def emit_course_students(
    uow: UnitOfWork, course: Course, op: OpType, students: list[ChangedStudent]
) -> None:
    """Write the message of students who were added to a course, or removed from it."""
    if not students or not uow.wants_messages(course.school):
        return
    body = CourseStudentsChanged(
        course=course.id,
        op_type=op,
        op_time=uow.now,
        user=uow.find_actor(course.school),
        op_source=uow.actor.source,
        op_data=CourseStudentsChanges(
            course_id=course.id, course_name=course.name, student_infos=students
        ),
    )
    uow.emit(Event(school=course.school, body=body, at=uow.now, course=course.id))


def emit_class_students(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    op: OpType,
    students: Mapping[LessonId, list[ChangedStudent]],
    names: Mapping[LessonId, str],
) -> None:
    """Write the messages of students who were added to single classes, or removed from them.

    `names` are those of the classes.
    """
    if not students or not uow.wants_messages(school):
        return
    events = []
    for lesson, infos in students.items():
        body = ClassStudentsChanged(
            course=course,
            op_type=op,
            op_time=uow.now,
            user=uow.find_actor(school),
            op_source=uow.actor.source,
            op_data=ClassStudentsChanges(
                course_id=course, class_id=lesson, class_name=names[lesson], student_infos=infos
            ),
        )
        events.append(Event(school=school, body=body, at=uow.now, course=course, lesson=lesson))
    uow.emit_all(events)
