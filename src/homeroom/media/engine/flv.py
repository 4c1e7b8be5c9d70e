"""FLV as viewers over HTTP get it."""

from struct import Struct
from typing import Final

from homeroom.media.engine.fanout import Cache
from homeroom.media.engine.packets import Packet

SOUND: Final = 4
PICTURE: Final = 1
_HEAD: Final = Struct(">II3x")
_HEAD_SIZE: Final = 11
_TAIL: Final = Struct(">I")


def header(cache: Cache) -> bytes:
    """Return what a file begins with: which tracks it has, and that no tag comes before the first.

    Some players wait for every track that is promised here.
    """
    tracks = SOUND * cache.has_audio + PICTURE * cache.has_video
    return b"FLV\x01%c\x00\x00\x00\x09\x00\x00\x00\x00" % tracks


def tag(packet: Packet) -> bytes:
    """Return a packet as one tag, the size that follows it included."""
    body, time = packet.body, packet.time
    size = len(body)
    # The upper eight of the 32 bits of a time stand behind the lower 24.
    stamp = (time & 0xFFFFFF) << 8 | (time >> 24) & 0xFF
    return b"".join(
        (_HEAD.pack(packet.kind << 24 | size, stamp), body, _TAIL.pack(_HEAD_SIZE + size))
    )
