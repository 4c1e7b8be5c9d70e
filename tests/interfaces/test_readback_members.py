"""Read-back of class members and groupings."""

from collections.abc import Iterator
from typing import Any

import pytest

from homeroom.base.ids import UserId
from tests.contract.test_groupings import Grouped
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.scheduled import Scheduled


@pytest.fixture
def read(given: Given) -> Iterator[ReadBack]:
    """Read as the fresh school."""
    readback = ReadBack(given)
    yield readback
    readback.close()


def test_the_members_of_a_class_have_their_states(given: Given, read: ReadBack) -> None:
    lesson = Scheduled(given)
    people = {
        "student": given.member(lesson.course),
        "guest": given.guest(lesson.lesson, given.student()),
        "auditor": given.member(lesson.course, 2),
        "transferred_out": given.member(lesson.course),
        "student_too": given.guest(lesson.lesson, given.member(lesson.course)),
    }
    form: dict[str, Any] = {"courseId": lesson.course, "classId": lesson.lesson, "identity": 1}
    given.done("delClassStudentMultiple", **form, studentUidJson=[people["transferred_out"]])
    path = f"/classes/{lesson.lesson}/members"

    def states(**query: Any) -> dict[UserId, str]:  # noqa: ANN401  any filter
        rows = read.rows(path, **query)
        assert [row["uid"] for row in rows] == sorted(row["uid"] for row in rows)
        return {row["uid"]: row["state"] for row in rows}

    everybody = {uid: state.removesuffix("_too") for state, uid in people.items()}
    assert states() == everybody
    for limit in (1, 2, 3, 5):
        assert states(limit=limit) == everybody
    for state in ("student", "guest", "auditor", "transferred_out"):
        assert states(state=state) == {
            uid: name for uid, name in everybody.items() if name == state
        }
    assert states(identity=2) == {people["auditor"]: "auditor"}
    assert states(uid=people["guest"]) == {people["guest"]: "guest"}
    guest = read.row(path, state="guest")
    student = read.row("/students", uid=people["guest"])
    assert (guest["classId"], guest["identity"], guest["joinedTime"]) == (lesson.lesson, 1, None)
    assert (guest["account"], guest["nickname"]) == (student["account"], student["name"])
    assert states(account=guest["account"]) == {people["guest"]: "guest"}
    member = read.row(path, uid=people["student"])
    in_course = read.row(f"/courses/{lesson.course}/members", uid=people["student"])
    same = ("uid", "account", "identity", "name", "nickname", "isCancelled", "joinedTime")
    assert {key: member[key] for key in same} == {key: in_course[key] for key in same}
    other = Scheduled(given.other())
    assert read.get(f"/classes/{other.lesson}/members").status_code == 404


def test_a_cursor_of_class_members_fits_its_own_list(given: Given, read: ReadBack) -> None:
    lesson = Scheduled(given)
    for _ in range(2):
        given.member(lesson.course)
        given.guest(lesson.lesson, given.student())
    path = f"/classes/{lesson.lesson}/members"
    cursor = read.get(path, limit=1).json()["next"]
    assert read.get(path, limit=1, cursor=cursor).status_code == 200
    assert read.get(path, state="guest", cursor=cursor).status_code == 400
    assert read.get("/groups", cursor=cursor).status_code == 400


def test_a_grouping_is_read_as_it_was_written(given: Given, read: ReadBack) -> None:
    grouped, other = Grouped(given), Grouped(given)
    Grouped(given.other())
    row = read.row("/groups", courseId=grouped.course)
    assert row == {
        "SID": given.school.id,
        "courseId": grouped.course,
        "groupId": grouped.id,
        "groupName": "Teams",
        "groupList": [
            [
                {"studentUid": grouped.leader, "isLeader": 1},
                {"studentUid": grouped.student, "isLeader": 0},
            ]
        ],
        "createdTime": row["createdTime"],
    }
    assert [row["groupId"] for row in read.rows("/groups", limit=1)] == [grouped.id, other.id]
    assert read.row("/groups", groupId=other.id)["courseId"] == other.course
    grouped.edit(groupName="Other 100%")
    assert read.row("/groups", groupName="r 100%")["groupId"] == grouped.id
    other.delete()
    assert [row["groupId"] for row in read.rows("/groups")] == [grouped.id]
