"""The read-back: contents, permissions, and refusals."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import LessonId, UserId
from homeroom.contract.readback import READ_BACKS
from tests.support.given import Given
from tests.support.message_rows import add_endpoint
from tests.support.orders.groupings import add_grouping
from tests.support.readback import ReadBack

LISTS = [read_back.path for read_back in READ_BACKS if read_back.order]
FLAT = [path for path in LISTS if "{" not in path]


@pytest.fixture
def read(given: Given) -> Iterator[ReadBack]:
    """Read as the fresh school."""
    readback = ReadBack(given)
    yield readback
    readback.close()


@pytest.fixture
def operator(given: Given) -> Iterator[ReadBack]:
    """Read as the operator."""
    readback = ReadBack(given, of_operator=True)
    yield readback
    readback.close()


def fill_path(path: str, given: Given) -> str:
    """Put ids of the school into a path."""
    if "endpointId" in path or "messageId" in path:
        return path.format(endpointId=1, messageId=1)
    if "courseId" in path:
        return path.format(courseId=given.course())
    return path.format(classId=given.lesson()) if "classId" in path else path


def add_comment(school: Given, lesson: LessonId, student: UserId) -> None:
    """Comment on a student of a class."""
    comment = {"studentUid": student, "starNum": 5, "comment": "Good."}
    school.done("updateClassStudentComment", classId=lesson, commentJson=[comment])


# --- what is shown ---------------------------------------------------------------------------


def test_a_school_is_shown_without_its_secrets(given: Given, read: ReadBack) -> None:
    given.plan(max_seats=4)
    row = read.row("/schools")
    assert (row["SID"], row["schoolName"], row["isSuspended"]) == (given.school.id, "School", 0)
    assert row["plan"]["max_seats"] == 4
    assert given.school.secret not in read.get("/schools").text


def test_the_settings_of_a_school_are_shown(given: Given, read: ReadBack) -> None:
    row = {"SID": given.school.id, "allowViewReplay": 1, "allowNewStudentViewReplay": 1}
    assert read.row("/conf") == row
    given.done("modifySchoolConf", allowNewStudentViewReplay=0)
    assert read.row("/conf") == {**row, "allowNewStudentViewReplay": 0}
    assert read.row("/conf", SID=given.school.id)["allowViewReplay"] == 1


def test_a_class_is_read_as_it_was_written(given: Given, read: ReadBack) -> None:
    helper, teacher = given.teacher(), given.teacher()
    course = given.course(courseName="Physics")
    fields: dict[str, Any] = {
        "className": "Waves",
        "teacherUid": teacher,
        "seatNum": 1,
        "isHd": 2,
        "record": 1,
        "recordScene": 1,
        "live": 1,
        "replay": 1,
        "isAutoOnstage": 1,
        "watchByLogin": 1,
        "allowUnloggedChat": 0,
        "classIntroduce": "About waves.",
        "courseUniqueIdentity": "waves-1",
    }
    done = given.done(
        "addCourseClass",
        **given.lesson_form(course, **fields, assistantUids=[helper]),
    )
    row = read.get(f"/classes/{done.data}").json()
    assert row == read.row("/classes")
    assert {name: row[name] for name in fields} == fields
    assert (row["SID"], row["courseId"], row["courseName"]) == (given.school.id, course, "Physics")
    assert (row["beginTime"], row["endTime"]) == (given.now + DAY, given.now + DAY + HOUR)
    assert row["teacher"]["uid"] == teacher
    assert row["teacher"]["account"] == read.row("/teachers", uid=teacher)["account"]
    assert row["assistantUids"] == [helper]
    assert [person["uid"] for person in row["assistants"]] == [helper]
    assert {"live_url": row["live_url"], "live_info": row["live_info"]} == done.body["more_data"]
    assert (row["state"], row["isLock"], row["closedTime"], row["deletedTime"]) == (
        1,
        0,
        None,
        None,
    )


def test_the_state_of_a_class_follows_the_clock(given: Given, read: ReadBack) -> None:
    lesson = given.lesson(beginTime=given.now + HOUR, endTime=given.now + 2 * HOUR)
    start = given.now
    seen = []
    try:
        for after in (0, HOUR, 2 * HOUR + 20 * MINUTE - 1, 2 * HOUR + 20 * MINUTE):
            given.clock.moment = start + after
            state = read.get(f"/classes/{lesson}").json()["state"]
            assert [row["classId"] for row in read.rows("/classes", state=state)] == [lesson]
            seen.append(state)
    finally:
        given.clock.moment = start
    assert seen == [1, 2, 2, 3]


def test_a_class_closed_early_is_over(given: Given, read: ReadBack) -> None:
    lesson = given.lesson()
    given.store.write(lambda uow: uow.lessons.close(lesson, uow.now))
    row = read.row("/classes", state=3)
    assert (row["classId"], row["closedTime"]) == (lesson, given.now)


def test_deleted_classes_are_shown_and_can_be_left_out(given: Given, read: ReadBack) -> None:
    course = given.course()
    gone, remaining = given.lesson(course), given.lesson(course)
    given.done("delCourseClass", courseId=course, classId=gone)
    assert [row["state"] for row in read.rows("/classes")] == [4, 1]
    assert [row["classId"] for row in read.rows("/classes", state=4)] == [gone]
    assert [row["classId"] for row in read.rows("/classes", deleted=1)] == [gone]
    assert [row["classId"] for row in read.rows("/classes", deleted=0)] == [remaining]


def test_classes_are_filtered(given: Given, read: ReadBack) -> None:
    course, other = given.course(), given.course()
    teacher, helper = given.teacher(), given.teacher()
    first = given.lesson(course, className="50% of It", courseUniqueIdentity="one")
    late = {"beginTime": given.now + 3 * DAY, "endTime": given.now + 3 * DAY + HOUR}
    second = given.lesson(other, teacherUid=teacher, assistantUid=helper, **late)

    def ids(**query: Any) -> list[int]:  # noqa: ANN401  any filter
        return [row["classId"] for row in read.rows("/classes", **query)]

    assert ids() == [first, second]
    assert ids(courseId=course) == [first]
    assert ids(teacherUid=teacher) == [second]
    assert ids(assistantUid=helper) == [second]
    assert ids(courseId=other, teacherUid=helper) == []
    assert ids(className="50% OF") == [first]
    assert ids(className="%") == [first]
    assert ids(courseUniqueIdentity="one") == [first]
    assert ids(**{"from": given.now + 2 * DAY}) == [second]
    assert ids(to=given.now + 2 * DAY) == [first]
    assert ids(**{"from": given.now, "to": given.now + 9 * DAY, "courseId": other}) == [second]


def test_with_a_time_the_order_is_that_of_the_start(given: Given, read: ReadBack) -> None:
    course = given.course()
    hours = [3, 1, 2]
    made = [
        given.lesson(course, beginTime=given.now + n * HOUR, endTime=given.now + (n + 1) * HOUR)
        for n in hours
    ]
    by_start = [row["classId"] for row in read.rows("/classes", limit=1, to=given.now + DAY)]
    assert by_start == [made[1], made[2], made[0]]
    assert [row["classId"] for row in read.rows("/classes", limit=1)] == made


def test_courses_are_read_and_filtered(given: Given, read: ReadBack) -> None:
    labels = [given.label(), given.label()]
    head = given.teacher()
    physics = given.course(
        courseName="Physics", courseUniqueIdentity="ph", mainTeacherUid=head, subjectId=3
    )
    labelled = [{"courseId": physics, "labelIds": [int(label) for label in reversed(labels)]}]
    given.done("addCourseLabels", courseList=labelled)
    ended, deleted = given.course(), given.deleted_course()
    given.done("endCourse", courseId=ended)
    row = read.row("/courses", courseName="phys")
    assert row["courseId"] == physics
    assert (row["courseType"], row["state"], row["subjectId"]) == (1, 2, 3)
    assert (row["mainTeacherUid"], row["expiryTime"]) == (head, 0)
    assert row["labelIds"] == [int(label) for label in reversed(labels)]
    assert read.row("/courses", courseUniqueIdentity="ph") == row
    assert read.row("/courses", labelId=labels[0]) == row
    assert read.row("/courses", mainTeacherUid=head) == row
    assert read.row("/courses", state=3)["courseId"] == ended
    assert read.row("/courses", deleted=1)["courseId"] == deleted
    assert read.row("/courses", courseId=deleted)["state"] == 4


def test_people_are_read_and_filtered(given: Given, read: ReadBack) -> None:
    teacher, student = given.teacher(), given.student()
    account = read.row("/teachers", uid=teacher)["account"]
    assert read.row("/teachers", account=account)["state"] == "active"
    given.done("stopUsingTeacher", teacherUid=teacher)
    assert [row["uid"] for row in read.rows("/teachers", state="stopped")] == [teacher]
    assert read.rows("/teachers", state="active") == []
    mail = UserId(
        given.done("register", email="Anna@Example.com", md5pass="0" * 32, addToSchoolMember=1).data
    )
    assert [row["uid"] for row in read.rows("/students")] == [student, mail]
    assert read.row("/students", account="ANNA@example.com")["uid"] == mail
    assert read.rows("/students", uid=teacher) == []


def test_members_are_read_and_filtered(given: Given, read: ReadBack) -> None:
    course = given.course()
    student, auditor = given.member(course), given.member(course, identity=2)
    given.member(given.course())
    path = f"/courses/{course}/members"
    assert [(row["uid"], row["identity"]) for row in read.rows(path)] == [
        (student, 1),
        (auditor, 2),
    ]
    assert read.row(path, identity=2)["uid"] == auditor
    assert read.row(path, uid=student)["courseId"] == course


def test_labels_and_folders_are_read(given: Given, read: ReadBack) -> None:
    label = given.label("Blue")
    top = int(given.done("getTopFolderId").data)
    folder = given.done("createFolder", folderId=top, folderName="Slides").data
    assert read.row("/labels", labelName="blu")["labelId"] == int(label)
    assert [row["parentId"] for row in read.rows("/folders")] == [None, top]
    assert read.row("/folders", parentId=top)["folderName"] == "Slides"
    assert read.row("/folders", folderName="slides")["folderId"] == int(str(folder))


# --- pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [{}, {"to": 2**40}], ids=["by creation", "by start"])
def test_pages_give_each_row_once_while_others_write(
    given: Given, read: ReadBack, query: dict[str, int]
) -> None:
    course, teacher = given.course(), given.teacher()
    before = {given.lesson(course, teacherUid=teacher) for _ in range(7)}
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = read.get("/classes", limit=2, **query, **cursor).json()
        seen += [row["classId"] for row in page["data"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
        if len(seen) < 6:
            given.lesson(course, teacherUid=teacher)
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


def test_pages_of_people_give_each_row_once(given: Given, read: ReadBack) -> None:
    teachers = sorted(given.teacher() for _ in range(5))
    pages = [read.get("/teachers", limit=5).json(), read.get("/teachers", limit=4).json()]
    assert [page["next"] is None for page in pages] == [True, False]
    assert [row["uid"] for row in read.rows("/teachers", limit=2)] == teachers


def test_the_operator_pages_through_all_schools(given: Given, operator: ReadBack) -> None:
    lessons = {given.lesson(), given.other().lesson()}
    seen = [row["classId"] for row in operator.rows("/classes", limit=1)]
    assert len(seen) == len(set(seen))
    assert lessons <= set(seen)


@pytest.mark.parametrize("path", LISTS)
def test_every_list_has_a_limit(path: str, given: Given, read: ReadBack) -> None:
    place = fill_path(path, given)
    assert len(read.get(place, limit=1).json()["data"]) <= 1
    for limit in ("0", "1001", "-1", "x", "1.5"):
        problem = read.problem(place, 400, limit=limit)
        assert problem["parameter"] == "limit"
        assert problem["detail"].startswith("limit: must be a")


@pytest.mark.parametrize(
    "cursor", ["x", "%%%", "W10", "eyJhIjoxfQ", "WyJjbGFzc2VzIixbMSwyLDNdXQ", "é", "A" * 201]
)
def test_a_cursor_that_is_none_is_refused(cursor: str, read: ReadBack) -> None:
    assert read.problem("/classes", 400, cursor=cursor)["parameter"] == "cursor"


def test_a_cursor_of_another_list_is_refused(given: Given, read: ReadBack) -> None:
    given.course()
    given.course()
    following = read.get("/courses", limit=1).json()["next"]
    assert "another list" in read.problem("/labels", 400, cursor=following)["detail"]


# --- who may see what ------------------------------------------------------------------------


@pytest.mark.parametrize("path", [read_back.path for read_back in READ_BACKS])
def test_without_a_token_nothing_is_shown(path: str, given: Given, read: ReadBack) -> None:
    place = fill_path(path, given)
    read.token = "nobody's"
    assert read.problem(place, 401)["detail"] == "no such token is in force"
    assert read.get(place).headers["www-authenticate"].startswith("Bearer")
    read.scheme = "Basic"
    assert "Bearer" in read.problem(place, 401)["detail"]


def test_a_revoked_token_is_none(given: Given, read: ReadBack) -> None:
    given.store.write(lambda uow: uow.tokens.revoke(read.id, uow.now))
    read.problem("/schools", 401)


@pytest.mark.parametrize("path", FLAT)
def test_a_school_sees_only_its_own(
    path: str, given: Given, read: ReadBack, operator: ReadBack
) -> None:
    for school in (given, given.other()):
        school.viewer(school.lesson())
        school.label()
        course = school.course()
        student = school.member(course)
        add_grouping(school, course, student)
        add_comment(school, school.lesson(course), student)
        school.file()
        add_endpoint(school, kinds=("award",))
    mine, other = given.school.id, given.other().school.id
    assert {row["SID"] for row in read.rows(path)} == {mine}
    assert read.rows(path, SID=mine) == read.rows(path)
    problem = read.problem(path, 403, SID=other)
    assert (problem["parameter"], str(mine) in problem["detail"]) == ("SID", True)
    assert {row["SID"] for row in operator.rows(path, SID=other)} == {other}
    assert {mine, other} <= {row["SID"] for row in operator.rows(path)}


def test_anothers_id_is_not_found(given: Given, read: ReadBack, operator: ReadBack) -> None:
    lesson, course = given.other().lesson(), given.other().course()
    for path in (f"/classes/{lesson}", f"/classes/{lesson}/clips", f"/courses/{course}/members"):
        assert read.problem(path, 404)["parameter"] in ("classId", "courseId")
        assert operator.get(path).status_code == 200
    assert read.rows("/classes", courseId=given.other().course()) == []
    assert read.rows("/classes", courseId=read_course(operator, lesson)) == []


def read_course(operator: ReadBack, lesson: LessonId) -> int:
    return int(operator.get(f"/classes/{lesson}").json()["courseId"])


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "1.0", "%00"])
def test_what_is_no_id_is_not_found(number: str, read: ReadBack) -> None:
    read.problem(f"/classes/{number}", 404)
    read.problem(f"/courses/{number}/members", 404)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"courseid": 1}, "courseid"),
        ({"courseId": "x"}, "courseId"),
        ({"courseId": 2**63}, "courseId"),
        ({"state": 5}, "state"),
        ({"deleted": "yes"}, "deleted"),
        ({"from": "today"}, "from"),
        ({"SID": 0}, "SID"),
        ({"className": "a\0b"}, "className"),
        ({"state": [1, 2]}, "state"),
    ],
)
def test_a_bad_parameter_is_named(query: dict[str, Any], name: str, read: ReadBack) -> None:
    problem = read.problem("/classes", 400, **query)
    assert problem["parameter"] == name
    assert problem["detail"].startswith(f"{name}: ")


def test_only_get_is_answered(given: Given, read: ReadBack) -> None:
    answer = httpx.post(f"{given.house.url}/admin/v1/classes", json={}, timeout=30)
    assert answer.status_code == 405
    assert msgspec.json.decode(answer.content)["detail"] == "POST is not answered here"
    assert "GET" in answer.headers["allow"]
    assert read.problem("/nothing", 404)["detail"] == "there is nothing at /admin/v1/nothing"
