"""An RTMP publisher, for our own engine or any other server."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from homeroom.base.errors import HomeroomError
from homeroom.media.engine.amf0 import ProtocolError, Value, decode, encode
from homeroom.media.engine.chunks import (
    COMMAND,
    LONG,
    OUT_CHUNK_BYTES,
    SET_CHUNK_SIZE,
    USER_CONTROL,
    ChunkReader,
    encode_message,
)
from homeroom.media.engine.handshake import HANDSHAKE_BYTES, VERSION
from homeroom.media.engine.packets import SCRIPT, Packet
from homeroom.media.engine.responses import PING, PONG, control_message
from homeroom.media.engine.rtmp import SET_DATA_FRAME

PORT: Final = 1935
"""Default port."""
CONNECT_SECONDS: Final = 10.0
"""Deadline for the server to accept the stream."""
STALL_SECONDS: Final = 10.0
"""A server that reads nothing for this long counts as gone."""
CLOSE_SECONDS: Final = 2.0
"""Time for the server to close the connection."""
READ_BYTES: Final = 65_536
"""Bytes per read."""


class PublishError(HomeroomError):
    """The server refused or ended the stream; the message says why."""


@asynccontextmanager
async def open_publisher(url: str) -> AsyncIterator["Publisher"]:
    """Publish at `rtmp://host/app/name?query` until the block ends; raises `PublishError`."""
    where = urlsplit(url)
    app, _, name = where.path.strip("/").partition("/")
    if where.scheme != "rtmp" or not (where.hostname and app and name):
        raise PublishError("the address is not rtmp://host/app/name")
    name = f"{name}?{where.query}" if where.query else name
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(where.hostname, where.port or PORT)
    except OSError as failure:
        raise PublishError(f"{where.netloc} cannot be reached: {failure}") from failure
    publisher = Publisher(reader, writer)
    try:
        await publisher.open(f"rtmp://{where.netloc}/{app}", app, name)
        yield publisher
    finally:
        await publisher.close()


class Publisher:
    """A connection that publishes one stream; `open_publisher` opens and closes it."""

    _listener: asyncio.Task[str]

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._chunks = ChunkReader()
        self._calls = 0
        self._stream = 0

    async def open(self, tc_url: str, app: str, name: str) -> None:
        """Connect and publish; raises `PublishError`."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._shake_hands()
                await self._call("connect", {"app": app, "type": "nonprivate", "tcUrl": tc_url})
                self._stream = await self._call("createStream", None)
                self._send_command("publish", None, name, app)
                while _status_code(await self._next_command()) != "NetStream.Publish.Start":
                    pass
        except TimeoutError:
            raise PublishError("the server does not answer") from None
        except (OSError, EOFError, ProtocolError) as failure:
            raise PublishError(f"the server has ended the connection: {failure}") from failure
        self._listener = asyncio.create_task(self._listen())

    async def send(self, packet: Packet) -> None:
        """Send a packet, at the speed of the server; raises `PublishError`."""
        if self._listener.done():
            raise PublishError(self._listener.result())
        # Servers keep metadata for later viewers only with this prefix.
        prefix = SET_DATA_FRAME if packet.kind == SCRIPT else b""
        message = encode_message(packet.kind, packet.time, prefix + packet.body, self._stream)
        try:
            async with asyncio.timeout(STALL_SECONDS):
                self._writer.write(message)
                await self._writer.drain()
        except TimeoutError:
            raise PublishError("the server takes nothing any more") from None
        except (OSError, RuntimeError):  # uvloop says so of a connection that was just lost
            raise PublishError(await self.wait_ended()) from None

    async def wait_ended(self) -> str:
        """Wait until the server ends the stream; returns the reason."""
        return await asyncio.shield(self._listener)

    async def close(self) -> None:
        """End the stream and close the connection."""
        if self._stream and not self._reader.at_eof():
            with suppress(OSError, RuntimeError):  # it may have just been lost
                self._send_command("deleteStream", None, self._stream)
                self._writer.write_eof()
        if hasattr(self, "_listener"):
            # Closing with unread input resets the connection and would lose the last command.
            await asyncio.wait((self._listener,), timeout=CLOSE_SECONDS)
            self._listener.cancel()
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _shake_hands(self) -> None:
        self._writer.write(bytes((VERSION,)) + bytes(8) + os.urandom(HANDSHAKE_BYTES - 8))
        theirs = await self._reader.readexactly(1 + 2 * HANDSHAKE_BYTES)
        if theirs[0] != VERSION:
            raise ProtocolError("no RTMP")
        self._writer.write(
            theirs[1 : 1 + HANDSHAKE_BYTES]
            + control_message(SET_CHUNK_SIZE, LONG.pack(OUT_CHUNK_BYTES))
        )

    def _send_command(self, name: str, *values: Value) -> int:
        """Send a command and return its number."""
        self._calls += 1
        # Commands about a stream use its message stream id; before that, id 0.
        self._writer.write(
            encode_message(COMMAND, 0, encode(name, self._calls, *values), self._stream)
        )
        return self._calls

    async def _call(self, name: str, *values: Value) -> int:
        """Send a command and return the number in its result, or 0."""
        number = self._send_command(name, *values)
        while (command := await self._next_command())[1:2] != [number] or command[0] not in {
            "_result",
            "_error",
        }:
            pass
        about = command[3] if len(command) > 3 else None  # noqa: PLR2004  name, number, null, result
        if command[0] == "_error":
            raise PublishError(_describe_error(about))
        return int(about) if isinstance(about, float) else 0

    async def _next_command(self) -> list[Value]:
        """Return the next command; answers pings before it."""
        while True:
            while (received := self._chunks.next()) is None:
                data = await self._reader.read(READ_BYTES)
                if not data:
                    raise EOFError("it says no reason")
                self._chunks.feed(data)
            if received.type == COMMAND:
                return decode(received.body)
            if received.type == USER_CONTROL and received.body[:2] == PING:
                self._writer.write(control_message(USER_CONTROL, PONG + received.body[2:6]))

    async def _listen(self) -> str:
        """Read until the server ends the stream; returns the reason."""
        try:
            while True:
                _status_code(await self._next_command())
        except PublishError as end:
            return str(end)
        except (OSError, RuntimeError, EOFError, ProtocolError) as failure:
            return f"the server has ended the connection: {failure}"


def _status_code(values: list[Value]) -> str:
    """Return the code of a status, or an empty text; raises `PublishError` for an error."""
    about = values[3] if values[:1] == ["onStatus"] and len(values) > 3 else None  # noqa: PLR2004  the object is the fourth value of onStatus
    if not isinstance(about, dict):
        return ""
    if about.get("level") == "error":
        raise PublishError(_describe_error(about))
    return str(about.get("code", ""))


def _describe_error(about: Value) -> str:
    facts = about if isinstance(about, dict) else {}
    return str(facts.get("description") or facts.get("code") or "the server says no reason")
