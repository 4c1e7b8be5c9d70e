"""Asking an engine what runs: our own, or an SRS of any age, by real requests."""

import asyncio
from base64 import b64encode
from collections.abc import Iterator

import pytest

from homeroom.base.settings import Settings
from homeroom.base.stream_problems import DropReason, StreamProblem
from homeroom.domain.streams import StreamFacts, StreamFigures
from homeroom.media import engine_client
from homeroom.media.engine.http_client import NoResponseError
from homeroom.media.engine_client import EngineClient, EngineState, EngineTotals
from homeroom.media.service import create_video_check
from tests.support.srs import SRS, stream

BEARER = "a secret"


@pytest.fixture
def srs() -> Iterator[SRS]:
    running = SRS()
    yield running
    running.close()


def fetch(srs: SRS) -> EngineState:
    return asyncio.run(EngineClient(srs.url, BEARER).fetch_state())


def test_an_srs_tells_who_pushes_and_how_many_watch(srs: SRS) -> None:
    srs.streams = [
        stream("0fdc12bc3558164d", "2lg6l3d8", clients=4),
        stream("nobody"),
        stream("other", "p", app="film"),
    ]

    seen = fetch(srs)

    (running,) = seen.running
    assert (running.name, running.client_id) == ("0fdc12bc3558164d", "2lg6l3d8")
    assert running.facts == StreamFacts(None, {"other": 3}, None, None)
    assert seen.totals is None


def test_an_old_srs_numbers_its_clients(srs: SRS) -> None:
    srs.streams = [stream("0fdc12bc3558164d", 112, id=24420, vhost=24419)]

    assert [running.client_id for running in fetch(srs).running] == ["112"]


def test_our_own_engine_tells_more(srs: SRS) -> None:
    facts = {
        "key_frame_ms": 8000,
        "viewers": {"rtmp": 1, "flv": 2, "hls": 3},
        "recording": "failed",
        "recording_error": "No space left on device",
        "longest_key_frame_ms": 9000,
        "video_kbps": 2400,
        "audio_kbps": 128,
        "frame_rate": 25.0,
        "dropped_frames": {"damaged": 2},
        "problems": ["keyframes_too_rare", "recording_failed"],
    }
    srs.streams = [stream("0fdc12bc3558164d", "c1", homeroom=facts)]
    srs.own = {"homeroom": {"recording_failures": 1, "slow_key_frames": 2, "bytes_in": 3}}

    seen = fetch(srs)

    viewers = {"rtmp": 1, "flv": 2, "hls": 3}
    problems = (StreamProblem.KEYFRAMES_TOO_RARE, StreamProblem.RECORDING_FAILED)
    figures = StreamFigures(2400, 128, 25.0, 9000, {DropReason.DAMAGED: 2})
    assert [running.facts for running in seen.running] == [
        StreamFacts(8000, viewers, "failed", "No space left on device", problems, figures)
    ]
    assert seen.totals == EngineTotals(recording_failures=1, slow_key_frames=2, bytes_in=3)


def test_a_long_list_is_asked_for_page_by_page(srs: SRS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_client, "PAGE_SIZE", 2)
    srs.streams = [stream(f"{number:016x}", f"c{number}") for number in range(5)]

    assert [running.client_id for running in fetch(srs).running] == [
        "c0",
        "c1",
        "c2",
        "c3",
        "c4",
    ]


def test_the_secret_goes_to_an_engine_whose_address_names_no_user(srs: SRS) -> None:
    fetch(srs)

    assert srs.asked[-1][1] == f"Bearer {BEARER}"


def test_an_address_with_a_user_is_asked_as_that_user(srs: SRS) -> None:
    asyncio.run(EngineClient(f"http://admin:pass%20word@{srs.address}", BEARER).fetch_state())

    assert srs.asked[-1][1] == f"Basic {b64encode(b'admin:pass word').decode()}"


def test_a_client_is_thrown_out_by_its_id(srs: SRS) -> None:
    asyncio.run(EngineClient(srs.url + "/", BEARER).kick("a/b"))

    assert srs.asked == [("/api/v1/clients/a%2Fb", f"Bearer {BEARER}")]


def test_a_client_who_has_gone_need_not_be_thrown_out(srs: SRS) -> None:
    srs.kick_status = 404
    asyncio.run(EngineClient(srs.url, BEARER).kick("c1"))


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_client_who_is_not_thrown_out_is_told_of(srs: SRS, status: int) -> None:
    srs.kick_status = status
    with pytest.raises(NoResponseError, match=str(status)):
        asyncio.run(EngineClient(srs.url, BEARER).kick("c1"))


@pytest.mark.parametrize(
    "answer",
    [
        (401, b'{"code":401}'),
        (500, b""),
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"code":1061}'),
        (200, b'{"code":0,"streams":[{"name":7}]}'),
        (200, b'{"code":0,"streams":null}'),
        (200, b"\xff"),
    ],
)
def test_whatever_else_is_answered_is_no_answer(srs: SRS, answer: tuple[int, bytes]) -> None:
    srs.answer = answer

    with pytest.raises(NoResponseError):
        fetch(srs)


def test_it_is_known_since_when_there_is_no_answer(
    srs: SRS, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(engine_client, "monotonic", lambda: now)
    engine = EngineClient(srs.url, BEARER)
    assert not engine.is_up  # it was never asked

    asyncio.run(engine.fetch_state())
    assert (engine.is_up, engine.seconds_down()) == (True, 0)

    srs.answer = (500, b"")
    now = 110.0
    with pytest.raises(NoResponseError):
        asyncio.run(engine.fetch_state())
    now = 120.0
    with pytest.raises(NoResponseError):
        asyncio.run(engine.fetch_state())
    now = 130.0
    assert (engine.is_up, engine.seconds_down()) == (False, 20)

    srs.answer = None
    asyncio.run(engine.fetch_state())
    assert (engine.is_up, engine.seconds_down()) == (True, 0)


def test_an_engine_that_is_down_for_a_minute_means_no_video(
    srs: SRS, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(engine_client, "monotonic", lambda: now)
    works = create_video_check(Settings(), EngineClient(srs.url, BEARER))

    now = 160.0
    assert works()
    now = 160.5
    assert not works()


def test_video_works_where_nobody_can_be_asked_and_not_where_there_is_no_engine() -> None:
    external = Settings(media="external", rtmp_url="rtmp://a.example", media_url="http://a.example")

    assert create_video_check(external, None)()
    assert not create_video_check(Settings(media="none"), None)()
