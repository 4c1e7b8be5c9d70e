"""Viewers at several servers of one database: each person counts once."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from homeroom.base.ids import LessonId, ViewerId
from homeroom.domain.presence import RoomPresence, ViewerPresence
from homeroom.player import participants, presence_exchange, room_registry
from homeroom.player.participants import ViewerParticipant
from homeroom.player.room import Room
from tests.support.chat import Chatter, Classroom, Event
from tests.support.engine import until
from tests.support.given import Given
from tests.support.postgres import Postgres
from tests.support.serving import House, running_two_houses


class Two:
    """Two servers on one database, and a class that is live."""

    def __init__(self, first: House, second: House, given: Given) -> None:
        self.first, self.second, self.given = first, second, given
        second.clock.moment = first.clock.moment
        self.room = Classroom(given)

    def rooms(self) -> list[Room]:
        """Return the room of the class at each server."""
        houses = (self.first, self.second)
        return [house.services.chat.registry.rooms[self.room.lesson] for house in houses]


@pytest.fixture
def two(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    monkeypatch.setattr(room_registry, "REFRESH_SECONDS", 0.05)
    with ExitStack() as ends:
        first, second = ends.enter_context(running_two_houses(tmp_path, postgres.fresh()))
        given = Given(first)
        ends.callback(given.close)
        two = Two(first, second, given)
        ends.callback(two.room.close)
        yield two


def wait_for_viewers(chatter: Chatter, number: int) -> Event:
    """Read the numbers in order until that of the viewers is as expected."""
    while (counts := chatter.next("counts"))["viewers"] != number:
        pass
    return counts


def muted_names(people: Event) -> list[str]:
    return [person["name"] for person in people["people"] if person["muted"]]


def test_a_person_with_pages_at_both_servers_counts_once(two: Two) -> None:
    room = two.room
    ann, teacher = room.guest("Ann"), room.teacher_here()
    with Chatter(two.second.url, room.base, ann.ticket) as again:
        assert again.you["viewer"] == ann.you["viewer"]
        with Chatter(two.second.url, room.base, room.guest_ticket("Ben")) as ben:
            for chatter in (ann, again, ben, teacher):
                wait_for_viewers(chatter, 2)
            names = teacher.next("people", lambda people: len(people["people"]) == 2)
            assert [person["name"] for person in names["people"]] == ["Ann", "Ben"]
            assert names["more"] == 0
            teacher.send("mute", viewer=ben.you["viewer"], on=True)
            teacher.next(
                "people", lambda list_: [p["muted"] for p in list_["people"]] == [False, True]
            )
        for chatter in (ann, again):
            wait_for_viewers(chatter, 1)
    with Chatter(two.second.url, room.base) as visitor:
        wait_for_viewers(visitor, 2)
        wait_for_viewers(ann, 2)


def test_one_server_alone_counts_the_time_of_a_person(two: Two) -> None:
    room = two.room
    ann = room.guest("Ann")
    with Chatter(two.second.url, room.base, ann.ticket) as again:
        for chatter in (ann, again):
            chatter.send("play", on=True)

        def counting() -> list[bool]:
            return [
                not viewer.is_counted_elsewhere for here in two.rooms() for viewer in here.viewers
            ]

        until(lambda: counting().count(True) == 1 and len(counting()) == 2)
        # The other takes over when the video stops at this one.
        (ann if counting()[0] else again).send("play", on=False)
        before = counting()
        until(lambda: counting()[before.index(False)])


def test_a_viewer_counted_elsewhere_adds_no_time_here(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = two.room.guest("Ann")
    ann.send("play", on=True)
    (viewer,) = two.first.services.chat.registry.rooms[two.room.lesson].viewers
    assert isinstance(viewer, ViewerParticipant)
    until(lambda: viewer.presence.is_playing)
    now = time.monotonic()
    monkeypatch.setattr(participants, "monotonic", lambda: now)
    viewer.take_watch_time()
    for is_counted, seconds in ((False, 30), (True, 500), (False, 12)):
        viewer.set_counted_elsewhere(is_counted=is_counted)
        now += seconds
    watched = viewer.take_watch_time()
    assert watched is not None
    assert watched.seconds in (42, 43)


def test_a_server_that_ended_without_a_word_no_longer_counts(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_exchange, "STALE_SECONDS", 1)
    monkeypatch.setattr(presence_exchange, "FORGET_SECONDS", 2)
    monkeypatch.setattr(presence_exchange, "BEAT_SECONDS", 0.1)
    lesson = LessonId(two.room.lesson)
    viewers = tuple(ViewerPresence(key, None, is_playing=True) for key in (1, 2))
    dead = RoomPresence(lesson, "dead", 1, viewers)
    two.first.store.write(lambda uow: uow.presences.save([dead], uow.now))
    ann = two.room.visitor()
    with Chatter(two.second.url, two.room.base) as ben:
        wait_for_viewers(ann, 4)
        wait_for_viewers(ben, 4)
        # Those who are there stay.
        wait_for_viewers(ann, 2)
        wait_for_viewers(ben, 2)

        def servers() -> list[str]:
            query = "SELECT server FROM presences WHERE lesson_id = %s"
            with psycopg.connect(two.first.services.settings.database or "") as database:
                return [server for (server,) in database.execute(query, (lesson,))]

        until(lambda: "dead" not in servers())
        assert len(servers()) == 2
    two.second.stop()
    until(lambda: len(servers()) == 1)


def test_presence_of_a_class_at_a_server_that_stops_is_deleted(two: Two) -> None:
    ann = two.room.visitor()
    with Chatter(two.second.url, two.room.base) as ben:
        wait_for_viewers(ann, 2)
        two.second.stop()
        ben.read_until_closed()
    wait_for_viewers(ann, 1)
    listed = two.first.store.read(
        lambda uow: uow.presences.list_elsewhere("a third", [LessonId(two.room.lesson)])
    )
    assert [len(room.viewers) for room in listed] == [1]
    assert ViewerId(0) not in [viewer.viewer for room in listed for viewer in room.viewers]
