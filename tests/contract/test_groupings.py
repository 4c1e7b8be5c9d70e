"""Groupings, and the names of a course's members: one case table an action."""

from typing import Any, Final

import pytest
from sqlalchemy import select

from homeroom.base.clock import DAY
from homeroom.base.ids import CourseId, GroupingId, UserId
from homeroom.contract.action import Action
from homeroom.contract.groupings import ADD_COURSE_GROUP, DEL_COURSE_GROUP, EDIT_COURSE_GROUP
from homeroom.contract.rosters import MODIFY_GROUP_MEMBER_NICKNAME
from homeroom.store.tables import course_members
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.orders.groupings import add_grouping, member
from tests.support.wire import Reply, Value

UNKNOWN: Final = 10**9
NO_COURSE: Final = CourseId(UNKNOWN)
TEAMS: Final[list[Any]] = [[member(1, 1)]]


def add(given: Given, teams: Value, course: CourseId | None = None, **fields: Value) -> Reply:
    """Call addCourseGroup, for a new course unless one is given."""
    course = given.course() if course is None else course
    form: dict[str, Value] = {"courseId": course, "groupName": "Teams", "groupList": teams}
    return given.api.call("addCourseGroup", **form | fields)


class Grouped:
    """A course with a grouping: one team of a leader and a member."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.course = given.course()
        self.leader, self.student = given.member(self.course), given.member(self.course)
        teams: list[Any] = [[member(self.leader, 1), member(self.student)]]
        form: dict[str, Value] = {"courseId": self.course, "groupName": "Teams"}
        self.id = GroupingId(given.done("addCourseGroup", **form, groupList=teams).data)

    def edit(self, teams: Value = None, **fields: Value) -> Reply:
        """Call editCourseGroup; without teams, the member becomes the leader."""
        teams = [[member(self.leader), member(self.student, 1)]] if teams is None else teams
        ids: dict[str, Value] = {"courseId": self.course, "groupId": self.id}
        form: dict[str, Value] = {**ids, "groupName": "New", "groupList": teams}
        return self.given.api.call("editCourseGroup", **form | fields)

    def delete(self, **fields: Value) -> Reply:
        """Call delCourseGroup."""
        ids: dict[str, Value] = {"courseId": self.course, "groupId": self.id}
        return self.given.api.call("delCourseGroup", **ids | fields)

    def ended(self) -> "Grouped":
        """End the course."""
        self.given.done("endCourse", courseId=self.course)
        return self

    def changed(self, **columns: Value) -> "Grouped":
        """Write columns of the course, as an operator does."""
        columns_of_course: dict[str, Any] = dict(columns)
        self.given.set_course(self.course, **columns_of_course)
        return self


def grouped_course(given: Given) -> tuple[list[Any], CourseId]:
    """Return teams, and a course that has a grouping."""
    grouped = Grouped(given)
    return [[member(grouped.leader, 1)]], grouped.course


def course_of(given: Given, teams: list[list[int]]) -> tuple[list[Any], CourseId]:
    """Return a course and teams: 2 is a student who leads, 1 one who does not, 0 a stranger."""
    course = given.course()
    people = [
        [(given.member(course) if kind else given.student(), kind) for kind in team]
        for team in teams
    ]
    return [[member(uid, int(kind == 2)) for uid, kind in team] for team in people], course


def copy_names(given: Given, course: CourseId) -> Reply:
    """Call modifyGroupMemberNickname."""
    return given.api.call("modifyGroupMemberNickname", courseId=course)


def course_with(given: Given, named: int = 0, unnamed: int = 0, cancelled: int = 0) -> CourseId:
    """Return a course with members: on the school's list, on none (one at most), cancelled."""
    course = given.course()
    for place in range(named):
        given.member(course, 1 + place % 2)
    if unnamed:
        owner = given.school.owner
        given.done("addCourseStudent", courseId=course, identity=1, studentUid=owner)
    for _ in range(cancelled):
        given.cancelled(given.member(course))
    return course


ADD_COURSE_GROUP_CASES: Final = (
    Case(1, lambda g: add(g, *course_of(g, [[2, 1], [2]]))),
    *common(ADD_COURSE_GROUP, courseId=1, groupName="Teams", groupList=TEAMS),
    Case(100, lambda g: add(g, TEAMS, groupName="")),
    Case(100, lambda g: add(g, TEAMS, NO_COURSE)),
    Case(100, lambda g: add(g, TEAMS, g.other().course())),
    Case(890, lambda g: add(g, TEAMS, g.deleted_course())),
    Case(890, lambda g: add(g, TEAMS, g.ended_course())),
    Case(890, lambda g: add(g, TEAMS, g.set_course(g.course(), expires_at=g.now))),
    Case(890, lambda g: add(g, TEAMS, g.public_course())),
    Case(892, lambda g: add(g, *grouped_course(g))),
    Case(896, lambda g: add(g, [[member(UNKNOWN, 1)]])),
    Case(896, lambda g: add(g, [[member(g.user(), 1)]])),
    Case(897, lambda g: add(g, [[member(g.student(), 1)]])),
    Case(897, lambda g: add(g, [[member(g.member(c := g.course(), 2), 1)]], c)),
    Case(895, lambda g: add(g, *course_of(g, [[2, 1], [1]]))),
    Case(895, lambda g: add(g, *course_of(g, [[2, 2]]))),
    Case(898, lambda g: add(g, *course_of(g, [[2, 0]]))),
)

