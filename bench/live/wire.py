"""The client side of RTMP and HTTP, in as few bytes as the servers accept."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

from homeroom.media.engine.amf0 import encode
from homeroom.media.engine.chunks import (
    COMMAND,
    LONG,
    MAX_MEDIA_MESSAGE_BYTES,
    OUT_CHUNK_BYTES,
    SET_CHUNK_SIZE,
    ChunkReader,
    encode_message,
)
from homeroom.media.engine.packets import AUDIO, FRAME, KEYFRAME, VIDEO, Packet

HOST = "127.0.0.1"
NAME = "bench"
SHAKE = 1536
HELLO = b"\3" + bytes(SHAKE)
"""A simple handshake's opening."""
ANSWER = 1 + 2 * SHAKE
"""Bytes of the answer to it."""
PIECE = 1 << 18
FLV_HEAD = 9 + 4
TAG_HEAD = 11
TAG_END = 4
_NULL = None


def _open_stream(port: int, *commands: bytes) -> bytes:
    """Return all that follows the handshake; no answer has to be waited for."""
    about = {"app": "live", "tcUrl": f"rtmp://{HOST}:{port}/live", "flashVer": "LNX 9,0,124,2"}
    return b"".join(
        (
            bytes(SHAKE),
            encode_message(SET_CHUNK_SIZE, 0, LONG.pack(OUT_CHUNK_BYTES), 0),
            encode_message(COMMAND, 0, encode("connect", 1, {**about, "type": "nonprivate"}), 0),
            encode_message(COMMAND, 0, encode("createStream", 2, _NULL), 0),
            *commands,
        )
    )


def play(port: int) -> bytes:
    """Return what a player sends after the handshake."""
    return _open_stream(port, encode_message(COMMAND, 0, encode("play", 3, _NULL, NAME)))


def publish(port: int) -> bytes:
    """Return what a publisher sends after the handshake."""
    return _open_stream(port, encode_message(COMMAND, 0, encode("publish", 3, _NULL, NAME, "live")))


def get(port: int, path: str, version: str = "1.1") -> bytes:
    """Return a request for a page."""
    return f"GET {path} HTTP/{version}\r\nHost: {HOST}:{port}\r\nUser-Agent: bench\r\n\r\n".encode()


def is_frame(kind: int, body: bytes) -> bool:
    return kind == VIDEO and body[1] == FRAME


def is_key(body: bytes) -> bool:
    return body[0] >> 4 == KEYFRAME


async def rtmp_pictures(port: int, path: str = "") -> AsyncIterator[bytes]:
    """Play by RTMP and give each picture when it is there whole."""
    del path
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(HELLO)
        await reader.readexactly(ANSWER)
        writer.write(play(port))
        messages = ChunkReader()
        messages.max_media_bytes = MAX_MEDIA_MESSAGE_BYTES
        while data := await reader.read(PIECE):
            messages.feed(data)
            while (received := messages.next()) is not None:
                if is_frame(received.type, received.body):
                    yield bytes(received.body)
    finally:
        writer.close()


async def flv_pictures(port: int, path: str) -> AsyncIterator[bytes]:
    """Play by HTTP-FLV and give each picture when it is there whole."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        # By HTTP/1.0, so that no server sends it in chunks.
        writer.write(get(port, path, "1.0"))
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(FLV_HEAD)
        while True:
            head = await reader.readexactly(TAG_HEAD)
            tag = await reader.readexactly(int.from_bytes(head[1:4], "big") + TAG_END)
            if is_frame(head[0], tag):
                yield tag[:-TAG_END]
    finally:
        writer.close()


class Publisher:
    """Publishes at the source's own pace and remembers when it sent which picture."""

    def __init__(self, port: int, packets: list[Packet]) -> None:
        self.sent: dict[bytes, float] = {}
        """When a picture was sent, by its bytes."""
        self.is_live = asyncio.Event()
        self._port = port
        self._packets = packets

    async def run(self) -> None:
        """Publish until the source ends, or this is cancelled."""
        reader, writer = await asyncio.open_connection(HOST, self._port)
        writer.write(HELLO)
        await reader.readexactly(ANSWER)
        writer.write(publish(self._port))
        await reader.readuntil(b"NetStream.Publish.Start")
        self.is_live.set()
        discarding = asyncio.create_task(_discard(reader))
        began = time.perf_counter()
        try:
            for packet in self._packets:
                early = began + packet.time / 1000 - time.perf_counter()
                if early > 0:
                    await asyncio.sleep(early)
                data = encode_message(packet.kind, packet.time, packet.body)
                if packet.kind != AUDIO:
                    self.sent[packet.body] = time.perf_counter()
                writer.write(data)
        finally:
            discarding.cancel()
            writer.close()


async def _discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(PIECE):
        pass


async def first_key(pictures: AsyncIterator[bytes]) -> float:
    """Return the seconds from now to the first key frame."""
    began = time.perf_counter()
    async with asyncio.timeout(10), aclosing(pictures) as stream:  # type: ignore[type-var]  # the generator's type hides its aclose
        async for picture in stream:
            if is_key(picture):
                return time.perf_counter() - began
    raise RuntimeError("the stream ended before its first key frame")
