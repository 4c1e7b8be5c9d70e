"""The chat of a class, on real WebSockets: who says what, and what everybody sees."""

import asyncio
import json
import re
from collections.abc import Iterator
from threading import Event

import httpx
import pytest
from sqlalchemy import select
from websockets.asyncio.client import connect

from homeroom.base.clock import HOUR
from homeroom.base.stream_problems import StreamProblem
from homeroom.domain.chat import (
    MAX_MESSAGE_LENGTH,
    MAX_RECENT_MESSAGES,
    Author,
    EntryKind,
    NewChatEntry,
)
from homeroom.domain.streams import StreamFacts
from homeroom.player import participants, room_registry
from homeroom.store.chat import Chats
from homeroom.store.engine import StoreError
from homeroom.store.tables import viewers
from tests.support.chat import Classroom
from tests.support.engine import PATIENCE, until
from tests.support.given import Given


@pytest.fixture
def room(given: Given) -> Iterator[Classroom]:
    classroom = Classroom(given)
    yield classroom
    classroom.close()


def test_what_one_says_all_see(room: Classroom) -> None:
    ann, ben, visitor = room.guest("Ann"), room.guest("Ben"), room.visitor()

    said = ann.said("Hello 👋 <b>all</b>")

    assert (said["name"], said["role"], said["viewer"]) == ("Ann", "viewer", ann.you["viewer"])
    assert said["at"] == room.given.now
    for other in (ben, visitor):
        assert other.hears("Hello 👋 <b>all</b>") == said


def test_all_see_messages_in_the_same_order(room: Classroom) -> None:
    people = [room.guest(f"Guest {number}") for number in range(4)]
    watcher = room.visitor()
    for turn in range(4):
        for number, one in enumerate(people):
            one.say(f"{number}/{turn}")

    seen = [watcher.next("message")["id"] for _ in range(16)]

    assert seen == sorted(set(seen))
    for one in people:
        assert [one.next("message")["id"] for _ in range(16)] == seen


def test_who_joins_sees_the_last_messages(room: Classroom) -> None:
    room.given.store.write(
        lambda uow: [
            uow.chats.add(_said(room, f"number {number}"), uow.now)
            for number in range(MAX_RECENT_MESSAGES + 5)
        ]
    )

    for _ in range(2):  # from the database, and from memory
        welcome = room.visitor().welcome
        texts = [entry["text"] for entry in welcome["entries"]]
        assert welcome["fresh"] is True
        assert texts == [f"number {number}" for number in range(5, MAX_RECENT_MESSAGES + 5)]


def test_who_was_away_gets_what_they_missed_once(room: Classroom) -> None:
    teacher, ann = room.teacher_here(), room.guest("Ann")
    first = ann.said("first")
    away = room.guest("Away")
    away.close()
    second, third = ann.said("second"), ann.said("third")
    teacher.send("delete", id=second["id"])
    deleted = ann.next("delete")

    back = room.visitor(ticket=away.ticket, after=first["id"])

    assert back.welcome["fresh"] is False
    assert back.welcome["entries"] == [second, third, deleted]
    assert back.you["viewer"] == away.you["viewer"]


@pytest.mark.parametrize("somebody_else_is_there", [False, True])
def test_who_was_away_longer_than_the_server_remembers(
    room: Classroom, monkeypatch: pytest.MonkeyPatch, *, somebody_else_is_there: bool
) -> None:
    monkeypatch.setattr(room_registry, "REFRESHES_PER_WATCH_TIME", 1)
    open_rooms = room.given.house.services.chat.registry.rooms
    ann = room.guest("Ann")
    first = ann.said("first")
    ann.close()
    until(lambda: room.lesson not in open_rooms)
    second = room.given.store.write(lambda uow: uow.chats.add(_said(room, "second"), uow.now))
    if somebody_else_is_there:
        room.visitor()

    welcome = room.visitor(after=first["id"]).welcome

    assert [entry["id"] for entry in welcome["entries"]] == [second.id]
    assert welcome["fresh"] is False


