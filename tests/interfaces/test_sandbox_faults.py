"""Faults that an integrator asks for: what the client sees, and what was done all the same."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import func, select

from homeroom.base.ids import CourseId
from homeroom.domain.lessons import RecordingOptions
from homeroom.store.tables import course_labels, courses
from tests.support.given import Given
from tests.support.raw import COURSE, every_byte, head
from tests.support.sandbox import Sandbox
from tests.support.wire import Reply


def courses_of(given: Given) -> int:
    """Count the courses of the school."""
    query = select(func.count()).where(courses.c.school_id == given.school.id)
    return int(given.rows(query)[0][0])


def adds_course(given: Given, name: str = "Course") -> Reply:
    """Call the action that most of these faults meet."""
    return given.api.call("addCourse", courseName=name)


def bytes_of_answer(given: Given, name: str) -> bytes:
    """Call addCourse on a bare socket and return every byte that comes back."""
    body = urlencode(given.api.signed(courseName=name)).encode()
    return every_byte(given.house.url, head(f"{COURSE}?action=addCourse", len(body)) + body)


def test_fault_is_answered_with_its_id_listed_and_counted_down(
    given: Given, sandbox: Sandbox
) -> None:
    fields = {"sid": given.school.id, "action": "addCourse", "errno": 104, "times": 2}
    fault = sandbox.fault(**fields)
    rest = {
        "delay_ms": 0,
        "drop": False,
        "after_commit": False,
        "in_entries": False,
        "entries": [],
    }

    def pending() -> list[dict[str, Any]]:
        faults = sandbox.http.get("/faults").json()["faults"]
        return [entry for entry in faults if entry["sid"] == given.school.id]

    assert pending() == [{"id": fault, **fields, **rest}]
    first = adds_course(given)
    assert (first.errno, first.reason) == (104, f"fault {fault} asked for it")
    assert pending() == [{"id": fault, **fields, "times": 1, **rest}]
    assert adds_course(given).errno == 104
    assert pending() == []
    assert adds_course(given).errno == 1


def test_plain_errno_means_that_nothing_was_done(given: Given, sandbox: Sandbox) -> None:
    sandbox.fault(sid=given.school.id, action="addCourse", errno=114)
    reply = adds_course(given)
    assert reply.errno == 114
    assert set(reply.body) == {"error_info"}
    assert courses_of(given) == 0


def test_errno_after_commit_hides_work_that_was_done(given: Given, sandbox: Sandbox) -> None:
    sandbox.fault(sid=given.school.id, action="addCourse", errno=104, after_commit=True)
    reply = adds_course(given)
    assert reply.errno == 104
    assert set(reply.body) == {"error_info"}
    assert courses_of(given) == 1


@pytest.mark.parametrize("errno", [281, 280])
def test_warning_of_recording_is_true(given: Given, sandbox: Sandbox, errno: int) -> None:
    sandbox.fault(sid=given.school.id, action="addCourseClass", errno=errno)
    fields: dict[str, Any] = {"record": 1, "recordScene": 1, "live": 1, "replay": 1}
    reply = given.api.call("addCourseClass", **given.lesson_form(**fields))
    assert reply.errno == errno
    assert reply.body["more_data"]["live_url"] == ""
    switches = given.seen(reply.data).recording
    assert switches == RecordingOptions()


def test_warning_of_an_introduction_is_true(given: Given, sandbox: Sandbox) -> None:
    sandbox.fault(sid=given.school.id, action="addCourseClass", errno=824)
    form = given.lesson_form(classIntroduce="About fractions", record=1)
    reply = given.api.call("addCourseClass", **form)
    assert reply.errno == 824
    lesson = given.seen(reply.data)
    assert (lesson.introduction, lesson.recording.record) == ("", True)


def test_warning_of_an_edit_leaves_what_it_says_was_not_changed(
    given: Given, sandbox: Sandbox
) -> None:
    lesson = given.lesson(record=1)
    sandbox.fault(sid=given.school.id, action="editCourseClass", errno=284)
    reply = given.api.call(
        "editCourseClass",
        courseId=given.seen(lesson).course,
        classId=lesson,
        className="New",
        record=0,
        live=0,
        replay=0,
    )
    assert reply.errno == 284
    after = given.seen(lesson)
    assert (after.name, after.recording.record) == ("New", True)


def test_warning_cannot_be_said_of_work_that_was_refused(given: Given, sandbox: Sandbox) -> None:
    sandbox.fault(sid=given.school.id, action="addCourseClass", errno=281)
    reply = given.api.call("addCourseClass", **given.lesson_form(CourseId(10**9)))
    assert (reply.errno, set(reply.body)) == (147, {"error_info"})
    assert not reply.reason.startswith("fault")


@pytest.mark.parametrize("after_commit", [False, True])
def test_delay_comes_before_the_work_or_after_it(
    given: Given, sandbox: Sandbox, *, after_commit: bool
) -> None:
    sandbox.fault(sid=given.school.id, action="addCourse", delay_ms=1500, after_commit=after_commit)
    with ThreadPoolExecutor(1) as client:
        began = time.monotonic()
        slow = client.submit(adds_course, given)
        seen = [courses_of(given)]
        while time.monotonic() - began < 1.2 and not slow.done():
            seen.append(courses_of(given))
        assert slow.result().errno == 1
        assert time.monotonic() - began >= 1.5
    assert (1 in seen) is after_commit
    assert courses_of(given) == 1


@pytest.mark.parametrize("after_commit", [False, True])
def test_dropped_connection_carries_no_byte(
    given: Given, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, *, after_commit: bool
) -> None:
    sandbox.fault(
        sid=given.school.id, action="addCourse", drop=True, times=2, after_commit=after_commit
    )
    assert bytes_of_answer(given, "One") == b""
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
        adds_course(given, "Two")
    assert courses_of(given) == (2 if after_commit else 0)
    assert not [record for record in caplog.records if record.exc_info]
    (second, first) = sandbox.journal(sid=given.school.id)
    assert second["errno"] is first["errno"] is None
    assert adds_course(given, "Three").errno == 1


def test_delayed_drop_waits_first(given: Given, sandbox: Sandbox) -> None:
    sandbox.fault(sid=given.school.id, action="addCourse", drop=True, delay_ms=300)
    began = time.monotonic()
    assert bytes_of_answer(given, "One") == b""
    assert time.monotonic() - began >= 0.3


def labels_of(given: Given) -> int:
    """Count the labels that the courses of the school have."""
    query = select(func.count()).select_from(
        course_labels.join(courses, courses.c.id == course_labels.c.course_id)
    )
    return int(given.rows(query.where(courses.c.school_id == given.school.id))[0][0])


def test_errno_of_entries_stands_in_the_entries_that_were_named(
    given: Given, sandbox: Sandbox
) -> None:
    """READINGS Q99: the others do their work."""
    sid, label = given.school.id, given.label()
    entries = [{"courseId": given.course(), "labelIds": [label]} for _ in range(3)]
    fault = sandbox.fault(sid=sid, action="addCourseLabels", errno=144, entries=[1, 3])
    reply = given.api.call("addCourseLabels", courseList=entries)
    assert (reply.errno, reply.errnos) == (1, [144, 1, 144])
    asked_for = f"fault {fault} asked for it"
    assert reply.reason == f"entry 1: {asked_for}; entry 3: {asked_for}"
    assert labels_of(given) == 1
    sandbox.fault(sid=sid, action="addCourseLabels", errno=358)
    assert given.api.call("addCourseLabels", courseList=entries).errnos == [358] * 3
    assert labels_of(given) == 1


def test_warning_of_entries_keeps_their_work(given: Given, sandbox: Sandbox) -> None:
    sandbox.fault(sid=given.school.id, action="addCourseStudentMultiple", errno=841, entries=[2])
    students = [{"uid": given.student()} for _ in range(2)]
    course = given.course()
    reply = given.api.call("addCourseStudentMultiple", courseId=course, studentJson=students)
    assert (reply.errno, reply.errnos) == (1, [1, 841])
    again = given.api.call("addCourseStudentMultiple", courseId=course, studentJson=students)
    assert again.errnos == [163, 163]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"action": "addCourseLabels", "errno": 144, "entries": []}, "numbers from 1 to 1000"),
        ({"action": "addCourseLabels", "errno": 144, "entries": [0]}, "numbers from 1 to 1000"),
        ({"action": "addCourseLabels", "errno": 102, "entries": [1]}, "may be one of"),
        ({"action": "addCourse", "errno": 102, "entries": [1]}, "has no entries"),
        ({"action": "addCourseLabels", "errno": 398}, "no fault of addCourseLabels"),
    ],
    ids=str,
)
def test_faults_of_entries_that_no_call_could_give_are_refused(
    sandbox: Sandbox, fault: dict[str, Any], reason: str
) -> None:
    response = sandbox.http.post("/faults", json=fault)
    assert response.status_code == httpx.codes.BAD_REQUEST
    assert reason in response.text


def test_fault_of_one_school_leaves_another_alone(given: Given, sandbox: Sandbox) -> None:
    sandbox.fault(sid=given.school.id, action="addCourse", errno=104)
    assert adds_course(given.other()).errno == 1
    assert adds_course(given).errno == 104


def test_fault_without_a_school_meets_any(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    fault = sandbox.fault(action="addCourse", errno=104)
    assert adds_course(given.other()).reason == f"fault {fault} asked for it"


def test_faults_can_all_be_taken_back(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    sandbox.fault(action="addCourse", errno=104)
    sandbox.fault(sid=given.school.id, action="addCourse", errno=114)
    assert sandbox.http.delete("/faults").json() == {"removed": 2}
    assert sandbox.http.get("/faults").json() == {"faults": []}
    assert adds_course(given).errno == 1


def test_door_may_be_said_to_be_in_maintenance(given: Given, sandbox: Sandbox) -> None:
    sandbox.fault(sid=given.school.id, action="addCourse", errno=901)
    assert adds_course(given).errno == 901


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"action": "noSuchAction"}, "; there are add"),
        ({"action": "delCourse"}, "was withdrawn"),
        ({"errno": 317}, "it may be one of 100, 102, 103, 104, "),
        ({"errno": 1}, "is no fault"),
        ({"errno": 10**30}, "is no fault"),
        ({"errno": None}, "errno, delay_ms or drop"),
        ({"drop": True}, "errno or drop"),
        ({"delay_ms": -1}, "delay_ms must be"),
        ({"delay_ms": 60_001}, "delay_ms must be"),
        ({"times": 0}, "times must be"),
        ({"times": 1001}, "times must be"),
        ({"errno": "104"}, "Expected `int | null`"),
        ({"after": True}, "unknown field"),
    ],
)
def test_fault_that_makes_no_sense_is_refused(
    given: Given, sandbox: Sandbox, change: dict[str, object], word: str
) -> None:
    fields = {"sid": given.school.id, "action": "addCourse", "errno": 104, **change}
    answer = sandbox.http.post("/faults", json=fields)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert word in answer.json()["detail"]


@pytest.mark.parametrize("sid", [10**9, 0, -1, 2**64, 10**30])
def test_fault_of_no_school_is_refused(sandbox: Sandbox, sid: int) -> None:
    answer = sandbox.http.post("/faults", json={"sid": sid, "action": "addCourse", "errno": 104})
    assert answer.status_code in {400, 404}


def test_faults_have_a_limit(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    injector = given.house.faults
    assert injector is not None
    sandbox.fault(action="addCourse", errno=104)
    (fault,) = injector.pending()
    for _ in range(999):
        injector.add(fault)
    answer = sandbox.http.post("/faults", json={"action": "addCourse", "errno": 104})
    assert answer.status_code == 409
    assert sandbox.http.delete("/faults").json() == {"removed": 1000}
