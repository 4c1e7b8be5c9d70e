"""Moderation of a chat: limits, and what the teacher may do."""

from collections.abc import Iterator, Sequence

import pytest

from homeroom.base.ids import EntryId
from homeroom.player import token_bucket
from homeroom.player.protocol import ChatEvent, MuteViewer
from homeroom.player.room import Room
from homeroom.player.token_bucket import RateLimit, TokenBucket
from homeroom.store.records import PublicLesson
from tests.support.chat import Chatter, Classroom
from tests.support.given import Given
from tests.support.sandbox import Sandbox

PATIENT = 60.0
"""Seconds of a test, in which a bucket that gives so little gives nothing."""
NEVER = 1 / (100 * PATIENT)


@pytest.fixture
def room(given: Given) -> Iterator[Classroom]:
    classroom = Classroom(given)
    yield classroom
    classroom.close()


def text_of(one: Chatter) -> list[str]:
    return [event["text"] for event in one.seen if event["t"] == "message"]


# --- limits --------------------------------------------------------------------------------------


def test_who_says_too_much_is_told_to_wait(room: Classroom) -> None:
    ann, ben = room.guest("Ann"), room.guest("Ben")
    for number in range(token_bucket.VIEWER_MESSAGES.burst):
        ann.said(f"number {number}")
    ann.say("one too many")
    assert ann.refused("say") == "slow"
    # By another connection they are who they were.
    again = room.visitor(ticket=ann.ticket)
    again.say("one too many")
    assert again.refused("say") == "slow"
    # No other participant is limited.
    ben.said("hello")
    assert "one too many" not in text_of(ben)


def test_who_goes_on_all_the_same_waits_the_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(token_bucket, "monotonic", lambda: now)
    bucket = TokenBucket(RateLimit(2, 1, max_debt=3))
    assert [bucket.try_take() for _ in range(50)] == [True, True, *[False] * 48]
    now += 3.9
    assert not bucket.try_take()
    # That cost one more.
    now += 2.2
    assert bucket.try_take()
    assert not bucket.try_take(2)
    now += 100
    assert bucket.is_full
    assert bucket.try_take(2)


