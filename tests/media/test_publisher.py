"""Publishing over RTMP: to the engine as a process, and to a server that says no."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from homeroom.media.engine.amf0 import encode
from homeroom.media.engine.packets import SCRIPT, Packet
from homeroom.media.engine.publisher import PublishError, open_publisher
from tests.support import ffmpeg, flv
from tests.support.engine import running_engine, until
from tests.support.rtmp import listening

METADATA = encode("onMetaData", {"videocodecid": 7.0, "audiocodecid": 10.0})


@ffmpeg.needs_ffmpeg
def test_what_is_published_is_recorded_to_the_byte(tmp_path: Path) -> None:
    source = ffmpeg.source(tmp_path / "source.flv", seconds=2)

    async def publish(url: str) -> None:
        async with open_publisher(url) as publisher:
            await publisher.send(Packet(SCRIPT, 0, METADATA))
            for packet in flv.read(source):
                await publisher.send(packet)

    with running_engine(tmp_path / "engine") as engine:
        asyncio.run(publish(f"{engine.rtmp}/name?sign=1"))
        asked = engine.hooks.wait("on_publish")
        engine.hooks.wait("on_unpublish")
        engine.hooks.wait("on_dvr")
    (recording,) = (tmp_path / "engine" / "recordings").rglob("*.mp4")

    assert (asked["stream"], asked["param"]) == ("name", "?sign=1")
    assert ffmpeg.payload(recording, "v") == ffmpeg.payload(source, "v")
    assert ffmpeg.payload(recording, "a") == ffmpeg.payload(source, "a")


def test_a_refusal_says_why() -> None:
    async def publish(url: str) -> None:
        async with open_publisher(url):
            pass

    with listening() as server:
        with pytest.raises(PublishError, match="the class is over"):
            asyncio.run(publish(f"{server.url}/name?denied"))
        with pytest.raises(PublishError, match="no application of this name"):
            asyncio.run(publish(f"rtmp://127.0.0.1:{server.port}/other/name"))
    with pytest.raises(PublishError, match="cannot be reached"):
        asyncio.run(publish(f"{server.url}/name"))
    with pytest.raises(PublishError, match="rtmp://host/app/name"):
        asyncio.run(publish("rtmps://127.0.0.1/live/name"))


def test_the_end_of_a_push_by_the_server_is_noticed(tmp_path: Path) -> None:
    async def publish(url: str, kick: Callable[[], None]) -> str:
        async with open_publisher(url) as publisher:
            await publisher.send(flv.headers(9)[0])
            await asyncio.to_thread(kick)
            async with asyncio.timeout(10):
                reason = await publisher.wait_ended()
            with pytest.raises(PublishError, match=reason):
                await publisher.send(flv.picture(0, key=True))
            return reason

    with running_engine(tmp_path) as engine:

        def kick() -> None:
            until(lambda: engine.stream("name"))
            assert engine.kick(engine.hooks.wait("on_publish")["client_id"]) == 200

        reason = asyncio.run(publish(f"{engine.rtmp}/name", kick))

    assert reason == "the server has ended this push"


def test_a_connection_that_is_lost_in_the_middle_is_a_failed_push(tmp_path: Path) -> None:
    """A write to a connection that uvloop has closed is a `RuntimeError` of its own."""

    async def publish(url: str) -> None:
        async with open_publisher(url) as publisher:
            await publisher.send(flv.headers(9)[0])
            publisher._writer.transport.abort()  # noqa: SLF001  a network does it
            await asyncio.sleep(0)
            with pytest.raises(PublishError):
                await publisher.send(flv.picture(0, key=True))

    with running_engine(tmp_path) as engine:
        uvloop.run(publish(f"{engine.rtmp}/name"))
