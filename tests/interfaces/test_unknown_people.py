"""A school that names many people who do not exist has to wait: case S2, READINGS Q102."""

import logging
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import pytest

from homeroom.base.clock import HOUR
from homeroom.base.ids import CourseId
from tests.support.given import Given
from tests.support.sandbox import Sandbox
from tests.support.wire import Reply, Value

NOBODY: Final = 10**12
_UIDS: Final = count(2 * NOBODY)
LIMIT: Final = 60


def guess(given: Given) -> Reply:
    """Name a UID that nobody has, each time another."""
    return given.api.call("addSchoolStudent", studentUid=next(_UIDS), studentName="x")


def use_up(given: Given, left: int = 0) -> None:
    """Name as many people who do not exist as may be named in an hour, but for some."""
    entries = [{"uid": NOBODY + number} for number in range(LIMIT - left)]
    course = given.course()
    reply = given.api.call(
        "addCourseStudentMultiple", courseId=course, identity=1, studentJson=entries
    )
    assert set(reply.errnos) == {400}


def check_refused(reply: Reply, errno: int = 114) -> int:
    """Make sure that a call is refused as over a limit; return the seconds to wait."""
    assert (reply.status, reply.errno) == (503, errno), (reply.body, reply.reason)
    assert "unknown UIDs or accounts" in reply.reason
    assert set(reply.body) == {"error_info"}
    return int(reply.headers["retry-after"])


def test_sixty_unknown_people_in_an_hour_are_answered_and_no_more(
    given: Given, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "homeroom.people"):
        for _ in range(LIMIT):
            reply = guess(given)
            assert (reply.status, reply.errno) == (200, 113)
        for _ in range(5):
            assert check_refused(guess(given)) == HOUR
    events = [record for record in caplog.records if record.name == "homeroom.people"]
    assert [record.getMessage() for record in events] == ["unknown_accounts_limit_reached"]
    assert events[0].__dict__["sid"] == given.school.id
    # Other schools have a limit of their own.
    assert guess(given.other()).errno == 113


