"""FLV: tags for viewers over HTTP, and reading FLV files."""

from collections.abc import Iterator
from struct import Struct
from typing import Final

from homeroom.media.engine.fanout import GopCache
from homeroom.media.engine.packet_parser import PacketParser
from homeroom.media.engine.packets import SCRIPT, Packet

HAS_AUDIO: Final = 4
HAS_VIDEO: Final = 1
_HEAD: Final = Struct(">II3x")
_HEAD_SIZE: Final = 11
_TAIL: Final = Struct(">I")
_FILE_HEAD_SIZE: Final = 9 + _TAIL.size


def file_header(cache: GopCache) -> bytes:
    """Return the FLV file header with the present tracks, and the first PreviousTagSize.

    Some players wait for every track that the header announces.
    """
    tracks = HAS_AUDIO * cache.has_audio + HAS_VIDEO * cache.has_video
    return b"FLV\x01%c\x00\x00\x00\x09\x00\x00\x00\x00" % tracks


def encode_tag(packet: Packet) -> bytes:
    """Return a packet as one tag, with the PreviousTagSize after it."""
    body, time = packet.body, packet.time
    size = len(body)
    # The upper 8 bits of the timestamp follow the lower 24.
    stamp = (time & 0xFFFFFF) << 8 | (time >> 24) & 0xFF
    return b"".join(
        (_HEAD.pack(packet.kind << 24 | size, stamp), body, _TAIL.pack(_HEAD_SIZE + size))
    )


def read_packets(data: bytes) -> Iterator[Packet]:
    """Return the packets of a complete file, without metadata."""
    place, parser = _FILE_HEAD_SIZE, PacketParser()
    while place < len(data):
        kind_and_size, stamp = _HEAD.unpack_from(data, place)
        kind, size = kind_and_size >> 24, kind_and_size & 0xFFFFFF
        begin = place + _HEAD_SIZE
        packet = parser.parse(kind, stamp >> 8 | (stamp & 0xFF) << 24, data[begin : begin + size])
        if packet is not None and kind != SCRIPT:
            yield packet
        place = begin + size + _TAIL.size
