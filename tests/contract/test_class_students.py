"""Students of single classes: one case table an action."""

from typing import Any, Final

import pytest

from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.contract.action import Action
from homeroom.contract.class_students import (
    ADD_CLASS_STUDENT_MULTIPLE,
    ADD_COURSE_CLASS_STUDENT,
    DEL_CLASS_STUDENT_MULTIPLE,
)
from homeroom.contract.rosters import DEL_COURSE_STUDENT
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.orders.members import teacher_and_student
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply, Value

MD5: Final = "0" * 32
UNKNOWN_UID: Final = UserId(10**9)
NO_COURSE: Final = CourseId(10**9)
NO_LESSON: Final = LessonId(10**9)
AUDITOR: Final = 2


def leave(given: Given, user: Value, course: CourseId | None = None, role: int = 1) -> Reply:
    """Call delCourseStudent, for a new course unless one is given."""
    course = given.course() if course is None else course
    return given.api.call("delCourseStudent", courseId=course, identity=role, studentUid=user)


def add(given: Given, *entries: Value, to: Scheduled | None = None, **fields: Value) -> Reply:
    """Call addClassStudentMultiple, for a new class unless one is given."""
    lesson = to or Scheduled(given)
    form: dict[str, Value] = {"courseId": lesson.course, "classId": lesson.lesson}
    return given.api.call(
        "addClassStudentMultiple", **form | {"studentJson": list(entries)} | fields
    )


def remove(given: Given, *uids: Value, of: Scheduled | None = None, **fields: Value) -> Reply:
    """Call delClassStudentMultiple, for a new class unless one is given."""
    lesson = of or Scheduled(given)
    form: dict[str, Value] = {"courseId": lesson.course, "classId": lesson.lesson, "identity": 1}
    return given.api.call(
        "delClassStudentMultiple", **form | {"studentUidJson": list(uids)} | fields
    )


def add_to(given: Given, user: Value, *lessons: Value, **fields: Value) -> Reply:
    """Call addCourseClassStudent; without a course in the fields that of a new class."""
    form: dict[str, Value] = {"studentUid": user, "classJson": list(lessons), **fields}
    if "courseId" not in form:
        form["courseId"] = given.course()
    return given.api.call("addCourseClassStudent", **form)


def add_while_unregistered(given: Given) -> Reply:
    """Call addClassStudentMultiple while the registration of an account is unfinished."""
    telephone, lesson = given.telephone(), Scheduled(given)
    with given.unfinished("register", telephone=telephone, md5pass=MD5, addToSchoolMember=1):
        return add(given, {"account": telephone}, to=lesson)


def full(given: Given) -> Scheduled:
    """Return a class with as many students as it takes: one of the course."""
    lesson = Scheduled(given)
    given.member(lesson.course)
    given.plan(max_class_students=1)
    return lesson


def deleted(given: Given) -> Scheduled:
    """Return a class that was deleted."""
    lesson = Scheduled(given)
    assert lesson.delete().errno == 1
    return lesson


def made_elsewhere(given: Given) -> Scheduled:
    """Return a class that a client made."""
    lesson = Scheduled(given)
    given.made_elsewhere(lesson.lesson)
    return lesson


def taught_by(given: Given, teacher: UserId, **fields: Value) -> Scheduled:
    """Return a class of a course in which a person teaches another class."""
    lesson = Scheduled(given, **fields)
    given.lesson(lesson.course, teacherUid=teacher)
    return lesson


def headed_by(given: Given, head: UserId) -> Scheduled:
    """Return a class of a course with a head teacher."""
    lesson = Scheduled(given)
    given.set_course(lesson.course, head_teacher_id=head)
    return lesson


def failing_entry(given: Given, action: Action[Any, Any]) -> Given:
    """Let the entries of the next call of an action fail by the errno that only a fault gives."""
    given.fault(action.name, action.entry_faults[0], in_entries=True)
    return given


def by_account(given: Given) -> tuple[str, Scheduled]:
    """Return the account of a teacher, and a class of a course that they teach."""
    account = given.telephone()
    return account, taught_by(given, teacher_and_student(given, account))


DEL_COURSE_STUDENT_CASES: Final = (
    Case(1, lambda g: leave(g, g.member(c := g.course()), c)),
    *common(DEL_COURSE_STUDENT, courseId=1, identity=1, studentUid=1),
    Case(100, lambda g: leave(g, 1, role=3)),
    Case(147, lambda g: leave(g, 1, NO_COURSE)),
    Case(144, lambda g: leave(g, 1, g.other().course())),
    Case(149, lambda g: leave(g, 1, g.deleted_course())),
    Case(153, lambda g: leave(g, 1, g.ended_course())),
    Case(369, lambda g: leave(g, 1, g.public_course())),
    Case(400, lambda g: leave(g, UNKNOWN_UID)),
    Case(162, lambda g: leave(g, g.student())),
    Case(162, lambda g: leave(g, g.member(c := g.course()), c, AUDITOR)),
)

