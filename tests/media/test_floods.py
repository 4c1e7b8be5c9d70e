"""Much of what costs a peer little: it must cost the engine, and everybody else, little too."""

import asyncio
import gc
import socket
from pathlib import Path

import pytest

from homeroom.media.engine import asking, fanout, hls, packager, rtmp
from homeroom.media.engine.asking import Client, Denied, Hooks
from homeroom.media.engine.chunks import AGGREGATE, SET_CHUNK_SIZE, Reader, message
from homeroom.media.engine.fanout import Cache
from homeroom.media.engine.packager import Chunk, Packager
from homeroom.media.engine.packets import AUDIO, VIDEO, Packet, Unsupported
from tests.support.engine import HookServer, running_engine
from tests.support.flv import AAC_HEADER, AVC_HEADER, headers, picture, sound
from tests.support.listening import init
from tests.support.paced import resident
from tests.support.rtmp import Peer, listening

OTHER_AAC = b"\xaf\0\x12\x08"
SIZE = message(SET_CHUNK_SIZE, 0, (4096).to_bytes(4, "big"), 0)


def test_what_is_about_chunks_counts_as_work() -> None:
    reader = Reader()
    reader.feed(SIZE * 3)
    found = [reader.next() for _ in range(4)]
    assert [one is not None and one.type == SET_CHUNK_SIZE for one in found] == [True] * 3 + [False]


def test_a_turn_that_ends_with_a_question_waits_for_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rtmp, "TURN", -1)
    with listening() as listener, Peer(listener.port) as peer, Peer(listener.port) as other:
        peer.connect()
        listener.call(listener.hub.patience.clear)
        peer.call("publish", None, "s", "live")
        peer.send(message(VIDEO, 0, AVC_HEADER))
        # Later clients are answered; the first is not read any further.
        other.connect()
        listener.call(listener.hub.patience.set)
        peer.status()
        peer.send(message(AUDIO, 0, AAC_HEADER))
        peer.ping()
        taken = listener.published("s").taken
        assert [kind for kind, _, _ in taken] == [VIDEO, AUDIO]


@pytest.mark.parametrize("count", [rtmp.MOST_TOGETHER, rtmp.MOST_TOGETHER + 1])
def test_an_aggregate_holds_so_many_messages(count: int) -> None:
    body = AAC_HEADER
    tag = bytes((AUDIO,)) + len(body).to_bytes(3, "big") + bytes(7) + body + bytes(4)
    with listening() as listener, Peer(listener.port) as peer:
        peer.publish("s")
        peer.send(message(AGGREGATE, 0, tag * count))
        if count <= rtmp.MOST_TOGETHER:
            peer.ping()
            assert len(listener.published("s").taken) == count
        else:
            assert peer.is_ended()


def test_small_frames_do_not_gather_for_those_who_join() -> None:
    cache = Cache()
    for one in headers(VIDEO):
        cache.take(one)
    cache.take(picture(0, key=True))
    for _ in range(fanout.MOST_FRAMES - 1):
        cache.take(picture(0))
    assert len(cache.gop) == fanout.MOST_FRAMES
    cache.take(picture(0))
    cache.take(picture(0))
    assert cache.gop == []
    cache.take(picture(0, key=True))
    assert len(cache.gop) == 1


def test_frames_whose_time_stands_still_do_not_gather_in_a_chunk() -> None:
    """Sound far ahead of the picture: by their times, no chunk of pictures is ever long enough."""
    chunks: list[Chunk] = []
    packed = Packager(chunks.append)
    for one in [*headers(VIDEO, AUDIO), picture(0, key=True)]:
        packed.take(one, 0)
    for second in range(1, 100):
        packed.take(sound(0), 9000 * second)
    before = len(chunks)
    for _ in range(3 * packager.HELD_FRAMES + 1):
        packed.take(picture(0), 0)
    assert len(chunks) - before == 3


def test_parts_that_last_no_time_do_not_gather_in_a_segment() -> None:
    one = init()

    async def listed() -> bytes | None:
        window = hls.Hls()
        for _ in range(10 * hls.MOST_PARTS):
            window.add(Chunk(b"x", 0, is_independent=True, init=one))
        return window.playlist("s", "")

    text = asyncio.run(listed())
    assert text is not None
    assert text.count(b"#EXT-X-PART:") == hls.WITH_PARTS * hls.MOST_PARTS


def test_headers_that_change_all_the_time_are_refused() -> None:
    packed = Packager(lambda _: None)
    one, other = (Packet(AUDIO, 0, config, is_header=True) for config in (AAC_HEADER, OTHER_AAC))
    for _ in range(packager.MOST_INITS // 2):
        packed.take(one, 0)
        packed.take(other, 0)
    packed.take(other, 0)
    with pytest.raises(Unsupported, match="all the time"):
        packed.take(one, 0)


def test_answers_about_addresses_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "REMEMBERED", 0.05)
    server = HookServer()

    async def ask() -> list[bool]:
        hooks = Hooks(server.url)

        async def asked(number: int) -> bool:
            return await hooks.may_play(Client("c", "", "live", "s", f"?{number}", ""))

        def kept() -> int:
            return len(hooks._remembered)  # noqa: SLF001  what it holds is the question

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
    monkeypatch.setattr(asking, "REMEMBERED", 0)
    server = HookServer(lambda _: (403, b""))

    async def leave() -> None:
        hooks = Hooks(server.url)
        asked = asyncio.create_task(hooks.may_play(Client("c", "", "live", "s", "", "")))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.to_thread(server.wait, "on_play")
        with pytest.raises(Denied):
            await hooks.may_play(Client("c", "", "live", "s", "?other", ""))
        gc.collect()

    try:
        asyncio.run(leave())
    finally:
        server.close()
    assert caplog.records == []


def test_an_address_of_any_length_is_not_asked_about() -> None:
    async def ask() -> None:
        client = Client("c", "", "live", "s", "?" + "x" * asking.LONGEST, "")
        await Hooks("http://127.0.0.1:1/").may_play(client)

    with pytest.raises(Denied, match="too long"):
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
