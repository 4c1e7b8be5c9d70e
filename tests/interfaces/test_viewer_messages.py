"""Messages about the viewers of live pages: log-ins, chat and likes (Q96)."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from homeroom.base.clock import HOUR
from homeroom.domain.viewers import sign_link
from homeroom.store.tables import viewers
from tests.interfaces.test_live_entry import PASSWORD, Gate
from tests.support.chat import Classroom
from tests.support.engine import until
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
