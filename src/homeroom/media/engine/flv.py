"""FLV: as viewers over HTTP get it, and files of it."""

from collections.abc import Iterator
from struct import Struct
from typing import Final

from homeroom.media.engine import packets
from homeroom.media.engine.fanout import GopCache
from homeroom.media.engine.packets import SCRIPT, Packet

HAS_AUDIO: Final = 4
HAS_VIDEO: Final = 1
_HEAD: Final = Struct(">II3x")
_HEAD_SIZE: Final = 11
_TAIL: Final = Struct(">I")
_FILE_HEAD_SIZE: Final = 9 + _TAIL.size


def file_header(cache: GopCache) -> bytes:
    """Return what a file begins with: which tracks it has, and that no tag comes before the first.

    Some players wait for every track that is promised here.
    """
    tracks = HAS_AUDIO * cache.has_audio + HAS_VIDEO * cache.has_video
    return b"FLV\x01%c\x00\x00\x00\x09\x00\x00\x00\x00" % tracks


def encode_tag(packet: Packet) -> bytes:
    """Return a packet as one tag, the size that follows it included."""
    body, time = packet.body, packet.time
    size = len(body)
    # The upper eight of the 32 bits of a time stand behind the lower 24.
    stamp = (time & 0xFFFFFF) << 8 | (time >> 24) & 0xFF
    return b"".join(
        (_HEAD.pack(packet.kind << 24 | size, stamp), body, _TAIL.pack(_HEAD_SIZE + size))
    )


def read_packets(data: bytes) -> Iterator[Packet]:
    """Return what a whole file is made of, as it was published; metadata is left out."""
    place = _FILE_HEAD_SIZE
    while place < len(data):
        kind_and_size, stamp = _HEAD.unpack_from(data, place)
        kind, size = kind_and_size >> 24, kind_and_size & 0xFFFFFF
        begin = place + _HEAD_SIZE
        one = packets.parse_packet(
            kind, stamp >> 8 | (stamp & 0xFF) << 24, data[begin : begin + size]
        )
        if one is not None and kind != SCRIPT:
            yield one
        place = begin + size + _TAIL.size
