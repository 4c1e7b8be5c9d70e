"""Many connections without a right: publishers, viewers and the server itself still get in."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.support import ffmpeg
from tests.support.engine import Engine, running_engine
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.paced import descriptors
from tests.support.rtmp import Peer

HALF_HANDSHAKE = b"\3" + bytes(8) + os.urandom(1528)
HALF_REQUEST = b"GET /live/s.flv HTTP/1.1\r\nHost: x\r\n"
DESCRIPTORS = 300


def open_half(port: int, number: int, start: bytes) -> ExitStack:
    """Open connections that begin to speak and then wait."""
    opened = ExitStack()
    for _ in range(number):
        peer = opened.enter_context(socket.create_connection(("127.0.0.1", port), 5))
        peer.sendall(start)
    return opened


@contextmanager
def flooding(port: int, number: int, start: bytes) -> Iterator[None]:
    """Keep so many half-open connections, and open all of them anew again and again."""
    over = threading.Event()
    begun = threading.Event()

    def flood() -> None:
        while not over.is_set():
            with open_half(port, number, start):
                begun.set()
                over.wait(0.5)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        assert begun.wait(20)
        yield
    finally:
        over.set()
        thread.join(20)


def log_lines(engine: Engine, message: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in engine.log.read_text().splitlines()]
    return [line for line in lines if line["message"].startswith(message)]


@needs_ffmpeg
def test_half_open_handshakes_do_not_keep_a_publisher_out(tmp_path: Path) -> None:
    """Case S7: 800 half-open handshakes from the address of the publisher, 1,000 descriptors."""
    source = ffmpeg.source(tmp_path / "source.flv", seconds=1)
    with running_engine(tmp_path / "engine", descriptors=1000) as engine:
        with flooding(engine.rtmp_port, 800, HALF_HANDSHAKE):
            for number in range(4):
                ffmpeg.run("-i", str(source), "-c", "copy", "-f", "flv", f"{engine.rtmp}/s{number}")
                engine.hooks.wait("on_unpublish", number + 1)
        assert {line["address"] for line in log_lines(engine, "connections_capped")} == {
            "127.0.0.1"
        }
        assert len(log_lines(engine, "connections_capped")) == 1
        assert engine.streams()["homeroom"]["connections_closed"] > 0


def test_a_running_publisher_and_the_api_stay(tmp_path: Path) -> None:
    with running_engine(tmp_path / "engine", descriptors=DESCRIPTORS) as engine:
        floods = [
            (engine.rtmp_port, HALF_HANDSHAKE),
            (engine.http_port, HALF_REQUEST),
            (engine.http_port, b""),
        ]
        with Peer(engine.rtmp_port) as publisher:
            publisher.publish("s")
            for port, start in floods:
                with open_half(port, DESCRIPTORS, start):
                    assert engine.streams()["code"] == 0
                    assert descriptors(engine.process.pid) < DESCRIPTORS
                    with Peer(engine.rtmp_port) as viewer:
                        viewer.play("s")
                    publisher.ping()


def test_viewers_leave_room_for_a_publisher(tmp_path: Path) -> None:
    """An encoder and a player get a reason that they can show."""
    with running_engine(tmp_path / "engine", descriptors=128) as engine, ExitStack() as viewers:
        total = 128 - 128 // 4
        room = total - total // 8
        with Peer(engine.rtmp_port) as publisher:
            publisher.publish("s")
            for _ in range(room - 1):
                viewers.enter_context(Peer(engine.rtmp_port)).play("s")
            late = viewers.enter_context(Peer(engine.rtmp_port))
            late.connect()
            late.call("play", None, "s")
            code, reason = late.status()
            assert code == "NetStream.Play.Failed"
            assert "too many" in reason
            assert engine.streams()["homeroom"]["connections_refused"] == 1
            with Peer(engine.rtmp_port) as other:
                other.publish("t")
