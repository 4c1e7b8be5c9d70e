"""Sample tables of a flat MP4, collected run by run in compact arrays."""

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from homeroom.media.engine.boxes import (
    MalformedMP4Error,
    box,
    boxes,
    child,
    full_box,
    mdhd,
    mvhd,
    tkhd,
)
from homeroom.media.engine.fragments import FragmentTrack, TrackRun

MAX_TRACK_FRAMES: Final = 20_000_000
"""Maximum frames of one track; four days of audio have about as many."""
WORD: Final = 0xFFFF_FFFF
MAX_GAP_SECONDS: Final = 86_400
"""Maximum gap between two fragments; sound can be off for hours."""
MAX_MOVIE_SECONDS: Final = 1_000_000
"""Maximum length of a movie."""
WIDE_OFFSET_BYTES: Final = 3_000_000_000
"""From this payload size on, chunk offsets have 64 bits."""
REST_OF_TKHD: Final = 60
"""Bytes after the duration: volume, matrix, width, height."""
SIZE_IN_TKHD: Final = 8
"""Bytes at its end: width and height."""
NO_MEDIA: Final = 0xFFFF_FFFF_FFFF_FFFF


class RunLengths:
    """Run-length encoded numbers, pairs of count and value, for stts and ctts."""

    def __init__(self) -> None:
        self._pairs = array("q")

    def add(self, number: int) -> None:
        """Add one number."""
        if self._pairs and self._pairs[-1] == number:
            self._pairs[-2] += 1
        else:
            self._pairs.extend((1, number))

    def lengthen(self, more: int) -> None:
        """Add to the last number."""
        last = self._pairs.pop()
        times = self._pairs.pop()
        if times > 1:
            self._pairs.extend((times - 1, last))
        self.add(last + more)

    @property
    def is_zero(self) -> bool:
        """Return whether all numbers are 0."""
        return not any(self._pairs[1::2])

    def encode(self) -> bytes:
        """Return the number of pairs and the pairs."""
        pairs = array("I", (number & WORD for number in self._pairs))
        return struct.pack(">I", len(pairs) // 2) + encode_big_endian(pairs)


def encode_big_endian(numbers: "array[int]") -> bytes:
    """Return numbers in big-endian byte order."""
    if sys.byteorder == "little":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def chunk_offset_box(offsets: Iterable[int], *, is_wide: bool) -> bytes:
    """Return the chunk offset box: co64 if wide, otherwise stco."""
    numbers = array("Q" if is_wide else "I", offsets)
    count = struct.pack(">I", len(numbers))
    return full_box(b"co64" if is_wide else b"stco", 0, 0, count, encode_big_endian(numbers))


class SampleTable:
    """The sample table of one track; times are in ticks of the track."""

    def __init__(self, track: FragmentTrack) -> None:
        self.track = track
        """Its first description."""
        self._descriptions: list[bytes] = []
        self._description = 0
        """Number of the description of the next chunk, from 1."""
        self._size = b""
        """Width and height of the largest picture, as in tkhd."""
        self._chunk_descriptions = array("I")
        """The description of each chunk."""
        self._durations = RunLengths()
        self._compositions = RunLengths()
        self._sizes = array("I")
        self._keys = array("I")
        """Numbers of the sync samples (keyframes), from 1."""
        self._offsets = array("Q")
        """Offset of each chunk in the payload."""
        self._counts = array("I")
        """Frames in each chunk."""
        self._begin = 0
        """Decode time of the first frame."""
        self._end = 0
        """End of the last frame."""
        self._presentation_start = self._presentation_end = 0
        """Presentation start of the first frame and end of the last one."""

    def add_description(self, track: FragmentTrack) -> None:
        """Add another description; raises `MalformedMP4Error` if its clock differs."""
        if track.scale != self.track.scale:
            raise MalformedMP4Error("the clock of a track changes")
        descriptions = child(track.trak, b"mdia", b"minf", b"stbl", b"stsd")[8:]
        entries = [box(name, bytes(content)) for name, content in boxes(descriptions)]
        if not entries:
            raise MalformedMP4Error("a track has no description")
        self._descriptions += [entry for entry in entries if entry not in self._descriptions]
        # Fragments with another description than the first one are not supported.
        self._description = self._descriptions.index(entries[0]) + 1
        self._size = max(self._size, bytes(child(track.trak, b"tkhd")[-SIZE_IN_TKHD:]))

    def __bool__(self) -> bool:
        return bool(self._sizes)

    @property
    def starts(self) -> float:
        """Return the presentation start in seconds."""
        return self._presentation_start / self.track.scale

    @property
    def ends(self) -> float:
        """Return the presentation end in seconds."""
        return self._presentation_end / self.track.scale

    def add(self, run: TrackRun, offset: int) -> None:
        """Add the frames of a run, whose payload starts at this offset of the whole payload."""
        if not run.sizes:
            return
        number = len(self._sizes)
        if number + len(run.sizes) > MAX_TRACK_FRAMES:
            raise MalformedMP4Error(f"more than {MAX_TRACK_FRAMES} frames")
        if not number:
            self._begin = self._end = run.begin
            self._presentation_start = run.begin + run.compositions[0]
        begin = max(run.begin, self._end)
        if abs(run.begin - self._end) > MAX_GAP_SECONDS * self.track.scale:
            raise MalformedMP4Error(f"a gap of {run.begin - self._end} ticks")
        if begin > self._end:
            # A gap between two fragments extends the last frame before it.
            self._durations.lengthen(begin - self._end)
        at = begin
        early = begin - run.begin
        for duration, later in zip(run.durations, run.compositions, strict=True):
            presented_at = at - early + later
            self._durations.add(duration)
            self._compositions.add(later - early)
            self._presentation_start = min(self._presentation_start, presented_at)
            self._presentation_end = max(self._presentation_end, presented_at + duration)
            at += duration
        self._end = at
        self._keys.extend(place for place, is_key in enumerate(run.keys, number + 1) if is_key)
        self._sizes.extend(run.sizes)
        self._offsets.append(offset)
        self._counts.append(len(run.sizes))
        self._chunk_descriptions.append(self._description)

    def trak(self, begin: float, scale: int, base: int, *, is_wide: bool) -> bytes:
        """Return the trak box.

        The movie starts at `begin` seconds of the fragments' clock, with `scale` ticks per second.
        The payload is at `base` in the file.
        """
        trak, ticks = self.track.trak, self.track.scale
        wait = round((self.starts - begin) * scale)
        length = round((self.ends - self.starts) * scale)
        skipped = max(self._presentation_start - self._begin, 0)
        edits = [struct.pack(">QQI", wait, NO_MEDIA, 0x10000)] if wait else []
        edits.append(struct.pack(">QQI", length, skipped, 0x10000))
        list_of_edits = full_box(b"elst", 1, 0, struct.pack(">I", len(edits)), *edits)
        minf = [
            box(name, bytes(content))
            for name, content in boxes(child(trak, b"mdia", b"minf"))
            if name != b"stbl"
        ]
        mdia = box(
            b"mdia",
            mdhd(ticks, self._end - self._begin),
            box(b"hdlr", bytes(child(trak, b"mdia", b"hdlr"))),
            box(b"minf", *minf, self._stbl(base, is_wide=is_wide)),
        )
        rest = bytes(child(trak, b"tkhd")[-REST_OF_TKHD:-SIZE_IN_TKHD]) + self._size
        header = tkhd(self.track.number, wait + length, rest)
        return box(b"trak", header, box(b"edts", list_of_edits), mdia)

    def _stbl(self, base: int, *, is_wide: bool) -> bytes:
        count = struct.pack(">I", len(self._descriptions))
        parts = [
            full_box(b"stsd", 0, 0, count, *self._descriptions),
            full_box(b"stts", 0, 0, self._durations.encode()),
        ]
        if not self._compositions.is_zero:
            parts.append(full_box(b"ctts", 1, 0, self._compositions.encode()))
        if len(self._keys) < len(self._sizes):
            count = struct.pack(">I", len(self._keys))
            parts.append(full_box(b"stss", 0, 0, count, encode_big_endian(self._keys)))
        sizes = struct.pack(">II", 0, len(self._sizes))
        parts += [
            full_box(b"stsc", 0, 0, self._stsc()),
            full_box(b"stsz", 0, 0, sizes, encode_big_endian(self._sizes)),
            chunk_offset_box((offset + base for offset in self._offsets), is_wide=is_wide),
        ]
        return box(b"stbl", *parts)

    def _stsc(self) -> bytes:
        rows, chunk = array("I"), 1
        chunks = zip(self._counts, self._chunk_descriptions, strict=True)
        for (count, description), group in groupby(chunks):
            rows.extend((chunk, count, description))
            chunk += len(list(group))
        return struct.pack(">I", len(rows) // 3) + encode_big_endian(rows)


def encode_moov(tables: Sequence[SampleTable], base: int, *, is_wide: bool) -> tuple[bytes, float]:
    """Return moov for a payload at `base` in the file, and its length in seconds."""
    begin = min(table.starts for table in tables)
    length = max(table.ends for table in tables) - begin
    if length > MAX_MOVIE_SECONDS:
        raise MalformedMP4Error(f"{length:.0f} seconds")
    # The finest clock of all tracks, so that they stay in sync to the sample.
    scale = max(table.track.scale for table in tables)
    traks = [table.trak(begin, scale, base, is_wide=is_wide) for table in tables]
    following = max(table.track.number for table in tables) + 1
    return box(b"moov", mvhd(scale, round(length * scale), following), *traks), length
