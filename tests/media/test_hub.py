"""Permission to publish, and clients that must not block it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.engine import Engine, Hook, allow, running_engine, until
from tests.support.rtmp import Peer

DENIED = 403, b'{"code":403,"msg":"the signature is wrong"}'
STARTED = "NetStream.Publish.Start"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with running_engine(tmp_path / "engine") as engine:
        yield engine


class Gate:
    """An API that takes its time with some questions, until it is opened."""

    def __init__(self, engine: Engine, word: str) -> None:
        self.word = word
        self.asked = threading.Semaphore(0)
        self.opened = threading.Event()
        engine.hooks.judge = self.judge

    def judge(self, hook: Hook) -> tuple[int, bytes]:
        if self.word not in hook["action"] + hook["param"]:
            return allow(hook)
        self.asked.release()
        self.opened.wait(2)
        return DENIED


def test_a_stranger_who_asks_does_not_keep_the_teacher_out(engine: Engine) -> None:
    gate = Gate(engine, "wrong")
    with Peer(engine.rtmp_port) as stranger, Peer(engine.rtmp_port) as teacher:
        stranger.connect()
        stranger.call("publish", None, "s?txSecret=wrong", "live")
        assert gate.asked.acquire(timeout=10)
        assert teacher.publish("s?txSecret=right")[0] == STARTED
        gate.opened.set()


def test_many_who_want_to_watch_do_not_keep_the_teacher_out(engine: Engine) -> None:
    gate = Gate(engine, "on_play")
    url = f"{engine.http}/s.flv"

    def watch(number: int) -> None:
        httpx.get(url, params={"txSecret": number}, trust_env=False, timeout=20)

    strangers = [threading.Thread(target=watch, args=(number,)) for number in range(60)]
    for stranger in strangers:
        stranger.start()
    assert gate.asked.acquire(timeout=10)
    with Peer(engine.rtmp_port) as teacher:
        assert teacher.publish("s?txSecret=right")[0] == STARTED
        gate.opened.set()
    for stranger in strangers:
        stranger.join(30)


def test_two_with_the_same_address_are_not_both_let_in(engine: Engine) -> None:
    with Peer(engine.rtmp_port) as one, Peer(engine.rtmp_port) as other:
        for peer in (one, other):
            peer.connect()
            peer.call("publish", None, "s?txSecret=right", "live")
        said = sorted((one.status(), other.status()))
        assert said[0] == ("NetStream.Publish.Denied", "the stream has a publisher already")
        assert said[1][0] == STARTED


def test_a_publisher_who_has_gone_silent_is_taken_over(engine: Engine) -> None:
    with Peer(engine.rtmp_port) as silent:
        assert silent.publish("s?txSecret=right")[0] == STARTED

        def taken_over() -> bool:
            with Peer(engine.rtmp_port) as other:
                return other.publish("s?txSecret=right")[0] == STARTED

        assert not taken_over()
        until(taken_over, 20)
        said = silent.status()
    assert said == ("NetStream.Publish.Denied", "another publisher has taken over")


def test_names_that_are_too_long_are_not_asked_about(engine: Engine) -> None:
    name = "x" * 65
    for path in (f"{name}.flv", f"{name}.m3u8", f"{name}/s1.m4s"):
        answer = httpx.get(f"{engine.http}/{path}", trust_env=False, timeout=10)
        assert answer.status_code in {403, 404}
    with Peer(engine.rtmp_port) as peer:
        assert peer.publish(name)[0] == "NetStream.Publish.BadName"
    assert engine.hooks.taken == []


def test_a_push_that_has_ended_is_reported_once(engine: Engine) -> None:
    with Peer(engine.rtmp_port) as peer:
        assert peer.publish("s")[0] == STARTED
    engine.hooks.wait("on_unpublish")
    until(lambda: engine.streams()["homeroom"]["spooled"] == 0)
    assert len(engine.hooks.of("on_unpublish")) == 1
    assert engine.hooks.of("on_dvr") == []
