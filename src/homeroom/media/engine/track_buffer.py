"""Frames of one track that wait for the end of their chunk, and the boxes of a chunk."""

import struct
from copy import copy
from typing import Final

from homeroom.media.engine import boxes

MAX_CHUNK_BYTES: Final = 4_000_000
MAX_CHUNK_FRAMES: Final = 1_000
"""Limits of one track in bytes and frames after which a chunk ends."""
MAX_FRAME_TICKS: Final = 0xFFFF_FFFF
"""Maximum ticks of one frame."""

VIDEO_RUN: Final = 0x0100_0F01
"""Version 1 (signed composition offsets); offset, then duration, size, flags, composition."""
AUDIO_RUN: Final = 0x0000_0301
"""Offset, then duration and size."""

_MOOF = struct.Struct(">I4s I4sII")
_TRAF = struct.Struct(">I4s I4sII I4sIQ I4sIIi")
_BASE_IS_MOOF: Final = 0x02_0000
_VERSION_1: Final = 0x0100_0000


class TrackBuffer:
    """Buffered frames of one track; times are in ticks of the track."""

    __slots__ = (
        "at",
        "begin",
        "entries",
        "fields",
        "frame_ticks",
        "kind",
        "number",
        "payload",
        "pending",
        "size",
    )

    def __init__(self, number: int, kind: int, usual: int) -> None:
        self.number = number
        self.kind = kind
        """Version and flags of its trun boxes."""
        self.frame_ticks = usual
        """Length of the last complete frame, or an assumption."""
        self.at = -1
        """Start of the pending frame. Its length is known only with the next frame."""
        self.pending: memoryview | None = None
        self.fields: tuple[int, ...] = ()
        """Fields of the pending frame in the trun box, after its duration."""
        self.begin = 0
        """Start of the first complete frame."""
        self.entries: list[int] = []
        self.payload: list[memoryview] = []
        self.size = 0

    @property
    def is_full(self) -> bool:
        """Return whether a size limit forces a chunk, whatever the times are."""
        return self.size > MAX_CHUNK_BYTES or len(self.payload) >= MAX_CHUNK_FRAMES

    def hold(self, at: int, payload: memoryview, fields: tuple[int, ...]) -> None:
        """Set the pending frame; the previous one must be complete."""
        self.at = at
        self.pending = payload
        self.fields = fields

    def complete(self, until: int) -> None:
        """Complete the pending frame with its end time."""
        if self.pending is None:
            return
        if not self.payload:
            self.begin = self.at
        self.frame_ticks = until - self.at
        self.entries.append(min(self.frame_ticks, MAX_FRAME_TICKS))
        self.entries += self.fields
        self.payload.append(self.pending)
        self.size += len(self.pending)
        self.pending = None

    def description_size(self) -> int:
        """Return the size of the traf box in bytes."""
        return _TRAF.size + 4 * len(self.entries)

    def describe(self, offset: int) -> tuple[bytes, bytes]:
        """Return the traf box of the complete frames, with their payload at this offset."""
        size = 4 * len(self.entries)
        head = _TRAF.pack(
            *(_TRAF.size + size, b"traf"),
            *(16, b"tfhd", _BASE_IS_MOOF, self.number),
            *(20, b"tfdt", _VERSION_1, self.begin),
            *(20 + size, b"trun", self.kind, len(self.payload), offset),
        )
        return head, struct.pack(f">{len(self.entries)}I", *self.entries)

    def copy(self) -> "TrackBuffer":
        """Return a buffer with the same frames."""
        twin = copy(self)
        twin.entries, twin.payload = self.entries[:], self.payload[:]
        return twin

    def clear(self) -> None:
        """Remove the complete frames."""
        self.entries = []
        self.payload = []
        self.size = 0


def encode_chunk(number: int, tracks: list[TrackBuffer]) -> bytes:
    """Return moof and mdat of the complete frames, and remove them from the tracks."""
    size = _MOOF.size + sum(track.description_size() for track in tracks)
    offset = size + boxes.HEAD.size
    parts: list[bytes | memoryview] = [_MOOF.pack(size, b"moof", 16, b"mfhd", 0, number)]
    for track in tracks:
        parts += track.describe(offset)
        offset += track.size
    parts.append(boxes.HEAD.pack(offset - size, b"mdat"))
    for track in tracks:
        parts += track.payload
        track.clear()
    return b"".join(parts)