ADD_CLASS_STUDENT_MULTIPLE_CASES: Final = (
    Case(1, lambda g: add(g, {"uid": g.student()}), "entry"),
    *common(ADD_CLASS_STUDENT_MULTIPLE, courseId=1, classId=1, studentJson=[{"uid": 1}]),
    Case(100, lambda g: add(g, {"uid": 1}, identity="student")),
    Case(155, add),
    Case(155, lambda g: add(g, studentJson="none")),
    Case(159, lambda g: add(g, {"uid": 1}, identity=AUDITOR)),
    Case(159, lambda g: add(g, {"uid": 1}, identity=0)),
    Case(144, lambda g: add(g, {"uid": 1}, courseId=NO_COURSE)),
    Case(144, lambda g: add(g, {"uid": 1}, courseId=g.other().course())),
    Case(369, lambda g: add(g, {"uid": 1}, courseId=g.public_course())),
    Case(143, lambda g: add(g, {"uid": 1}, classId=NO_LESSON)),
    Case(142, lambda g: add(g, {"uid": 1}, classId=g.lesson())),
    Case(212, lambda g: add(g, {"uid": 1}, to=deleted(g))),
    Case(466, lambda g: add(g, {"uid": 1}, to=made_elsewhere(g))),
    Case(145, lambda g: add(g, {"uid": 1}, to=Scheduled(g).over())),
    Case(400, lambda g: add(g, {"uid": UNKNOWN_UID}), "entry"),
    Case(400, lambda g: add(g, {"uid": "x"}), "entry"),
    Case(400, lambda g: add(g, {"customColumn": "A"}), "entry"),
    Case(400, lambda g: add(g, 5), "entry"),
    Case(125, lambda g: add(g, {"account": "0086-13800000000"}), "entry"),
    Case(288, lambda g: add(g, {"account": "12000000000"}), "entry"),
    Case(131, add_while_unregistered, "entry"),
    Case(113, lambda g: add(g, {"account": g.telephone()}), "entry"),
    Case(886, lambda g: add(g, {"uid": g.cancelled(g.student())}), "entry"),
    Case(228, lambda g: add(g, {"uid": g.user()}), "entry"),
    Case(228, lambda g: add(g, {"uid": g.teacher()}), "entry"),
    Case(164, lambda g: add(g, {"uid": g.member((s := Scheduled(g)).course, 2)}, to=s), "entry"),
    Case(166, lambda g: add(g, {"uid": g.member((s := Scheduled(g)).course)}, to=s), "entry"),
    Case(166, lambda g: add(g, *[{"uid": g.student()}] * 2), "entry"),
    Case(
        166,
        lambda g: add(g, {"uid": g.guest((s := Scheduled(g)).lesson, g.student())}, to=s),
        "entry",
    ),
    Case(
        329,
        lambda g: add(g, {"uid": (u := teacher_and_student(g))}, to=Scheduled(g, assistantUid=u)),
        "entry",
    ),
    Case(
        333, lambda g: add(g, {"uid": (u := teacher_and_student(g))}, to=headed_by(g, u)), "entry"
    ),
    Case(
        332, lambda g: add(g, {"uid": (u := teacher_and_student(g))}, to=taught_by(g, u)), "entry"
    ),
    Case(129, lambda g: add(g, {"account": (who := by_account(g))[0]}, to=who[1]), "entry"),
    Case(157, lambda g: add(g, {"uid": g.student()}, to=full(g)), "entry"),
    Case(
        158,
        lambda g: add(failing_entry(g, ADD_CLASS_STUDENT_MULTIPLE), {"uid": g.student()}),
        "entry",
    ),
)

DEL_CLASS_STUDENT_MULTIPLE_CASES: Final = (
    Case(1, lambda g: remove(g, g.guest((s := Scheduled(g)).lesson, g.student()), of=s), "entry"),
    Case(1, lambda g: remove(g, g.member((s := Scheduled(g)).course), of=s), "entry"),
    *common(DEL_CLASS_STUDENT_MULTIPLE, courseId=1, classId=1, identity=1, studentUidJson=[1]),
    Case(100, lambda g: remove(g, 1, identity=None)),
    Case(100, lambda g: remove(g, studentUidJson=None)),
    Case(155, remove),
    Case(155, lambda g: remove(g, studentUidJson=None, studentJson="none")),
    Case(159, lambda g: remove(g, 1, identity=AUDITOR)),
    Case(144, lambda g: remove(g, 1, courseId=NO_COURSE)),
    Case(144, lambda g: remove(g, 1, courseId=g.other().course())),
    Case(369, lambda g: remove(g, 1, courseId=g.public_course())),
    Case(143, lambda g: remove(g, 1, classId=NO_LESSON)),
    Case(142, lambda g: remove(g, 1, classId=g.lesson())),
    Case(212, lambda g: remove(g, 1, of=deleted(g))),
    Case(466, lambda g: remove(g, 1, of=made_elsewhere(g))),
    Case(145, lambda g: remove(g, 1, of=Scheduled(g).over())),
    Case(400, lambda g: remove(g, UNKNOWN_UID), "entry"),
    Case(400, lambda g: remove(g, "x"), "entry"),
    Case(113, lambda g: remove(g, studentUidJson=None, studentJson=[g.telephone()]), "entry"),
    Case(113, lambda g: remove(g, studentUidJson=None, studentJson=["12345"]), "entry"),
    Case(167, lambda g: remove(g, g.student()), "entry"),
    Case(171, lambda g: remove(failing_entry(g, DEL_CLASS_STUDENT_MULTIPLE), g.student()), "entry"),
    Case(167, lambda g: remove(g, g.member((s := Scheduled(g)).course, 2), of=s), "entry"),
    Case(167, lambda g: remove(g, *[g.member((s := Scheduled(g)).course)] * 2, of=s), "entry"),
)

