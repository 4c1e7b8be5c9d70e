"""Turns a recording into a flat, fast-start MP4 without changing its frames.

`python -m homeroom.media.engine.flatten IN OUT` writes OUT and prints one line of JSON about it.
"""

import hashlib
import os
import struct
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from homeroom.base.private_files import private_umask
from homeroom.media.engine.boxes import (
    HEAD,
    IS_LONG,
    LONG,
    BoxLocation,
    MalformedMP4Error,
    box,
    boxes,
    child,
    fields_after_dates,
    locate_boxes,
    read_content,
    unpack,
)
from homeroom.media.engine.fragments import (
    MAX_MOOF_BYTES,
    MAX_MOOV_BYTES,
    FragmentTrack,
    TrackRun,
    read_runs,
    read_tracks,
)
from homeroom.media.engine.tables import (
    WIDE_OFFSET_BYTES,
    SampleTable,
    chunk_offset_box,
    encode_moov,
)

EXIT_MALFORMED: Final = os.EX_DATAERR
"""Exit code for a file that can never be made flat."""
COPY_BYTES: Final = 4_000_000
"""Bytes per copy step."""
FTYP: Final = box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
PATH_TO_STBL: Final = (b"trak", b"mdia", b"minf", b"stbl")
"""The path from moov to the chunk offsets."""


WIDTHS: Final = {b"stco": "I", b"co64": "Q"}


