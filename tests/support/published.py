"""One publish session without a network: what its viewers, HLS and the recording get."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from homeroom.media.engine import flv
from homeroom.media.engine.hls import HlsWindow
from homeroom.media.engine.hooks_client import ClientInfo
from homeroom.media.engine.packager import MediaChunk
from homeroom.media.engine.packets import Packet
from homeroom.media.engine.recorder import Recorder
from homeroom.media.engine.registry import encode_rtmp
from homeroom.media.engine.stream import LiveStream, Publication
from tests.support.flv_source import FlvSource
from tests.support.hls_session import HlsSession


@dataclass
class Published:
    """What came out of a publish session."""

    packets: list[Packet] = field(default_factory=list)
    """Those of FLV and RTMP viewers."""
    recorded: list[MediaChunk] = field(default_factory=list)
    listed: list[MediaChunk] = field(default_factory=list)
    """The chunks of HLS."""
    openings: list[list[Packet]] = field(default_factory=list)
    """Headers and GOP for a viewer who joins after each tag; empty before one can."""
    session: HlsSession = field(default_factory=HlsSession)
    """All playlists of HLS, which have passed the checks."""
    file_header: bytes = b""
    """That of FLV viewers at the end."""

    def frames(self, kind: int) -> list[Packet]:
        """Return the frames of viewers."""
        return [each for each in self.packets if each.kind == kind and not each.is_header]

    def write_flv(self, path: Path) -> Path:
        """Write what an FLV viewer gets."""
        path.write_bytes(self.file_header + b"".join(map(flv.encode_tag, self.packets)))
        return path

    def write_recording(self, path: Path) -> Path:
        """Write the recording."""
        return write_chunks(self.recorded, path)

    def write_hls(self, path: Path) -> Path:
        """Write what an HLS player gets."""
        return write_chunks(self.listed, path)


def write_chunks(chunks: list[MediaChunk], path: Path) -> Path:
    """Write chunks of one init segment as one file."""
    assert len({id(chunk.init) for chunk in chunks}) == 1
    path.write_bytes(b"".join([chunks[0].init.data, *(chunk.data for chunk in chunks)]))
    return path


class _Stream(LiveStream):
    """A stream that notes what its viewers get."""

    def __init__(self) -> None:
        super().__init__("s", encode_rtmp, 0)
        self.hls = _Window()
        self.result = Published()

    def add(self, packet: Packet) -> None:
        self.result.packets.append(packet)
        super().add(packet)


class _Window(HlsWindow):
    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[MediaChunk] = []
        self.session = HlsSession()

    def add(self, chunk: MediaChunk) -> None:
        self.chunks.append(chunk)
        super().add(chunk)
        self.session.read(self)


class _Outputs:
    """Stands for the recorder and for the registry."""

    bytes_in = 0
    slow_key_frames = 0
    state = "on"
    error = None

    def __init__(self) -> None:
        self.chunks: list[MediaChunk] = []

    def add(self, chunk: MediaChunk) -> None:
        self.chunks.append(chunk)

    def end(self) -> None:
        """Stop recording."""

    def publish_ended(self, publication: Publication) -> None:
        """Take note of the end."""


def publish(*sources: FlvSource) -> list[Published]:
    """Publish sources one after the other as one stream, as fast as they go."""
    return asyncio.run(_publish(sources))


async def _publish(sources: Iterable[FlvSource]) -> list[Published]:
    stream, results = _Stream(), []
    for source in sources:
        result = stream.result = Published()
        results.append(result)
        window = stream.hls = _Window()
        outputs, cache = _Outputs(), stream.cache
        client = ClientInfo("c", "", "live", "s", "", "")
        recorder = cast("Recorder", outputs)
        publication = Publication(outputs, stream, client, recorder, lambda _reason: None)
        for tag in source.tags:
            publication.add(tag.kind, tag.time & 0xFFFF_FFFF, tag.body)
            publication.flush()
            result.openings.append([*cache.headers(), *cache.gop] if cache.can_start else [])
        result.file_header = flv.file_header(cache)
        publication.end()
        result.recorded, result.listed = outputs.chunks, window.chunks
        result.session = window.session
        assert all(playlist for playlist in result.session.playlists)
    return results