ADD_COURSE_CLASS_STUDENT_CASES: Final = (
    Case(1, lambda g: add_to(g, g.student(), g.lesson(c := g.course()), courseId=c), "entry"),
    *common(ADD_COURSE_CLASS_STUDENT, courseId=1, studentUid=1, classJson=[1]),
    Case(100, lambda g: add_to(g, None, 1)),
    Case(155, lambda g: add_to(g, 1)),
    Case(155, lambda g: add_to(g, 1, classJson="none")),
    Case(144, lambda g: add_to(g, 1, 1, courseId=NO_COURSE)),
    Case(144, lambda g: add_to(g, 1, 1, courseId=g.other().course())),
    Case(149, lambda g: add_to(g, 1, 1, courseId=g.deleted_course())),
    Case(153, lambda g: add_to(g, 1, 1, courseId=g.ended_course())),
    Case(369, lambda g: add_to(g, 1, 1, courseId=g.public_course())),
    Case(134, lambda g: add_to(g, None, 1, studentAccount="12345")),
    Case(113, lambda g: add_to(g, None, 1, studentAccount=g.telephone())),
    Case(400, lambda g: add_to(g, UNKNOWN_UID, 1)),
    Case(886, lambda g: add_to(g, g.cancelled(g.student()), 1)),
    Case(228, lambda g: add_to(g, g.user(), 1)),
    Case(333, lambda g: add_to(g, u := teacher_and_student(g), 1, courseId=headed_by(g, u).course)),
    Case(332, lambda g: add_to(g, u := teacher_and_student(g), 1, courseId=taught_by(g, u).course)),
    Case(
        129,
        lambda g: add_to(
            g, None, 1, studentAccount=(who := by_account(g))[0], courseId=who[1].course
        ),
    ),
    Case(142, lambda g: add_to(g, g.student(), NO_LESSON), "entry"),
    Case(142, lambda g: add_to(g, g.student(), g.lesson()), "entry"),
    Case(142, lambda g: add_to(g, g.student(), "x"), "entry"),
    Case(
        212, lambda g: add_to(g, g.student(), (s := deleted(g)).lesson, courseId=s.course), "entry"
    ),
    Case(
        466,
        lambda g: add_to(g, g.student(), (s := made_elsewhere(g)).lesson, courseId=s.course),
        "entry",
    ),
    Case(
        145,
        lambda g: add_to(g, g.student(), (s := Scheduled(g).over()).lesson, courseId=s.course),
        "entry",
    ),
    Case(
        164,
        lambda g: add_to(g, g.member((s := Scheduled(g)).course, 2), s.lesson, courseId=s.course),
        "entry",
    ),
    Case(
        166,
        lambda g: add_to(g, g.member((s := Scheduled(g)).course), s.lesson, courseId=s.course),
        "entry",
    ),
    Case(
        166,
        lambda g: add_to(g, g.student(), *[(s := Scheduled(g)).lesson] * 2, courseId=s.course),
        "entry",
    ),
    Case(157, lambda g: add_to(g, g.student(), (s := full(g)).lesson, courseId=s.course), "entry"),
    Case(
        158, lambda g: add_to(failing_entry(g, ADD_COURSE_CLASS_STUDENT), g.student(), 1), "entry"
    ),
)

TABLES: Final = (
    (DEL_COURSE_STUDENT, DEL_COURSE_STUDENT_CASES),
    (ADD_CLASS_STUDENT_MULTIPLE, ADD_CLASS_STUDENT_MULTIPLE_CASES),
    (DEL_CLASS_STUDENT_MULTIPLE, DEL_CLASS_STUDENT_MULTIPLE_CASES),
    (ADD_COURSE_CLASS_STUDENT, ADD_COURSE_CLASS_STUDENT_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda part: getattr(part, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", DEL_COURSE_STUDENT_CASES, ids=str)
def test_del_course_student(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", ADD_CLASS_STUDENT_MULTIPLE_CASES, ids=str)
def test_add_class_student_multiple(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DEL_CLASS_STUDENT_MULTIPLE_CASES, ids=str)
def test_del_class_student_multiple(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", ADD_COURSE_CLASS_STUDENT_CASES, ids=str)
def test_add_course_class_student(given: Given, case: Case) -> None:
    case.run(given)
