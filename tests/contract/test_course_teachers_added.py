"""Teachers of courses: the case table, the order of entries, and what is written."""

from typing import Final

import pytest
from sqlalchemy import select

from homeroom.base.ids import CourseId, UserId
from homeroom.contract.course_teachers import ADD_COURSE_TEACHER
from homeroom.contract.errno import Errno
from homeroom.store.tables import course_teachers
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.tracing import traced
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""


def add(given: Given, *uids: Value, course: Value = None) -> Reply:
    """Call addCourseTeacher."""
    course = given.course() if course is None else course
    return given.api.call("addCourseTeacher", courseId=course, teacherUids=list(uids))


def teachers_of(given: Given, course: CourseId) -> set[UserId]:
    """Return the teachers of a course as the store has them."""
    query = select(course_teachers.c.user_id).where(course_teachers.c.course_id == course)
    return {UserId(row[0]) for row in given.rows(query)}


def add_member(given: Given, identity: int) -> Reply:
    """Add a member of the course as its teacher."""
    course = given.course()
    return add(given, given.teaching_member(course, identity), course=course)


def add_head_teacher(given: Given) -> Reply:
    """Add the head teacher, who is a teacher of the course already."""
    head = given.teacher()
    return add(given, head, course=given.course(mainTeacherUid=head))


def add_again(given: Given) -> Reply:
    """Add a teacher of the course again."""
    course, teacher = given.course(), given.teacher()
    add(given, teacher, course=course)
    return add(given, teacher, course=course)


def add_to_expired(given: Given) -> Reply:
    """Add a teacher to a course whose expiry has passed."""
    expired = given.set_course(given.course(), expires_at=given.now)
    return add(given, given.teacher(), course=expired)


CASES: Final = (
    Case(1, lambda g: add(g, g.teacher())),
    *common(ADD_COURSE_TEACHER, courseId=1, teacherUids=[1]),
    Case(121601030, lambda g: g.api.call("addCourseTeacher", teacherUids=[1])),
    Case(121601030, lambda g: g.api.call("addCourseTeacher", courseId=1)),
    Case(121601030, add),
    Case(121601020, lambda g: add(g, 1, "x")),
    Case(121601020, lambda g: add(g, 12.5)),
    Case(121601020, lambda g: g.api.call("addCourseTeacher", courseId=1, teacherUids={})),
    Case(121601020, lambda g: add(g, *range(1, 1002))),
    Case(147, lambda g: add(g, g.teacher(), course=NONE)),
    Case(121601021, lambda g: add(g, g.teacher(), course=g.other().course())),
    Case(149, lambda g: add(g, g.teacher(), course=g.deleted_course())),
    Case(30031, lambda g: add(g, g.teacher(), course=g.ended_course())),
    Case(30031, add_to_expired),
    Case(121601022, lambda g: add(g, g.teacher(), course=g.public_course())),
    Case(136, lambda g: add(g, NONE), "entry"),
    Case(136, lambda g: add(g, g.student()), "entry"),
    Case(884, lambda g: add(g, g.cancelled(g.teacher())), "entry"),
    Case(387, lambda g: add(g, g.stopped(g.teacher())), "entry"),
    Case(387, lambda g: add(g, g.stopping(g.teacher())), "entry"),
    Case(172, lambda g: add_member(g, 1), "entry"),
    Case(173, lambda g: add_member(g, 2), "entry"),
    Case(30022, add_head_teacher, "entry"),
    Case(133, add_again, "entry"),
    Case(133, lambda g: add(g, *[g.teacher()] * 2), "entry"),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_add_course_teacher(given: Given, case: Case) -> None:
    case.run(given)


def test_table_is_complete() -> None:
    check_table(ADD_COURSE_TEACHER, CASES)


def test_each_teacher_is_judged_alone(given: Given) -> None:
    course, teacher, other = given.course(), given.teacher(), given.teacher()
    reply = add(given, str(teacher), NONE, float(other), teacher, course=str(course))
    assert reply.data == [
        {"teacherUid": teacher, "code": 1, "msg": Errno.DONE.zh},
        {"teacherUid": NONE, "code": 136, "msg": Errno.NOT_A_TEACHER_OF_SCHOOL.zh},
        {"teacherUid": other, "code": 1, "msg": Errno.DONE.zh},
        {"teacherUid": teacher, "code": 133, "msg": Errno.ALREADY_EXISTS.zh},
    ]
    assert reply.reason.startswith("entry 2: UID 1000000000: not a teacher")
    assert reply.reason.endswith("; entry 4: the person is named twice")
    assert teachers_of(given, course) == {teacher, other}


def test_a_refusal_writes_nothing(given: Given) -> None:
    course, teacher = given.ended_course(), given.teacher()
    assert add(given, teacher, course=course).errno == 30031
    assert teachers_of(given, course) == set()


def test_many_teachers_take_as_many_statements_as_one(given: Given) -> None:
    course = given.course()
    teachers = [given.teacher() for _ in range(5)]
    add(given, given.teacher(), course=course)
    single = given.teacher()
    with traced(given) as of_one:
        add(given, single, course=course)
    with traced(given) as of_five:
        assert add(given, *teachers, course=course).errnos == [1] * 5
    assert of_five == of_one


def test_a_fault_refuses_single_entries(given: Given) -> None:
    course, teachers = given.course(), [given.teacher() for _ in range(3)]
    given.fault("addCourseTeacher", Errno.TEACHER_STOPPED, in_entries=True, entries=(2,))
    assert add(given, *teachers, course=course).errnos == [1, 387, 1]
    assert teachers_of(given, course) == {teachers[0], teachers[2]}
