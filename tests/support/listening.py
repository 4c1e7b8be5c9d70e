"""The media listener in this process, on a loop of its own, with a hub that says what a test wants.

The streams are real; only permission and reports are not.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from typing import Any, Final, TypeVar, cast
from weakref import WeakSet

import uvloop

from homeroom.base.connection_budget import create_budget
from homeroom.media.engine import flv
from homeroom.media.engine.hooks_client import ClientInfo, DeniedError
from homeroom.media.engine.http import MediaHTTP
from homeroom.media.engine.init_segment import InitSegment
from homeroom.media.engine.packager import MediaChunk
from homeroom.media.engine.packets import Packet
from homeroom.media.engine.registry import StreamRegistry
from homeroom.media.engine.settings import EngineSettings
from homeroom.media.engine.stream import LiveStream
from tests.support.playlist_checker import PlaylistChecker

SECRET: Final = "api-secret"
PATIENCE: Final = 15.0
T = TypeVar("T")


class StubRegistry:
    """Allows everything except what a test denies."""

    def __init__(self) -> None:
        self.streams: dict[str, LiveStream] = {}
        self.denied: set[str] = set()
        self.broken: set[str] = set()
        self.played: list[ClientInfo] = []
        self.left: list[ClientInfo] = []
        self.kicked: list[str] = []
        self._numbers = count(1)

    def client_id(self) -> str:
        return f"c{next(self._numbers)}"

    def stream(self, name: str) -> LiveStream:
        if name not in self.streams:
            self.streams[name] = LiveStream(name, flv.encode_tag, 0)
        return self.streams[name]

    async def play(self, client: ClientInfo) -> LiveStream:
        self.played.append(client)
        await asyncio.sleep(0)
        if client.param in self.denied:
            raise DeniedError("the signature is wrong")
        if client.stream in self.broken:
            raise RuntimeError("the hub is broken")
        return self.stream(client.stream)

    def viewer_left(self, client: ClientInfo) -> None:
        self.left.append(client)

    def kick(self, client_id: str) -> bool:
        self.kicked.append(client_id)
        return client_id == "known"

    def report(self) -> dict[str, Any]:
        return {"code": 0, "streams": [{"name": name} for name in self.streams]}


class Listener:
    """A listener that runs."""

    def __init__(self) -> None:
        self.trouble: list[dict[str, Any]] = []
        """Uncaught exceptions: empty, whatever peers send."""
        self._loop = uvloop.new_event_loop()
        self._loop.set_exception_handler(lambda _loop, context: self.trouble.append(context))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._checkers: dict[str, PlaylistChecker] = {}
        self.hub = self.do(StubRegistry)
        settings = EngineSettings(
            rtmp_fd=0, http_fd=0, hooks_url="", api_secret=SECRET, recordings="", spool=""
        )
        bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = bound.getsockname()[1]
        self._connections: WeakSet[MediaHTTP] = WeakSet()

        def connection() -> MediaHTTP:
            made = MediaHTTP(cast("StreamRegistry", self.hub), settings, create_budget())
            self._connections.add(made)
            return made

        listening = self._loop.create_server(connection, sock=bound)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(PATIENCE)
        self.url = f"http://127.0.0.1:{self.port}"

    def do(self, what: Callable[[], T]) -> T:
        """Do something where the listener runs, and return what comes of it."""

        async def doing() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(doing(), self._loop).result(PATIENCE)

    def stream(self, name: str) -> LiveStream:
        """Return a stream, new if need be."""
        return self.do(lambda: self.hub.stream(name))

    def add(self, stream: LiveStream, *chunks: MediaChunk) -> None:
        """Continue a stream."""
        for chunk in chunks:
            self.do(lambda chunk=chunk: stream.hls.add(chunk))  # type: ignore[misc]  # mypy cannot type a lambda with a default

    def connected(self) -> socket.socket:
        """Open a bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def client(self) -> HTTPConnection:
        """Return a client that keeps its connection."""
        return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def get(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Ask on a connection of its own; returns status, body and the fields of the head.

        A playlist must follow from the one before it, by all rules.
        """
        client = self.client()
        try:
            client.request(
                method,
                path,
                headers={name.replace("_", "-"): text for name, text in headers.items()},
            )
            status, body, fields = read(client.getresponse())
        finally:
            client.close()
        # Reloads that wait may be answered later than others.
        if body.startswith(b"#EXTM3U") and "_HLS_" not in path:
            checker = self._checkers.setdefault(path, PlaylistChecker())
            checker.add(body)
            checker.done()
        return status, body, fields

    def fresh(self) -> None:
        """Forget all that was."""
        hub = self.hub
        self._checkers.clear()
        for kept in (hub.streams, hub.denied, hub.broken, hub.played, hub.left, hub.kicked):
            self.do(kept.clear)

    def gone(self, number: int) -> bool:
        """Tell whether so many connections have played since the test began, and all have left."""
        return len(self.hub.played) == number and self.left() == number

    def left(self) -> int:
        """Return how many of the connections that have played have left."""
        return len({one.id for one in self.hub.played} & {one.id for one in self.hub.left})

    def close(self) -> None:
        """End it."""
        self.do(self._server.close)
        for stream in self.hub.streams.values():
            self.do(stream.end)
        # A test that failed may have left some open, and the loop would wait for them without end.
        for connection in list(self._connections):
            self.do(connection._transport.abort)  # noqa: SLF001  no public way to reset a connection
        self.do(lambda: None)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


def read(response: HTTPResponse) -> tuple[int, bytes, dict[str, str]]:
    """Return an answer as status, body and the fields of its head."""
    body = response.read()
    return response.status, body, {name.lower(): text for name, text in response.getheaders()}


@contextmanager
def running_listener() -> Iterator[Listener]:
    """Run a listener until the block ends; fails after an uncaught exception."""
    listener = Listener()
    try:
        yield listener
    finally:
        listener.close()
    assert not listener.trouble


def init(text: str = "init") -> InitSegment:
    """Return an init segment with bytes of its own."""
    return InitSegment(text.encode(), "avc1.64001f,mp4a.40.2", 320, 180, has_video=True)


def chunks(
    of: InitSegment, seconds: float, *, group: int = 5, duration: int = 200, size: int = 0
) -> list[MediaChunk]:
    """Return chunks that each have bytes of their own; each group begins with a key frame."""
    number = round(1000 * seconds / duration)
    return [
        MediaChunk(
            b"%s %d;" % (of.data, at) + bytes(size),
            duration,
            is_independent=at % group == 0,
            init=of,
        )
        for at in range(number)
    ]


def sound(time: int, text: bytes = b"frame") -> Packet:
    """Return a packet of sound."""
    return Packet(8, time, b"\xaf\x01" + text)


def sound_header() -> Packet:
    """Return what a player of sound needs first."""
    return Packet(8, 0, b"\xaf\x00\x12\x10", is_header=True)


def until(holds: Callable[[], object]) -> None:
    """Wait for something to hold."""
    pause = threading.Event()
    for _ in range(1500):
        if holds():
            return
        pause.wait(0.01)
    raise TimeoutError


def exchanged(listener: Listener, request: bytes) -> bytes:
    """Send bytes and return all that comes until the connection ends."""
    received = b""
    with listener.connected() as peer:
        peer.sendall(request)
        try:
            while piece := peer.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
    return received


def is_dropped(peer: socket.socket, data: bytes, pause: float = 0) -> bool:
    """Send bytes, one by one where there is a pause of some seconds, until they are not taken."""
    wait = threading.Event().wait
    try:
        for at in range(0, len(data), 1 if pause else 1000):
            peer.sendall(data[at : at + (1 if pause else 1000)])
            wait(pause or 0.001)
    except ConnectionError:
        return True
    return False


def first_segment(playlist: bytes) -> str:
    """Return the first segment a playlist lists."""
    return next(line for line in playlist.decode().splitlines() if not line.startswith("#"))


def publish(listener: Listener, stream: LiveStream, *packets: Packet) -> None:
    """Let a stream hand packets out."""

    def published() -> None:
        for packet in packets:
            stream.add(packet)
        stream.flush()

    listener.do(published)


def watching(listener: Listener, path: str = "/live/s.flv") -> tuple[socket.socket, HTTPResponse]:
    """Begin to watch by HTTP-FLV; returns when the stream has the viewer."""
    stream = listener.stream("s")
    before = listener.do(lambda: len(stream.flv))
    peer = listener.connected()
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    response = HTTPResponse(peer)
    response.begin()
    until(lambda: listener.do(lambda: len(stream.flv)) > before)
    return peer, response


def unpacked(data: bytes) -> list[tuple[int, int, bytes]]:
    """Read an FLV file by the letter of its specification."""
    assert data[:4] == b"FLV\x01"
    assert data[4] in {1, 4, 5}
    assert data[5:13] == b"\0\0\0\x09\0\0\0\0"
    found, at = [], 13
    while at < len(data):
        size = int.from_bytes(data[at + 1 : at + 4])
        time = int.from_bytes(data[at + 7 : at + 8] + data[at + 4 : at + 7])
        assert data[at + 8 : at + 11] == bytes(3)
        body = data[at + 11 : at + 11 + size]
        assert len(body) == size
        found.append((data[at], time, body))
        at += 11 + size
        assert int.from_bytes(data[at : at + 4]) == 11 + size
        at += 4
    return found