def test_a_room_in_which_too_much_is_said_waits_but_its_teacher_does_not(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("homeroom.player.room.ROOM_MESSAGES", RateLimit(2, NEVER))
    room = Classroom(given)
    teacher = room.teacher_here()
    for name in ("Ann", "Ben"):
        room.guest(name).said("hello")
    third = room.guest("Third")
    third.say("hello")
    assert third.refused("say") == "room_slow"
    for number in range(token_bucket.VIEWER_MESSAGES.burst + 1):
        teacher.said(f"number {number}")
    room.close()


def test_likes_that_come_too_fast_are_not_counted(room: Classroom) -> None:
    ann = room.guest()
    ann.send("like", n=token_bucket.LIKES.burst)
    ann.send("like", n=token_bucket.LIKES.burst)
    assert ann.refused("like") == "slow"
    ann.next("counts", lambda counts: counts["likes"] == token_bucket.LIKES.burst)


# --- moderation ----------------------------------------------------------------------------------


def test_a_message_is_deleted_for_everybody(room: Classroom) -> None:
    teacher, ann, ben = room.teacher_here(), room.guest("Ann"), room.visitor()
    said = ann.said("rude")
    teacher.send("delete", id=said["id"])
    for one in (ann, ben, teacher):
        assert one.next("delete")["target"] == said["id"]
    assert room.visitor().welcome["entries"] == []
    teacher.send("delete", id=said["id"])
    assert teacher.refused("delete") == "missing"


def test_a_message_of_another_class_is_out_of_reach(room: Classroom, given: Given) -> None:
    other = Classroom(given)
    said = other.guest().said("elsewhere")
    teacher = room.teacher_here()
    for what in ("delete", "pin"):
        teacher.send(what, id=said["id"])
        assert teacher.refused(what) == "missing"
    other.close()


def test_a_message_is_pinned_until_it_is_not(room: Classroom) -> None:
    teacher, ann = room.teacher_here(), room.guest("Ann")
    said = ann.said("read this")
    teacher.send("pin", id=said["id"])
    pinned = ann.next("pin")
    assert (pinned["target"], pinned["message"]) == (said["id"], said)
    assert ann.next("state")["pinned"] == said
    late = room.visitor()
    assert late.welcome["state"]["pinned"] == said
    # Who was away learns of it, too.
    back = room.visitor(after=said["id"])
    assert back.welcome["entries"] == [pinned]
    teacher.send("pin", id=None)
    late.next("unpin")
    assert late.next("state")["pinned"] is None


def test_a_pinned_message_that_is_deleted_is_no_longer_pinned(room: Classroom) -> None:
    teacher, ann = room.teacher_here(), room.guest("Ann")
    said = ann.said("read this")
    teacher.send("pin", id=said["id"])
    assert ann.next("state")["pinned"] == said
    teacher.send("delete", id=said["id"])
    ann.next("delete")
    assert ann.next("state")["pinned"] is None


def test_a_chat_is_paused_for_viewers(room: Classroom) -> None:
    teacher, ann = room.teacher_here(), room.guest("Ann")
    teacher.send("pause", on=True)
    ann.next("pause")
    assert ann.next("state")["paused"] is True
    ann.say("but")
    assert ann.refused("say") == "paused"
    teacher.said("listen")
    assert room.visitor().welcome["state"]["paused"] is True
    teacher.send("pause", on=False)
    ann.next("resume")
    ann.said("thanks")


def test_a_viewer_is_muted_and_heard_again(room: Classroom) -> None:
    teacher, ann, ben = room.teacher_here(), room.guest("Ann"), room.guest("Ben")
    teacher.send("mute", viewer=ann.you["viewer"], on=True)
    assert ann.next("you")["chat"] == "muted"
    ann.say("but")
    ann.send("like", n=1)
    assert (ann.refused("say"), ann.refused("like")) == ("muted", "muted")
    # Coming back does not help.
    assert room.visitor(ticket=ann.ticket).you["chat"] == "muted"
    ben.said("hello")
    teacher.send("mute", viewer=ann.you["viewer"], on=False)
    assert ann.next("you")["chat"] == "open"
    ann.said("sorry")
    # Only the participant concerned gets the message.
    assert not [event for event in ben.seen if event["t"] in ("mute", "you")]
    teacher.send("mute", viewer=2**40, on=True)
    assert teacher.refused("mute") == "missing"


def test_who_is_muted_while_coming_in_is_not_heard(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher, ben = room.teacher_here(), room.guest("Ben")
    ann = room.guest("Ann")
    ann.close()
    chat = room.given.house.services.chat
    enter = chat.registry.open_room

    async def late(page: PublicLesson, after: EntryId) -> tuple[Room, Sequence[ChatEvent], bool]:
        """Return the room, in which they were muted since they were let in."""
        here = chat.registry.rooms[page.lesson.id]
        ((connection,),) = (one.connections for one in here.teachers)
        await chat.moderate(here, connection, MuteViewer(ann.you["viewer"], on=True))
        return await enter(page, after)

    with monkeypatch.context() as patch:
        patch.setattr(chat.registry, "open_room", late)
        back = room.visitor(ticket=ann.ticket)
    assert back.you["chat"] == "open"
    back.say("am I heard")
    assert back.next("you")["chat"] == "muted"
    assert back.refused("say") == "muted"
    ben.said("all quiet")
    assert "am I heard" not in text_of(ben)
    teacher.send("mute", viewer=ann.you["viewer"], on=False)
    assert back.next("you")["chat"] == "open"
    back.said("thanks")


def test_the_teacher_sees_who_is_there(room: Classroom) -> None:
    teacher = room.teacher_here()
    ann = room.guest("Ann")
    room.visitor()
    row = {"viewer": ann.you["viewer"], "name": "Ann", "kind": "guest", "muted": False}
    teacher.next("people", lambda event: event["people"] == [row] and event["more"] == 0)
    teacher.send("mute", viewer=ann.you["viewer"], on=True)
    teacher.next("people", lambda event: event["people"] == [{**row, "muted": True}])
    ann.close()
    teacher.next("people", lambda event: event["people"] == [])
    assert not [event for event in ann.seen if event["t"] == "people"]


def test_the_teacher_speaks_as_such(room: Classroom) -> None:
    teacher, ann = room.teacher_here(), room.guest()
    assert (teacher.you["role"], teacher.you["kind"]) == ("teacher", "staff")
    assert (teacher.you["ticket"], teacher.you["chat"]) == (None, "open")
    said = teacher.said("welcome")
    assert (said["role"], said["viewer"]) == ("teacher", None)
    assert ann.hears("welcome") == said


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("delete", {"id": 1}),
        ("pin", {"id": None}),
        ("mute", {"viewer": 1, "on": True}),
        ("pause", {"on": True}),
    ],
)
def test_a_viewer_may_not_keep_order(room: Classroom, what: str, fields: dict[str, object]) -> None:
    ann = room.guest()
    ann.send(what, **fields)
    assert ann.read_until_closed() == 4400


def test_a_clock_that_was_moved_is_told_to_everybody(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    room = Classroom(given)
    viewer = room.visitor()
    now = viewer.welcome["state"]["now"]
    sandbox.move(advance=60)
    assert viewer.next("state")["now"] == now + 60
    room.close()
