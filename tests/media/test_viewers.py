"""Viewers who hang, read a byte a second or vanish: no viewer and no recording is affected."""

import resource
import socket
import statistics
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from tests.support.engine import Engine, running_engine, until
from tests.support.paced import (
    FlvWatcher,
    RtmpWatcher,
    Source,
    Watcher,
    descriptors,
    recorded,
    resident,
)
from tests.support.rtmp import Peer

pytestmark = pytest.mark.e2e
NAME: Final = "class"
GOOD: Final = 5
"""Viewers by each of RTMP and FLV who take all they get."""
SOAKED: Final = 70
"""Seconds of each half of the soak."""
DROPPED: Final = 60
"""Seconds within which all are dropped who take nothing."""
MOST_MEMORY: Final = 100_000_000
"""Bytes that 200 of them may cost the engine together."""
LIMIT: Final = 160
"""Descriptors of an engine that is to run out of them."""
MOST_MOVED: Final = 0.020
HANGS: Final = 130
CREEPS: Final = 30
VANISHES: Final = 40
RESET: Final = struct.pack("ii", 1, 0)
FLV: Final = b"GET /live/%s.flv HTTP/1.1\r\nHost: h\r\n\r\n" % NAME.encode()
HALF: Final = FLV[:-2]
HALF_A_SHAKE: Final = b"\3" + bytes(700)


