"""Members of courses: one case table an action."""

from typing import Any, Final

import pytest

from homeroom.base.ids import CourseId, UserId
from homeroom.contract.action import Action
from homeroom.contract.rosters import (
    ADD_COURSE_STUDENT,
    ADD_COURSE_STUDENT_MULTIPLE,
    DEL_COURSE_STUDENT_MULTIPLE,
)
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.wire import Reply, Value

MD5: Final = "0" * 32
UNKNOWN_UID: Final = UserId(10**9)
NO_COURSE: Final = CourseId(10**9)
STUDENT: Final = 1
AUDITOR: Final = 2


def add(given: Given, user: Value, course: CourseId | None = None, role: int = STUDENT) -> Reply:
    """Call addCourseStudent by UID, for a new course unless one is given."""
    course = given.course() if course is None else course
    return given.api.call("addCourseStudent", courseId=course, identity=role, studentUid=user)


def add_named(
    given: Given, account: str, course: CourseId | None = None, role: int = STUDENT
) -> Reply:
    """Call addCourseStudent by account."""
    course = given.course() if course is None else course
    form: dict[str, Value] = {"courseId": course, "identity": role, "studentAccount": account}
    return given.api.call("addCourseStudent", **form)


def add_several(
    given: Given, *entries: Value, course: CourseId | None = None, role: int = STUDENT
) -> Reply:
    """Call addCourseStudentMultiple, for a new course unless one is given."""
    course = given.course() if course is None else course
    form: dict[str, Value] = {"courseId": course, "identity": role, "studentJson": list(entries)}
    return given.api.call("addCourseStudentMultiple", **form)


def remove(
    given: Given, *uids: Value, course: CourseId | None = None, role: int = STUDENT
) -> Reply:
    """Call delCourseStudentMultiple by UIDs, for a new course unless one is given."""
    course = given.course() if course is None else course
    form: dict[str, Value] = {"courseId": course, "identity": role, "studentUidJson": list(uids)}
    return given.api.call("delCourseStudentMultiple", **form)


def remove_named(given: Given, *accounts: Value) -> Reply:
    """Call delCourseStudentMultiple by accounts."""
    form: dict[str, Value] = {"courseId": given.course(), "studentJson": list(accounts)}
    return given.api.call("delCourseStudentMultiple", identity=STUDENT, **form)


def teacher_and_student(given: Given, account: str | None = None) -> UserId:
    """Return a teacher of the school who is a student of it as well."""
    both = given.user(telephone=account or given.telephone(), addToSchoolMember=1)
    given.done("addTeacher", teacherUid=both, teacherName="Both")
    return both


def taught(given: Given, teacher: UserId) -> CourseId:
    """Return a course in which a teacher has a class."""
    course = given.course()
    given.lesson(course, teacherUid=teacher)
    return course


def full(given: Given) -> CourseId:
    """Return a course with as many students as it takes."""
    course = given.course()
    given.member(course)
    given.plan(max_course_students=1)
    return course


def teacher_by_account(given: Given) -> tuple[str, CourseId]:
    """Return the account of a teacher and a course with a class of theirs."""
    account = given.telephone()
    return account, taught(given, teacher_and_student(given, account))


def nickname_not_synced(given: Given) -> UserId:
    """Return a member whose nickname cannot follow a list of students: the school account."""
    given.plan(sync_nickname=True)
    return given.school.owner


def add_several_while_unfinished(given: Given) -> Reply:
    """Call addCourseStudentMultiple while another adds to the course."""
    course, first, second = given.course(), given.student(), given.student()
    slow: dict[str, Value] = {"courseId": course, "identity": 1, "studentJson": [{"uid": first}]}
    with given.unfinished("addCourseStudentMultiple", **slow):
        return add_several(given, {"uid": second}, course=course)


def add_several_while_unregistered(given: Given) -> Reply:
    """Call addCourseStudentMultiple while the registration of an account is unfinished."""
    telephone, course = given.telephone(), given.course()
    with given.unfinished("register", telephone=telephone, md5pass=MD5, addToSchoolMember=1):
        return add_several(given, {"account": telephone}, course=course)


