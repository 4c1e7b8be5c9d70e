"""Messages about viewers of live pages: log-ins, reservations, chat, likes, visits (Q96)."""

import asyncio
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from homeroom.base.clock import HOUR
from homeroom.domain.streams import PublishTarget
from homeroom.domain.viewers import sign_link
from homeroom.jobs.classroom_keeper import ClassroomKeeper
from homeroom.store.tables import page_visits, viewers
from tests.interfaces.test_live_entry import PASSWORD, Gate
from tests.support.chat import Chatter, Classroom
from tests.support.engine import PATIENCE, until
from tests.support.given import Given
from tests.support.messages import emitted
from tests.support.pages import page
from tests.support.serving import ON_SQLITE

pytestmark = ON_SQLITE


@pytest.fixture
def room(given: Given) -> Iterator[Classroom]:
    classroom = Classroom(given)
    yield classroom
    classroom.close()


def list_data(given: Given, kind: str) -> list[dict[str, Any]]:
    """Return the data of all messages of a kind."""
    return [message.body["Data"] for message in emitted(given) if message.kind == kind]


def poll_data(given: Given, kind: str, count: int) -> list[dict[str, Any]]:
    """Wait until there are so many messages of a kind, and return their data."""
    until(lambda: len(list_data(given, kind)) >= count)
    return list_data(given, kind)


def get_link_ticket(room: Classroom, account: str, name: str) -> str:
    """Return the ticket of a viewer with a login-free link."""
    given, key = room.given, room.seen.key
    code = sign_link(given.school.secret, key, account, name)
    query = {"lessonKey": key, "account": account, "nickname": name, "checkCode": code}
    ticket: str = page(given.house, f"/live_partner.html?{urlencode(query)}").data["ticket"]
    return ticket


def test_a_log_in_is_told_while_the_class_can_be_live(given: Given) -> None:
    gate = Gate(given)
    lesson = given.seen(gate.lesson)
    assert gate.log_in(gate.account, PASSWORD).status_code == 200
    assert list_data(given, "live_login") == []  # more than 20 minutes before the start
    given.until(lesson.hours.begin)
    assert gate.log_in(gate.account, "wrong").status_code == 401
    assert gate.log_in(f" {gate.account}", PASSWORD).status_code == 200
    assert list_data(given, "live_login") == [
        {"Telephone": gate.account, "LoginTime": lesson.hours.begin, "Nickname": "Li Lei"}
    ]
    given.until(lesson.hours.end + HOUR)
    assert gate.log_in(gate.account, PASSWORD).status_code == 200
    assert len(list_data(given, "live_login")) == 1


def test_a_reminder_is_booked_once_by_viewers_whom_the_school_can_reach(given: Given) -> None:
    room = Classroom(given, allowUnloggedChat=1)
    visitor = room.visitor()
    visitor.send("remind")
    assert visitor.refused("remind") == "guest"
    ann = room.visitor(ticket=room.guest_ticket("Ann", visitor.ticket))
    for _ in range(2):
        ann.send("remind")
        ann.next("remind")
    ann.close()
    # Another connection, as after a reload, knows nothing of the first.
    ann = room.visitor(ticket=ann.ticket)
    ann.send("remind")
    ann.next("remind")
    bo = room.visitor(ticket=get_link_ticket(room, "school-17", "Bo"))
    bo.send("remind")
    bo.next("remind")
    ((telephone,),) = given.rows(
        select(viewers.c.telephone).where(
            viewers.c.lesson_id == room.lesson, viewers.c.telephone.is_not(None)
        )
    )
    booked = [{"Telephone": text, "ReserveTime": given.now} for text in (telephone, "school-17")]
    assert list_data(given, "live_reserve") == booked
    cy, dan = room.guest("Cy"), room.guest("Dan")
    given.store.subscribed.is_everybody = False
    try:
        cy.send("remind")
        assert cy.refused("remind") == "missing"  # no message would tell the school
    finally:
        given.store.subscribed.is_everybody = True
    given.until(room.seen.hours.begin)
    dan.send("remind")
    assert dan.refused("remind") == "missing"
    assert list_data(given, "live_reserve") == booked
    room.close()


def test_messages_of_viewers_name_who_wrote_them_and_those_of_teachers_are_not_sent(
    room: Classroom,
) -> None:
    given = room.given
    guest, teacher = room.guest("Ann"), room.teacher_here()
    (telephone,) = given.rows(select(viewers.c.telephone).where(viewers.c.lesson_id == room.lesson))
    said = guest.said("Good morning")
    teacher.said("Good morning, Ann")
    teacher.send("delete", id=said["id"])
    guest.next("delete")
    mark = guest.say("Once")
    guest.hears("Once")
    guest.say("Once", mark)
    guest.said("Twice")
    data = list_data(given, "live_chat")
    assert [each["MsgDetail"]["msg"] for each in data] == ["Good morning", "Once", "Twice"]
    assert data[0] == {
        "Account": telephone[0],
        "Nickname": "Ann",
        "TimeStamp": given.now,
        "IP": "",
        "MsgDetail": {
            "msg": "Good morning",
            "type": 1,
            "ext": {
                "role": 0,
                "roleid": telephone[0],
                "messageID": str(said["id"]),
                "mark": "",
            },
        },
    }


def test_the_plan_decides_whether_messages_carry_addresses(room: Classroom) -> None:
    given = room.given
    given.plan(push_viewer_ip=True)
    there = room.guest("Ann", headers={"x-forwarded-for": "203.0.113.9"})
    there.said("Hello")
    (data,) = list_data(given, "live_chat")
    assert data["IP"] == "203.0.113.9"