class Bad:
    """Two hundred viewers of every sort that is a nuisance."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._segments = self._pipeline()
        ways = (self._rtmp, self._flv, self._hls, self._half, self._half_a_shake)
        self._hanging = [ways[number % len(ways)]() for number in range(HANGS)]
        self._creeping = [ways[number % 3]() for number in range(CREEPS)]
        for number in range(VANISHES):
            one = ways[number % len(ways)]()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            one.close()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._creep)
        self._thread.start()

    def close(self) -> None:
        """Close all that are still open."""
        self._is_over.set()
        self._thread.join()
        for one in self._hanging + self._creeping:
            one.close()

    def _pipeline(self) -> bytes:
        """Return a request for every segment there is, several times over."""
        with self._http(b"GET /live/%s.m3u8 HTTP/1.0\r\n\r\n" % NAME.encode()) as peer:
            text = peer.makefile("rb").read().decode()
        segments = [line for line in text.splitlines() if f"{NAME}/s" in line]
        one = b"GET /live/%s HTTP/1.1\r\n\r\n"
        return b"".join(one % line.encode() for line in segments) * 20

    def _http(self, said: bytes) -> socket.socket:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", self._engine.http_port))
        one.sendall(said)
        return one

    def _flv(self) -> socket.socket:
        return self._http(FLV)

    def _hls(self) -> socket.socket:
        return self._http(self._segments)

    def _half(self) -> socket.socket:
        return self._http(HALF)

    def _rtmp(self) -> socket.socket:
        peer = Peer(self._engine.rtmp_port)
        peer.play(NAME)
        return peer.socket

    def _half_a_shake(self) -> socket.socket:
        peer = Peer(self._engine.rtmp_port, shake=False)
        peer.send(HALF_A_SHAKE)
        return peer.socket

    def _creep(self) -> None:
        while not self._is_over.wait(1):
            for one in self._creeping:
                with suppress(OSError):
                    one.recv(1)


@contextmanager
def watched(
    folder: Path, size: int, *, rotate_seconds: int = 3600
) -> Iterator[tuple[Engine, Source, list[Watcher]]]:
    """Run a stream of frames of so many bytes, with good viewers."""
    with ExitStack() as stack:
        engine = stack.enter_context(running_engine(folder, rotate_seconds=rotate_seconds))
        source = Source(engine.rtmp_port, NAME, size)
        stack.callback(source.close)
        until(lambda: b"EXTINF" in _playlist(engine))
        watchers: list[Watcher] = []
        for _ in range(GOOD):
            for kind, port in ((RtmpWatcher, engine.rtmp_port), (FlvWatcher, engine.http_port)):
                watchers.append(kind(port, NAME))
                stack.callback(watchers[-1].close)
        until(lambda: all(one.taken for one in watchers))
        yield engine, source, watchers


def _playlist(engine: Engine) -> bytes:
    with socket.create_connection(("127.0.0.1", engine.http_port), 20) as peer:
        peer.sendall(b"GET /live/%s.m3u8 HTTP/1.0\r\n\r\n" % NAME.encode())
        return peer.makefile("rb").read()


def check_whole(engine: Engine, source: Source, watchers: list[Watcher]) -> None:
    """Make sure that no viewer who keeps up has missed a frame, nor the recording."""
    last = source.finish()
    until(lambda: all(one.last == last for one in watchers))
    assert all(one.whole(source.sent) for one in watchers)
    source.close()
    engine.hooks.wait("on_unpublish")
    until(lambda: engine.streams()["homeroom"]["spooled"] == 0)
    paths = [Path(hook["file"]) for hook in engine.hooks.of("on_dvr")]
    assert [frame for path in paths for frame in recorded(path)] == source.sent
    assert "Traceback" not in engine.log.read_text()


def test_200_bad_viewers_are_dropped_and_nobody_else_notices(tmp_path: Path) -> None:
    # 20 Mb/s, so that what the kernel holds for them is full soon.
    with watched(tmp_path, 100_000) as (engine, source, watchers):
        pid = engine.process.pid
        before, memory = descriptors(pid), resident(pid)
        bad = Bad(engine)
        try:
            assert descriptors(pid) > before + CREEPS
            until(lambda: descriptors(pid) <= before, DROPPED)
            assert resident(pid) - memory < MOST_MEMORY
        finally:
            bad.close()
        shown = engine.stream(NAME)
        assert shown is not None
        assert shown["homeroom"]["viewers"] | {"hls": 0} == {"rtmp": GOOD, "flv": GOOD, "hls": 0}
        check_whole(engine, source, watchers)


def test_so_many_viewers_that_there_is_room_for_no_more(tmp_path: Path) -> None:
    """They leave enough for recordings to go on in new files, and to be reported."""
    with watched(tmp_path, 3_000, rotate_seconds=1) as (engine, source, watchers):
        pid = engine.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        with ExitStack() as stack:
            for _ in range(2 * LIMIT):
                port = engine.http_port if len(source.sent) % 2 else engine.rtmp_port
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            until(lambda: descriptors(pid) >= 3 * LIMIT // 4)
            number = len(engine.hooks.of("on_dvr"))
            engine.hooks.wait("on_dvr", number + 2)
        assert engine.streams()["homeroom"]["recording_failures"] == 0
        check_whole(engine, source, watchers)


@pytest.mark.soak
def test_200_bad_viewers_make_nobody_else_late(tmp_path: Path) -> None:
    """At 2.5 Mb/s, for longer than it takes until they are dropped."""
    with watched(tmp_path, 12_500) as (engine, source, watchers):
        pid = engine.process.pid
        _rest(SOAKED, pid)
        begun, memory = time.monotonic(), resident(pid)
        bad = Bad(engine)
        try:
            most = _rest(SOAKED, pid)
        finally:
            bad.close()
        check_whole(engine, source, watchers)
        delays = [delay for one in watchers for delay in one.delays]
        before = _p95([took for sent, took in delays if sent < begun])
        during = _p95([took for sent, took in delays if sent >= begun])
        print(  # noqa: T201  what -s is for
            f"p95 {1000 * before:.1f} ms alone, {1000 * during:.1f} ms beside 200 bad viewers;"
            f" memory {memory / 1e6:.0f} and {most / 1e6:.0f} MB"
        )
        assert during - before <= MOST_MOVED
        assert most - memory < MOST_MEMORY


def _rest(seconds: float, pid: int) -> int:
    """Let time pass; returns the peak memory of the engine in that time, in bytes."""
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        most = max(most, resident(pid))
        time.sleep(0.5)
    return most


def _p95(delays: list[float]) -> float:
    return statistics.quantiles(delays, n=20)[-1]
