"""Messages from the call that causes them to a receiver, with the commands of an operator."""

import hashlib
from collections.abc import Iterator

import pytest

from tests.support.engine import until
from tests.support.inbox import Inbox, receiving_in_thread
from tests.support.operator import School, refused, run_json
from tests.support.process import Process

pytestmark = pytest.mark.e2e
COURSE = "eeoCourseInfoChange"


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.api.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with receiving_in_thread() as inbox:
        yield inbox


def test_an_endpoint_gets_what_happens_after_its_test_message(
    server: Process, school: School, inbox: Inbox
) -> None:
    school.done("addCourse", courseName="Before")
    added = run_json(server, "endpoint", "add", str(school.sid), inbox.url)
    assert added["state"] == "active"
    assert inbox.commands == ["Test"]
    course = school.done("addCourse", courseName="After")
    inbox.wait(lambda: len(inbox.bodies) == 2)
    body = inbox.bodies[1]
    assert (body["Cmd"], body["SID"], body["opData"]["courseId"]) == (COURSE, school.sid, course)
    key = hashlib.md5(
        f"{school.secret}{body['TimeStamp']}".encode(), usedforsecurity=False
    ).hexdigest()
    assert body["SafeKey"] == key
    rows = run_json(server, "endpoint", "list", "--school", str(school.sid))
    assert [row["state"] for row in rows] == ["active"]


def test_a_receiver_that_fails_gets_the_same_message_again(
    server: Process, school: School, inbox: Inbox
) -> None:
    added = run_json(server, "endpoint", "add", str(school.sid), inbox.url)
    inbox.answer = {"error_info": {"errno": 2}}
    school.done("addCourse", courseName="One")
    school.done("addCourse", courseName="Two")
    inbox.wait(lambda: len(inbox.bodies) == 2)
    server.advance(10)
    inbox.wait(lambda: len(inbox.bodies) >= 3)
    first, second = inbox.bodies[1:3]
    assert first["_id"] == second["_id"]
    assert first["TimeStamp"] < second["TimeStamp"]
    inbox.answer = {"error_info": {"errno": 1}}
    server.advance(10)
    inbox.wait(lambda: len({body.get("_id") for body in inbox.bodies[1:]}) == 2)
    number = str(added["id"])
    run_json(server, "endpoint", "pause", number)
    assert "is paused, not active" in refused(server, "endpoint", "pause", number)
    school.done("addCourse", courseName="Three")
    run_json(server, "endpoint", "resume", number, "--from-now")
    school.done("addCourse", courseName="Four")
    inbox.wait(lambda: "Four" in str(inbox.bodies[-1]))
    assert "Three" not in str(inbox.bodies)
    run_json(server, "endpoint", "remove", number)
    assert run_json(server, "endpoint", "list", "--school", str(school.sid)) == []


def test_an_endpoint_of_standard_webhooks(server: Process, school: School, inbox: Inbox) -> None:
    added = run_json(server, "endpoint", "add", str(school.sid), inbox.url, "--format", "standard")
    assert added["secret"].startswith("whsec_")
    rotated = run_json(server, "endpoint", "rotate", str(added["id"]))
    assert rotated["secret"] != added["secret"]
    school.done("addCourse", courseName="Signed")
    inbox.wait(lambda: len(inbox.bodies) == 2)
    assert len(inbox.headers[1]["webhook-signature"].split()) == 2
    assert "SafeKey" not in inbox.bodies[1]


def test_an_operator_looks_at_messages_and_sends_them_again(
    server: Process, school: School, inbox: Inbox
) -> None:
    sid = str(school.sid)
    endpoint = str(run_json(server, "endpoint", "add", sid, inbox.url)["id"])
    course = school.course()
    emitted = run_json(
        server, "message", "emit", sid, "homework_score", "--course", str(course),
        "--fields", '{"CourseName": "Algebra"}',
    )  # fmt: skip
    assert emitted == {"sid": school.sid, "kind": "homework_score"}
    inbox.wait(lambda: len(inbox.bodies) == 3)
    assert inbox.bodies[2]["CourseName"] == "Algebra"
    listed = run_json(server, "message", "list", "--school", sid)
    assert [row["kind"] for row in listed] == ["homework_score", "course_changed"]
    number = str(listed[1]["id"])
    run_json(server, "message", "resend", number, "--endpoint", endpoint)
    inbox.wait(lambda: len(inbox.bodies) == 4)
    assert (inbox.bodies[3]["_id"], inbox.headers[3]["homeroom-resend"]) == (
        inbox.bodies[1]["_id"],
        "1",
    )
    # The last result is saved after the answer.
    until(lambda: not run_json(server, "message", "list", "--school", sid, "--state", "waiting"))
    many = run_json(server, "message", "resend", "--since", "2020-01-01", "--endpoint", endpoint)
    assert many["resent"] == 2
    inbox.wait(lambda: len(inbox.bodies) == 6)
    shown = run_json(server, "message", "show", number)
    assert shown["_id"] == inbox.bodies[1]["_id"]
    assert [each["resend"] for each in shown["deliveries"]] == [False, True, True]
    assert {each["outcome"] for each in shown["attempts"]} <= {"acknowledged"}


def test_the_inbox_of_a_sandbox_has_what_commands_cause(server: Process, school: School) -> None:
    run_json(server, "course", "add", str(school.sid), "--name", "By a command")
    listed = run_json(server, "message", "list", "--school", str(school.sid))
    assert [(row["kind"], row["states"]) for row in listed] == [("course_changed", {})]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["list", "--kind", "nothing"], "no message is named 'nothing'"),
        (["list", "--limit", "1001"], "a list has 1 to 1000 messages"),
        (["show", "999999999"], "no message has the id"),
        (["emit", "{sid}", "homework_score", "--course", "999999999"], "has no course"),
        (["emit", "{sid}", "stage", "--fields", "[]"], "--fields is a JSON object"),
    ],
)
def test_commands_about_messages_that_are_refused(
    server: Process, school: School, words: list[str], reason: str
) -> None:
    words = [word.format(sid=school.sid) for word in words]
    assert reason in refused(server, "message", *words)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["ftp://school.example/"], "is an http or https address"),
        (["http://u:p@school.example/"], "no user, password or fragment"),
        (["http://127.0.0.1:9/", "--kinds", "nothing"], "no message has the name"),
        (["http://127.0.0.1:9/", "--ordering", "none"], "takes the ordering school, class"),
        (["http://127.0.0.1:9/"], "did not acknowledge the test message: connect"),
        (["http://169.254.169.254/"], "did not acknowledge the test message: blocked_address"),
    ],
)
def test_endpoints_that_are_refused(
    server: Process, school: School, words: list[str], reason: str
) -> None:
    assert reason in refused(server, "endpoint", "add", str(school.sid), *words)
    assert run_json(server, "endpoint", "list", "--school", str(school.sid)) == []
