"""RTMP as a test speaks it: a peer on a bare socket, and a hub that notes what it is handed."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self, cast

import uvloop

from homeroom.base.address_log import AddressLog
from homeroom.base.connection_budget import create_budget
from homeroom.media.engine.amf0 import Value, decode, encode
from homeroom.media.engine.chunks import (
    COMMAND,
    OUT_CHUNK_BYTES,
    SET_CHUNK_SIZE,
    USER_CONTROL,
    ChunkReader,
    RTMPMessage,
    encode_message,
)
from homeroom.media.engine.fanout import Fanout, GopCache
from homeroom.media.engine.hooks_client import ClientInfo, DeniedError
from homeroom.media.engine.packet_parser import PacketParser
from homeroom.media.engine.registry import StreamRegistry, encode_rtmp
from homeroom.media.engine.rtmp import RTMPConnection
from tests.support.engine import until

PATIENCE: Final = 20
SHAKE: Final = 1536
CHUNKS: Final = encode_message(SET_CHUNK_SIZE, 0, OUT_CHUNK_BYTES.to_bytes(4, "big"), 0)
"""Said before anything is written as our own `message` writes it."""


class StubStream:
    """A stream with RTMP viewers and nothing else."""

    def __init__(self) -> None:
        self.cache = GopCache()
        self.rtmp = Fanout(encode_rtmp, self.cache)


class StubPublication:
    """Notes what is published and hands it to the viewers at once."""

    def __init__(self, client: ClientInfo, stream: StubStream, cut: Callable[[str], None]) -> None:
        self.client = client
        self.stream = stream
        self.cut = cut
        self.taken: list[tuple[int, int, bytes]] = []
        self.flushes = 0
        self.is_over = False
        self._parser = PacketParser()

    def add(self, kind: int, time: int, body: bytes) -> None:
        one = self._parser.parse(kind, time, body)
        self.taken.append((kind, time, body))
        if one is not None:
            self.stream.cache.add(one)
            self.stream.rtmp.send([one])

    def flush(self) -> None:
        self.flushes += 1

    def end(self) -> None:
        self.is_over = True


class StubRegistry:
    """Allows whatever does not ask to be denied."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.refusals = AddressLog(logger="homeroom.media.rtmp", max_lines=1000)
        self.patience = asyncio.Event()
        self.patience.set()
        self.streams: dict[str, StubStream] = {}
        self.publications: list[StubPublication] = []
        self.players: list[ClientInfo] = []
        self.left: list[ClientInfo] = []

    def client_id(self) -> str:
        return f"client-{len(self.publications)}-{len(self.players)}"

    async def publish(self, client: ClientInfo, cut: Callable[[str], None]) -> StubPublication:
        publication = StubPublication(client, await self._stream(client), cut)
        self.publications.append(publication)
        return publication

    async def play(self, client: ClientInfo) -> StubStream:
        stream = await self._stream(client)
        self.players.append(client)
        return stream

    def viewer_left(self, client: ClientInfo) -> None:
        self.left.append(client)

    async def _stream(self, client: ClientInfo) -> StubStream:
        await self.patience.wait()
        if "denied" in client.param:
            raise DeniedError("the class is over")
        return self.streams.setdefault(client.stream, StubStream())


class Listener:
    """An RTMP listener in a thread of its own."""

    def __init__(self) -> None:
        self.port = 0
        self.hub: StubRegistry
        self._over: asyncio.Event
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: uvloop.run(self._serve()))

    @property
    def url(self) -> str:
        """Base address of streams; a name follows."""
        return f"rtmp://127.0.0.1:{self.port}/live"

    def start(self) -> None:
        """Listen at a free port."""
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def call(self, what: Callable[..., object], *args: object) -> None:
        """Do something on the loop of the listener."""
        self.hub.loop.call_soon_threadsafe(what, *args)

    def published(self, name: str) -> StubPublication:
        """Wait until a stream is published."""
        made = self.hub.publications
        until(lambda: any(one.client.stream == name for one in made))
        return next(one for one in made if one.client.stream == name)

    def stop(self) -> None:
        """Take no more."""
        self.call(self._over.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        self.hub = StubRegistry()
        self._over = asyncio.Event()
        server = await self.hub.loop.create_server(
            lambda: RTMPConnection(cast("StreamRegistry", self.hub), create_budget()),
            "127.0.0.1",
            0,
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()


@contextmanager
def listening() -> Iterator[Listener]:
    """Run a listener until the block ends."""
    listener = Listener()
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()


class Peer:
    """A client that sends what a test says."""

    def __init__(self, port: int, *, shake: bool = True) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.reader = ChunkReader()
        self.reader.max_media_bytes = 1 << 24
        self._calls = 0
        if shake:
            own = bytes(8) + bytes(range(256)) * 5 + bytes(SHAKE - 8 - 1280)
            self.send(b"\3" + own)
            self.opening = self.read(1 + 2 * SHAKE)
            self.send(self.opening[1 : 1 + SHAKE] + CHUNKS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def read(self, size: int) -> bytes:
        """Read so many bytes."""
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            assert more, "the connection has ended"
            data += more
        return data

    def call(self, name: str, *values: Value, kind: int = COMMAND) -> None:
        """Send a command with a number of its own; in AMF3 a byte stands before it."""
        self._calls += 1
        body = encode(name, self._calls, *values)
        self.send(encode_message(kind, 0, body if kind == COMMAND else b"\0" + body, 0))

    def next(self) -> RTMPMessage | None:
        """Return the next message, or none at the end of the connection."""
        while (found := self.reader.next()) is None:
            data = self.socket.recv(65_536)
            if not data:
                return None
            self.reader.feed(data)
        return found

    def until(self, kind: int) -> RTMPMessage:
        """Return the next message of a kind."""
        while (found := self.next()) is not None:
            if found.type == kind:
                return found
        raise AssertionError(f"the connection ended before a message of type {kind}")

    def answer(self) -> list[Any]:
        """Return the values of the next command."""
        return decode(self.until(COMMAND).body)

    def status(self) -> tuple[str, str]:
        """Return code and words of the next status."""
        while (said := self.answer())[0] != "onStatus":
            pass
        return said[3]["code"], said[3]["description"]

    def is_ended(self) -> bool:
        """Read to the end of the connection, which must come."""
        try:
            while self.socket.recv(65_536):
                pass
        except ConnectionResetError:
            return True
        return True

    def connect(self, app: str = "live", **more: Value) -> list[Any]:
        """Connect, and return what is answered."""
        self.call("connect", {"app": app, "tcUrl": "rtmp://here/live", **more})
        return self.answer()

    def publish(self, name: str) -> tuple[str, str]:
        """Connect and publish, and return the status."""
        self.connect()
        self.call("createStream", None)
        self.call("publish", None, name, "live")
        return self.status()

    def play(self, name: str) -> tuple[str, str]:
        """Connect and play, and return the first status."""
        self.connect()
        self.call("createStream", None)
        self.call("play", None, name)
        return self.status()

    def ping(self) -> bytes:
        """Send a ping, and return the answer: all before it has been read then."""
        self.send(encode_message(USER_CONTROL, 0, b"\0\6ping", 0))
        while (found := self.until(USER_CONTROL).body)[:2] != b"\0\7":
            pass
        return found
