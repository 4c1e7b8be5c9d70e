"""Control of pushes that run in an engine: here an SRS, as far as its API goes."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select

from homeroom.async_store import AsyncStore
from homeroom.base.clock import HOUR, MINUTE
from homeroom.base.stream_problems import StreamProblem
from homeroom.domain.streams import PublishSession, StreamFacts, StreamFigures, StreamKind
from homeroom.media import stream_monitor
from homeroom.media.engine_client import EngineClient
from homeroom.media.stream_monitor import StreamMonitor
from homeroom.store.engine import StoreError
from homeroom.store.publish_sessions import NewPublishSession, PublishSessions
from homeroom.store.tables import pushes
from homeroom.usecases import streams
from tests.support.engine import until
from tests.support.given import Given
from tests.support.scheduled import TRIO, Scheduled
from tests.support.serving import House, running_house
from tests.support.srs import SRS, stream

PATIENCE: Final = 30
CLIENT: Final = "2lg6l3d8"
OURS: Final = "0a1b2c3d"
"""The id of an engine of our own, beside the one that the house watches."""


@pytest.fixture(scope="module")
def srs() -> Iterator[SRS]:
    running = SRS()
    yield running
    running.close()


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory, srs: SRS) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("watching")
    with pytest.MonkeyPatch.context() as patch:
        # The engine is looked at more often, so that no test waits for two looks.
        patch.setattr(stream_monitor, "POLL_SECONDS", 0.1)
        with running_house(folder, None, "sqlite", media_api=srs.url) as house:
            yield house


class Live(Scheduled):
    """A class that is open and pushed."""

    def __init__(self, given: Given, srs: SRS) -> None:
        super().__init__(given, **TRIO)
        self.soon()
        server = given.house.services
        addresses = given.store.read(
            lambda uow: streams.get_streams(uow, server.deps, server.hosts, self.lesson)
        )
        assert addresses.room is not None
        self.name = addresses.room.name
        self.srs = srs
        hook = {
            "action": "on_publish",
            "client_id": CLIENT,
            "ip": "127.0.0.1",
            "vhost": "__defaultVhost__",
            "app": "live",
            "stream": self.name,
            "param": f"?{urlsplit(addresses.room.push_url).query}",
        }
        # First in the engine, so that it is never missing there.
        self.says()
        answer = httpx.post(given.house.main.media.hooks_url, json=hook)
        assert answer.status_code == 200, answer.text

    def says(self, **more: object) -> None:
        """Let the engine say this of the stream."""
        self.srs.streams = [stream(self.name, CLIENT, **more)]

    def push(self) -> PublishSession:
        """Return the push as it was last written."""
        (newest, *_) = self.given.store.read(
            lambda uow: uow.publish_sessions.list_of_lesson(self.lesson)
        )
        return newest


@pytest.fixture
def given(watching: House) -> Iterator[Given]:
    school = Given(watching)
    yield school
    school.close()


@pytest.fixture
def live(given: Given, srs: SRS) -> Iterator[Live]:
    srs.kicked.clear()
    srs.first = []
    srs.own = {}
    yield Live(given, srs)
    srs.streams = []
    assert running(given) == []


def running(given: Given) -> list[str]:
    """Wait until no push of the engine runs any more, which takes two looks at it."""
    query = select(pushes.c.client_id).where(pushes.c.ended_at.is_(None), pushes.c.engine == "")
    until(lambda: not given.rows(query))
    return [str(row[0]) for row in given.rows(query)]


def number(house: House, sample: str) -> float:
    text = httpx.get(f"{house.url}/metrics").text
    match = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(match[1]) if match else 0.0


def test_a_push_that_is_allowed_is_left_alone(live: Live, srs: SRS) -> None:
    srs.wait_for_looks(3)

    assert srs.kicked == []
    assert live.push().ended_at is None


def closes(live: Live) -> None:
    live.given.closed_early(live.lesson)


def is_deleted(live: Live) -> None:
    assert live.delete().errno == 1


def gets_another_teacher(live: Live) -> None:
    assert live.edit(teacherUid=live.given.teacher()).errno == 1


def loses_its_teacher(live: Live) -> None:
    live.given.cancelled(live.teacher)


def gets_another_key(live: Live) -> None:
    live.given.store.write(lambda uow: streams.renew_key(uow, live.lesson))


def is_of_a_suspended_school(live: Live) -> None:
    live.given.plan(suspended=True)


def goes_by(live: Live) -> None:
    live.given.until(live.begin + 2 * HOUR)


@pytest.mark.parametrize(
    "that",
    [
        closes,
        is_deleted,
        gets_another_teacher,
        loses_its_teacher,
        gets_another_key,
        is_of_a_suspended_school,
        goes_by,
    ],
)
def test_a_push_ends_within_a_second_when_its_class(
    live: Live, srs: SRS, that: Callable[[Live], None]
) -> None:
    that(live)
    began = time.monotonic()

    srs.wait_for_kick(CLIENT)

    assert time.monotonic() - began < 1


def test_a_push_that_does_not_end_is_logged_once(
    live: Live, srs: SRS, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "homeroom.media")
    srs.kick_status = 500
    closes(live)

    until(lambda: srs.kicked.count(CLIENT) >= 4)

    srs.kick_status = 200
    messages = [
        record.getMessage() for record in caplog.records if getattr(record, "client", "") == CLIENT
    ]
    assert messages == ["push_revoked", "push_kick_failed"]


def test_a_push_that_nobody_knows_of_is_left_alone_at_an_engine_that_is_not_ours(
    live: Live, srs: SRS
) -> None:
    stranger = stream("reset", "stranger")
    srs.streams.append(stranger)
    srs.wait_for_looks(4)
    # It may be the one of another server, too.
    srs.own = {"homeroom": {}}
    srs.wait_for_looks(4)

    assert srs.kicked == []
    assert live.push().ended_at is None


def test_a_push_that_nobody_knows_of_is_ended_at_our_own_engine(live: Live) -> None:
    store, deps = live.given.store, live.given.house.deps
    own = SRS()
    own.streams = [stream("reset", "stranger")]

    async def scene() -> None:
        watching = StreamMonitor(
            AsyncStore(store), deps, EngineClient(own.url, ""), OURS, lambda _numbers: None
        )
        running = asyncio.create_task(watching.run())
        await asyncio.to_thread(own.wait_for_kick, "stranger")
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(scene())
    own.close()

    # What others carry is none of its business.
    assert set(own.kicked) == {"stranger"}
    assert live.push().ended_at is None


def test_a_push_that_the_engine_no_longer_has_is_over(live: Live, srs: SRS) -> None:
    # A sandbox's clock may be moved back.
    live.given.clock.advance(-MINUTE)
    srs.streams = []

    until(lambda: live.push().ended_at is not None)

    assert live.push().problem is None


def test_a_push_that_is_missing_in_one_look_is_not_over(live: Live, srs: SRS) -> None:
    # It may have been missed already, by a look between its row and its stream.
    srs.wait_for_looks(2)
    srs.first = [[], srs.streams, [], srs.streams, []]

    srs.wait_for_looks(7)

    assert live.push().ended_at is None


def test_a_push_of_another_engine_is_left_alone(live: Live, srs: SRS) -> None:
    theirs = NewPublishSession(live.lesson, StreamKind.CLASS, OURS, "theirs", "", "127.0.0.1")
    live.given.store.write(lambda uow: uow.publish_sessions.add(theirs, uow.now))

    # It is unknown to the engine, and would not be let in.
    srs.wait_for_looks(8)

    assert live.push().client_id == "theirs"
    assert live.push().ended_at is None
    assert srs.kicked == []


def test_an_engine_that_does_not_answer_ends_no_push(live: Live, srs: SRS) -> None:
    house = live.given.house
    until(lambda: number(house, "homeroom_media_up") == 1)
    srs.answer = (500, b"")
    try:
        live.given.clock.advance(MINUTE)
        until(lambda: number(house, "homeroom_media_up") == 0)
        srs.wait_for_looks(10)
        assert live.push().ended_at is None
        assert number(house, "homeroom_media_publishers") == 0
        # It is not ours to restart, and the API can do without.
        assert httpx.get(f"{house.url}/readyz").status_code == 200
    finally:
        srs.answer = None
    until(lambda: number(house, "homeroom_media_publishers") == 1)


def test_a_database_that_is_down_does_not_make_the_engine_look_dead(
    live: Live, srs: SRS, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = live.given.house
    with monkeypatch.context() as patch:
        patch.setattr(stream_monitor, "ERROR_BACKOFF_SECONDS", 0.1)
        patch.setattr(PublishSessions, "list_running", _broken)
        srs.answer = (500, b"")
        srs.wait_for_looks(2)
        srs.answer = None
        until(lambda: number(house, "homeroom_media_up") == 1)


def _broken(*_args: object) -> None:
    raise StoreError("the database is down")


def test_what_goes_wrong_with_a_recording_is_kept(live: Live) -> None:
    live.says(homeroom={"recording": "failed", "recording_error": "disk full"})

    until(lambda: live.push().problem == "disk full")


def test_what_the_engine_says_is_at_hand_and_on_the_metrics(live: Live, srs: SRS) -> None:
    house = live.given.house
    media = house.main.media
    counters = {
        name: number(house, f"homeroom_media_{name}_total")
        for name in (
            *("slow_key_frames", "dropped_frames", "received_bytes", "sent_bytes"),
            "recording_failures",
        )
    }
    viewers = {"rtmp": 1, "flv": 2, "hls": 30}
    srs.own = {
        "homeroom": {
            "slow_key_frames": 3,
            "dropped_frames": 5,
            "bytes_in": 500,
            "bytes_out": 7000,
            "recording_failures": 2,
            "spooled": 4,
        }
    }
    problems = [StreamProblem.KEYFRAMES_TOO_RARE, StreamProblem.SOUND_MISSING]
    live.says(
        homeroom={
            "key_frame_ms": 4000,
            "viewers": viewers,
            "recording": "on",
            "problems": problems,
        }
    )

    figures = StreamFigures(None, None, None, None, {})
    facts = StreamFacts(4000, viewers, "on", None, tuple(problems), figures)
    until(lambda: media.facts(live.name) == facts)

    for problem in StreamProblem:
        gauge = f'homeroom_media_stream_problems{{problem="{problem}"}}'
        assert number(house, gauge) == (problem in problems)
    assert number(house, "homeroom_media_publishers") == 1
    assert number(house, 'homeroom_media_viewers{protocol="hls"}') == 30
    assert number(house, "homeroom_media_reports_spooled") == 4
    grown = {
        name: number(house, f"homeroom_media_{name}_total") - before
        for name, before in counters.items()
    }
    assert grown == {
        "slow_key_frames": 3,
        "dropped_frames": 5,
        "received_bytes": 500,
        "sent_bytes": 7000,
        "recording_failures": 2,
    }
    assert media.facts("nobody") is None


def test_an_engine_that_counts_from_0_again_takes_nothing_away(live: Live, srs: SRS) -> None:
    house = live.given.house
    before = number(house, "homeroom_media_sent_bytes_total")
    for bytes_out in (900, 100):
        srs.own = {"homeroom": {"bytes_out": bytes_out}}
        srs.wait_for_looks(2)

    until(lambda: number(house, "homeroom_media_sent_bytes_total") - before == 1000)