def test_viewers_with_a_link_or_a_login_are_named_by_their_accounts(given: Given) -> None:
    gate = Gate(given)
    room = Classroom(given)
    room.visitor(ticket=get_link_ticket(room, "school-17", "Bo")).said("Hello")
    room.lesson = gate.lesson
    ticket = gate.log_in(gate.account, PASSWORD).json()["ticket"]
    room.visitor(ticket=ticket).said("Hi")
    named = [(each["Account"], each["Nickname"]) for each in list_data(given, "live_chat")]
    assert named == [("school-17", "Bo"), (gate.account, "Li Lei")]
    room.close()


def test_each_like_is_a_message_with_who_it_was(given: Given) -> None:
    room = Classroom(given, allowUnloggedChat=1)
    visitor, teacher = room.visitor(), room.teacher_here()
    teacher.send("like", n=2)
    visitor.send("like", n=3)
    likes = poll_data(given, "live_like", 3)
    assert len(likes) == 3
    assert likes[0]["Time"] == given.now
    (name,) = {like["Telephone"] for like in likes}
    assert re.fullmatch(r"yk_[0-9a-f]{16}", name)
    room.visitor(ticket=visitor.ticket).send("like", n=1)
    assert {like["Telephone"] for like in poll_data(given, "live_like", 4)} == {name}
    room.visitor().send("like", n=1)
    assert len({like["Telephone"] for like in poll_data(given, "live_like", 5)}) == 2
    room.close()


def test_a_visit_is_a_message_when_the_page_is_closed(room: Classroom) -> None:
    given, begin = room.given, room.given.now
    agent = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148"}
    with Chatter(room.url, room.base, joins=False, headers=agent) as chatter:
        for ticket in (None, room.guest_ticket("Ann")):
            chatter.send("join", ticket=ticket, visit="a-name")
            chatter.next("welcome")
        given.house.clock.advance(90)
    (data,) = poll_data(given, "live_view", 1)
    ((telephone,),) = given.rows(
        select(viewers.c.telephone).where(viewers.c.lesson_id == room.lesson)
    )
    assert data == {
        "Telephone": telephone,
        "Nickname": "Ann",
        "Intime": begin,
        "LookTime": 90,
        "Ip": "",
        "IP": "",
        "ClientType": 2,
    }
    assert list_visits(room) == []


def test_a_page_that_was_opened_after_the_class_shows_its_replay(room: Classroom) -> None:
    with room.visitor():
        room.over()
    assert len(poll_data(room.given, "live_view", 1)) == 1
    with room.visitor():
        pass
    (data,) = poll_data(room.given, "web_replay_view", 1)
    assert (data["Intime"], data["LookTime"]) == (room.given.now, 0)
    assert len(list_data(room.given, "live_view")) == 1


def test_a_page_that_comes_back_goes_on_with_its_visit(room: Classroom) -> None:
    given, begin = room.given, room.given.now
    first = Chatter(room.url, room.base, joins=False)
    first.send("join", visit="a-name")
    first.next("welcome")
    until(lambda: list_visits(room) != [])
    break_off(first)
    given.house.clock.advance(30)
    with Chatter(room.url, room.base, joins=False) as second:
        second.send("join", visit="a-name")
        second.next("welcome")
        given.house.clock.advance(30)
    (data,) = poll_data(given, "live_view", 1)
    assert (data["Intime"], data["LookTime"]) == (begin, 60)


def test_a_page_without_a_sign_of_life_has_ended_after_a_minute(room: Classroom) -> None:
    given, begin = room.given, room.given.now
    chatter = room.visitor()
    until(lambda: list_visits(room) != [])
    given.house.clock.advance(20)
    break_off(chatter)
    server, seconds = given.house.services, 0.0

    async def keep() -> None:
        nonlocal seconds
        keeper = ClassroomKeeper(
            server.async_store, server.files, _list_nobody, read_time=lambda: seconds
        )
        await keeper.run_once()
        seconds = 59.0
        await keeper.run_once()
        assert list_data(given, "live_view") == []
        seconds = 66.0
        await keeper.run_once()

    loop = server.async_store._loop  # noqa: SLF001  where units are awaited
    until(lambda: list_visits(room) == [(begin + 20,)])
    asyncio.run_coroutine_threadsafe(keep(), loop).result(PATIENCE)
    (data,) = list_data(given, "live_view")
    assert (data["Intime"], data["LookTime"]) == (begin, 20)
    assert list_visits(room) == []


def test_without_receivers_no_visit_is_kept(room: Classroom) -> None:
    subscribed = room.given.store.subscribed
    subscribed.is_everybody = False
    try:
        with room.guest("Ann") as ann:
            ann.said("Hello")
            ann.send("like", n=1)
            ann.next("counts", lambda counts: counts["likes"] == 1)
            assert list_visits(room) == []
        assert not {"live_chat", "live_like"} & {each.kind for each in emitted(room.given)}
    finally:
        subscribed.is_everybody = True


async def _list_nobody() -> list[PublishTarget]:
    return []


def list_visits(room: Classroom) -> list[Any]:
    """Return when the visits of a class that last were renewed."""
    return room.given.rows(
        select(page_visits.c.last_seen_at).where(page_visits.c.lesson_id == room.lesson)
    )


def break_off(chatter: Chatter) -> None:
    """Let a connection end without a word."""
    chatter.socket.socket.shutdown(socket.SHUT_RDWR)