def test_who_knows_more_than_the_server_is_told_what_follows(room: Classroom) -> None:
    ann = room.guest("Ann")
    ann.said("so it begins")
    welcome = room.visitor(after=2**50).welcome
    assert (welcome["entries"], welcome["fresh"]) == ([], False)
    assert ann.said("on it goes")


def test_a_message_that_is_sent_again_is_kept_once(room: Classroom) -> None:
    ann, ben = room.guest("Ann"), room.guest("Ben")
    mark = ann.say("once")
    ann.say("once", mark)
    first = ann.next("message")
    ann.join(ann.ticket, first["id"])
    ann.say("once", mark)
    ben.said("later")

    assert [event["text"] for event in ben.seen if event["t"] == "message"] == ["once", "later"]
    ann.hears("later")
    assert [event["text"] for event in ann.seen if event["t"] == "message"] == ["once", "later"]


def test_a_message_that_is_sent_again_after_it_was_deleted_stays_away(room: Classroom) -> None:
    teacher, ann = room.teacher_here(), room.guest("Ann")
    said = ann.said("rude")
    teacher.send("delete", id=said["id"])
    ann.next("delete")

    ann.say("rude", said["nonce"])

    assert ann.refused("say") == "missing"


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), (" \n\x00\x07", "empty"), ("x" * (MAX_MESSAGE_LENGTH + 1), "long")],
)
def test_what_is_no_message_is_refused(room: Classroom, text: str, why: str) -> None:
    ann = room.guest()
    mark = ann.say(text)
    refusal = ann.next("no")
    assert (refusal["about"], refusal["why"], refusal["nonce"]) == ("say", why, mark)


def test_a_message_of_any_letters_comes_through_as_it_was(room: Classroom) -> None:
    ann, ben = room.guest(), room.guest()
    longest = "😀" * MAX_MESSAGE_LENGTH
    for text in (longest, "</script><script>alert(1)</script>", "حصة", "line\nline"):
        ann.say(text)
        assert ben.next("message")["text"] == text


def test_who_is_not_known_may_not_speak(room: Classroom) -> None:
    visitor = room.visitor()
    assert (visitor.you["kind"], visitor.you["chat"]) == ("visitor", "guest")
    visitor.say("hello")
    assert visitor.refused("say") == "guest"

    visitor.join(room.guest_ticket("Ann", visitor.ticket))

    assert (visitor.you["kind"], visitor.you["chat"]) == ("guest", "open")
    assert visitor.said("hello")["name"] == "Ann"


def test_where_only_known_viewers_may_chat(given: Given) -> None:
    room = Classroom(given, allowUnloggedChat=0)
    visitor = room.visitor()
    visitor.say("hello")
    visitor.send("like", n=1)
    assert (visitor.refused("say"), visitor.refused("like")) == ("login", "login")
    room.close()


def test_a_switch_of_who_may_chat_is_told_at_once(room: Classroom) -> None:
    ann, visitor = room.guest(), room.visitor()
    assert room.edit(allowUnloggedChat=0).errno == 1
    assert visitor.next("you")["chat"] == "login"
    assert ann.next("you")["chat"] == "login"
    ann.say("still?")
    assert ann.refused("say") == "login"


def test_after_the_class_nobody_speaks(room: Classroom) -> None:
    ann, teacher = room.guest(), room.teacher_here()
    ann.said("goodbye")
    room.given.closed_early(room.lesson)
    assert ann.next("state")["phase"] == "closed_early"
    for one in (ann, teacher):
        one.say("too late")
        assert one.refused("say") == "over"


