"""Pushes of edited tags over RTMP, byte for byte: `with pushing(source, url): ...`."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from homeroom.media.engine.amf0 import decode, encode
from homeroom.media.engine.chunks import COMMAND, OUT_CHUNK_BYTES, SET_CHUNK_SIZE
from homeroom.media.engine.packets import SCRIPT
from tests.support.flv_source import FlvSource, Tag
from tests.support.rtmp import Peer

PATIENCE: Final = 30
AT_ONCE: Final = float("inf")
"""The speed of a push that waits for nothing."""
STARTED: Final = "NetStream.Publish.Start"
_CHUNK_STREAMS: Final = {SCRIPT: 5, COMMAND: 3}
_PREFIX: Final = encode("@setDataFrame")


def write_message(kind: int, at: int, body: bytes, chunk_bytes: int, stream_id: int = 1) -> bytes:
    """Return a message in chunks of any size, each with a full header or the least one."""
    at &= 0xFFFF_FFFF
    extended = at.to_bytes(4) if at >= 0xFFFFFF else b""
    number = _CHUNK_STREAMS.get(kind, max(kind, 2))
    head = b"%c%b%b%c%b" % (
        number,
        min(at, 0xFFFFFF).to_bytes(3),
        len(body).to_bytes(3),
        kind,
        stream_id.to_bytes(4, "little"),
    )
    pieces = [body[begin : begin + chunk_bytes] for begin in range(0, len(body), chunk_bytes)]
    return head + extended + (bytes((0xC0 | number,)) + extended).join(pieces or [b""])


class Push:
    """A push in a thread of its own."""

    def __init__(
        self, source: FlvSource, url: str, *, speed: float = 1, chunk_bytes: int = OUT_CHUNK_BYTES
    ) -> None:
        """Publish, and begin to send once the server has answered; `status` is its answer."""
        self.source = source
        self.sent: list[float] = []
        """When each tag had been sent, by `time.monotonic`."""
        self.statuses: list[tuple[str, str]] = []
        """Codes and descriptions that came after the answer."""
        self.muted: set[int] = set()
        """Kinds whose frames are left out at the moment; a test may change it."""
        self._speed = speed
        self._chunk_bytes = chunk_bytes
        where = urlsplit(url)
        assert where.port is not None
        name = where.path.rpartition("/")[2]
        self._peer = Peer(where.port)
        self.status = self._peer.publish(f"{name}?{where.query}" if where.query else name)
        self.began = time.monotonic()
        self._is_cut = threading.Event()
        self._listener = threading.Thread(target=self._listen)
        self._sender = threading.Thread(target=self._send_all)
        self._listener.start()
        self._sender.start()

    @property
    def refusal(self) -> str | None:
        """Return why the server ended the push, or None."""
        statuses = [self.status, *self.statuses]
        ends = (why for code, why in statuses if code.endswith(("Denied", "Rejected", "BadName")))
        return next(ends, None)

    @property
    def is_over(self) -> bool:
        """Return whether everything has been sent, or the server has ended it."""
        return not self._sender.is_alive()

    def wait(self, seconds: float = PATIENCE) -> "Push":
        """Wait until everything has been sent and the server has closed the connection."""
        self._sender.join(seconds + self.source.seconds / self._speed)
        assert not self._sender.is_alive(), "the push does not end"
        self._listener.join(seconds)
        assert not self._listener.is_alive(), "the server does not close the connection"
        return self

    def cut(self) -> None:
        """End the connection without a word, as a network does."""
        self._is_cut.set()
        with suppress(OSError):
            self._peer.socket.shutdown(2)
        self._sender.join()
        self._listener.join()
        self._peer.socket.close()

    def _send(self, tag: Tag) -> None:
        body = _PREFIX + tag.body if tag.kind == SCRIPT else tag.body
        self._peer.send(write_message(tag.kind, tag.time, body, self._chunk_bytes))
        self.sent.append(time.monotonic())

    def _send_all(self) -> None:
        if self.status[0] != STARTED:
            return
        with suppress(OSError):
            size = self._chunk_bytes.to_bytes(4)
            self._peer.send(write_message(SET_CHUNK_SIZE, 0, size, OUT_CHUNK_BYTES, 0))
            for tag in self.source.tags:
                left = self.began + tag.due / 1000 / self._speed - time.monotonic()
                if self._is_cut.wait(left) if left > 0 else self._is_cut.is_set():
                    return
                if not (tag.is_frame and tag.kind in self.muted):
                    self._send(tag)
            end = encode("deleteStream", 9, None, 1)
            self._peer.send(write_message(COMMAND, 0, end, self._chunk_bytes))
            self._peer.socket.shutdown(1)

    def _listen(self) -> None:
        """Read what the server sends: unread, it would turn the end into a reset."""
        with suppress(OSError):
            while (message := self._peer.next()) is not None:
                values = decode(message.body) if message.type == COMMAND else []
                about = values[3] if values[:1] == ["onStatus"] else None
                if isinstance(about, dict):
                    self.statuses.append((str(about["code"]), str(about["description"])))


@contextmanager
def pushing(
    source: FlvSource, url: str, *, speed: float = 1, chunk_bytes: int = OUT_CHUNK_BYTES
) -> Iterator[Push]:
    """Push until the block ends; a server that does not let it publish fails the test."""
    push = Push(source, url, speed=speed, chunk_bytes=chunk_bytes)
    try:
        assert push.status[0] == STARTED, push.status
        yield push
    finally:
        push.cut()


def push(
    source: FlvSource,
    url: str,
    *,
    speed: float = AT_ONCE,
    chunk_bytes: int = OUT_CHUNK_BYTES,
) -> Push:
    """Push to the end, as fast as it goes if no speed is set; what came of it is in `statuses`."""
    ended = Push(source, url, speed=speed, chunk_bytes=chunk_bytes)
    try:
        return ended.wait()
    finally:
        ended.cut()
