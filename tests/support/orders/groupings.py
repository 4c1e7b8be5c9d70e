"""Order of the checks of groupings, and of the names of a course's members."""

from typing import Any

from homeroom.base.ids import CourseId, GroupingId, UserId
from homeroom.contract.groupings import ADD_COURSE_GROUP, DEL_COURSE_GROUP, EDIT_COURSE_GROUP
from homeroom.contract.rosters import MODIFY_GROUP_MEMBER_NICKNAME
from tests.support.given import Given
from tests.support.orders import STRANGER, Chain, Fields, Mend, Order, caller, declare
from tests.support.orders.members import course_mends

NAME = "Teams"


def member(user: int, leader: int = 0) -> dict[str, int]:
    """Return a member of a team."""
    return {"studentUid": user, "isLeader": leader}


def add_grouping(given: Given, course: CourseId, leader: UserId) -> GroupingId:
    """Add the grouping of a course: one team of one student."""
    teams: list[Any] = [[member(leader, 1)]]
    reply = given.done("addCourseGroup", courseId=course, groupName=NAME, groupList=teams)
    return GroupingId(reply.data)


def _in_turn(*mends: Fields) -> Mend:
    """Return the mends of an errno that is checked several times."""
    stages = iter(mends)
    return lambda: next(stages)


def _add(given: Given) -> list[Chain]:
    course, grouped = given.course(), given.course()
    first, second = given.student(), given.student()
    outsider, student = given.student(), given.member(course)
    add_grouping(given, grouped, given.member(grouped))
    deleted = given.set_course(given.course(), deleted_at=1)
    mends: dict[int, Mend] = {
        100: _in_turn({"groupName": NAME}, {"courseId": deleted}),
        890: {"courseId": grouped},
        892: {"courseId": course},
        896: {"groupList": [[member(first), member(second)]]},
        897: {"groupList": [[member(student, 1), member(outsider, 1)]]},
        895: {"groupList": [[member(student, 1), member(outsider)]]},
        898: {},
    }
    wrong: Fields = {"courseId": STRANGER, "groupList": [[member(STRANGER)]]}
    return [Chain(caller(given, "addCourseGroup"), wrong, mends)]


def _edit(given: Given) -> list[Chain]:
    course, ended = given.course(), given.course()
    student = given.member(course)
    grouping = add_grouping(given, course, student)
    of_ended = add_grouping(given, ended, given.member(ended))
    given.done("endCourse", courseId=ended)
    mends: dict[int, Mend] = {
        100: _in_turn({"groupName": NAME}, {"groupList": [[member(student, 1)]]}),
        893: {"groupId": of_ended},
        890: {"courseId": course, "groupId": grouping},
    }
    teams: list[Any] = [[member(student)]]
    wrong: Fields = {"courseId": ended, "groupId": STRANGER, "groupList": teams}
    return [Chain(caller(given, "editCourseGroup"), wrong, mends)]


def _delete(given: Given) -> list[Chain]:
    wrong: Fields = {"courseId": STRANGER}
    mends: dict[int, Mend] = {100: {"groupId": STRANGER}, 893: {}}
    return [Chain(caller(given, "delCourseGroup"), wrong, mends)]


def _copy_names(given: Given) -> list[Chain]:
    nobody, unnamed, some = (given.course() for _ in range(3))
    for course in (nobody, unnamed, some):
        given.cancelled(given.member(course))
    for course in (unnamed, some):
        given.done("addCourseStudent", courseId=course, identity=1, studentUid=given.school.owner)
    given.member(some)
    mends = course_mends(given, nobody)
    del mends[369]
    mends |= {
        100: {"courseId": STRANGER},
        153: {"courseId": nobody},
        21323: {"courseId": unnamed},
        843: {"courseId": some},
        842: {},
    }
    return [Chain(caller(given, "modifyGroupMemberNickname"), {}, mends)]


declare(ADD_COURSE_GROUP, Order(_add))
declare(EDIT_COURSE_GROUP, Order(_edit))
declare(DEL_COURSE_GROUP, Order(_delete))
declare(MODIFY_GROUP_MEMBER_NICKNAME, Order(_copy_names))
