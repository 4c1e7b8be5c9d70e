"""Viewers that join a stream at some moment and note what they get, and when."""

import re
import socket
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, NamedTuple

from homeroom.media.engine.packets import AUDIO, VIDEO
from tests.support.flv_source import FILE_HEAD, FlvSource, Tag
from tests.support.rtmp import Peer

PATIENCE: Final = 30
TAG_HEAD: Final = 11
TAG_END: Final = 4
PART: Final = re.compile(r'#EXT-X-PART:.*?URI="([^"?]+)')
MAP: Final = re.compile(r'#EXT-X-MAP:.*?URI="([^"?]+)')
HINT: Final = re.compile(r'#EXT-X-PRELOAD-HINT:.*?URI="([^"?]+)')


class Viewer:
    """One who watches in a thread of its own until the stream ends."""

    name: str
    """Of the protocol."""

    def __init__(self) -> None:
        self.joined = time.monotonic()
        self._is_closed = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run)

    def close(self) -> None:
        """Watch no longer; raises what disturbed it."""
        self._is_closed = True
        connection = self._connection()
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        if connection is not None:
            connection.close()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as failure:  # noqa: BLE001  raised by `close`
            if not self._is_closed:
                self._failure = failure

    @abstractmethod
    def _watch(self) -> None:
        """Watch until the stream ends."""

    @abstractmethod
    def _connection(self) -> socket.socket | None:
        """Return the present connection."""


class SteadyViewer(Viewer):
    """One by FLV or RTMP, who takes what comes."""

    _socket: socket.socket

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[Tag] = []
        """What came, each due when it came, in milliseconds after joining."""

    @property
    def pictures(self) -> list[Tag]:
        """Frames of the picture so far, without repeated ones: those fill gaps."""
        frames: dict[bytes, Tag] = {}
        for tag in tuple(self.tags):
            if tag.kind == VIDEO and tag.is_frame:
                frames.setdefault(tag.payload, tag)
        return list(frames.values())

    @property
    def join_ms(self) -> float | None:
        """Milliseconds from joining to the first picture to start with."""
        return next((tag.due for tag in self.pictures if tag.has_idr), None)

    @property
    def source(self) -> FlvSource:
        """All that came."""
        return FlvSource(tuple(self.tags))

    def delays(self, passed: dict[bytes, float]) -> list[float]:
        """Return how long each picture took that was sent after joining, in milliseconds."""
        return [
            1000 * (self.joined + tag.due / 1000 - passed[tag.payload])
            for tag in self.pictures
            if passed.get(tag.payload, 0) > self.joined
        ]

    @abstractmethod
    def _bodies(self) -> Iterator[tuple[int, int, bytes]]:
        """Return kind, time and body of what comes."""

    def _watch(self) -> None:
        for kind, at, body in self._bodies():
            due = round(1000 * (time.monotonic() - self.joined))
            self.tags.append(Tag(kind, at, body, due))

    def _connection(self) -> socket.socket:
        return self._socket


