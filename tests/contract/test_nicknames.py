"""Nicknames of students in their courses: the case table, and which courses change."""

from typing import Final

import pytest
from sqlalchemy import select

from homeroom.base.ids import CourseId, UserId
from homeroom.contract.errno import Errno
from homeroom.contract.nicknames import MODIFY_COURSE_STUDENT_NICK_NAME
from homeroom.store.tables import course_members
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.tracing import traced
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""


def sync(given: Given, *uids: Value) -> Reply:
    """Call modifyCourseStudentNickName."""
    return given.api.call("modifyCourseStudentNickName", studentUids=list(uids))


def nickname(given: Given, course: CourseId, user: UserId) -> str | None:
    """Return the nickname of a member as the store has it."""
    query = select(course_members.c.nickname).where(
        course_members.c.course_id == course, course_members.c.user_id == user
    )
    name: str | None = given.rows(query)[0][0]
    return name


def named(given: Given, name: str) -> UserId:
    """Register a user under one name, and list them as a student under another."""
    student = given.user(nickname="Own")
    given.done("addSchoolStudent", studentUid=student, studentName=name)
    return student


CASES: Final = (
    Case(1, lambda g: sync(g, g.student())),
    *common(MODIFY_COURSE_STUDENT_NICK_NAME, studentUids=[1]),
    Case(101001001, sync),
    Case(101001001, lambda g: sync(g, "x")),
    Case(101001001, lambda g: g.api.call("modifyCourseStudentNickName")),
    Case(101001001, lambda g: g.api.call("modifyCourseStudentNickName", studentUids=7)),
    Case(121601060, lambda g: sync(g, *range(1, 102))),
    Case(121601060, lambda g: sync(g, *range(1, 2000))),
    Case(121601059, lambda g: sync(g, NONE), "entry"),
    Case(121601059, lambda g: sync(g, g.teacher()), "entry"),
    Case(110100067, lambda g: sync(g, g.cancelled(g.student())), "entry"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_modify_course_student_nick_name(given: Given, case: Case) -> None:
    case.run(given)


def test_table_is_complete() -> None:
    check_table(MODIFY_COURSE_STUDENT_NICK_NAME, CASES)


def test_names_go_into_the_running_courses_of_the_school(given: Given) -> None:
    student, other = named(given, "Ann"), named(given, "Ben")
    running = [given.course(), given.course()]
    over = [given.course(), given.course(), given.course()]
    for course in (*running, *over):
        given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
        given.done("addCourseStudent", courseId=course, identity=2, studentUid=other)
    before = nickname(given, running[0], student)
    assert before != "Ann"
    given.done("endCourse", courseId=over[0])
    given.set_course(over[1], expires_at=given.now)
    given.set_course(over[2], deleted_at=given.now)
    given.set_course(running[1], expires_at=given.now + 1)
    reply = sync(given, str(student), NONE, student)
    assert reply.data == [
        {"studentUid": student, "code": 1, "msg": Errno.DONE.zh},
        {"studentUid": NONE, "code": 121601059, "msg": Errno.STUDENT_NOT_OF_SCHOOL.zh},
        {"studentUid": student, "code": 1, "msg": Errno.DONE.zh},
    ]
    assert reply.reason == "entry 2: not a student of the school"
    assert [nickname(given, course, student) for course in running] == ["Ann"] * 2
    assert [nickname(given, course, student) for course in over] == [before] * 3
    assert nickname(given, running[0], other) != "Ben"


def test_another_school_keeps_its_nicknames(given: Given) -> None:
    student, there = named(given, "Ann"), given.other()
    there.done("addSchoolStudent", studentUid=student, studentName="Anna")
    course = there.course()
    there.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
    before = nickname(given, course, student)
    assert sync(given, student).errnos == [1]
    assert nickname(given, course, student) == before
    assert sync(there, student).errnos == [1]
    assert nickname(given, course, student) == "Anna"


def test_many_students_take_as_many_statements_as_one(given: Given) -> None:
    students = [given.student() for _ in range(4)]
    with traced(given) as of_one:
        sync(given, students[0])
    with traced(given) as of_four:
        assert sync(given, *students).errnos == [1] * 4
    assert of_four == of_one


def test_a_fault_refuses_single_entries(given: Given) -> None:
    course = given.course()
    students = [named(given, "Ann") for _ in range(2)]
    for student in students:
        given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
    given.fault("modifyCourseStudentNickName", Errno.NICKNAME_SYNC_FAILED, in_entries=True)
    assert sync(given, *students).errnos == [110100067] * 2
    assert "Ann" not in [nickname(given, course, student) for student in students]