def member_again(given: Given, held: int, asked: int) -> tuple[UserId, CourseId, int]:
    """Return a member, the course, and the role to add the member in."""
    course = given.course()
    return given.member(course, held), course, asked


ADD_COURSE_STUDENT_CASES: Final = (
    Case(1, lambda g: add(g, g.student())),
    *common(ADD_COURSE_STUDENT, courseId=1, identity=1, studentUid=1),
    Case(155, lambda g: add(g, "[]")),
    Case(147, lambda g: add(g, g.student(), NO_COURSE)),
    Case(144, lambda g: add(g, g.student(), g.other().course())),
    Case(149, lambda g: add(g, g.student(), g.deleted_course())),
    Case(153, lambda g: add(g, g.student(), g.ended_course())),
    Case(369, lambda g: add(g, g.student(), g.public_course())),
    Case(134, lambda g: add_named(g, "0086-13800000000")),
    Case(134, lambda g: add_named(g, "12000000000")),
    Case(113, lambda g: add_named(g, g.telephone())),
    Case(400, lambda g: add(g, UNKNOWN_UID)),
    Case(886, lambda g: add(g, g.cancelled(g.student()))),
    Case(887, lambda g: add(g, g.cancelled(g.student()), role=AUDITOR)),
    Case(228, lambda g: add(g, g.user())),
    Case(228, lambda g: add(g, g.other().student())),
    Case(163, lambda g: add(g, *member_again(g, STUDENT, STUDENT))),
    Case(163, lambda g: add(g, *member_again(g, STUDENT, AUDITOR))),
    Case(164, lambda g: add(g, *member_again(g, AUDITOR, STUDENT))),
    Case(164, lambda g: add(g, *member_again(g, AUDITOR, AUDITOR))),
    Case(333, lambda g: add(g, who := teacher_and_student(g), g.course(mainTeacherUid=who))),
    Case(
        332, lambda g: add(g, who := teacher_and_student(g), g.course(mainTeacherUid=who), AUDITOR)
    ),
    Case(332, lambda g: add(g, who := teacher_and_student(g), taught(g, who))),
    Case(129, lambda g: add_named(g, *teacher_by_account(g))),
    Case(174, lambda g: add_named(g, *teacher_by_account(g), AUDITOR)),
    Case(130, lambda g: add(g, g.student(), full(g))),
    Case(841, lambda g: add(g, nickname_not_synced(g))),
)