class FlvViewer(SteadyViewer):
    """One by HTTP-FLV."""

    name = "FLV"

    def __init__(self, port: int, name: str) -> None:
        super().__init__()
        self.flags = 0
        """The tracks that the header of the file promises."""
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.sendall(f"GET /live/{name}.flv HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        self._thread.start()

    def _bodies(self) -> Iterator[tuple[int, int, bytes]]:
        file = self._socket.makefile("rb")
        while file.readline().strip():
            pass
        self.flags = file.read(len(FILE_HEAD))[4]
        while len(head := file.read(TAG_HEAD)) == TAG_HEAD:
            body = file.read(int.from_bytes(head[1:4]))
            file.read(TAG_END)
            yield head[0], int.from_bytes(head[7:8] + head[4:7]), body


class RtmpViewer(SteadyViewer):
    """One by RTMP."""

    name = "RTMP"

    def __init__(self, port: int, name: str) -> None:
        super().__init__()
        self._peer = Peer(port)
        self._socket = self._peer.socket
        status = self._peer.play(name)
        if status[0] != "NetStream.Play.Reset":
            self._socket.close()
            raise AssertionError(status)
        self._thread.start()

    def _bodies(self) -> Iterator[tuple[int, int, bytes]]:
        while (message := self._peer.next()) is not None:
            if message.type in {AUDIO, VIDEO} and len(message.body) > 1:
                yield message.type, message.time, message.body


class Loaded(NamedTuple):
    """A part with the init segment it belongs to."""

    init: bytes
    data: bytes
    at: float
    """When it was there whole, by `time.monotonic`."""


class ListedPart(NamedTuple):
    """A part as a playlist lists it."""

    map_name: str
    name: str
    is_needed: bool
    """Whether a player that starts now loads it."""


class HlsViewer(Viewer):
    """A low-latency player: it starts at the last part to start with, and waits for each hint."""

    name = "HLS"

    def __init__(self, port: int, name: str) -> None:
        super().__init__()
        self.parts: list[Loaded] = []
        self.playlists: list[tuple[float, str]] = []
        """Each playlist with the time at which it was read, by `time.monotonic`."""
        self._path = f"/live/{name}.m3u8"
        self._http = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._maps: dict[str, bytes] = {}
        self._seen: set[str] = set()
        self._fetched: dict[str, tuple[bytes, float]] = {}
        self._thread.start()

    def join_ms(self, source: FlvSource) -> float | None:
        """Return the milliseconds from joining to the first part with a picture to start with."""
        starts = [tag.payload for tag in source.frames(VIDEO) if tag.has_idr]
        for part in tuple(self.parts):
            if any(start in part.data for start in starts):
                return 1000 * (part.at - self.joined)
        return None

    def delays(self, source: FlvSource, passed: dict[bytes, float]) -> list[float]:
        """Return how long the first picture of each part took that was sent after joining."""
        new = [tag for tag in source.frames(VIDEO) if passed[tag.payload] > self.joined]
        delays = []
        for part in tuple(self.parts):
            sent = [passed[tag.payload] for tag in new if tag.payload in part.data]
            delays += [1000 * (part.at - min(sent))] if sent else []
        return delays

    def save(self, folder: Path) -> list[Path]:
        """Write what came as files, one for each init segment."""
        files: dict[bytes, list[bytes]] = {}
        for part in self.parts:
            files.setdefault(part.init, [part.init]).append(part.data)
        paths = []
        for number, pieces in enumerate(files.values()):
            paths.append(folder / f"hls-{number}.mp4")
            paths[-1].write_bytes(b"".join(pieces))
        return paths

    def _watch(self) -> None:
        status, text = self._get(self._path)
        while status == 200 and not self._is_closed:
            playlist = text.decode()
            self.playlists.append((time.monotonic(), playlist))
            for part in _parts(playlist, is_start=not self._seen):
                self._load(part)
            hint = HINT.search(playlist)
            if hint is None:
                return
            # The engine holds the request until the part is there; the list says what it is.
            if self._fetch(hint[1]) is None and "#EXT-X-ENDLIST" in playlist:
                return
            status, text = self._get(self._path)

    def _load(self, part: "ListedPart") -> None:
        if part.name in self._seen:
            return
        self._seen.add(part.name)
        if not part.is_needed:
            return
        if part.map_name not in self._maps:
            self._maps[part.map_name] = self._get(f"/live/{part.map_name}")[1]
        loaded = self._fetched.get(part.name) or self._fetch(part.name)
        if loaded is not None:
            self.parts.append(Loaded(self._maps[part.map_name], *loaded))

    def _fetch(self, part: str) -> tuple[bytes, float] | None:
        """Load a part, or wait for it; None if there is none."""
        status, data = self._get(f"/live/{part}")
        if status != 200:
            return None
        self._fetched[part] = (data, time.monotonic())
        return self._fetched[part]

    def _get(self, path: str) -> tuple[int, bytes]:
        self._http.request("GET", path)
        response = self._http.getresponse()
        return response.status, response.read()

    def _connection(self) -> socket.socket | None:
        return self._http.sock


def _parts(playlist: str, *, is_start: bool) -> list[ListedPart]:
    """Return the listed parts; a player starts with the last one that it can start with."""
    parts: list[ListedPart] = []
    map_name = ""
    for line in playlist.splitlines():
        if found := MAP.match(line):
            map_name = found[1]
        elif found := PART.match(line):
            if is_start and "INDEPENDENT=YES" in line:
                parts = [part._replace(is_needed=False) for part in parts]
            parts.append(ListedPart(map_name, found[1], is_needed=True))
    return parts