def test_likes_are_counted_together_and_kept(room: Classroom) -> None:
    ann, visitor = room.guest(), room.visitor()
    ann.send("like", n=3)
    visitor.send("like", n=20)
    ann.next("counts", lambda counts: counts["likes"] == 23)
    until(lambda: room.given.store.read(lambda uow: uow.chats.find_likes([room.lesson])) != {})
    assert room.given.store.read(lambda uow: uow.chats.find_likes([room.lesson])) == {
        room.lesson: 23
    }
    assert room.visitor().next("counts")["likes"] == 23


def test_likes_that_are_written_at_once_from_two_sides_count_once(room: Classroom) -> None:
    ann, server = room.guest(), room.given.house.services
    here = server.chat.registry.rooms[room.lesson]

    async def both() -> int:
        """Do at once what the look does, and the end of the server."""
        here.pending_likes = 7
        write = server.chat.registry._write_likes  # noqa: SLF001  what both of them call
        await asyncio.gather(write(), write())
        return here.pending_likes

    loop = server.async_store._loop  # noqa: SLF001  where the rooms live
    assert asyncio.run_coroutine_threadsafe(both(), loop).result(PATIENCE) == 0
    assert room.given.store.read(lambda uow: uow.chats.find_likes([room.lesson])) == {
        room.lesson: 7
    }
    ann.next("counts", lambda counts: counts["likes"] == 7)


