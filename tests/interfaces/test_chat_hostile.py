"""Hostile input to a chat: refused frames and disconnected participants."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from homeroom.base.clock import HOUR
from homeroom.base.ids import UserId
from homeroom.domain.viewers import Ticket, ViewerKind, sign_ticket, verify_ticket
from homeroom.player import room_queries
from homeroom.player import room_sockets as door
from homeroom.player.token_bucket import RateLimit
from homeroom.store.chat import Chats
from homeroom.store.engine import StoreError
from homeroom.usecases import logins, streams, viewing
from homeroom.web import sockets
from tests.support.chat import Chatter, Classroom, make_noise
from tests.support.given import Given

MALFORMED = 4400
LOG_IN_FIRST = 4401
NO_CLASS = 4404
FAILED = 1011
TOO_MANY = 4429


@pytest.fixture
def room(given: Given) -> Iterator[Classroom]:
    classroom = Classroom(given)
    yield classroom
    classroom.close()


def ended(room: Classroom, ticket: str | None = None, base: str | None = None) -> int:
    """Come, and return the code by which one is sent away at once."""
    with Chatter(room.url, base or room.base, joins=False) as chatter:
        chatter.send("join", ticket=ticket)
        return chatter.read_until_closed()


# --- frames --------------------------------------------------------------------------------------

BAD: list[str | bytes] = [
    "",
    "x",
    "null",
    "[]",
    "{}",
    '{"t": "shout"}',
    '{"t": 1}',
    '{"t": "say", "text": 1, "nonce": "a"}',
    '{"t": "say", "text": "x"}',
    '{"t": "say", "text": "x", "nonce": ""}',
    '{"t": "say", "text": "x", "nonce": "' + "n" * 33 + '"}',
    '{"t": "say", "text": "x", "nonce": "a b"}',
    '{"t": "say", "text": "\\ud800", "nonce": "a"}',
    '{"t": "like", "n": 0}',
    '{"t": "like", "n": 21}',
    '{"t": "like", "n": 1.5}',
    '{"t": "play", "on": "yes"}',
    '{"t": "join", "after": -1}',
    '{"t": "join", "after": 1e300}',
    '{"t": "join", "ticket": {}}',
    '{"t": "delete", "id": 99999999999999999999}',
    "[" * 4000,
    '{"a":' * 1500,
    b"\x00\x01\x02",
    b'{"t": "state"}',
]


@pytest.mark.parametrize("frame", BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("has_joined", [False, True])
def test_a_malformed_frame_ends_the_connection(
    room: Classroom, frame: str | bytes, *, has_joined: bool
) -> None:
    with Chatter(room.url, room.base, joins=has_joined) as chatter:
        chatter.socket.send(frame)
        assert chatter.read_until_closed() == MALFORMED


def test_a_frame_that_is_too_long_ends_the_connection(room: Classroom) -> None:
    ann = room.guest()
    ann.say("x" * 9000)
    assert ann.read_until_closed() == 1009


def test_who_does_not_join_first_is_sent_away(room: Classroom) -> None:
    with Chatter(room.url, room.base, joins=False) as chatter:
        chatter.say("hello")
        assert chatter.read_until_closed() == MALFORMED


def test_who_does_not_join_in_time_is_sent_away(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "JOIN_SECONDS", 0.1)
    with Chatter(room.url, room.base, joins=False) as chatter:
        assert chatter.read_until_closed() == 4408


def test_frames_made_of_noise_do_no_harm(room: Classroom) -> None:
    watcher = room.visitor()
    make_noise(room, 300, seed=4)
    assert room.guest().said("still here")
    watcher.hears("still here")


# --- floods --------------------------------------------------------------------------------------


def test_who_sends_too_many_frames_is_sent_away(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "IGNORE_SECONDS", 0.05)
    monkeypatch.setattr(door, "COMMANDS", RateLimit(10, 0.001))
    flooder, ann = room.visitor(), room.guest()
    with suppress(ConnectionClosed):
        for _ in range(60):
            flooder.send("state")
    # What it still sends may reset the connection before it has read the close frame.
    assert flooder.read_until_closed() in (TOO_MANY, sockets.ABNORMAL_CLOSURE)
    assert len([event for event in flooder.seen if event["t"] == "state"]) < 11
    ann.said("hello")


def test_connections_from_one_address_have_a_limit(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {"headers": {"x-forwarded-for": "192.0.2.1"}}
    monkeypatch.setattr(door, "MAX_CONNECTIONS_PER_NETWORK", 1)
    with Chatter(room.url, room.base, joins=False, **here) as first:  # type: ignore[arg-type]  # hostile values are of the wrong type on purpose
        with Chatter(room.url, room.base, joins=False, **here) as second:  # type: ignore[arg-type]  # as above
            assert second.read_until_closed() == TOO_MANY
        room.visitor(headers={"x-forwarded-for": "192.0.2.2"})
        first.join(None)
        room.visitor(**here)


def test_a_school_behind_one_address_is_not_limited(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has joined a room does not count for the address."""
    here = {"headers": {"x-forwarded-for": "192.0.2.1"}}
    monkeypatch.setattr(door, "MAX_CONNECTIONS_PER_NETWORK", 1)
    for _ in range(4):
        room.visitor(**here)


