"""Reads fragmented MP4: its tracks and the frames of its fragments."""

from collections.abc import Iterator
from typing import Final

from homeroom.base.values import Value
from homeroom.media.engine.boxes import (
    BoxLocation,
    MalformedMP4Error,
    boxes,
    child,
    fields_after_dates,
    has_wide_times,
    unpack,
)

MAX_MOOV_BYTES: Final = 256_000_000
"""Maximum size of moov; a flat file of twelve hours has about 30 MB."""
MAX_MOOF_BYTES: Final = 16_000_000
"""Maximum size of moof; ours have about 300 bytes."""
MAX_RUN_FRAMES: Final = 1_000_000
"""Maximum frames in one run."""

_NOT_SYNC: Final = 0x1_0000
# Optional fields of tfhd and trun, by flag.
_BASE: Final = 0x01
_DESCRIPTION: Final = 0x02
_DEFAULTS: Final = (0x08, 0x10, 0x20)
_OFFSET: Final = 0x01
_FIRST_FLAGS: Final = 0x04
_COLUMNS: Final = (0x100, 0x200, 0x400, 0x800)


class FragmentTrack(Value, frozen=True):
    """A track, as moov describes it."""

    number: int
    scale: int
    """Ticks per second."""
    trak: memoryview
    defaults: tuple[int, int, int]
    """Default duration, size and flags of frames (trex)."""


class TrackRun(Value, frozen=True):
    """Consecutive frames of one track (trun); all four lists have the same length."""

    track: int
    begin: int
    """Decode time of the first frame, in ticks of the track."""
    offset: int
    """Offset of the first frame in the file."""
    durations: list[int]
    sizes: list[int]
    keys: list[bool]
    compositions: list[int]
    """Composition time offset of each frame, in ticks."""

    @property
    def end(self) -> int:
        """Return the end of the last frame, in ticks."""
        return self.begin + sum(self.durations)


def read_tracks(moov: memoryview) -> dict[int, FragmentTrack]:
    """Return the tracks of a movie by number; raises `MalformedMP4Error`."""
    defaults = {}
    for name, extends in boxes(child(moov, b"mvex")):
        if name == b"trex":
            number, _, *values = unpack(">5I", extends, 4)
            defaults[number] = (values[0], values[1], values[2])
    tracks_by_number = {}
    for name, trak in boxes(moov):
        if name == b"trak":
            number, _ = fields_after_dates(child(trak, b"tkhd"))
            scale, _ = fields_after_dates(child(trak, b"mdia", b"mdhd"))
            if not scale or number not in defaults or number in tracks_by_number:
                raise MalformedMP4Error(f"track {number} cannot be read")
            tracks_by_number[number] = FragmentTrack(number, scale, trak, defaults[number])
    return tracks_by_number


def read_runs(
    moof: memoryview, place: BoxLocation, known_tracks: dict[int, FragmentTrack]
) -> Iterator[TrackRun]:
    """Return the runs of a fragment at this place of its file; raises `MalformedMP4Error`."""
    for name, traf in boxes(moof):
        if name == b"traf":
            yield from _read_traf(traf, place, known_tracks)


def _read_traf(
    traf: memoryview, place: BoxLocation, known_tracks: dict[int, FragmentTrack]
) -> Iterator[TrackRun]:
    header = child(traf, b"tfhd")
    flags, number = unpack(">II", header, 0)
    if number not in known_tracks:
        raise MalformedMP4Error(f"there is no track {number}")
    base, at = place.start, 8
    if flags & _BASE:
        (base,) = unpack(">Q", header, at)
        at += 8
    if flags & _DESCRIPTION:
        if unpack(">I", header, at) != (1,):
            raise MalformedMP4Error("frames have more than one description")
        at += 4
    defaults = list(known_tracks[number].defaults)
    for column, flag in enumerate(_DEFAULTS):
        if flags & flag:
            (defaults[column],) = unpack(">I", header, at)
            at += 4
    time = child(traf, b"tfdt")
    (begin,) = unpack(">Q" if has_wide_times(time) else ">I", time, 4)
    offset = base
    for name, content in boxes(traf):
        if name == b"trun":
            run = _read_trun(content, base, offset, (number, begin, defaults))
            begin, offset = run.end, run.offset + sum(run.sizes)
            yield run


def _read_trun(
    trun: memoryview, base: int, offset: int, facts: tuple[int, int, list[int]]
) -> TrackRun:
    number, begin, defaults = facts
    flags, count = unpack(">II", trun, 0)
    at = 8
    if flags & _OFFSET:
        offset = base + unpack(">i", trun, at)[0]
        at += 4
    first_flags = None
    if flags & _FIRST_FLAGS:
        (first_flags,) = unpack(">I", trun, at)
        at += 4
    if count > MAX_RUN_FRAMES:
        raise MalformedMP4Error(f"a run of {count} frames")
    present = [column for column, flag in enumerate(_COLUMNS) if flags & flag]
    numbers = unpack(f">{count * len(present)}I", trun, at)
    columns = [[default] * count for default in (*defaults, 0)]
    for place, column in enumerate(present):
        columns[column] = list(numbers[place :: len(present)])
    durations, sizes, about, compositions = columns
    if first_flags is not None and count:
        about[0] = first_flags
    keys = [not value & _NOT_SYNC for value in about]
    if any(trun[:1]):  # offsets are signed since version 1
        compositions = [value - (value >> 31 << 32) for value in compositions]
    return TrackRun(number, begin, offset, durations, sizes, keys, compositions)
