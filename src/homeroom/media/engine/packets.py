"""Packets of a stream: one packet is the body of one FLV tag or RTMP message."""

from typing import Final

import msgspec

from homeroom.base.errors import HomeroomError

AUDIO: Final = 8
VIDEO: Final = 9
SCRIPT: Final = 18


class Packet(msgspec.Struct, eq=False):
    """One audio frame, video frame, codec header or piece of metadata."""

    kind: int
    """AUDIO, VIDEO or SCRIPT."""
    time: int
    """Milliseconds on the stream's clock, which continues when a publisher reconnects."""
    body: bytes
    """Codec byte, packet type, composition time and payload, as published with a classic header."""
    is_header: bool = False
    """Whether it is a codec header (AVC or AAC sequence header) and not a frame."""
    is_keyframe: bool = False
    """Whether it is a keyframe, which a player can start with."""


class UnsupportedMediaError(HomeroomError):
    """The engine does not support this media; the message is for the publisher."""


AVC: Final = 7
AAC: Final = 10
KEYFRAME: Final = 1
SEQUENCE_HEADER: Final = 0
FRAME: Final = 1
MAX_COMPOSITION_MS: Final = 5_000
"""No encoder shows a picture this much later than it is decoded: a larger number counts as 0."""


def composition(body: bytes) -> int:
    """Return how much later a picture is shown than decoded, in milliseconds."""
    return int.from_bytes(body[2:5], signed=True)


def set_composition(body: bytes, milliseconds: int) -> bytes:
    """Return a picture with another composition time."""
    return body[:2] + milliseconds.to_bytes(3, signed=True) + body[5:]
