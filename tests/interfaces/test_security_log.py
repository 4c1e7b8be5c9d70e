"""The security log of a running server: a line for each decision, and no secret in it."""

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import httpx
import pytest

from homeroom.base import passwords
from tests.support.chat import Chatter
from tests.support.engine import until
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.sandbox import Sandbox
from tests.support.security import SecurityLines
from tests.support.streams import Streamed

PASSWORD = "correct horse"
ADDRESS = "203.0.113.9"
FORWARDED = {"x-forwarded-for": ADDRESS}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> SecurityLines:
    """Give the lines of this test."""
    return SecurityLines(caplog)


@pytest.fixture
def client(given: Given) -> Iterator[httpx.Client]:
    """Give a client that comes by a proxy on this machine."""
    with httpx.Client(
        base_url=given.house.url, headers=FORWARDED, timeout=30, trust_env=False
    ) as client:
        yield client


def log_in(client: httpx.Client, given: Given, account: str, password: str) -> httpx.Response:
    key = given.seen(given.lesson(None, record=1, live=1)).key
    return client.post(f"/class/{key}/login", json={"account": account, "password": password})


# --- logins --------------------------------------------------------------------------------------


def test_logins_and_wrong_passwords(
    given: Given, client: httpx.Client, lines: SecurityLines
) -> None:
    """Case S6: wrong passwords leave lines."""
    account = given.telephone()
    user = given.done("register", telephone=account, password=PASSWORD).data
    assert log_in(client, given, account, PASSWORD).status_code == 200
    assert log_in(client, given, account, "wrong password").status_code == 401
    assert log_in(client, given, "wrong password", "x").status_code == 401
    line = lines.only("login_succeeded")
    assert (line["actor"], line["address"], line["outcome"], line["sid"]) == (
        f"user {user}", ADDRESS, "accepted", given.school.id,
    )  # fmt: skip
    assert line["level"] == "info"
    known, unknown = lines.of("login_failed")
    assert (known["actor"], known["outcome"], known["level"]) == (None, "refused", "warning")
    assert known["claimed"].endswith(account[-4:])
    assert unknown["claimed"] == "***"
    assert not [word for word in (account, PASSWORD, "wrong password") if word in lines.text()]