ADD_COURSE_STUDENT_MULTIPLE_CASES: Final = (
    Case(1, lambda g: add_several(g, {"uid": g.student()}), "entry"),
    *common(ADD_COURSE_STUDENT_MULTIPLE, courseId=1, studentJson=[{"uid": 1}]),
    Case(155, add_several),
    Case(155, lambda g: g.api.call("addCourseStudentMultiple", courseId=1, studentJson="none")),
    Case(464, add_several_while_unfinished),
    Case(147, lambda g: add_several(g, {"uid": 1}, course=NO_COURSE)),
    Case(144, lambda g: add_several(g, {"uid": 1}, course=g.other().course())),
    Case(149, lambda g: add_several(g, {"uid": 1}, course=g.deleted_course())),
    Case(153, lambda g: add_several(g, {"uid": 1}, course=g.ended_course())),
    Case(369, lambda g: add_several(g, {"uid": 1}, course=g.public_course())),
    Case(400, lambda g: add_several(g, {"uid": g.student()}, {"uid": UNKNOWN_UID}), "entry"),
    Case(400, lambda g: add_several(g, {"uid": g.student()}, {"uid": "x"}), "entry"),
    Case(400, lambda g: add_several(g, {"uid": g.student()}, {"name": "A"}), "entry"),
    Case(400, lambda g: add_several(g, {"uid": g.student()}, 5), "entry"),
    Case(125, lambda g: add_several(g, {"account": "0086-13800000000"}), "entry"),
    Case(134, lambda g: add_several(g, {"account": "12345"}, role=AUDITOR), "entry"),
    Case(288, lambda g: add_several(g, {"account": "12000000000"}), "entry"),
    Case(131, add_several_while_unregistered, "entry"),
    Case(113, lambda g: add_several(g, {"account": g.telephone()}), "entry"),
    Case(133, lambda g: add_several(g, *[{"uid": g.student()}] * 2), "entry"),
    Case(886, lambda g: add_several(g, {"uid": g.cancelled(g.student())}), "entry"),
    Case(887, lambda g: add_several(g, {"uid": g.cancelled(g.student())}, role=AUDITOR), "entry"),
    Case(228, lambda g: add_several(g, {"uid": g.teacher()}), "entry"),
    Case(
        163, lambda g: add_several(g, {"uid": g.member(c := g.course())}, course=c, role=2), "entry"
    ),
    Case(164, lambda g: add_several(g, {"uid": g.member(c := g.course(), 2)}, course=c), "entry"),
    Case(
        333,
        lambda g: add_several(
            g, {"uid": (who := teacher_and_student(g))}, course=g.course(mainTeacherUid=who)
        ),
        "entry",
    ),
    Case(
        332,
        lambda g: add_several(g, {"uid": (who := teacher_and_student(g))}, course=taught(g, who)),
        "entry",
    ),
    Case(
        129,
        lambda g: add_several(g, {"account": (who := teacher_by_account(g))[0]}, course=who[1]),
        "entry",
    ),
    Case(
        174,
        lambda g: add_several(
            g, {"account": (who := teacher_by_account(g))[0]}, course=who[1], role=2
        ),
        "entry",
    ),
    Case(130, lambda g: add_several(g, {"uid": g.student()}, course=full(g)), "entry"),
    Case(841, lambda g: add_several(g, {"uid": nickname_not_synced(g)}), "entry"),
)

DEL_COURSE_STUDENT_MULTIPLE_CASES: Final = (
    Case(1, lambda g: remove(g, g.member(c := g.course()), course=c), "entry"),
    *common(DEL_COURSE_STUDENT_MULTIPLE, courseId=1, identity=1, studentUidJson=[1]),
    Case(100, lambda g: remove(g, 1, role=3)),
    Case(155, remove),
    Case(155, remove_named),
    Case(147, lambda g: remove(g, 1, course=NO_COURSE)),
    Case(147, lambda g: remove(g, 1, course=g.deleted_course())),
    Case(144, lambda g: remove(g, 1, course=g.other().course())),
    Case(153, lambda g: remove(g, 1, course=g.ended_course())),
    Case(369, lambda g: remove(g, 1, course=g.public_course())),
    Case(134, lambda g: remove_named(g, "12345"), "entry"),
    Case(134, lambda g: remove_named(g, "12000000000"), "entry"),
    Case(134, lambda g: remove_named(g, {"account": "13800000000"}), "entry"),
    Case(400, lambda g: remove(g, UNKNOWN_UID), "entry"),
    Case(400, lambda g: remove(g, "x"), "entry"),
    Case(162, lambda g: remove(g, g.student()), "entry"),
    Case(162, lambda g: remove(g, g.member(c := g.course()), course=c, role=AUDITOR), "entry"),
    Case(162, lambda g: remove_named(g, g.telephone()), "entry"),
)

TABLES: Final = (
    (ADD_COURSE_STUDENT, ADD_COURSE_STUDENT_CASES),
    (ADD_COURSE_STUDENT_MULTIPLE, ADD_COURSE_STUDENT_MULTIPLE_CASES),
    (DEL_COURSE_STUDENT_MULTIPLE, DEL_COURSE_STUDENT_MULTIPLE_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", ADD_COURSE_STUDENT_CASES, ids=str)
def test_add_course_student(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", ADD_COURSE_STUDENT_MULTIPLE_CASES, ids=str)
def test_add_course_student_multiple(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DEL_COURSE_STUDENT_MULTIPLE_CASES, ids=str)
def test_del_course_student_multiple(given: Given, case: Case) -> None:
    case.run(given)