def test_the_hour_is_one_of_the_server_s_clock_and_slides(given: Given) -> None:
    use_up(given, left=20)
    given.clock.advance(HOUR // 2)
    for _ in range(20):
        assert guess(given).errno == 113
    assert check_refused(guess(given)) == HOUR // 2
    given.clock.advance(HOUR // 2 - 1)
    assert check_refused(guess(given)) == 1
    given.clock.advance(1)
    for _ in range(40):
        assert guess(given).errno == 113
    assert check_refused(guess(given)) == HOUR // 2


def by_student(given: Given, account: str) -> Reply:
    return given.api.call("addSchoolStudent", studentAccount=account, studentName="x")


def by_teacher(given: Given, account: str) -> Reply:
    return given.api.call("addTeacher", teacherUid=NOBODY, teacherName=account)


def by_teacher_account(given: Given, account: str) -> Reply:
    return given.api.call("addTeacher", teacherAccount=account, teacherName="y")


def by_stop(given: Given, _account: str) -> Reply:
    return given.api.call("stopUsingTeacher", teacherUid=NOBODY)


def by_restart(given: Given, account: str) -> Reply:
    return given.api.call("restartUsingTeacher", teacherAccount=account)


def by_head_teacher(given: Given, _account: str) -> Reply:
    return given.api.call("addCourse", courseName="Course", mainTeacherUid=NOBODY)


def by_head_teacher_account(given: Given, account: str) -> Reply:
    return given.api.call("addCourse", courseName="Course", mainTeacherAccount=account)


def by_new_head_teacher(given: Given, _account: str) -> Reply:
    return given.api.call("editCourse", courseId=given.course(), mainTeacherUid=NOBODY)


def by_class(given: Given, _account: str) -> Reply:
    return given.api.call("addCourseClass", **given.lesson_form(teacherUid=NOBODY))


def by_class_account(given: Given, account: str) -> Reply:
    return given.api.call("addCourseClass", **given.lesson_form(teacherAccount=account))


def by_co_teacher(given: Given, _account: str) -> Reply:
    return given.api.call("addCourseClass", **given.lesson_form(assistantUids=[NOBODY]))


def by_edited_class(given: Given, _account: str) -> Reply:
    course = given.course()
    lesson = given.lesson(course)
    fields: dict[str, Value] = {"courseId": course, "classId": lesson, "className": "Class"}
    return given.api.call("editCourseClass", **fields, teacherUid=NOBODY)


def by_edited_co_teacher(given: Given, _account: str) -> Reply:
    course = given.course()
    lesson = given.lesson(course)
    fields: dict[str, Value] = {"courseId": course, "classId": lesson, "className": "Class"}
    return given.api.call("editCourseClass", **fields, assistantUids=[NOBODY])


def by_course(given: Given, _account: str) -> Reply:
    fields: dict[str, Value] = {"courseId": given.course(), "identity": 1, "studentName": "x"}
    return given.api.call("addCourseStudent", **fields, studentUid=NOBODY)


def by_roster_account(given: Given, account: str) -> Reply:
    fields: dict[str, Value] = {"courseId": given.course(), "identity": 2}
    entries = [{"account": account, "name": "x"}]
    return given.api.call("addCourseStudentMultiple", **fields, studentJson=entries)


def by_removal(given: Given, _account: str) -> Reply:
    fields: dict[str, Value] = {"courseId": given.course(), "identity": 1}
    return given.api.call("delCourseStudentMultiple", **fields, studentUidJson=[NOBODY])


def by_removed_account(given: Given, account: str) -> Reply:
    fields: dict[str, Value] = {"courseId": given.course(), "identity": 1}
    return given.api.call("delCourseStudentMultiple", **fields, studentJson=[account])


def by_leaving(given: Given, _account: str) -> Reply:
    fields: dict[str, Value] = {"courseId": given.course(), "identity": 1}
    return given.api.call("delCourseStudent", **fields, studentUid=NOBODY)


def by_guest(given: Given, account: str) -> Reply:
    course = given.course()
    fields: dict[str, Value] = {"courseId": course, "classId": given.lesson(course)}
    return given.api.call("addClassStudentMultiple", **fields, studentJson=[{"account": account}])


def by_removed_guest(given: Given, _account: str) -> Reply:
    course = given.course()
    fields: dict[str, Value] = {"courseId": course, "classId": given.lesson(course), "identity": 1}
    return given.api.call("delClassStudentMultiple", **fields, studentUidJson=[NOBODY])


def by_guest_of_several(given: Given, _account: str) -> Reply:
    fields: dict[str, Value] = {"courseId": given.course(), "classJson": [1]}
    return given.api.call("addCourseClassStudent", **fields, studentUid=NOBODY)


def by_group(given: Given, _account: str) -> Reply:
    fields: dict[str, Value] = {"courseId": given.course(), "groupName": "Teams"}
    teams: list[Any] = [[{"studentUid": NOBODY, "isLeader": 1}]]
    return given.api.call("addCourseGroup", **fields, groupList=teams)


@pytest.mark.parametrize(
    "ask",
    [
        by_student,
        by_teacher,
        by_teacher_account,
        by_stop,
        by_restart,
        by_head_teacher,
        by_head_teacher_account,
        by_new_head_teacher,
        by_class,
        by_class_account,
        by_co_teacher,
        by_edited_class,
        by_edited_co_teacher,
        by_course,
        by_roster_account,
        by_removal,
        by_removed_account,
        by_leaving,
        by_guest,
        by_removed_guest,
        by_guest_of_several,
        by_group,
    ],
    ids=lambda ask: ask.__name__,
)
def test_every_call_and_entry_that_names_people_counts_and_is_limited(
    given: Given, ask: Callable[[Given, str], Reply]
) -> None:
    use_up(given, left=1)
    assert ask(given, given.telephone()).status == 200
    assert check_refused(guess(given))
    # The actions on groupings do not list 114.
    errno = 104 if ask is by_group else 114
    assert check_refused(ask(given, given.telephone()), errno)


def test_over_the_limit_nobody_learns_whether_a_stranger_exists(given: Given) -> None:
    account = given.telephone()
    stranger = given.other().user(telephone=account)
    use_up(given)
    call = given.api.call
    named = [
        call("addSchoolStudent", studentUid=stranger, studentName="x"),
        call("addSchoolStudent", studentUid=NOBODY, studentName="x"),
        call("addSchoolStudent", studentAccount=account, studentName="x"),
        call("addSchoolStudent", studentAccount=given.telephone(), studentName="x"),
    ]
    assert {(reply.status, reply.reason) for reply in named} == {(503, named[0].reason)}


def test_over_the_limit_a_school_still_works_with_its_own_people(given: Given) -> None:
    telephone = given.telephone()
    own = given.user(telephone=telephone)
    student, teacher = given.student(), given.teacher()
    course = given.course()
    use_up(given)
    given.done("addSchoolStudent", studentUid=own, studentName="x")
    given.done("addTeacher", teacherAccount=telephone, teacherName="y")
    given.done("addTeacher", teacherUid=given.school.owner, teacherName="z")
    given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
    given.lesson(course, teacherUid=teacher)
    given.student()


def list_members(given: Given, course: CourseId, count: int) -> Reply:
    """Add people who do not exist to a course."""
    entries = [{"uid": NOBODY + number} for number in range(count)]
    fields: dict[str, Value] = {"courseId": course, "identity": 1, "studentJson": entries}
    return given.api.call("addCourseStudentMultiple", **fields)


def test_a_list_may_not_try_more_people_than_the_limit_either(given: Given) -> None:
    course = given.course()
    assert list_members(given, course, 50).errnos == [400] * 50
    assert check_refused(list_members(given, course, 11)) == HOUR
    assert check_refused(guess(given)) == HOUR
    # Somebody named twice in one list counts once.
    given.clock.advance(HOUR)
    entries = [{"uid": NOBODY}] * 100
    fields: dict[str, Value] = {"courseId": course, "identity": 1, "studentJson": entries}
    assert given.api.call("addCourseStudentMultiple", **fields).errnos == [400] * 100
    assert list_members(given, course, 59).status == 200


def test_the_plan_sets_another_limit_or_none(given: Given) -> None:
    course = given.course()
    given.plan(unknown_accounts_per_hour=2)
    assert list_members(given, course, 2).status == 200
    assert check_refused(guess(given))
    given.plan(unknown_accounts_per_hour=0)
    assert list_members(given, course, 100).errnos == [400] * 100


def test_a_reset_of_the_sandbox_clears_the_count(given: Given, sandbox: Sandbox) -> None:
    use_up(given)
    assert check_refused(guess(given))
    sandbox.reset(given.school.id)
    assert guess(given).errno == 113


def test_a_refused_call_can_be_sent_again_when_the_time_is_over(given: Given) -> None:
    use_up(given)
    given.clock.advance(HOUR - 1)
    account = given.telephone()
    assert check_refused(by_student(given, account)) == 1
    given.clock.advance(1)
    assert by_student(given, account).errno == 113  # not "repeated too soon"
