"""The inbox of the sandbox, and messages on request (READINGS Q101)."""

from typing import Any

import httpx
import pytest

from homeroom.contract.messages.catalogue import build_default_body, parse_body
from homeroom.contract.messages.kinds import KINDS, MessageKind, MessageSubject
from tests.support.activities import Syllabus
from tests.support.given import Given
from tests.support.sandbox import Sandbox

READY = [kind for kind in MessageKind if build_default_body(kind) is not None]


def ids_for(given: Given, kind: MessageKind) -> dict[str, int]:
    """Return the ids that a message of a kind needs."""
    subject = KINDS[kind].stream
    if subject is MessageSubject.CLASS:
        return {"classId": given.lesson()}
    if subject is MessageSubject.COURSE:
        return {"courseId": given.course()}
    return {"uid": given.user()} if subject is MessageSubject.PERSON else {}


def test_what_a_call_causes_is_in_the_inbox_without_an_endpoint(
    given: Given, sandbox: Sandbox
) -> None:
    course = given.course()
    (message,) = sandbox.messages(given.school.id, kind="course_changed", wait=5)
    assert message["cmd"] == "eeoCourseInfoChange"
    assert message["body"]["opData"]["courseId"] == course
    assert (message["courseId"], message["attempts"], message["simulated"]) == (course, [], False)
    assert sandbox.messages(given.school.id, after=message["id"]) == []


@pytest.mark.parametrize("kind", READY)
def test_every_kind_can_be_asked_for(given: Given, sandbox: Sandbox, kind: MessageKind) -> None:
    ids = ids_for(given, kind)
    last = sandbox.messages(given.school.id, limit=500)
    after = last[-1]["id"] if last else 0
    sandbox.emit(given.school.id, kind.value, **ids)
    (message,) = sandbox.messages(given.school.id, kind=kind.value, after=after, wait=5)
    body: dict[str, Any] = message["body"]
    assert (body["Cmd"], body["SID"]) == (KINDS[kind].command, given.school.id)
    assert message["simulated"]
    parse_body(kind, body)


def test_fields_replace_default_values(given: Given, sandbox: Sandbox) -> None:
    course = given.course()
    fields = {"CourseName": "Algebra", "Data": {"StudentInfo": {"StudentName": "Ann"}}}
    sandbox.emit(given.school.id, "homework_score", courseId=course, fields=fields)
    (message,) = sandbox.messages(given.school.id, kind="homework_score", wait=5)
    data = message["body"]["Data"]
    assert message["body"]["CourseName"] == "Algebra"
    assert (data["StudentInfo"]["StudentName"], data["State"]) == ("Ann", 40)


def test_default_values_are_those_of_what_the_message_is_about(
    given: Given, sandbox: Sandbox
) -> None:
    teacher = given.teacher()
    course = given.course(courseName="Algebra", mainTeacherUid=teacher)
    lesson, student = given.lesson(course, className="Sets", teacherUid=teacher), given.user()
    given.done("addSchoolStudent", studentUid=student, studentName="Ann")
    activity = Syllabus(given, course).activity_of(lesson)
    sandbox.emit(given.school.id, "homework_score", activityId=activity, uid=student)
    (message,) = sandbox.messages(given.school.id, kind="homework_score", wait=5)
    assert (message["courseId"], message["classId"]) == (course, lesson)
    body, data = message["body"], message["body"]["Data"]
    assert (body["CourseName"], data["ActivityId"], data["ActivityName"]) == (
        "Algebra",
        activity,
        "Sets",
    )
    assert data["StudentInfo"]["StudentUid"] == student
    assert data["StudentInfo"]["StudentName"] == "Ann"
    assert data["TeacherInfo"]["TeacherUid"] == teacher
    assert data["SubmissionTime"] == given.now


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"kind": "nothing"}, "no message is named"),
        ({"kind": "homework_score"}, "needs courseId"),
        ({"kind": "homework_score", "courseId": 10**9}, "has no course"),
        ({"kind": "stage", "classId": 10**9}, "has no class"),
        ({"kind": "homework_score", "activityId": 10**9}, "has no activity"),
        ({"kind": "account_cancelled"}, "needs uid"),
    ],
)
def test_requests_that_are_refused(
    given: Given, sandbox: Sandbox, body: dict[str, Any], reason: str
) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        sandbox.emit(given.school.id, **body)
    assert refused.value.response.status_code == 400
    assert reason in refused.value.response.text


@pytest.mark.parametrize("fields", [{"State": "x"}, {"Data": {"State": "40"}}, {"Nothing": 1}])
def test_fields_of_another_type_are_refused(
    given: Given, sandbox: Sandbox, fields: dict[str, Any]
) -> None:
    course = given.course()
    with pytest.raises(httpx.HTTPStatusError) as refused:
        sandbox.emit(given.school.id, "homework_score", courseId=course, fields=fields)
    assert refused.value.response.status_code == 400
    assert sandbox.messages(given.school.id, kind="homework_score") == []


@pytest.mark.parametrize(
    "query", [{"wait": 31}, {"limit": 0}, {"limit": 501}, {"kind": "none"}, {"after": "x"}]
)
def test_queries_that_are_refused(
    given: Given, sandbox: Sandbox, query: dict[str, str | int]
) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        sandbox.messages(given.school.id, **query)