def test_all_connections_together_have_a_limit(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = room.visitor()
    monkeypatch.setattr(door, "MAX_CONNECTIONS", 1)
    with Chatter(room.url, room.base, joins=False) as second:
        assert second.read_until_closed() == TOO_MANY
    assert first.next("counts")


def test_who_joins_again_and_again_is_sent_away(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "JOINS", RateLimit(3, 0.001))
    ann, other = room.visitor(), room.visitor()
    ann.join(ann.ticket)
    ann.join(ann.ticket)
    ann.send("join", ticket=ann.ticket)
    assert ann.read_until_closed() == TOO_MANY
    other.join(other.ticket)


def test_who_claims_to_know_more_has_not_all_rooms_looked_at(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.visitor()
    with monkeypatch.context() as patch:
        patch.setattr(room_queries, "load_room_updates", broken)
        assert room.visitor(after=2**50).welcome["entries"] == []


# --- who may come in -----------------------------------------------------------------------------


def test_another_sites_page_may_not_connect(room: Classroom) -> None:
    for origin in ("https://evil.example", "null", f"{room.url}.evil.example"):
        with pytest.raises(InvalidStatus) as refused:
            Chatter(room.url, room.base, origin=origin)
        assert refused.value.response.status_code == 403
    room.visitor(origin=room.url)


@pytest.mark.parametrize(
    "base",
    ["/class/0123456789abcdef", "/class/x", "/class/%00", "/class/" + "0" * 5000, "/teach/x"],
)
def test_a_class_that_there_is_not_has_no_room(room: Classroom, base: str) -> None:
    assert ended(room, base=base) == NO_CLASS


def test_a_page_of_a_teacher_that_is_not_theirs_has_no_room(room: Classroom) -> None:
    right = room.teach_base
    for wrong in (right[:-1], right[:-1] + "0" * (right[-1] != "0") + "1", right[:22] + "f" * 32):
        assert ended(room, base=wrong) == NO_CLASS


def test_a_forged_ticket_makes_one_a_stranger(room: Classroom, given: Given) -> None:
    deps = given.house.deps
    good = room.guest_ticket("Ann")
    ticket = verify_ticket(good, deps.ticket_key, given.now)
    body, _, signature = good.partition(".")
    elsewhere = msgspec.structs.replace(ticket, school=given.other().school.id)
    link = msgspec.structs.replace(ticket, kind=ViewerKind.LINK, subject="boss", name="Boss")
    forged = [
        f"{body}.{'0' * len(signature)}",
        f"{body}.",
        body,
        ".",
        "é.é",
        "\0",
        f"{body[:-4]}AAAA.{signature}",
        sign_ticket(link, "another key"),
        sign_ticket(elsewhere, deps.ticket_key),
        sign_ticket(msgspec.structs.replace(ticket, expires_at=given.now), deps.ticket_key),
        "x" * 5000,
    ]
    for text in forged:
        you = room.visitor(ticket=text).you
        assert (you["kind"], you["name"], you["viewer"]) == ("visitor", "", None), text
    assert room.visitor(ticket=good).you["name"] == "Ann"


def test_a_ticket_for_one_class_is_none_for_another(room: Classroom, given: Given) -> None:
    other = Classroom(given)
    assert other.visitor(ticket=room.guest_ticket("Ann")).you["kind"] == "visitor"
    other.close()


def user_ticket(room: Classroom, student: UserId | None = None) -> str:
    """Return the ticket of a logged-in user."""
    given = room.given
    deps, uid = given.house.deps, student or given.student()
    user = given.store.read(lambda uow: uow.accounts.get(uid))
    assert user is not None
    return given.store.write(lambda uow: logins.log_in(uow, deps, given.school.id, user))


def test_a_class_for_known_viewers_asks_to_log_in(given: Given) -> None:
    room = Classroom(given, watchByLogin=1)
    assert ended(room) == LOG_IN_FIRST
    assert ended(room, "forged") == LOG_IN_FIRST
    user = room.visitor(ticket=user_ticket(room))
    assert (user.you["kind"], user.you["chat"]) == ("user", "open")
    assert user.said("hello")["viewer"] == user.you["viewer"]
    room.close()


def test_who_logs_out_elsewhere_is_sent_away(room: Classroom) -> None:
    ticket = user_ticket(room)
    user, visitor = room.visitor(ticket=ticket), room.visitor()
    deps = room.given.house.deps
    room.given.store.write(lambda uow: logins.log_out(uow, deps, ticket))
    assert user.read_until_closed() == LOG_IN_FIRST
    assert visitor.next("counts", lambda counts: counts["viewers"] == 1)


def test_each_login_of_an_account_has_its_own_ticket_and_end(room: Classroom) -> None:
    deps, student = room.given.house.deps, room.given.student()
    tickets = [user_ticket(room, student) for _ in range(3)]
    first, second, third = (room.visitor(ticket=ticket) for ticket in tickets)
    # Who they are changes: each gets a message with the ticket of their connection.
    teacher = room.teacher_here()
    for is_muted in (True, False):
        teacher.send("mute", viewer=first.you["viewer"], on=is_muted)
        for one, ticket in zip((first, second, third), tickets, strict=True):
            you = one.next("you")
            assert (you["ticket"], you["chat"]) == (ticket, "muted" if is_muted else "open")
    for gone, ticket in ((first, tickets[0]), (third, tickets[2])):
        room.given.store.write(partial(logins.log_out, deps=deps, text=ticket))
        assert gone.read_until_closed() == LOG_IN_FIRST
    second.said("still here")
    assert not [event for event in second.seen if event.get("ticket") in (tickets[0], tickets[2])]


def test_a_link_to_a_class_is_not_widened_by_one_to_the_course(room: Classroom) -> None:
    deps, lesson = room.given.house.deps, room.seen

    def link(name: str, **scope: int) -> str:
        until = room.given.now + HOUR
        ticket = Ticket(
            kind=ViewerKind.LINK,
            subject="13800138000",
            name=name,
            school=lesson.school,
            expires_at=until,
            **scope,  # type: ignore[arg-type]  # hostile values are of the wrong type on purpose
        )
        return sign_ticket(ticket, deps.ticket_key)

    narrow, wide = link("Li", lesson=lesson.id), link("Lei", course=lesson.course)
    one, other = room.visitor(ticket=narrow), room.visitor(ticket=wide)
    assert (one.ticket, other.ticket) == (narrow, wide)
    you = one.next("you")
    assert (you["name"], you["ticket"]) == ("Lei", narrow)


def test_who_has_no_account_any_more_is_sent_away(room: Classroom) -> None:
    ticket = user_ticket(room)
    user = room.visitor(ticket=ticket)
    deps = room.given.house.deps
    subject = verify_ticket(ticket, deps.ticket_key, room.given.now).subject
    room.given.cancelled(int(subject))  # type: ignore[arg-type]  # hostile values are of the wrong type on purpose
    assert user.read_until_closed() == LOG_IN_FIRST


def test_visitors_are_sent_away_when_only_known_viewers_may_watch(room: Classroom) -> None:
    user, visitor = room.visitor(ticket=user_ticket(room)), room.visitor()
    assert room.edit(watchByLogin=1).errno == 1
    assert visitor.read_until_closed() == LOG_IN_FIRST
    user.said("still here")


def test_a_class_that_is_deleted_sends_everybody_away(given: Given) -> None:
    room = Classroom(given)
    ann, teacher = room.guest(), room.teacher_here()
    held = room.seen
    given.store.write(lambda uow: uow.lessons.delete(held, uow.now, keeps_identity=False))
    assert ann.next("state")["view"] == "over"
    assert ann.read_until_closed() == NO_CLASS
    assert teacher.read_until_closed() == NO_CLASS
    room.close()


def test_a_school_that_is_suspended_sends_everybody_away(room: Classroom) -> None:
    ann = room.guest()
    room.given.plan(suspended=True)
    assert ann.read_until_closed() == NO_CLASS
    room.given.plan(suspended=False)


def test_a_teacher_whose_page_has_another_address_is_sent_away(room: Classroom) -> None:
    teacher, ann = room.teacher_here(), room.guest()
    room.given.store.write(lambda uow: streams.renew_key(uow, room.lesson))
    assert teacher.read_until_closed() == NO_CLASS
    ann.said("where is everybody")


# --- trouble -------------------------------------------------------------------------------------


def broken(*_args: object, **_more: object) -> None:
    raise StoreError("the database is down")


def test_a_message_that_could_not_be_written_is_not_shown(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben = room.guest("Ann"), room.guest("Ben")
    with monkeypatch.context() as patch:
        patch.setattr(Chats, "add", broken)
        mark = ann.say("hello")
        assert ann.refused("say") == "failed"
    ann.say("hello", mark)
    ann.hears("hello")
    ben.hears("hello")
    assert len([event for event in ben.seen if event["t"] == "message"]) == 1


def test_a_database_that_is_down_keeps_nobody_from_staying(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = room.guest("Ann")
    with monkeypatch.context() as patch:
        patch.setattr(Chats, "list_since", broken)
        patch.setattr(Chats, "get_state", broken)
        ann.send("like", n=2)
        ann.next("counts", lambda counts: counts["likes"] == 2)
    ann.said("back again")


def test_who_comes_while_the_database_is_down_comes_again(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(viewing, "authorize_viewer", broken)
        assert ended(room) == FAILED
    room.visitor()


def test_ticket_of_an_hour_ago_is_good_and_of_half_a_day_ago_is_not(room: Classroom) -> None:
    given = room.given
    deps, lesson = given.house.deps, room.seen
    base = viewing.issue_visitor_ticket(deps, lesson, given.now)
    for age, is_known in ((HOUR, True), (13 * HOUR, False)):
        old: Ticket = msgspec.structs.replace(base, expires_at=base.expires_at - age)
        ticket = sign_ticket(old, deps.ticket_key)
        assert (room.visitor(ticket=ticket).ticket == ticket) is is_known
