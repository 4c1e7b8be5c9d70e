"""Courses: one case table an action."""

from typing import Any, Final

import pytest

from homeroom.base.clock import DAY, HOUR, YEAR
from homeroom.base.ids import CourseId
from homeroom.contract.action import Action
from homeroom.contract.courses import ADD_COURSE, EDIT_COURSE, END_COURSE
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""


def add(given: Given, **fields: Value) -> Reply:
    """Call addCourse."""
    return given.api.call("addCourse", courseName="Course", **fields)


def add_again(given: Given) -> Reply:
    """Call addCourse with an identity that a course has."""
    given.course(courseUniqueIdentity="term 1")
    return add(given, courseUniqueIdentity="term 1")


def add_while_unfinished(given: Given) -> Reply:
    """Call addCourse while another request makes a course with the identity."""
    fields = {"courseName": "Course", "courseUniqueIdentity": "term 1"}
    with given.unfinished("addCourse", **fields):
        return given.api.call("addCourse", **fields)


def without_head_teachers(given: Given) -> Given:
    """Take head teachers out of the school's plan."""
    given.plan(head_teachers=False)
    return given


def edit(given: Given, course: CourseId | None = None, **fields: Value) -> Reply:
    """Call editCourse, on a new course unless one is given."""
    return given.api.call(
        "editCourse", courseId=given.course() if course is None else course, **fields
    )


def edit_expiry_before_last_class(given: Given) -> Reply:
    """Call editCourse with an expiry before the end of the last class."""
    begin = given.now + 30 * DAY
    course = given.course()
    given.lesson(course, beginTime=begin, endTime=begin + HOUR)
    return edit(given, course, expiryTime=begin + HOUR - 1)


def edit_head_to_member(given: Given, identity: int) -> Reply:
    """Call editCourse with a head teacher who is a member of the course."""
    course, teacher = given.course(), given.user(addToSchoolMember=1)
    given.done("addTeacher", teacherUid=teacher, teacherName="Both")
    given.done("addCourseStudent", courseId=course, identity=identity, studentUid=teacher)
    return edit(given, course, mainTeacherUid=teacher)


def edit_head_with_classes(given: Given) -> Reply:
    """Call editCourse with another head teacher while the present one has a class to come."""
    head = given.teacher()
    course = given.course(mainTeacherUid=head)
    given.lesson(course, teacherUid=head)
    return edit(given, course, mainTeacherUid=given.teacher())


def end(given: Given, course: CourseId) -> Reply:
    """Call endCourse."""
    return given.api.call("endCourse", courseId=course)


def end_while_running(given: Given) -> Reply:
    """Call endCourse while a class of the course is running."""
    course = given.course()
    lesson = given.lesson(course)
    given.until(given.seen(lesson).hours.begin)
    return end(given, course)


ADD_COURSE_CASES: Final = (
    Case(1, add),
    *common(ADD_COURSE, courseName="Course"),
    Case(460, add_while_unfinished),
    Case(398, add_again),
    Case(103, lambda g: g.api.upload("addCourse", b"no picture", courseName="Course")),
    Case(151, lambda g: add(g, expiryTime=g.now + DAY - 1)),
    Case(154, lambda g: add(g, expiryTime=g.now + 6 * YEAR)),
    Case(331, lambda g: add(g, mainTeacherAccount="12345")),
    Case(331, lambda g: add(g, mainTeacherAccount="12000000000")),
    Case(400, lambda g: add(g, mainTeacherUid=NONE)),
    Case(400, lambda g: add(g, mainTeacherAccount=g.telephone())),
    Case(334, lambda g: add(g, mainTeacherUid=g.student())),
    Case(883, lambda g: add(g, mainTeacherUid=g.cancelled(g.teacher()))),
    Case(389, lambda g: add(g, mainTeacherUid=g.stopped(g.teacher()))),
    Case(805, lambda g: add(g, mainTeacherUid=g.stopping(g.teacher()))),
    Case(260, lambda g: add(without_head_teachers(g), mainTeacherUid=g.teacher())),
    Case(160, lambda g: add(g, folderId=NONE)),
    Case(160, lambda g: add(g, folderId=g.other().folder())),
    Case(371, lambda g: add(g, classroomSettingId=NONE)),
    Case(373, lambda g: add(g, classroomSettingId=g.other().preset())),
)

EDIT_COURSE_CASES: Final = (
    Case(1, lambda g: edit(g, courseName="Other")),
    *common(EDIT_COURSE, courseId=1),
    Case(147, lambda g: edit(g, CourseId(NONE))),
    Case(144, lambda g: edit(g, g.other().course())),
    Case(149, lambda g: edit(g, g.deleted_course())),
    Case(153, lambda g: edit(g, g.ended_course())),
    Case(369, lambda g: edit(g, g.public_course())),
    Case(400, lambda g: edit(g, catId=1)),
    Case(103, lambda g: g.api.upload("editCourse", b"no picture", courseId=g.course())),
    Case(151, lambda g: edit(g, expiryTime=g.now + DAY - 1)),
    Case(154, lambda g: edit(g, expiryTime=g.now + 6 * YEAR)),
    Case(152, edit_expiry_before_last_class),
    Case(331, lambda g: edit(g, mainTeacherAccount="12345")),
    Case(310, lambda g: edit(g, mainTeacherUid=NONE)),
    Case(310, lambda g: edit(g, mainTeacherAccount=g.telephone())),
    Case(334, lambda g: edit(g, mainTeacherUid=g.student())),
    Case(883, lambda g: edit(g, mainTeacherUid=g.cancelled(g.teacher()))),
    Case(389, lambda g: edit(g, mainTeacherUid=g.stopped(g.teacher()))),
    Case(805, lambda g: edit(g, mainTeacherUid=g.stopping(g.teacher()))),
    Case(311, lambda g: edit_head_to_member(g, 1)),
    Case(312, lambda g: edit_head_to_member(g, 2)),
    Case(260, lambda g: edit(without_head_teachers(g), mainTeacherUid=g.teacher())),
    Case(314, edit_head_with_classes),
    Case(160, lambda g: edit(g, folderId=g.other().folder())),
    Case(371, lambda g: edit(g, classroomSettingId=NONE)),
    Case(373, lambda g: edit(g, classroomSettingId=g.other().preset())),
)

END_COURSE_CASES: Final = (
    Case(1, lambda g: end(g, g.course())),
    *common(END_COURSE, courseId=1),
    Case(147, lambda g: end(g, CourseId(NONE))),
    Case(144, lambda g: end(g, g.other().course())),
    Case(149, lambda g: end(g, g.deleted_course())),
    Case(153, lambda g: end(g, g.ended_course())),
    Case(369, lambda g: end(g, g.public_course())),
    Case(394, end_while_running),
)

TABLES: Final = (
    (ADD_COURSE, ADD_COURSE_CASES),
    (EDIT_COURSE, EDIT_COURSE_CASES),
    (END_COURSE, END_COURSE_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", ADD_COURSE_CASES, ids=str)
def test_add_course(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", EDIT_COURSE_CASES, ids=str)
def test_edit_course(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", END_COURSE_CASES, ids=str)
def test_end_course(given: Given, case: Case) -> None:
    case.run(given)
