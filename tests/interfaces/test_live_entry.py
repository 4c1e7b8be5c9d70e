"""Authentication of viewers: log-in, log-out, and the guest's form."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import select

from homeroom.base import passwords
from homeroom.base.clock import HOUR
from homeroom.base.ids import UserId
from homeroom.domain.viewers import Ticket, ViewerKind, verify_ticket
from homeroom.player import login_throttle
from homeroom.store.tables import sessions, viewers
from homeroom.usecases import viewing
from tests.support.given import Given
from tests.support.pages import HOSTILE
from tests.support.wire import Value

OPEN: Final[dict[str, Value]] = {"record": 1, "live": 1, "replay": 1}
PASSWORD: Final = "correct horse"
JSON: Final = {"content-type": "application/json"}


class Gate:
    """A class, and a user with an account who wants to watch it."""

    def __init__(self, given: Given, **fields: Value) -> None:
        self.given = given
        self.lesson = given.lesson(None, **{**OPEN, **fields})
        self.key = given.seen(self.lesson).key
        self.account = given.telephone()
        self.user = UserId(
            given.done(
                "register", telephone=self.account, password=PASSWORD, nickname="Li Lei"
            ).data
        )

    def post(self, name: str, body: Any, **headers: str) -> httpx.Response:  # noqa: ANN401  also what no form is
        """Send a form; bytes as they are."""
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self.given.house.url}/class/{self.key}/{name}"
        return httpx.post(url, headers={**JSON, **given}, timeout=30, trust_env=False, **content)

    def log_in(self, account: str, password: str, **headers: str) -> httpx.Response:
        """Try to log in."""
        return self.post("login", {"account": account, "password": password}, **headers)

    def ticket(self, answer: httpx.Response) -> Ticket:
        """Return the ticket of an answer as the server reads it."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        key = self.given.house.deps.ticket_key
        return verify_ticket(answer.json()["ticket"], key, self.given.now)

    def admits(self, ticket: str) -> bool:
        """Tell whether a ticket opens the class."""
        deps = self.given.house.deps
        try:
            self.given.store.read(lambda uow: viewing.authorize_viewer(uow, deps, self.key, ticket))
        except viewing.LoginRequiredError:
            return False
        return True

    def guests(self) -> list[tuple[object, ...]]:
        """Return the viewers with a number: kind, name, telephone."""
        query = select(viewers.c.kind, viewers.c.name, viewers.c.telephone)
        return [
            tuple(row) for row in self.given.rows(query.where(viewers.c.lesson_id == self.lesson))
        ]


def refusal(answer: httpx.Response) -> tuple[int, object]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json().get("code")


# --- logging in ------------------------------------------------------------------------------


def test_who_has_an_account_logs_in_for_twelve_hours(given: Given) -> None:
    gate = Gate(given, watchByLogin=1)
    assert not gate.admits("")
    answer = gate.log_in(f" {gate.account} ", PASSWORD)
    ticket = gate.ticket(answer)
    assert (ticket.kind, ticket.subject, ticket.name) == (
        ViewerKind.USER, str(gate.user), "Li Lei",
    )  # fmt: skip
    assert ticket.school == given.school.id
    assert ticket.lesson is None
    assert ticket.expires_at == given.now + 12 * HOUR
    text = answer.json()["ticket"]
    assert gate.admits(text)
    (row,) = given.rows(select(sessions).where(sessions.c.user_id == gate.user))
    assert row[1] == given.school.id
    given.clock.advance(12 * HOUR)
    assert not gate.admits(text)


def test_an_address_is_an_account_whatever_its_case(given: Given) -> None:
    gate = Gate(given)
    given.done("register", email=f"li{gate.key}@a.example", password=PASSWORD)
    assert gate.ticket(gate.log_in(f"LI{gate.key}@A.example", PASSWORD)).kind == "user"


def test_who_was_registered_without_a_name_is_not_called_by_their_number(given: Given) -> None:
    gate = Gate(given)
    number = given.telephone()
    uid = given.done("register", telephone=number, password=PASSWORD).data
    assert gate.ticket(gate.log_in(number, PASSWORD)).name == str(uid)