def test_likes_that_could_not_be_written_are_written_later(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, failed = room.guest(), Event()

    def add_likes(*_args: object) -> None:
        failed.set()
        raise StoreError("the database is down")

    with monkeypatch.context() as patch:
        patch.setattr(Chats, "add_likes", add_likes)
        ann.send("like", n=3)
        assert failed.wait(PATIENCE)
        ann.next("counts", lambda counts: counts["likes"] == 3)
    until(lambda: room.given.store.read(lambda uow: uow.chats.find_likes([room.lesson])) != {})
    assert room.given.store.read(lambda uow: uow.chats.find_likes([room.lesson])) == {
        room.lesson: 3
    }


def test_viewers_are_counted_once_each(room: Classroom) -> None:
    ann = room.guest()
    assert ann.next("counts")["viewers"] == 1
    again = room.visitor(ticket=ann.ticket)
    other = room.visitor()
    room.teacher_here()
    ann.next("counts", lambda counts: counts["viewers"] == 2)
    again.close()
    other.close()
    ann.next("counts", lambda counts: counts["viewers"] == 1)


def test_time_watched_is_written_down(room: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_registry, "REFRESHES_PER_WATCH_TIME", 1)
    monkeypatch.setattr(participants, "MIN_WATCHED_SECONDS", 2)
    ann, visitor, idle, short = room.guest("Ann"), room.visitor(), room.visitor(), room.visitor()
    for one in (ann, visitor, short):
        one.send("play", on=True)
    short.send("play", on=False)

    def watched() -> dict[str, int]:
        query = select(viewers.c.kind, viewers.c.name, viewers.c.watched).where(
            viewers.c.lesson_id == room.lesson
        )
        return {name: seconds for _, name, seconds in room.given.rows(query)}

    until(lambda: watched().get("Ann", 0) >= 3)
    until(lambda: watched().get("", 0) >= 2)
    assert len(watched()) == 2
    assert idle.you["viewer"] is None


def test_what_goes_on_the_air_is_told(room: Classroom, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, teacher, asking = room.guest(), room.teacher_here(), room.visitor()
    state = ann.welcome["state"]
    assert (state["phase"], state["on_air"], state["live"]) == ("open_early", [], True)
    assert list(state["sources"]) == ["class"]
    on_air = {room.seen.key}
    fact = StreamFacts(None, {}, None, None)
    registry = room.given.house.services.chat.registry
    monkeypatch.setattr(registry, "_facts", lambda name: fact if name in on_air else None)
    for one in (ann, teacher):
        assert one.next("state")["on_air"] == ["class"]
    on_air.clear()
    assert ann.next("state")["on_air"] == []
    asking.send("state")
    asking.next("state", lambda event: event["on_air"] == [])


def test_problems_of_a_stream_reach_those_whom_they_concern(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case P1: viewers get what they miss, the teacher everything; both get the end of it."""
    problems: list[StreamProblem] = []
    registry = room.given.house.services.chat.registry
    monkeypatch.setattr(
        registry, "_facts", lambda _name: StreamFacts(None, {}, None, None, tuple(problems))
    )
    ann, teacher = room.guest(), room.teacher_here()
    assert ann.welcome["state"]["problems"] == {}
    problems += [StreamProblem.SOUND_MISSING, StreamProblem.RECORDING_FAILED]
    viewed = ann.next("state", lambda event: event["problems"] != {})
    taught = teacher.next("state", lambda event: event["problems"] != {})
    assert viewed["problems"]["class"] == ["sound_missing"]
    assert taught["problems"]["class"] == ["recording_failed", "sound_missing"]
    problems.clear()
    ann.next("state", lambda event: event["problems"] == {})


def test_what_time_changes_is_told(room: Classroom) -> None:
    ann = room.guest()
    room.running()
    state = ann.next("state")
    assert (state["phase"], state["now"]) == ("running", room.given.now)
    room.given.until(room.begin + 2 * HOUR)
    over = ann.next("state", lambda event: event["phase"] == "over")
    assert (over["sources"], over["clips"]) == ({}, [])
    clip = room.given.clip(room.lesson)
    (shown,) = ann.next("state", lambda event: event["clips"] != [])["clips"]
    assert shown["id"] == clip.file.file_id


def test_the_teacher_sees_what_viewers_do_not(given: Given) -> None:
    room = Classroom(given, live=0, replay=0)
    ann, teacher = room.guest(), room.teacher_here()
    assert ann.welcome["state"]["sources"] == {}
    assert list(teacher.welcome["state"]["sources"]) == ["class"]
    given.closed_early(room.lesson)
    given.clip(room.lesson)
    teacher.next("state", lambda event: event["clips"] != [])
    ann.next("state", lambda event: event["phase"] == "closed_early")
    assert all(event["clips"] == [] for event in ann.seen if event["t"] == "state")
    room.close()


@pytest.mark.alone
def test_three_hundred_viewers_hear_each_message_once(room: Classroom) -> None:
    teacher = room.teacher_here()
    address = f"ws{room.url.removeprefix('http')}{room.base}/room"

    async def heard(number: int, everybody_is_there: asyncio.Barrier) -> list[str]:
        headers = {"x-forwarded-for": f"192.0.2.{number % 250}"}
        async with connect(address, additional_headers=headers, proxy=None) as socket:
            await socket.send('{"t":"join"}')
            await socket.recv()
            await everybody_is_there.wait()
            texts: list[str] = []
            while len(texts) < 10:
                events = json.loads(await socket.recv())
                texts += [event["text"] for event in events if event["t"] == "message"]
            return texts

    async def scene() -> list[list[str]]:
        barrier = asyncio.Barrier(301)

        async def speak() -> list[str]:
            await barrier.wait()
            for number in range(10):
                await asyncio.to_thread(teacher.said, f"number {number}")
            return [f"number {number}" for number in range(10)]

        async with asyncio.timeout(PATIENCE):
            viewers = [heard(number, barrier) for number in range(300)]
            return list(await asyncio.gather(speak(), *viewers))

    said, *all_heard = asyncio.run(scene())
    assert all_heard == [said] * 300
    metrics = httpx.get(f"{room.url}/metrics", trust_env=False).text
    (total,) = re.findall(r"^homeroom_chat_messages_total (\S+)$", metrics, re.MULTILINE)
    assert float(total) >= 10


def _said(room: Classroom, text: str) -> NewChatEntry:
    return NewChatEntry(room.lesson, EntryKind.MESSAGE, Author("Somebody"), text)