def test_throttled_tries_are_one_line(
    given: Given, client: httpx.Client, lines: SecurityLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case S6: some hundred throttled tries."""
    monkeypatch.setattr(passwords, "verify_password", lambda _hash, _password: False)
    key = given.seen(given.lesson(None, record=1, live=1)).key
    address = {"x-forwarded-for": "203.0.113.10"}
    form = {"account": given.telephone(), "password": "wrong12"}
    statuses = [
        client.post(f"/class/{key}/login", json=form, headers=address).status_code
        for _ in range(40)
    ]
    assert statuses.count(429) > 30
    line = lines.only("login_throttled")
    assert (line["address"], line["outcome"]) == ("203.0.113.10", "throttled")


# --- tokens --------------------------------------------------------------------------------------


def test_tokens_used_and_refused(given: Given, client: httpx.Client, lines: SecurityLines) -> None:
    """Case S6: requests of /admin/v1 with a wrong token."""
    read = ReadBack(given)
    right = {"authorization": f"Bearer {read.token}"}
    assert client.get("/admin/v1/students?account=13900000001", headers=right).status_code == 200
    assert client.get("/admin/v1/classes/999999", headers=right).status_code == 404
    for token in ("wrong", "homeroom_" + "a" * 43):
        wrong = {"authorization": f"Bearer {token}"}
        assert client.get("/admin/v1/students", headers=wrong).status_code == 401
    other = {"SID": given.other().school.id}
    elsewhere = {**right, "x-forwarded-for": "198.51.100.7"}
    answer = client.get("/admin/v1/students", params=other, headers=elsewhere)
    assert answer.status_code == 403
    first, second = lines.of("token_used")
    assert (first["actor"], first["address"], first["path"], first["sid"], first["status"]) == (
        f"token {read.id}", ADDRESS, "/admin/v1/students", given.school.id, 200,
    )  # fmt: skip
    assert second["status"] == 404
    unknown, outside = lines.of("token_refused")
    assert (unknown["actor"], unknown["address"], unknown["level"]) == (None, ADDRESS, "warning")
    assert (outside["actor"], outside["address"]) == (f"token {read.id}", "198.51.100.7")
    assert not [word for word in (read.token, "a" * 43, "13900000001") if word in lines.text()]
    read.close()


# --- links ---------------------------------------------------------------------------------------


def test_links_of_teachers(given: Given, client: httpx.Client, lines: SecurityLines) -> None:
    taught = Streamed(given)
    token = taught.streams.teach_url.rpartition("/")[2]
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert client.get(f"/teach/{token}").status_code == 200
    assert client.get(f"/teach/{wrong}").status_code == 404
    elsewhere = {"x-forwarded-for": "198.51.100.8"}
    assert client.post(f"/teach/{wrong}/end", json={}, headers=elsewhere).status_code == 404
    with Chatter(given.house.url, f"/teach/{token}", headers=FORWARDED):
        pass
    opened, joined = lines.of("teacher_link_used")
    assert (opened["act"], joined["act"]) == ("open", "room")
    for line in (opened, joined):
        assert line["actor"] == f"teacher of class {taught.lesson}"
        assert (line["address"], line["sid"]) == (ADDRESS, given.school.id)
    page, end = lines.of("teacher_link_refused")
    assert (page["act"], page["address"], end["act"]) == ("open", ADDRESS, "end")
    assert not [word for word in (token, wrong) if word in lines.text()]


def test_links_of_students(given: Given, client: httpx.Client, lines: SecurityLines) -> None:
    key = given.seen(given.lesson(None, record=1, live=1)).key
    fields = {"lessonKey": key, "account": "13900000001", "nickname": "Li", "checkCode": "f" * 32}
    client.get(f"/live_partner.html?{urlencode(fields)}")
    line = lines.only("link_refused")
    assert (line["claimed"], line["sid"]) == ("139****0001", given.school.id)
    assert "f" * 32 not in lines.text()


def test_addresses_of_clips(given: Given, client: httpx.Client, lines: SecurityLines) -> None:
    clip = given.clip(given.held_lesson())
    url = f"/clips/{clip.file.file_id}.mp4?expires=ffffffff&signature={'0' * 64}"
    assert client.get(url).status_code == 403
    assert lines.only("clip_refused")["address"] == ADDRESS


# --- the partner API -----------------------------------------------------------------------------


def test_calls_have_an_address_and_the_sid_they_claim(
    given: Given, lines: SecurityLines, sandbox: Sandbox
) -> None:
    """Case S6: a refused call has the claimed SID; case A15: the journal has it too."""
    given.course()
    form = {**given.api.signed(), "safeKey": "0" * 32, "courseName": "x"}
    given.api.post("addCourse", data=form, headers=FORWARDED)
    given.api.post("addCourse", data={**form, "SID": "x"}, headers=FORWARDED)
    # A line of a call is written after its response.
    until(lambda: len(lines.all("homeroom.partner")) == 3)
    accepted, refused, nonsense = lines.all("homeroom.partner")
    sid = given.school.id
    assert (accepted["sid"], accepted["claimed_sid"], accepted["address"]) == (
        sid, None, "127.0.0.1",
    )  # fmt: skip
    assert (refused["sid"], refused["claimed_sid"], refused["address"]) == (None, sid, ADDRESS)
    assert (nonsense["sid"], nonsense["claimed_sid"]) == (None, None)
    line = lines.only("call_refused")
    assert (line["claimed"], line["actor"], line["address"]) == (sid, None, ADDRESS)
    last, first = sandbox.journal(sid=sid)
    assert (last["sid"], last["claimed_sid"], last["address"]) == (None, sid, ADDRESS)
    assert (first["sid"], first["claimed_sid"]) == (sid, None)


# --- the sandbox ---------------------------------------------------------------------------------


def test_changes_of_the_sandbox(given: Given, lines: SecurityLines, sandbox: Sandbox) -> None:
    """Case S6: a moved sandbox clock."""
    sandbox.move(now=given.now)
    sandbox.fault(action="addCourse", errno=104, sid=given.school.id)
    sandbox.clear_faults()
    sandbox.reset(given.school.id)
    sandbox.clock()
    made = lines.of("sandbox_changed")
    assert [(line["method"], line["path"]) for line in made] == [
        ("POST", "/sandbox/clock"),
        ("POST", "/sandbox/faults"),
        ("DELETE", "/sandbox/faults"),
        ("POST", "/sandbox/reset"),
    ]
    assert {(line["address"], line["actor"]) for line in made} == {("127.0.0.1", "this machine")}
    assert made[0]["change"] == {"now": given.now}
    assert made[3]["change"] == {"sid": given.school.id, "to": "empty"}


def test_the_sandbox_from_another_machine(
    given: Given, client: httpx.Client, lines: SecurityLines
) -> None:
    operator = ReadBack(given, of_operator=True)
    right = {"authorization": f"Bearer {operator.token}"}
    body = {"now": given.now}
    assert client.post("/sandbox/clock", json=body).status_code == 401
    assert client.post("/sandbox/clock", json=body, headers=right).status_code == 200
    refused = lines.only("sandbox_refused")
    assert (refused["address"], refused["actor"], refused["status"]) == (ADDRESS, None, 401)
    made = lines.only("sandbox_changed")
    assert (made["address"], made["actor"]) == (ADDRESS, f"token {operator.id}")
    assert operator.token not in lines.text()
    operator.close()


def test_every_line_says_who_and_where(
    given: Given, client: httpx.Client, lines: SecurityLines
) -> None:
    test: Callable[[Given, httpx.Client, SecurityLines], None]
    for test in (test_tokens_used_and_refused, test_links_of_teachers):
        test(given, client, lines)
        for line in lines.all():
            assert {"at", "outcome", "address", "actor", "claimed"} <= line.keys()
        lines.clear()
