"""FLV files, read into packets as a publisher would send them, and packed by the engine."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from homeroom.media.engine import flv
from homeroom.media.engine.packager import MediaChunk, Packager
from homeroom.media.engine.packets import AUDIO, VIDEO, Packet

AVC_HEADER = bytes.fromhex(
    "17000000000142c00cffe100176742c00cda05067e7c0440000003004000000c83c50aa801000468ce0fc8"
)
"""Of libx264, 320 by 180."""
AAC_HEADER = b"\xaf\0\x12\x10"
"""44.1 kHz, stereo."""


def read(path: Path) -> Iterator[Packet]:
    """Return what an FLV file is made of; metadata and what carries nothing are left out."""
    return flv.read_packets(path.read_bytes())


def packed(taken: Iterable[Packet]) -> list[MediaChunk]:
    """Return the chunks that come of packets."""
    chunks: list[MediaChunk] = []
    packager = Packager(chunks.append)
    for packet in taken:
        packager.add(packet, packet.time)
    packager.end()
    return chunks


def recorded(chunks: Iterable[MediaChunk], path: Path) -> Path:
    """Write chunks of one init as the recorder does."""
    parts = list(chunks)
    assert len({id(chunk.init) for chunk in parts}) == 1
    path.write_bytes(b"".join([parts[0].init.data, *(chunk.data for chunk in parts)]))
    return path


def picture(time: int, *, key: bool = False, later: int = 0, size: int = 5) -> Packet:
    """Return a frame of one empty slice, shown so many milliseconds later than it is decoded."""
    head = bytes((0x17 if key else 0x27, 1)) + later.to_bytes(3, signed=True)
    slice_type = b"\x65" if key else b"\x41"
    payload = max(size - 4, 0).to_bytes(4) + slice_type + bytes(max(size - 5, 0))
    return Packet(VIDEO, time, head + payload[:size], is_keyframe=key)


def sound(time: int, size: int = 5) -> Packet:
    """Return a frame of silence that no decoder would take."""
    return Packet(AUDIO, time, b"\xaf\1" + bytes(size))


def headers(*kinds: int) -> list[Packet]:
    """Return the sequence headers of these kinds."""
    bodies = {VIDEO: AVC_HEADER, AUDIO: AAC_HEADER}
    return [Packet(kind, 0, bodies[kind], is_header=True) for kind in kinds]
