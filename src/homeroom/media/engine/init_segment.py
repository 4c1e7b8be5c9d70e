"""Makes the initialization segment (ftyp and moov) that a player reads before the chunks."""

import struct
from typing import Final

from homeroom.base.values import Value
from homeroom.media.engine import boxes
from homeroom.media.engine.boxes import box, full_box
from homeroom.media.engine.codecs import AudioConfig, VideoConfig

MOVIE_SCALE: Final = 1000
VIDEO_SCALE: Final = 1000
"""Ticks per second of the video track: the publisher's milliseconds, without rounding."""

VIDEO_TRACK: Final = 1
AUDIO_TRACK: Final = 2
KEY: Final = 0x0200_0000
"""Flags of a sync sample (keyframe)."""
NOT_KEY: Final = 0x0101_0000


class InitSegment(Value, frozen=True, eq=False):
    """An initialization segment, which a player reads before its chunks."""

    data: bytes
    """The boxes ftyp and moov."""
    codecs: str
    """Codecs in RFC 6381 form: "avc1.64001f,mp4a.40.2"."""
    width: int
    """Pixels; 0 without video or if its header does not have the size."""
    height: int
    has_video: bool
    sound: bytes = b""
    """The AudioSpecificConfig, or empty without audio."""
    has_sets: bool = False
    """Whether its first frame contains parameter sets, which some players then need."""

    def can_follow(self, before: "InitSegment") -> bool:
        """Return whether it can continue the same file: only the picture may differ."""
        return self.has_sets and before.has_sets and self.sound == before.sound


def make_init_segment(
    picture: VideoConfig | None, sound: AudioConfig | None, first: memoryview | None
) -> InitSegment:
    """Return the init segment of the tracks; `first` is the first video frame."""
    tracks, extends, names = [], [], []
    if picture is not None:
        shape = (picture.display_width, picture.height)
        media = (full_box(b"vmhd", 0, 1, bytes(8)), picture.sample_entry())
        tracks.append(_trak(VIDEO_TRACK, VIDEO_SCALE, b"vide", media, shape))
        extends.append(_trex(VIDEO_TRACK, NOT_KEY))
        names.append(picture.codec)
    if sound is not None:
        media = (full_box(b"smhd", 0, 0, bytes(4)), sound.sample_entry())
        tracks.append(_trak(AUDIO_TRACK, sound.rate, b"soun", media, (0, 0)))
        extends.append(_trex(AUDIO_TRACK, KEY))
        names.append(sound.codec)
    movie = boxes.mvhd(MOVIE_SCALE, 0, AUDIO_TRACK + 1)
    data = box(b"ftyp", b"iso5", struct.pack(">I", 512), b"iso5iso6mp41")
    data += box(b"moov", movie, *tracks, box(b"mvex", *extends))
    width, height = (picture.width, picture.height) if picture else (0, 0)
    config = sound.config if sound is not None else b""
    has_sets = picture is not None and first is not None and picture.has_parameter_sets(first)
    return InitSegment(data, ",".join(names), width, height, picture is not None, config, has_sets)


def _trex(number: int, flags: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">5I", number, 1, 0, 0, flags))


def _trak(
    number: int, scale: int, kind: bytes, media: tuple[bytes, bytes], shape: tuple[float, int]
) -> bytes:
    """Return a trak box without frames; media is the media header and the sample entry.

    The shape is that of the displayed picture, in pixels of the screen.
    """
    header, entry = media
    loudness = 0x100 if kind == b"soun" else 0
    rest = struct.pack(">12xHxx", loudness) + boxes.MATRIX
    width, height = (min(round(length * 0x10000), 0xFFFF_FFFF) for length in shape)
    rest += struct.pack(">II", width, height)
    here = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    no_frames = struct.pack(">I", 0)
    table = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, no_frames),
        full_box(b"stsc", 0, 0, no_frames),
        full_box(b"stsz", 0, 0, no_frames, no_frames),
        full_box(b"stco", 0, 0, no_frames),
    )
    handler = full_box(b"hdlr", 0, 0, struct.pack(">4x4s12xx", kind))
    inner = box(b"mdia", boxes.mdhd(scale, 0), handler, box(b"minf", header, here, table))
    return box(b"trak", boxes.tkhd(number, 0, rest), inner)
