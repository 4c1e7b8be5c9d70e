"""What a flat MP4 tells of its frames: gathered run by run, held in few bytes, written at last."""

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from homeroom.media.engine.boxes import Broken, box, boxes, child, full, mdhd, mvhd, tkhd
from homeroom.media.engine.fragments import Run, Track

MOST_FRAMES: Final = 20_000_000
"""Frames of one track; four days of sound have about as many."""
WORD: Final = 0xFFFF_FFFF
LONGEST_GAP: Final = 3600
"""Seconds between two fragments."""
LONGEST: Final = 1_000_000
"""Seconds of a film."""
WIDE_FROM: Final = 3_000_000_000
"""Bytes of payload from which places in the file are written with eight bytes."""
REST_OF_TKHD: Final = 60
"""Bytes behind its duration: volume, matrix, width, height."""
SIZE_IN_TKHD: Final = 8
"""Bytes at its end: width and height."""
NO_MEDIA: Final = 0xFFFF_FFFF_FFFF_FFFF


class Lengths:
    """Numbers as pairs of how often and which, as stts and ctts want them."""

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

    def written(self) -> bytes:
        """Return how many pairs there are, and the pairs."""
        pairs = array("I", (number & WORD for number in self._pairs))
        return struct.pack(">I", len(pairs) // 2) + written(pairs)


def written(numbers: "array[int]") -> bytes:
    """Return numbers with the most significant byte first."""
    if sys.byteorder == "little":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def where(offsets: Iterable[int], *, is_wide: bool) -> bytes:
    """Return the places of chunks, in eight bytes each where they are wide, or four."""
    numbers = array("Q" if is_wide else "I", offsets)
    count = struct.pack(">I", len(numbers))
    return full(b"co64" if is_wide else b"stco", 0, 0, count, written(numbers))


class Table:
    """The frames of one track; times are in ticks of that track."""

    def __init__(self, track: Track) -> None:
        self.track = track
        """As it was described first."""
        self._descriptions: list[bytes] = []
        self._description = 0
        """Which of them, from 1, the next chunk has."""
        self._size = b""
        """Width and height of the largest picture."""
        self._described = array("I")
        """The description of each chunk."""
        self._durations = Lengths()
        self._compositions = Lengths()
        self._sizes = array("I")
        self._keys = array("I")
        """Numbers, from 1, of the frames that depend on no other."""
        self._offsets = array("Q")
        """Where each chunk lies within the payload."""
        self._counts = array("I")
        """Frames in each chunk."""
        self._begin = 0
        """When the first frame is decoded."""
        self._end = 0
        """When the last frame ends."""
        self._shown = self._hidden = 0
        """When the first picture is shown, and when the last one ends."""

    def turn(self, track: Track) -> None:
        """Go on with another description; raises `Broken` where its clock is another."""
        if track.scale != self.track.scale:
            raise Broken("the clock of a track changes")
        described = child(track.trak, b"mdia", b"minf", b"stbl", b"stsd")[8:]
        entries = [box(name, bytes(content)) for name, content in boxes(described)]
        if not entries:
            raise Broken("a track has no description")
        self._descriptions += [one for one in entries if one not in self._descriptions]
        # Fragments whose frames have any but the first one are not read.
        self._description = self._descriptions.index(entries[0]) + 1
        self._size = max(self._size, bytes(child(track.trak, b"tkhd")[-SIZE_IN_TKHD:]))

    def __bool__(self) -> bool:
        return bool(self._sizes)

    @property
    def starts(self) -> float:
        """Return when the first picture is shown or the first sound is heard, in seconds."""
        return self._shown / self.track.scale

    @property
    def ends(self) -> float:
        """Return when the last one ends, in seconds."""
        return self._hidden / self.track.scale

    def add(self, run: Run, offset: int) -> None:
        """Take the frames of a run, whose payload begins at this place of the whole payload."""
        if not run.sizes:
            return
        number = len(self._sizes)
        if number + len(run.sizes) > MOST_FRAMES:
            raise Broken(f"more than {MOST_FRAMES} frames")
        if not number:
            self._begin = self._end = run.begin
            self._shown = run.begin + run.compositions[0]
        begin = max(run.begin, self._end)
        if abs(run.begin - self._end) > LONGEST_GAP * self.track.scale:
            raise Broken(f"a gap of {run.begin - self._end} ticks")
        if begin > self._end:
            # What lies between two fragments belongs to the last frame of the first.
            self._durations.lengthen(begin - self._end)
        at = begin
        early = begin - run.begin
        for duration, later in zip(run.durations, run.compositions, strict=True):
            shown = at - early + later
            self._durations.add(duration)
            self._compositions.add(later - early)
            self._shown = min(self._shown, shown)
            self._hidden = max(self._hidden, shown + duration)
            at += duration
        self._end = at
        self._keys.extend(place for place, is_key in enumerate(run.keys, number + 1) if is_key)
        self._sizes.extend(run.sizes)
        self._offsets.append(offset)
        self._counts.append(len(run.sizes))
        self._described.append(self._description)

    def trak(self, begin: float, scale: int, base: int, *, is_wide: bool) -> bytes:
        """Return the description of the track.

        The movie begins at `begin` seconds of the fragments' clock and has `scale` ticks a second;
        the payload lies at `base` in the file.
        """
        trak, ticks = self.track.trak, self.track.scale
        wait = round((self.starts - begin) * scale)
        length = round((self.ends - self.starts) * scale)
        skipped = max(self._shown - self._begin, 0)
        edits = [struct.pack(">QQI", wait, NO_MEDIA, 0x10000)] if wait else []
        edits.append(struct.pack(">QQI", length, skipped, 0x10000))
        list_of_edits = full(b"elst", 1, 0, struct.pack(">I", len(edits)), *edits)
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
            full(b"stsd", 0, 0, count, *self._descriptions),
            full(b"stts", 0, 0, self._durations.written()),
        ]
        if not self._compositions.is_zero:
            parts.append(full(b"ctts", 1, 0, self._compositions.written()))
        if len(self._keys) < len(self._sizes):
            count = struct.pack(">I", len(self._keys))
            parts.append(full(b"stss", 0, 0, count, written(self._keys)))
        sizes = struct.pack(">II", 0, len(self._sizes))
        parts += [
            full(b"stsc", 0, 0, self._stsc()),
            full(b"stsz", 0, 0, sizes, written(self._sizes)),
            where((offset + base for offset in self._offsets), is_wide=is_wide),
        ]
        return box(b"stbl", *parts)

    def _stsc(self) -> bytes:
        rows, chunk = array("I"), 1
        chunks = zip(self._counts, self._described, strict=True)
        for (count, description), group in groupby(chunks):
            rows.extend((chunk, count, description))
            chunk += len(list(group))
        return struct.pack(">I", len(rows) // 3) + written(rows)


def movie(tables: Sequence[Table], base: int, *, is_wide: bool) -> tuple[bytes, float]:
    """Return moov for payload that lies at `base` in the file, and its length in seconds."""
    begin = min(table.starts for table in tables)
    length = max(table.ends for table in tables) - begin
    if length > LONGEST:
        raise Broken(f"{length:.0f} seconds")
    # The finest clock there is, so that tracks stay in step to the sample.
    scale = max(table.track.scale for table in tables)
    traks = [table.trak(begin, scale, base, is_wide=is_wide) for table in tables]
    following = max(table.track.number for table in tables) + 1
    return box(b"moov", mvhd(scale, round(length * scale), following), *traks), length
