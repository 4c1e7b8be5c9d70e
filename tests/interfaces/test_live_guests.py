"""Guests who are not to be let in, heard or named; and who may make the server write."""

from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from homeroom.usecases import logins
from tests.interfaces.test_live_entry import PASSWORD, Gate, refusal
from tests.support.chat import Chatter, Classroom
from tests.support.given import Given

TELEPHONE: Final = "13900000001"


@pytest.fixture
def room(given: Given) -> Iterator[Classroom]:
    classroom = Classroom(given)
    yield classroom
    classroom.close()


# --- names and numbers -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [TELEPHONE, "Ann 139-0000-0001", "\u3164", "\u2800\u200d"])
def test_a_nickname_is_seen_and_is_no_number(given: Given, name: str) -> None:
    gate = Gate(given)
    sent = {"telephone": TELEPHONE, "nickname": name}
    assert refusal(gate.post("guest", sent)) == (400, "nickname")
    assert gate.guests() == []


def test_where_guests_may_not_chat_their_numbers_are_not_kept(given: Given) -> None:
    gate = Gate(given, allowUnloggedChat=0)
    sent = {"telephone": TELEPHONE, "nickname": "Li Lei"}
    assert refusal(gate.post("guest", sent)) == (401, "login")
    assert gate.guests() == []
    # Who has logged in is who they are, and leaves no number either.
    ticket = gate.log_in(gate.account, PASSWORD).json()["ticket"]
    assert gate.post("guest", {**sent, "ticket": ticket}).json() == {"ticket": ticket}
    assert gate.guests() == []


# --- who is muted ----------------------------------------------------------------------------


def come(room: Classroom, telephone: str, ticket: str | None = None) -> Chatter:
    """Let a guest come with a number, and with a ticket or as a new viewer."""
    form = {"telephone": telephone, "nickname": "Ann", "ticket": ticket}
    answer = httpx.post(f"{room.url}{room.base}/guest", json=form, trust_env=False, timeout=30)
    return room.visitor(ticket=answer.raise_for_status().json()["ticket"])


def test_who_is_muted_stays_so_under_the_same_number(room: Classroom) -> None:
    teacher, telephone = room.teacher_here(), room.given.telephone()
    ann = come(room, telephone)
    teacher.send("mute", viewer=ann.you["viewer"], on=True)
    assert ann.next("you")["chat"] == "muted"

    again = come(room, telephone)

    assert again.you["viewer"] != ann.you["viewer"]
    assert again.you["chat"] == "muted"
    again.say("hello")
    assert again.refused("say") == "muted"
    assert come(room, room.given.telephone()).you["chat"] == "open"


def test_who_is_heard_again_is_so_under_the_same_number(room: Classroom) -> None:
    teacher, telephone = room.teacher_here(), room.given.telephone()
    ann = come(room, telephone)
    teacher.send("mute", viewer=ann.you["viewer"], on=True)
    ann.next("you")
    again = come(room, telephone)
    teacher.send("mute", viewer=again.you["viewer"], on=False)
    assert again.next("you")["chat"] == "open"
    for ticket in (again.ticket, None):
        assert come(room, telephone, ticket).you["chat"] == "open"


# --- logging out -----------------------------------------------------------------------------


def test_only_a_login_of_ours_is_worth_a_unit_of_work(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(given)
    visitor = gate.post("guest", {"telephone": TELEPHONE, "nickname": "A"}).json()["ticket"]
    ticket = gate.log_in(gate.account, PASSWORD).json()["ticket"]
    body, _, signature = ticket.partition(".")
    asked = []
    log_out = logins.log_out

    def counted(uow: Any, deps: Any, text: str) -> None:  # noqa: ANN401  passed on as they are
        asked.append(text)
        log_out(uow, deps, text)

    monkeypatch.setattr(logins, "log_out", counted)
    for text in ("", "x.y", visitor, body, f"{body}.{signature[::-1]}", ticket):
        assert gate.post("logout", {"ticket": text}).json() == {}
    assert asked == [ticket]


def test_logging_out_has_a_limit(given: Given) -> None:
    gate = Gate(given)
    url, there = f"{given.house.url}/class/{gate.key}/logout", {"x-forwarded-for": "192.0.2.77"}
    with httpx.Client(trust_env=False, timeout=30, headers=there) as client:

        def leave() -> httpx.Response:
            return client.post(url, json={"ticket": "x.y"})

        assert {leave().status_code for _ in range(300)} == {200}
        # One more each second.
        refused = next(answer for _ in range(300) if (answer := leave()).status_code != 200)
    assert refusal(refused) == (429, "throttled")
    assert gate.post("logout", {"ticket": "x.y"}).status_code == 200
