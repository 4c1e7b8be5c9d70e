"""The journal: the last requests as an integrator sees them, without secrets."""

import pytest

from tests.support.given import Given
from tests.support.sandbox import Sandbox


def test_journal_shows_the_last_requests_newest_first(given: Given, sandbox: Sandbox) -> None:
    given.done("addCourse", courseName="代数")
    refused = given.api.call("addCourse")
    second, first = sandbox.journal(sid=given.school.id)
    assert (first["action"], first["errno"], first["reason"]) == ("addCourse", 1, "")
    assert first["fields"]["courseName"] == "代数"
    assert (first["sid"], first["at"]) == (given.school.id, given.now)
    assert 0 < first["milliseconds"] < 30_000
    assert (second["errno"], second["reason"]) == (100, refused.reason)
    assert second["request_id"] == refused.headers["x-request-id"]


def test_secrets_are_masked(given: Given, sandbox: Sandbox) -> None:
    key = given.api.signed()["safeKey"]
    words = {"password": "hunter2secret", "md5pass": "f" * 32, "PassWord": "hunter3secret"}
    given.api.call("register", telephone=given.telephone(), **words)
    users = [{"telephone": given.telephone(), "password": "hunter4secret"}]
    given.api.call("registerMultiple", userJson=users)
    answer = sandbox.http.get("/journal", params={"sid": given.school.id})
    assert len(answer.json()["requests"]) == 2
    assert answer.json()["requests"][1]["fields"]["password"] == "***"
    assert not [
        word for word in (key, "hunter", "f" * 32, given.school.secret) if word in answer.text
    ]


def test_journal_can_be_narrowed(given: Given, sandbox: Sandbox) -> None:
    given.course()
    given.label()
    given.other().label()
    labels = sandbox.journal(sid=given.school.id, action="addSchoolLabel")
    assert [entry["action"] for entry in labels] == ["addSchoolLabel"]
    assert len(sandbox.journal(sid=given.school.id, limit=1)) == 1
    assert len(sandbox.journal(limit=3)) == 3
    assert sandbox.journal(sid=10**9) == []


def test_requests_that_nobody_signed_are_shown_without_a_school(
    given: Given, sandbox: Sandbox
) -> None:
    given.api.post("addCourse", data={"SID": "1"})
    (last,) = sandbox.journal(limit=1)
    assert (last["sid"], last["errno"], last["fields"]) == (None, 100, {"SID": "1"})


def test_files_are_shown_by_their_size_and_long_values_cut(given: Given, sandbox: Sandbox) -> None:
    given.api.upload("addCourse", b"1234567", courseName="x" * 5000)
    (last,) = sandbox.journal(sid=given.school.id)
    assert last["fields"]["Filedata"] == "<file of 7 bytes>"
    assert last["fields"]["courseName"] == "x" * 2000


def test_huge_requests_do_not_fill_the_memory(given: Given, sandbox: Sandbox) -> None:
    form = given.api.signed(**{f"{place}{'n' * 2000}": "v" * 2000 for place in range(150)})
    given.api.post("addCourse", data=form)
    answer = sandbox.http.get("/journal", params={"sid": given.school.id})
    assert len(answer.content) < 50_000


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "sid=x"])
def test_journal_refuses_what_is_no_number(sandbox: Sandbox, query: str) -> None:
    answer = sandbox.http.get(f"/journal?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_sandbox_answers_only_its_own_methods(sandbox: Sandbox) -> None:
    assert sandbox.http.put("/clock").status_code == 405
    assert sandbox.http.get("/reset").status_code == 405
    assert sandbox.http.get("/nothing").status_code == 404
    assert sandbox.http.head("/clock").status_code == 200


def test_names_that_no_parameter_has_are_listed(given: Given, sandbox: Sandbox) -> None:
    given.api.call("addCourse", corseName="Algebra")
    (entry,) = sandbox.journal(sid=given.school.id)[:1]
    assert entry["ignored"] == ["corseName (courseName)"]
