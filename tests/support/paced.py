"""A stream of frames that tell who they are and when they were sent, and those who watch it."""

import os
import socket
import struct
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from hashlib import shake_128
from pathlib import Path
from typing import Final

from homeroom.media.engine.boxes import locate_boxes, read_content
from homeroom.media.engine.chunks import encode_message
from homeroom.media.engine.fragments import MAX_MOOF_BYTES, MAX_MOOV_BYTES, read_runs, read_tracks
from homeroom.media.engine.packets import VIDEO
from tests.support.flv import AVC_HEADER
from tests.support.rtmp import Peer

RATE: Final = 25
"""Frames a second; each second begins with a key frame."""
_FACTS: Final = struct.Struct(">QQ")
_PICTURE: Final = 10
"""Bytes before the payload of a frame: head, length and type of its only NAL unit."""
_UNIT: Final = 5
"""Those of them that a recording has too."""
_TAG: Final = 11


def payload(number: int, sent: int, size: int) -> bytes:
    """Return a frame that was sent at some nanosecond."""
    facts = _FACTS.pack(number, sent)
    return facts + shake_128(facts).digest(64) + bytes(size - _FACTS.size - 64)


class Source:
    """A publisher at a bare socket."""

    def __init__(self, port: int, name: str, size: int) -> None:
        """Publish frames of so many bytes until `finish`."""
        self.sent: list[bytes] = []
        self._size = size
        self._peer = Peer(port)
        code, why = self._peer.publish(name)
        assert code == "NetStream.Publish.Start", why
        self._is_over = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def finish(self) -> int:
        """Send no more; returns the number of the last frame. Raises what disturbed it."""
        self._is_over.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return len(self.sent) - 1

    def close(self) -> None:
        """End the push."""
        self._is_over.set()
        self._thread.join()
        self._peer.socket.close()

    def _run(self) -> None:
        try:
            self._peer.send(encode_message(VIDEO, 0, AVC_HEADER))
            due = time.monotonic()
            while not self._is_over.wait(max(0, due - time.monotonic())):
                number = len(self.sent)
                kind, unit = (0x27, 0x41) if number % RATE else (0x17, 0x65)
                frame = payload(number, time.monotonic_ns(), self._size)
                self.sent.append(frame)
                length = (len(frame) + 1).to_bytes(4)
                body = bytes((kind, 1, 0, 0, 0)) + length + bytes((unit,)) + frame
                self._peer.send(encode_message(VIDEO, number * 1000 // RATE, body))
                due += 1 / RATE
        except Exception as failure:  # noqa: BLE001  raised by `finish`
            self._failure = failure


class Watcher:
    """Takes a stream as it comes, and notes how long each frame was on its way."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.delays: list[tuple[float, float]] = []
        """When each frame was sent, and how long it took, in seconds; not what a join begins
        with."""
        self._joined = time.monotonic_ns()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def last(self) -> int:
        """Return the number of the latest frame."""
        return int(_FACTS.unpack_from(self.taken[-1])[0]) if self.taken else -1

    def whole(self, sent: list[bytes]) -> bool:
        """Tell whether it got every frame, from a key frame on."""
        first = len(sent) - len(self.taken)
        return bool(self.taken) and first % RATE == 0 and self.taken == sent[first:]

    def close(self) -> None:
        """Watch no longer."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    _socket: socket.socket

    @abstractmethod
    def _bodies(self) -> Iterator[bytes]:
        """Return the bodies of video messages as they come."""

    def _run(self) -> None:
        with suppress(OSError):
            for body in self._bodies():
                if body[1] == 1:
                    self._take(body[_PICTURE:])

    def _take(self, frame: bytes) -> None:
        now = time.monotonic_ns()
        self.taken.append(frame)
        sent = _FACTS.unpack_from(frame)[1]
        if sent > self._joined:
            self.delays.append((sent / 1e9, (now - sent) / 1e9))


class RtmpWatcher(Watcher):
    """One by RTMP."""

    def __init__(self, port: int, name: str) -> None:
        self._peer = Peer(port)
        self._socket = self._peer.socket
        assert self._peer.play(name)[0] == "NetStream.Play.Reset"
        super().__init__()

    def _bodies(self) -> Iterator[bytes]:
        while (said := self._peer.next()) is not None:
            if said.type == VIDEO:
                yield said.body


class FlvWatcher(Watcher):
    """One by HTTP-FLV."""

    def __init__(self, port: int, name: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 20)
        self._socket.sendall(f"GET /live/{name}.flv HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        super().__init__()

    def _bodies(self) -> Iterator[bytes]:
        file = self._socket.makefile("rb")
        while file.readline().strip():
            pass
        file.read(13)
        while len(head := file.read(_TAG)) == _TAG:
            size = int.from_bytes(head[1:4])
            body = file.read(size)
            file.read(4)
            if head[0] == VIDEO:
                yield body


def recorded(path: Path) -> list[bytes]:
    """Return the frames of a recording that has video only."""
    found = []
    with path.open("rb") as file:
        number = file.fileno()
        known = {}
        for place in locate_boxes(number):
            if place.name == b"moov":
                known = read_tracks(read_content(number, place, MAX_MOOV_BYTES))
            elif place.name == b"moof":
                for run in read_runs(read_content(number, place, MAX_MOOF_BYTES), place, known):
                    at = run.offset
                    for size in run.sizes:
                        found.append(os.pread(number, size, at)[_UNIT:])
                        at += size
    return found


def resident(pid: int) -> int:
    """Return how much memory a process has, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return 1024 * int(line.split()[1])


def descriptors(pid: int) -> int:
    """Return how many descriptors a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
