"""A publish session without a network: packets become chunks, chunks the playlists of a stream."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from homeroom.media.engine.hls import HlsWindow
from homeroom.media.engine.packager import MediaChunk, Packager
from homeroom.media.engine.packets import Packet
from tests.support.playlist import Playlist
from tests.support.playlist_checker import PlaylistChecker

QUERY = "txSecret=a1&txTime=5C271099"


@dataclass
class HlsSession:
    """The result of a publish session."""

    checker: PlaylistChecker = field(default_factory=PlaylistChecker)
    chunks: list[MediaChunk] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    """All parts, segments and init segments, by address."""

    @property
    def playlists(self) -> list[Playlist]:
        """Return all playlists; fails if they break a rule."""
        return self.checker.done()

    def read(self, window: HlsWindow) -> None:
        """Read the playlist, its delta update, and all files."""
        text, delta = (window.playlist("s", QUERY, is_delta=is_delta) for is_delta in (False, True))
        playlist = self.checker.add(text) if text is not None else None
        if text is None or delta is None or playlist is None:
            return
        self.checker.check_delta(text.decode(), delta.decode())
        for uri in playlist.uris:
            data = window.file(uri.partition("?")[0].partition("/")[2])
            if data is not None:
                self.files[uri] = bytes(data)
            elif uri != playlist.hint:
                self.checker.faults.append(f"files: {uri} is missing")


def publish(*sessions: Iterable[Packet]) -> HlsSession:
    """Publish packets in one session after the other, and read the playlist after each chunk."""
    result = HlsSession()

    async def run() -> None:
        window = HlsWindow()

        def deliver(chunk: MediaChunk) -> None:
            result.chunks.append(chunk)
            window.add(chunk)
            packager.set_part_target(window.part_target)
            result.read(window)

        for packets in sessions:
            packager = Packager(deliver)
            packager.set_part_target(window.part_target)
            for packet in packets:
                packager.add(packet, packet.time)
            packager.end()
            window.discontinue()
            result.read(window)
        window.end()
        result.read(window)

    asyncio.run(run())
    return result
