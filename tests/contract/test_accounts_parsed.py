"""Accounts are parsed before the unit of work, once, and long lists beside the event loop.

Case A12: a thousand e-mail addresses in one call stopped all writers for a second.
"""

import threading
from typing import Any

import email_validator
import pytest
from email_validator import validate_email

from tests.support.given import Given
from tests.support.wire import Reply, Value

ADDRESS = "ü1@bücher.example.com"


@pytest.fixture
def parsed_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the threads in which addresses are parsed, one for each address."""
    threads: list[str] = []

    def record(text: str, **options: Any) -> Any:  # noqa: ANN401  as the library has it
        threads.append(threading.current_thread().name)
        return validate_email(text, **options)

    monkeypatch.setattr(email_validator, "validate_email", record)
    return threads


def calls(given: Given) -> dict[str, dict[str, Value]]:
    """Return a call of each action that takes an account, with one e-mail address in it."""
    course = given.course()
    lesson = {
        name: value for name, value in given.lesson_form(course).items() if name != "teacherUid"
    }
    member: dict[str, Value] = {"courseId": course, "identity": 1}
    user: dict[str, Value] = {"email": ADDRESS, "password": "password"}
    return {
        "register": user,
        "registerMultiple": {"userJson": [user]},
        "addSchoolStudent": {"studentAccount": ADDRESS, "studentName": "Student"},
        "addTeacher": {"teacherAccount": ADDRESS, "teacherName": "Teacher"},
        "stopUsingTeacher": {"teacherAccount": ADDRESS},
        "restartUsingTeacher": {"teacherAccount": ADDRESS},
        "addCourse": {"courseName": "Course", "mainTeacherAccount": ADDRESS},
        "editCourse": {"courseId": course, "mainTeacherAccount": ADDRESS},
        "addCourseClass": {**lesson, "teacherAccount": ADDRESS},
        "addCourseStudent": {**member, "studentAccount": ADDRESS},
        "addCourseStudentMultiple": {**member, "studentJson": [{"account": ADDRESS}]},
        "delCourseStudentMultiple": {**member, "studentJson": [ADDRESS]},
        "addClassStudentMultiple": {**member, "classId": 1, "studentJson": [{"account": ADDRESS}]},
        "delClassStudentMultiple": {**member, "classId": 1, "studentJson": [ADDRESS]},
        "addCourseClassStudent": {**member, "studentAccount": ADDRESS, "classJson": [1]},
    }


@pytest.mark.parametrize(
    "action",
    [
        *("register", "registerMultiple", "addSchoolStudent", "addTeacher", "stopUsingTeacher"),
        *("restartUsingTeacher", "addCourse", "editCourse", "addCourseClass", "addCourseStudent"),
        *("addCourseStudentMultiple", "delCourseStudentMultiple"),
        *("addClassStudentMultiple", "delClassStudentMultiple", "addCourseClassStudent"),
    ],
)
def test_an_address_is_parsed_once_outside_the_unit_of_work(
    given: Given, parsed_in: list[str], action: str
) -> None:
    given.api.call(action, **calls(given)[action])
    assert len(parsed_in) == 1
    # The server's own thread runs the event loop; asyncio's threads prepare calls.
    assert parsed_in[0].partition("_")[0] in {"homeroom", "asyncio"}


@pytest.mark.parametrize("action", ["addCourseStudentMultiple", "delCourseStudentMultiple"])
def test_another_school_writes_while_a_list_is_parsed(
    given: Given, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    given.other()
    form = calls(given)[action]
    replies: list[Reply] = []

    def write_meanwhile(text: str, **options: Any) -> Any:  # noqa: ANN401  as the library has it
        if not replies:
            replies.append(given.other().api.call("addCourse", courseName="Meanwhile"))
        return validate_email(text, **options)

    monkeypatch.setattr(email_validator, "validate_email", write_meanwhile)
    assert given.api.call(action, **form).errno == 1
    assert [reply.errno for reply in replies] == [1]


@pytest.mark.parametrize(
    "address", ["a" * 10**6 + "@b.com", "ü" * 10**5 + "@b.com", "a@" + "ü." * 10**5 + "com"]
)
def test_an_endless_address_is_malformed_at_once(
    given: Given, parsed_in: list[str], address: str
) -> None:
    reply = given.api.call("addSchoolStudent", studentAccount=address, studentName="Student")
    assert reply.errno == 134
    assert not parsed_in
