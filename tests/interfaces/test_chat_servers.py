"""Chats over several servers of one database, and over the end of one."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from homeroom.player import chat_service, room_registry
from tests.support.chat import Chatter, Classroom, deaf
from tests.support.engine import until
from tests.support.given import Given
from tests.support.postgres import Postgres
from tests.support.serving import House, running_house, running_two_houses

RESTART = 1012


@pytest.fixture
def unpolled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave servers that start from now on with announcements alone."""
    monkeypatch.setattr(room_registry, "REFRESH_SECONDS", 3600)


@pytest.fixture
def two(postgres: Postgres, tmp_path: Path) -> Iterator[tuple[House, House]]:
    """Run two servers on one database."""
    with running_two_houses(tmp_path, postgres.fresh()) as houses:
        yield houses


def count_listeners(house: House) -> int:
    """Return how many servers of a database listen for announcements."""
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%chat%' AND state = 'idle'"
    )
    with psycopg.connect(house.services.settings.database or "") as database:
        return int((database.execute(query).fetchone() or [0])[0])


def test_viewers_of_two_servers_see_one_chat(two: tuple[House, House]) -> None:
    first, second = two
    given = Given(first)
    room = Classroom(given)
    second.clock.moment = first.clock.moment
    ann = room.guest("Ann")
    with Chatter(second.url, room.base, room.guest_ticket("Ben")) as ben:
        one = ann.said("from the first")
        assert ben.hears("from the first") == one
        two_ = ben.said("from the second")
        assert ann.hears("from the second") == two_
        # Both at once, again and again: each sees all, in the order of the database.
        for number in range(3):
            ann.say(f"a{number}")
            ben.say(f"b{number}")
        for chatter in (ann, ben):
            for number in range(3):
                chatter.hears(f"a{number}")
                chatter.hears(f"b{number}")
        received = [
            [event["id"] for event in chatter.seen if event["t"] == "message"]
            for chatter in (ann, ben)
        ]
        assert received[0] == received[1] == sorted(set(received[0]))
        # A teacher at one is heard and obeyed at the other.
        teacher = room.teacher_here()
        teacher.send("mute", viewer=ben.you["viewer"], on=True)
        assert ben.next("you")["chat"] == "muted"
        teacher.send("pause", on=True)
        ben.next("pause")
        teacher.send("delete", id=two_["id"])
        assert ben.next("delete")["target"] == two_["id"]
        ann.send("like", n=4)
        ben.next("counts", lambda counts: counts["likes"] == 4)
    # Who changes over misses nothing.
    with Chatter(second.url, room.base, ann.ticket, after=received[0][0]) as moved:
        kinds = [event["t"] for event in moved.welcome["entries"]]
        assert kinds == ["message"] * 7 + ["pause", "delete"]
    room.close()
    given.close()


@pytest.mark.usefixtures("unpolled")
def test_servers_hear_of_new_entries_without_polling(two: tuple[House, House]) -> None:
    first, second = two
    given = Given(first)
    room = Classroom(given)
    second.clock.moment = first.clock.moment
    until(lambda: count_listeners(first) == 2)
    teacher = room.teacher_here()
    with Chatter(second.url, room.base, room.guest_ticket("Ben")) as ben:
        # The rooms are open; each server announces to the other, and hears itself.
        said = teacher.said("to the other server")
        assert ben.hears("to the other server") == said
        ben.say("and back")
        teacher.hears("and back")
        teacher.send("pin", id=said["id"])
        assert ben.next("pin")["target"] == said["id"]
        teacher.send("pause", on=True)
        ben.next("pause")
        teacher.send("mute", viewer=ben.you["viewer"], on=True)
        assert ben.next("you")["chat"] == "muted"
        assert [event["t"] for event in ben.seen].count("message") == 2
    room.close()
    given.close()


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_server_that_ends_writes_what_was_said_and_says_goodbye(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_service, "BATCH_SECONDS", 0.2)
    with running_house(tmp_path, None, engine) as house:
        given = Given(house)
        room = Classroom(given)
        ann, teacher = room.guest("Ann"), room.teacher_here()
        ann.send("like", n=3)
        ann.say("famous last words")
        ann.send("state")
        ann.next("state")
        house.stop()
        assert ann.read_until_closed() == RESTART
        assert teacher.read_until_closed() == RESTART
        assert [event["text"] for event in ann.seen if event["t"] == "message"] == [
            "famous last words"
        ]
        room.close()
        given.close()
    with running_house(tmp_path, None, engine) as house:
        store = house.store
        kept = store.read(lambda uow: uow.chats.list_recent(room.lesson))
        assert [entry.new.text for entry in kept] == ["famous last words"]
        assert store.read(lambda uow: uow.chats.find_likes([room.lesson])) == {room.lesson: 3}


def test_a_viewer_who_does_not_read_is_cut_and_others_are_not(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the system takes off our hands are megabytes: it takes long messages to fill it.
    monkeypatch.setattr(chat_service, "normalize_message", lambda text: text * 2000)
    room = Classroom(given)
    teacher, ann = room.teacher_here(), room.guest("Ann")
    here = given.house.services.chat.registry.rooms[room.lesson]
    with deaf(room.url, room.base):
        until(lambda: len(here.connections) == 3)
        for _ in range(100):
            teacher.said("x" * 500)
            ann.next("message")
            if len(here.connections) == 2:
                break
        until(lambda: len(here.connections) == 2)
    ann.said("still here")
    room.close()