EDIT_COURSE_GROUP_CASES: Final = (
    Case(1, lambda g: Grouped(g).edit()),
    *common(EDIT_COURSE_GROUP, courseId=1, groupId=1, groupName="Teams", groupList=TEAMS),
    Case(893, lambda g: Grouped(g).edit(groupId=UNKNOWN)),
    Case(893, lambda g: Grouped(g).edit(groupId=Grouped(g).id)),
    Case(893, lambda g: Grouped(g).edit(courseId=NO_COURSE)),
    Case(893, lambda g: Grouped(g).edit(courseId=g.other().course())),
    Case(893, lambda g: Grouped(g).changed(deleted_at=1).edit()),
    Case(893, lambda g: Grouped(g).changed(kind="public").edit()),
    Case(890, lambda g: Grouped(g).ended().edit()),
    Case(890, lambda g: Grouped(g).changed(expires_at=g.now).edit()),
    Case(100, lambda g: Grouped(g).edit([[member(UNKNOWN, 1)]])),
    Case(100, lambda g: Grouped(g).edit([[member(g.student(), 1)]])),
    Case(100, lambda g: (s := Grouped(g)).edit([[member(s.leader)]])),
    Case(100, lambda g: (s := Grouped(g)).edit([[member(s.leader, 1), member(g.student())]])),
)

DEL_COURSE_GROUP_CASES: Final = (
    Case(1, lambda g: Grouped(g).delete()),
    Case(1, lambda g: Grouped(g).ended().delete()),
    Case(1, lambda g: Grouped(g).changed(expires_at=g.now).delete()),
    *common(DEL_COURSE_GROUP, courseId=1, groupId=1),
    Case(893, lambda g: Grouped(g).delete(groupId=UNKNOWN)),
    Case(893, lambda g: Grouped(g).delete(courseId=NO_COURSE)),
    Case(893, lambda g: Grouped(g).delete(courseId=g.other().course())),
    Case(893, lambda g: Grouped(g).changed(deleted_at=1).delete()),
    Case(893, lambda g: Grouped(g).changed(kind="dual").delete()),
)

MODIFY_GROUP_MEMBER_NICKNAME_CASES: Final = (
    Case(1, lambda g: copy_names(g, course_with(g, named=2))),
    Case(1, lambda g: copy_names(g, g.course())),
    Case(1, lambda g: copy_names(g, g.public_course())),
    *common(MODIFY_GROUP_MEMBER_NICKNAME, courseId=1),
    Case(147, lambda g: copy_names(g, NO_COURSE)),
    Case(144, lambda g: copy_names(g, g.other().course())),
    Case(149, lambda g: copy_names(g, g.deleted_course())),
    Case(153, lambda g: copy_names(g, g.ended_course())),
    Case(842, lambda g: copy_names(g, course_with(g, named=1, unnamed=1))),
    Case(842, lambda g: copy_names(g, course_with(g, named=1, cancelled=1))),
    Case(843, lambda g: copy_names(g, course_with(g, unnamed=1))),
    Case(843, lambda g: copy_names(g, course_with(g, unnamed=1, cancelled=1))),
    Case(21323, lambda g: copy_names(g, course_with(g, cancelled=2))),
)

