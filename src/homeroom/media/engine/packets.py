"""Packets of a stream: one packet is the body of one FLV tag or RTMP message."""

from dataclasses import dataclass
from typing import Final

from homeroom.base.errors import HomeroomError

AUDIO: Final = 8
VIDEO: Final = 9
SCRIPT: Final = 18


@dataclass(slots=True, eq=False)
class Packet:
    """One audio frame, video frame, codec header or piece of metadata."""

    kind: int
    """AUDIO, VIDEO or SCRIPT."""
    time: int
    """Milliseconds on the stream's clock, which continues when a publisher reconnects."""
    body: bytes
    """As published: codec byte, packet type, composition time and payload."""
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
EXTENDED: Final = 0x80
"""Bit in the first byte of video: an extended header (enhanced RTMP)."""
AUDIO_CODECS: Final = {
    0: "PCM",
    1: "ADPCM",
    2: "MP3",
    3: "PCM",
    7: "G.711",
    8: "G.711",
    11: "Speex",
}
VIDEO_CODECS: Final = {2: "H.263", 3: "Screen Video", 4: "VP6", 5: "VP6", 12: "H.265"}


def parse_packet(kind: int, time: int, body: bytes) -> Packet | None:
    """Return a message as a packet, or None if it is empty; raises `UnsupportedMediaError`."""
    if kind == AUDIO:
        return _parse_audio(time, body)
    if kind == VIDEO:
        return _parse_video(time, body)
    return Packet(kind, time, body) if body else None


def _parse_audio(time: int, body: bytes) -> Packet | None:
    if not body:
        return None
    codec = body[0] >> 4
    if codec != AAC:
        name = AUDIO_CODECS.get(codec, f"codec {codec}")
        raise UnsupportedMediaError(f"the sound is {name}; only AAC is taken")
    if len(body) <= 2:  # noqa: PLR2004  codec byte and packet type, no payload
        return None
    return Packet(AUDIO, time, body, is_header=body[1] == SEQUENCE_HEADER)


def _parse_video(time: int, body: bytes) -> Packet | None:
    if not body:
        return None
    first = body[0]
    if first & EXTENDED:
        raise UnsupportedMediaError(
            f"the picture is {body[1:5].decode('latin-1')}; only H.264 is taken"
        )
    codec = first & 0x0F
    if codec != AVC:
        name = VIDEO_CODECS.get(codec, f"codec {codec}")
        raise UnsupportedMediaError(f"the picture is {name}; only H.264 is taken")
    # Another packet type is an end of sequence without data; ffmpeg sends one at the end.
    if len(body) <= 5 or body[1] > FRAME:  # noqa: PLR2004  codec, type and composition time
        return None
    is_header = body[1] == SEQUENCE_HEADER
    return Packet(VIDEO, time, body, is_header, not is_header and first >> 4 == KEYFRAME)
