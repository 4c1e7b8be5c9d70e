"""Much of what costs a peer little: it must cost the engine, and everybody else, little too."""

import asyncio
import gc
import socket
from pathlib import Path

import pytest

from homeroom.media.engine import fanout, hls, hooks_client, packager, rtmp_peer, track_buffer
from homeroom.media.engine.chunks import (
    AGGREGATE,
    MAX_AGGREGATE_MESSAGES,
    SET_CHUNK_SIZE,
    ChunkReader,
    encode_message,
)
from homeroom.media.engine.fanout import GopCache
from homeroom.media.engine.hooks_client import ClientInfo, DeniedError, HooksClient
from homeroom.media.engine.packager import MediaChunk, Packager
from homeroom.media.engine.packets import AUDIO, VIDEO, Packet, UnsupportedMediaError
from tests.support.engine import HookServer, running_engine
from tests.support.flv import AAC_HEADER, AVC_HEADER, headers, picture, sound
from tests.support.listening import init
from tests.support.paced import resident
from tests.support.rtmp import Peer, listening

OTHER_AAC = b"\xaf\0\x12\x08"
SIZE = encode_message(SET_CHUNK_SIZE, 0, (4096).to_bytes(4, "big"), 0)


def test_what_is_about_chunks_counts_as_work() -> None:
    reader = ChunkReader()
    reader.feed(SIZE * 3)
    found = [reader.next() for _ in range(4)]
    assert [one is not None and one.type == SET_CHUNK_SIZE for one in found] == [True] * 3 + [False]


def test_a_turn_that_ends_with_a_question_waits_for_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rtmp_peer, "TURN_SECONDS", -1)
    with listening() as listener, Peer(listener.port) as peer, Peer(listener.port) as other:
        peer.connect()
        listener.call(listener.hub.patience.clear)
        peer.call("publish", None, "s", "live")
        peer.send(encode_message(VIDEO, 0, AVC_HEADER))
        # Later clients are answered; the first is not read any further.
        other.connect()
        listener.call(listener.hub.patience.set)
        peer.status()
        peer.send(encode_message(AUDIO, 0, AAC_HEADER))
        peer.ping()
        taken = listener.published("s").taken
        assert [kind for kind, _, _ in taken] == [VIDEO, AUDIO]


@pytest.mark.parametrize("count", [MAX_AGGREGATE_MESSAGES, MAX_AGGREGATE_MESSAGES + 1])
def test_an_aggregate_holds_so_many_messages(count: int) -> None:
    body = AAC_HEADER
    tag = bytes((AUDIO,)) + len(body).to_bytes(3, "big") + bytes(7) + body + bytes(4)
    with listening() as listener, Peer(listener.port) as peer:
        peer.publish("s")
        peer.send(encode_message(AGGREGATE, 0, tag * count))
        if count <= MAX_AGGREGATE_MESSAGES:
            peer.ping()
            assert len(listener.published("s").taken) == count
        else:
            assert peer.is_ended()


def test_small_frames_do_not_gather_for_those_who_join() -> None:
    cache = GopCache()
    for one in headers(VIDEO):
        cache.add(one)
    cache.add(picture(0, key=True))
    for _ in range(fanout.MAX_GOP_FRAMES - 1):
        cache.add(picture(0))
    assert len(cache.gop) == fanout.MAX_GOP_FRAMES
    cache.add(picture(0))
    cache.add(picture(0))
    assert cache.gop == []
    cache.add(picture(0, key=True))
    assert len(cache.gop) == 1


def test_frames_whose_time_stands_still_do_not_gather_in_a_chunk() -> None:
    """Sound far ahead of the picture: by their times, no chunk of pictures is ever long enough."""
    chunks: list[MediaChunk] = []
    packed = Packager(chunks.append)
    for one in [*headers(VIDEO, AUDIO), picture(0, key=True)]:
        packed.add(one, 0)
    for second in range(1, 100):
        packed.add(sound(0), 9000 * second)
    before = len(chunks)
    for _ in range(3 * track_buffer.MAX_CHUNK_FRAMES + 1):
        packed.add(picture(0), 0)
    assert len(chunks) - before == 3


def test_parts_that_last_no_time_do_not_gather_in_a_segment() -> None:
    one = init()

    async def listed() -> bytes | None:
        window = hls.HlsWindow()
        for _ in range(10 * hls.MAX_SEGMENT_PARTS):
            window.add(MediaChunk(b"x", 0, is_independent=True, init=one))
        return window.playlist("s", "")

    text = asyncio.run(listed())
    assert text is not None
    assert text.count(b"#EXT-X-PART:") < 2 * hls.MAX_SEGMENT_PARTS


def test_headers_that_change_all_the_time_are_refused() -> None:
    packed = Packager(lambda _: None)
    one, other = (Packet(AUDIO, 0, config, is_header=True) for config in (AAC_HEADER, OTHER_AAC))
    for _ in range(packager.MAX_INITS // 2):
        packed.add(one, 0)
        packed.add(other, 0)
    packed.add(other, 0)
    with pytest.raises(UnsupportedMediaError, match="all the time"):
        packed.add(one, 0)


def test_answers_about_addresses_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks_client, "CACHE_SECONDS", 0.05)
    server = HookServer()

    async def ask() -> list[bool]:
        hooks = HooksClient(server.url)

        async def asked(number: int) -> bool:
            return await hooks.authorize_play(ClientInfo("c", "", "live", "s", f"?{number}", ""))

        def kept() -> int:
            return len(hooks._cache)  # noqa: SLF001  what it holds is the question

        first = [await asked(1), await asked(1), await asked(2), kept() == 2]
        await asyncio.sleep(0.1)
        return [*first, await asked(3), kept() == 1, await asked(1)]

    try:
        assert asyncio.run(ask()) == [True, False, True, True, True, True, True]
    finally:
        server.close()


def test_a_player_who_does_not_wait_for_the_answer_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hooks_client, "CACHE_SECONDS", 0)
    server = HookServer(lambda _: (403, b""))

    async def leave() -> None:
        hooks = HooksClient(server.url)
        asked = asyncio.create_task(hooks.authorize_play(ClientInfo("c", "", "live", "s", "", "")))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.to_thread(server.wait, "on_play")
        with pytest.raises(DeniedError):
            await hooks.authorize_play(ClientInfo("c", "", "live", "s", "?other", ""))
        gc.collect()

    try:
        asyncio.run(leave())
    finally:
        server.close()
    assert caplog.records == []


def test_an_address_of_any_length_is_not_asked_about() -> None:
    async def ask() -> None:
        client = ClientInfo("c", "", "live", "s", "?" + "x" * hooks_client.MAX_QUERY_CHARS, "")
        await HooksClient("http://127.0.0.1:1/").authorize_play(client)

    with pytest.raises(DeniedError, match="too long"):
        asyncio.run(ask())


def test_refused_players_leave_nothing_behind(tmp_path: Path) -> None:
    """Each comes with an address of its own, as long as a head may be."""
    with running_engine(tmp_path, lambda _: (403, b"")) as engine:
        before = resident(engine.process.pid)
        with socket.create_connection(("127.0.0.1", engine.http_port), 20) as peer:
            answers = peer.makefile("rb")
            for number in range(3000):
                query = f"{number}".ljust(7000, "a")
                peer.sendall(f"GET /live/s.flv?{query} HTTP/1.1\r\n\r\n".encode())
                assert b" 403 " in answers.readline()
                while answers.readline() != b"\r\n":
                    pass
                answers.read(len("this address is too long"))
        # What 3,000 heads hold, were they kept but once.
        assert resident(engine.process.pid) - before < 20_000_000