TABLES: Final = (
    (ADD_COURSE_GROUP, ADD_COURSE_GROUP_CASES),
    (EDIT_COURSE_GROUP, EDIT_COURSE_GROUP_CASES),
    (DEL_COURSE_GROUP, DEL_COURSE_GROUP_CASES),
    (MODIFY_GROUP_MEMBER_NICKNAME, MODIFY_GROUP_MEMBER_NICKNAME_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda part: getattr(part, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", ADD_COURSE_GROUP_CASES, ids=str)
def test_add_course_group(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", EDIT_COURSE_GROUP_CASES, ids=str)
def test_edit_course_group(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DEL_COURSE_GROUP_CASES, ids=str)
def test_del_course_group(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", MODIFY_GROUP_MEMBER_NICKNAME_CASES, ids=str)
def test_modify_group_member_nickname(given: Given, case: Case) -> None:
    case.run(given)


def teams_of(given: Given, course: CourseId) -> list[list[tuple[UserId, bool]]]:
    """Return the teams of a course as the store keeps them."""

    def read(uow: Any) -> list[Any]:  # noqa: ANN401  a unit of work
        grouping = uow.groupings.find(course)
        return uow.groupings.list_teams([grouping.id]).get(grouping.id, []) if grouping else []

    teams = given.store.read(read)
    return [[(part.user, part.is_leader) for part in team] for team in teams]


MALFORMED_TEAMS: Final[tuple[tuple[Value, str], ...]] = (
    ("none", "groupList: must be a JSON list"),
    ([], "groupList: must not be an empty list"),
    ([[]], "groupList[1]: must be a list of members, and not empty"),
    ([[member(1, 1)], member(2, 1)], "groupList[2]: must be a list of members, and not empty"),
    ([[member(1, 1), 5]], "groupList[1][2]: must be an object"),
    ([[{"studentUid": 1}]], "groupList[1][1].isLeader: is missing or empty"),
    ([[member(1, 2)]], "groupList[1][1].isLeader: must be 0 or 1"),
    ([[{"isLeader": 1}]], "groupList[1][1].studentUid: is missing or empty"),
    ([[member(1, 1)], [member(2, 1), member(1)]], "groupList: UID 1 is named twice"),
    (
        [[member(uid, int(uid == 1)) for uid in range(1, 1002)]],
        "groupList: must not have more than 1000 members",
    ),
)


@pytest.mark.parametrize(("teams", "reason"), MALFORMED_TEAMS, ids=range(len(MALFORMED_TEAMS)))
def test_teams_that_cannot_be_read_are_100(given: Given, teams: Value, reason: str) -> None:
    reply = add(given, teams)
    assert (reply.errno, reply.reason) == (100, reason)


def test_strangers_are_left_out_of_a_new_grouping(given: Given) -> None:
    course, outsider = given.course(), given.student()
    auditor = given.member(course, 2)
    leader, student = given.member(course), given.member(course)
    teams: list[Any] = [
        [member(student), member(leader, 1), member(outsider), member(UNKNOWN)],
        [member(last := given.member(course), 1), member(auditor)],
    ]
    reply = add(given, teams, course, groupName="N" * 21)
    assert reply.errno == 898
    for user in (outsider, UNKNOWN):
        assert f"UID {user} is no student of the course" in reply.reason
    assert isinstance(reply.data, int)
    assert teams_of(given, course) == [[(student, False), (leader, True)], [(last, True)]]


def test_a_refused_edit_changes_nothing(given: Given) -> None:
    grouped = Grouped(given)
    before = teams_of(given, grouped.course)
    reply = grouped.edit([[member(grouped.student, 1)], [member(UNKNOWN, 1)]])
    assert reply.errno == 100
    assert (
        reply.reason == f"groupList: team 2: UID {UNKNOWN}, the leader, is no student of the course"
    )
    assert teams_of(given, grouped.course) == before
    assert grouped.edit().errno == 1
    assert teams_of(given, grouped.course) == [[(grouped.leader, False), (grouped.student, True)]]


def test_a_course_may_be_grouped_again_after_a_deletion(given: Given) -> None:
    grouped = Grouped(given)
    teams: list[Any] = [[member(grouped.leader, 1)]]
    assert add(given, teams, grouped.course).errno == 892
    assert grouped.delete().errno == 1
    assert grouped.delete().errno == 893
    reply = add(given, teams, grouped.course)
    assert reply.errno == 1
    assert reply.data != grouped.id


@pytest.mark.parametrize("action", ["delCourseStudent", "delCourseStudentMultiple"])
def test_who_leaves_the_course_leaves_the_grouping(given: Given, action: str) -> None:
    grouped, other = Grouped(given), Grouped(given)
    form: dict[str, Value] = {"courseId": grouped.course, "identity": 1}
    for user in (grouped.leader, grouped.student):
        given.done(action, **form, studentUid=user, studentUidJson=[user])
        assert user not in [uid for team in teams_of(given, grouped.course) for uid, _ in team]
    assert teams_of(given, grouped.course) == []
    assert len(teams_of(given, other.course)[0]) == 2
    given.done("addCourseStudent", **form, studentUid=grouped.leader)
    assert teams_of(given, grouped.course) == []
    assert grouped.edit([[member(grouped.leader, 1)]]).errno == 1


def test_names_of_the_school_become_nicknames_of_students_and_auditors(given: Given) -> None:
    course = course_with(given, named=2, unnamed=1, cancelled=1)
    columns = course_members.c
    query = select(columns.user_id, columns.nickname).where(columns.course_id == course)
    before: dict[UserId, str] = dict(given.rows(query))
    given.write(course_members.update().where(columns.course_id == course).values(nickname="Old"))
    reply = copy_names(given, course)
    assert (reply.errno, reply.reason.rpartition("; ")[2]) == (842, "2 nicknames unchanged")
    after: dict[UserId, str] = dict(given.rows(query))
    renamed = {uid for uid, nickname in after.items() if nickname != "Old"}
    assert len(renamed) == 2
    assert {after[uid] for uid in renamed} <= set(before.values())
    assert given.school.owner not in renamed


def test_a_grouping_stays_when_its_course_expires(given: Given) -> None:
    course = given.course(expiryTime=given.now + 2 * DAY)
    grouping = add_grouping(given, course, given.member(course))
    given.until(given.now + 2 * DAY)
    form: dict[str, Value] = {"courseId": course, "groupId": grouping}
    teams: list[Any] = TEAMS
    assert given.api.call("editCourseGroup", **form, groupName="N", groupList=teams).errno == 890
    assert given.api.call("delCourseGroup", **form).errno == 1
