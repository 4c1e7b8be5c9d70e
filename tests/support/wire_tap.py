"""A proxy between a publisher and a server, which notes each RTMP message and when it passed.

So what any program sent, and when, is known without its help.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Final

from homeroom.media.engine.chunks import MAX_MEDIA_MESSAGE_BYTES, ChunkReader
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO
from tests.support.flv_source import FlvSource, Tag

PATIENCE: Final = 30
HANDSHAKE: Final = 1 + 2 * 1536
"""Bytes that a publisher sends before its first message."""


class WireTap:
    """Takes one connection, and connects it to a server."""

    def __init__(self, port: int) -> None:
        """Listen at a free port for the connection to this port."""
        self.passed: dict[bytes, float] = {}
        """When each payload had passed, by `time.monotonic`; equal ones count once."""
        self._tags: list[Tag] = []
        self._has_begun = threading.Event()
        self._is_over = threading.Event()
        self._server = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(PATIENCE)
        self.port: int = self._listening.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def wait_for_frame(self) -> float:
        """Wait for the first frame, and return when it passed."""
        assert self._has_begun.wait(PATIENCE), "nothing is published"
        return next(self.passed[tag.payload] for tag in tuple(self._tags) if tag.is_frame)

    def wait_for_end(self) -> FlvSource:
        """Wait until the publisher has sent everything, and return it: due when it passed."""
        assert self._is_over.wait(PATIENCE), "the publisher does not end"
        return FlvSource(tuple(self._tags))

    def close(self) -> None:
        """Cut the connection."""
        for one in (self._listening, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for one in (self._listening, *self._sockets):
            one.close()

    def _run(self) -> None:
        with suppress(OSError):
            publisher, _ = self._listening.accept()
            server = socket.create_connection(("127.0.0.1", self._server), PATIENCE)
            self._sockets = [publisher, server]
            for one in self._sockets:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                one.settimeout(None)
            answers = threading.Thread(target=self._answer, args=(server, publisher))
            answers.start()
            self._forward(publisher, server)
            self._is_over.set()
            answers.join()

    def _answer(self, server: socket.socket, publisher: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                publisher.sendall(data)
            publisher.shutdown(socket.SHUT_WR)

    def _forward(self, publisher: socket.socket, server: socket.socket) -> None:
        reader, skipped = ChunkReader(), 0
        reader.max_media_bytes = MAX_MEDIA_MESSAGE_BYTES
        with suppress(OSError):
            while data := publisher.recv(1 << 16):
                now = time.monotonic()
                server.sendall(data)
                left = min(HANDSHAKE - skipped, len(data))
                skipped += left
                reader.feed(data[left:])
                while (message := reader.next()) is not None:
                    if message.type in {AUDIO, VIDEO, SCRIPT}:
                        self._note(message.type, message.time, message.body, now)
            server.shutdown(socket.SHUT_WR)

    def _note(self, kind: int, at: int, body: bytes, now: float) -> None:
        if len(body) < 2:
            return
        began = next(iter(self.passed.values()), now)
        tag = Tag(kind, at, body, round(1000 * (now - began)))
        self.passed.setdefault(tag.payload, now)
        self._tags.append(tag)
        if tag.is_frame:
            self._has_begun.set()