class FlatFile(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the written file, printed as JSON."""

    size: int
    """Bytes."""
    sha256: str
    duration: int
    """Milliseconds."""
    changed: bool
    """Whether it differs from the source."""


class FlatWriter:
    """Writes the file and computes its size and hash."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)
        self._digest.update(data)
        self._size += len(data)

    def copy(self, file: int, start: int, size: int) -> None:
        """Append a part of another file."""
        end = start + size
        while start < end:
            data = os.pread(file, min(COPY_BYTES, end - start), start)
            if not data:
                raise MalformedMP4Error("the file became shorter while it was read")
            self.write(data)
            start += len(data)

    def finish(self, seconds: float, *, is_changed: bool) -> FlatFile:
        """Sync the file and return the facts about it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return FlatFile(
            size=self._size,
            sha256=self._digest.hexdigest(),
            duration=round(1000 * seconds),
            changed=is_changed,
        )


def flatten(source: Path, path: Path) -> FlatFile:
    """Write the flat form of a file; raises `MalformedMP4Error`."""
    with source.open("rb") as file, path.open("wb") as out:
        target = FlatWriter(out)
        number = file.fileno()
        whole = os.fstat(number).st_size
        locations = list(locate_boxes(number))
        moov = next((place for place in locations if place.name == b"moov"), None)
        if moov is None:
            raise MalformedMP4Error("there is no moov: it is no MP4, or is cut off")
        moov_content = read_content(number, moov, MAX_MOOV_BYTES)
        if any(place.name == b"moof" for place in locations):
            return _join_fragments(number, locations, target)
        if locations[-1].end < whole:
            raise MalformedMP4Error("it is cut off")
        if any(place.name == b"mdat" and place.start < moov.start for place in locations):
            return _move_moov_first(number, locations, moov, target)
        target.copy(number, 0, whole)
        return target.finish(_seconds(moov_content), is_changed=False)


def _join_fragments(file: int, locations: list[BoxLocation], target: FlatWriter) -> FlatFile:
    """Write one flat movie from many fragments."""
    by_track: dict[int, SampleTable] = {}
    spans, size, limit = array("Q"), 0, locations[-1].end
    for run in _runs(file, locations, by_track):
        length = sum(run.sizes)
        if run.offset < 0 or run.offset + length > limit:
            continue  # its mdat was cut off
        by_track[run.track].add(run, size)
        if spans and spans[-2] + spans[-1] == run.offset:
            spans[-1] += length
        else:
            spans.extend((run.offset, length))
        size += length
        if size > limit:
            raise MalformedMP4Error("frames lie upon each other")
    tables = [table for table in by_track.values() if table]
    if not tables:
        raise MalformedMP4Error("there are no frames")
    ahead = len(FTYP) + HEAD.size + LONG.size
    is_wide = size > WIDE_OFFSET_BYTES
    unplaced, seconds = encode_moov(tables, 0, is_wide=is_wide)
    placed, _ = encode_moov(tables, ahead + len(unplaced), is_wide=is_wide)
    target.write(FTYP + placed)
    target.write(HEAD.pack(IS_LONG, b"mdat") + LONG.pack(HEAD.size + LONG.size + size))
    for start, length in zip(spans[::2], spans[1::2], strict=True):
        target.copy(file, start, length)
    return target.finish(seconds, is_changed=True)


def _runs(
    file: int, locations: list[BoxLocation], tables: dict[int, SampleTable]
) -> Iterator[TrackRun]:
    """Return the runs of all fragments; adds a table per track to `tables`."""
    known_tracks: dict[int, FragmentTrack] = {}
    for place in locations:
        if place.name == b"moov":
            # A moov in the middle describes the same tracks after a change of picture size.
            another = read_tracks(read_content(file, place, MAX_MOOV_BYTES))
            if known_tracks and known_tracks.keys() != another.keys():
                raise MalformedMP4Error("there are other tracks than at the beginning")
            known_tracks = another
            for number, track in known_tracks.items():
                tables.setdefault(number, SampleTable(track)).add_description(track)
        elif place.name == b"moof":
            yield from read_runs(read_content(file, place, MAX_MOOF_BYTES), place, known_tracks)


def _move_moov_first(
    file: int, locations: list[BoxLocation], moov: BoxLocation, target: FlatWriter
) -> FlatFile:
    """Write a flat movie with moov before its frames."""
    moov_content = read_content(file, moov, MAX_MOOV_BYTES)
    # 64-bit offsets are harmless where 32 bits suffice, but offsets must not overflow.
    is_wide = locations[-1].end > WIDE_OFFSET_BYTES
    size = len(_shift_offsets(moov_content, PATH_TO_STBL, lambda _: 0, is_wide=is_wide)) + HEAD.size

    def shift(offset: int) -> int:
        return offset + size - (moov.size if offset > moov.start else 0)

    ahead = locations[: 1 if locations[0].name == b"ftyp" else 0]
    for place in ahead:
        target.copy(file, place.start, place.size)
    target.write(box(b"moov", _shift_offsets(moov_content, PATH_TO_STBL, shift, is_wide=is_wide)))
    for place in locations[len(ahead) :]:
        if place is not moov:
            target.copy(file, place.start, place.size)
    return target.finish(_seconds(moov_content), is_changed=True)


def _shift_offsets(
    data: memoryview, down: tuple[bytes, ...], shift: Callable[[int], int], *, is_wide: bool
) -> bytes:
    """Return moov, or a box inside it, with shifted chunk offsets."""
    parts = []
    for name, inner in boxes(data):
        if down and name == down[0]:
            parts.append(box(name, _shift_offsets(inner, down[1:], shift, is_wide=is_wide)))
        elif not down and name in WIDTHS:
            (count,) = unpack(">I", inner, 4)
            offsets = unpack(f">{count}{WIDTHS[name]}", inner, 8)
            parts.append(chunk_offset_box(map(shift, offsets), is_wide=is_wide))
        else:
            parts.append(box(name, bytes(inner)))
    return b"".join(parts)


def _seconds(moov: memoryview) -> float:
    scale, duration = fields_after_dates(child(moov, b"mvhd"))
    return duration / max(scale, 1)


def main(arguments: list[str]) -> int:
    """Write one file and print its facts; an error is one line on standard error.

    Returns `EXIT_MALFORMED` if the file is invalid, and 1 if another attempt may succeed.
    """
    source, path = map(Path, arguments)
    try:
        # Never overwrite or remove an existing file.
        path.touch(exist_ok=False)
        try:
            flat = flatten(source, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except (MalformedMP4Error, ArithmeticError, OSError, MemoryError) as failure:
        sys.stderr.write(f"{source}: {str(failure) or type(failure).__name__}\n")
        return EXIT_MALFORMED if isinstance(failure, MalformedMP4Error | ArithmeticError) else 1
    sys.stdout.write(msgspec.json.encode(flat).decode() + "\n")
    return 0


if __name__ == "__main__":
    with private_umask():
        sys.exit(main(sys.argv[1:]))