def test_a_session_ends_with_logging_out(given: Given) -> None:
    gate = Gate(given, watchByLogin=1)
    first = gate.log_in(gate.account, PASSWORD).json()["ticket"]
    second = gate.log_in(gate.account, PASSWORD).json()["ticket"]
    assert gate.post("logout", {"ticket": first}).json() == {}
    assert not gate.admits(first)
    assert gate.admits(second)
    for ticket in (first, "", "x.y", "0" * 2000):
        assert gate.post("logout", {"ticket": ticket}).json() == {}
    assert gate.admits(second)


def test_a_cancelled_account_is_let_in_no_more(given: Given) -> None:
    gate = Gate(given, watchByLogin=1)
    ticket = gate.log_in(gate.account, PASSWORD).json()["ticket"]
    given.cancelled(gate.user)
    assert not gate.admits(ticket)
    assert refusal(gate.log_in(gate.account, PASSWORD)) == (401, "wrong")


@pytest.mark.parametrize(
    "password", ["", "x", PASSWORD + " ", PASSWORD.upper(), "p\0q", "密码" * 50]
)
def test_a_wrong_password_is_told(given: Given, password: str) -> None:
    gate = Gate(given)
    assert refusal(gate.log_in(gate.account, password)) == (401, "wrong")


@pytest.mark.parametrize("account", ["", "nobody", "1\0", "13\ud7ff", "a@b", "0" * 200, *HOSTILE])
def test_an_unknown_account_costs_as_much_as_a_wrong_password(
    given: Given, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(given)
    checked = []
    matches = passwords.verify_password

    def counted(kept: str, password: str) -> bool:
        checked.append(kept)
        return matches(kept, password)

    monkeypatch.setattr(passwords, "verify_password", counted)
    assert refusal(gate.log_in(account, PASSWORD)) == (401, "wrong")
    assert refusal(gate.log_in(gate.account, "wrong")) == (401, "wrong")
    nobodys, kept = checked[:2], checked[2:]
    assert len(kept) == 2
    assert [text.split("$")[:4] for text in nobodys] == [text.split("$")[:4] for text in kept]


def test_after_five_wrong_passwords_somebody_has_to_wait(given: Given) -> None:
    gate = Gate(given)
    there = {"x_forwarded_for": "192.0.2.1"}
    for _ in range(5):
        assert refusal(gate.log_in(gate.account, "wrong", **there)) == (401, "wrong")
    answer = gate.log_in(f" {gate.account}", PASSWORD, **there)
    assert refusal(answer) == (429, "throttled")
    assert 1 <= answer.json()["retry_after"] <= 5
    assert answer.headers["retry-after"] == str(answer.json()["retry_after"])
    # Only this pair waits: not the owner elsewhere, and not another account here.
    assert gate.log_in(gate.account, PASSWORD, x_forwarded_for="192.0.2.2").status_code == 200
    other = Gate(given)
    assert other.log_in(other.account, PASSWORD, **there).status_code == 200


def test_a_right_password_begins_anew(given: Given) -> None:
    gate = Gate(given)
    there = {"x_forwarded_for": "192.0.2.3"}
    for _ in range(2):
        for _ in range(4):
            assert gate.log_in(gate.account, "wrong", **there).status_code == 401
        assert gate.log_in(gate.account, PASSWORD, **there).status_code == 200


def test_many_tries_at_once_are_counted_as_they_begin(given: Given) -> None:
    gate = Gate(given)
    with ThreadPoolExecutor(16) as clients:
        answers = list(
            clients.map(
                lambda _: gate.log_in(gate.account, "wrong", x_forwarded_for="192.0.2.4"),
                range(16),
            )
        )
    refusals = sorted(refusal(answer) for answer in answers)
    assert refusals == [(401, "wrong")] * 5 + [(429, "throttled")] * 11


def test_strangers_who_know_a_number_do_not_shut_its_owner_out(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case S4: wrong passwords from many addresses, and the owner from an address of their own."""
    monkeypatch.setattr(login_throttle, "FIRST_DELAY_SECONDS", 0)
    gate = Gate(given, watchByLogin=1)
    for account in (gate.account, given.telephone()):  # one that nobody has behaves the same
        for number in range(31):
            stranger = {"x_forwarded_for": f"192.0.2.{number + 1}"}
            assert refusal(gate.log_in(account, "wrong", **stranger)) == (401, "wrong")
    for number in range(20):
        stranger = {"x_forwarded_for": f"198.51.100.{number + 1}"}
        assert refusal(gate.log_in(gate.account, "wrong", **stranger)) == (401, "wrong")
        answer = gate.log_in(gate.account, PASSWORD, x_forwarded_for="203.0.113.9")
        assert gate.ticket(answer).identity == f"user:{gate.user}"


def test_logging_in_always_gives_another_ticket(given: Given) -> None:
    gate = Gate(given)
    planted = gate.post(
        "guest", {"telephone": given.telephone(), "nickname": "Mallory", "ticket": None}
    ).json()["ticket"]
    body = {"account": gate.account, "password": PASSWORD, "ticket": planted}
    ticket = gate.ticket(gate.post("login", body))
    key = given.house.deps.ticket_key
    assert verify_ticket(planted, key, given.now).kind is ViewerKind.VISITOR
    assert ticket.identity == f"user:{gate.user}"
    again = gate.ticket(gate.post("login", body))
    assert again.session != ticket.session


# --- guests ----------------------------------------------------------------------------------


def test_a_guest_leaves_a_number_that_only_the_school_sees(given: Given) -> None:
    gate = Gate(given)
    form = {"telephone": " 139 0000 0001 ", "nickname": "  小\u202e明\u0007 ", "ticket": None}
    answer = gate.post("guest", form)
    ticket = gate.ticket(answer)
    assert ticket.kind is ViewerKind.VISITOR
    assert ticket.lesson == gate.lesson
    assert gate.guests() == [("visitor", "小明", "13900000001")]
    assert "13900000001" not in repr(ticket)
    # The same browser again is the same guest, under the new name.
    form = {"telephone": "001-8006437676", "nickname": "明", "ticket": answer.json()["ticket"]}
    assert gate.ticket(gate.post("guest", form)).subject == ticket.subject
    assert gate.guests() == [("visitor", "明", "001-8006437676")]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"telephone": ""}, "telephone"),
        ({"telephone": "12345"}, "telephone"),
        ({"telephone": "10000000000"}, "telephone"),
        ({"telephone": "0086-13900000001"}, "telephone"),
        ({"telephone": "\uff11\uff13" + "\uff10" * 9}, "telephone"),
        ({"telephone": "13900000001\0"}, "telephone"),
        ({"telephone": "<script>"}, "telephone"),
        ({"nickname": ""}, "nickname"),
        ({"nickname": " \u202e\u200b\0 "}, "nickname"),
        ({"nickname": "x" * 24}, "nickname"),
    ],
)
def test_a_form_with_something_wrong_says_which_field(
    given: Given, form: dict[str, str], code: str
) -> None:
    gate = Gate(given)
    sent = {"telephone": "13900000001", "nickname": "Li Lei", **form}
    assert refusal(gate.post("guest", sent)) == (400, code)
    assert gate.guests() == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_nicknames_are_kept_as_text(given: Given, hostile: str) -> None:
    gate = Gate(given)
    gate.ticket(gate.post("guest", {"telephone": "13900000001", "nickname": hostile[:23]}))
    ((_, name, _),) = gate.guests()
    shown = hostile[:23].replace("\u202e", "").replace("\u202c", "")
    assert name == " ".join(shown.split())


def test_a_ticket_that_is_not_good_becomes_another_visitor(given: Given) -> None:
    gate, elsewhere = Gate(given), Gate(given)
    sent = {"telephone": "13900000001", "nickname": "Li Lei"}
    foreign = elsewhere.post("guest", sent).json()["ticket"]
    key = given.house.deps.ticket_key
    known = {verify_ticket(foreign, key, given.now).subject}
    body, _, signature = foreign.partition(".")
    for ticket in (foreign, f"{body}.{signature[::-1]}", "x", "é" * 100, ""):
        subject = gate.ticket(gate.post("guest", {**sent, "ticket": ticket})).subject
        assert subject not in known
        known.add(subject)


def test_where_a_login_is_needed_there_are_no_guests(given: Given) -> None:
    gate = Gate(given, watchByLogin=1)
    sent = {"telephone": "13900000001", "nickname": "Li Lei"}
    assert refusal(gate.post("guest", sent)) == (401, "login")


# --- what is no form of ours -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["login", "logout", "guest"])
@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://127.0.0.1", "http://127.0.0.1:1", ""]
)
def test_pages_of_others_may_not_send_forms(given: Given, name: str, origin: str) -> None:
    gate = Gate(given)
    form = {
        "account": gate.account,
        "password": PASSWORD,
        "ticket": "x.y",
        "telephone": "13900000001",
        "nickname": "x",
    }
    assert gate.post(name, form, origin=origin).status_code == 403
    assert gate.guests() == []
    assert given.rows(select(sessions).where(sessions.c.user_id == gate.user)) == []
    assert gate.post(name, form, origin=given.house.url).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_of_html_can_send_is_not_taken(given: Given, kind: str) -> None:
    gate = Gate(given)
    form = {"account": gate.account, "password": PASSWORD}
    assert gate.post("login", form, content_type=kind).status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"account": 1, "password": 2}',
        b'{"account": "a"}',
        b'{"account": "a", "password": null}',
        b'{"account": "\\ud800", "password": "x"}',
        b"\xff\xfe",
        b'{"account": "' + b"a" * 300 + b'", "password": "x"}',
        b"[" * 5000,
        b'{"more": ' + b"[" * 5000,
    ],
)
def test_malformed_bodies_are_a_problem(given: Given, body: bytes) -> None:
    assert refusal(Gate(given).post("login", body)) == (400, None)


def test_a_body_has_a_size(given: Given) -> None:
    assert Gate(given).post("login", b" " * 10_000).status_code == 413


@pytest.mark.parametrize("key", ["0123456789abcdef", "%00", "x", "' OR 1=1 --"])
def test_there_is_nothing_to_enter_where_there_is_no_class(given: Given, key: str) -> None:
    gate = Gate(given)
    gate.key = key
    sent = {"telephone": "13900000001", "nickname": "Li Lei"}
    assert gate.log_in(gate.account, PASSWORD).status_code == 404
    assert gate.post("guest", sent).status_code == 404


def test_a_deleted_class_and_a_suspended_school_are_not_entered(given: Given) -> None:
    gate = Gate(given)
    sent = {"telephone": "13900000001", "nickname": "Li Lei"}
    given.plan(suspended=True)
    assert gate.log_in(gate.account, PASSWORD).status_code == 404
    assert gate.post("guest", sent).status_code == 404
    given.plan(suspended=False)
    course = given.seen(gate.lesson).course
    given.done("delCourseClass", courseId=course, classId=gate.lesson)
    assert gate.log_in(gate.account, PASSWORD).status_code == 404
    assert gate.post("guest", sent).status_code == 404


def test_nothing_private_is_logged(given: Given, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    gate = Gate(given)
    ticket = gate.log_in(gate.account, PASSWORD).json()["ticket"]
    gate.log_in(gate.account, "wrong password")
    gate.post("guest", {"telephone": "13900000007", "nickname": "Li Lei", "ticket": ticket})
    gate.post("guest", {"telephone": "13900000008", "nickname": "Li Lei"})
    gate.post("logout", {"ticket": ticket})
    # The client of this test says what it asks, in the same process.
    ours = [one for one in caplog.records if not one.name.startswith("http")]
    text = "\n".join(caplog.handler.format(record) for record in ours)
    for private in (gate.account, PASSWORD, "wrong password", "1390000000", ticket):
        assert private not in text
    metrics = httpx.get(f"{given.house.url}/metrics", trust_env=False).text
    assert gate.key not in metrics
