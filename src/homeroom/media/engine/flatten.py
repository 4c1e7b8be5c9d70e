"""Makes a recording a flat MP4 that begins to play before it is read whole; its frames stay.

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

from homeroom.media.engine.boxes import (
    HEAD,
    IS_LONG,
    LONG,
    Broken,
    Place,
    after_dates,
    box,
    boxes,
    child,
    content,
    places,
    unpack,
)
from homeroom.media.engine.fragments import MOST_FRAGMENT, MOST_MOVIE, Run, Track, runs, tracks
from homeroom.media.engine.tables import WIDE_FROM, Table, movie, where

AT_FAULT: Final = os.EX_DATAERR
"""How the process ends where the file can never be made flat."""
PIECE: Final = 4_000_000
"""Bytes that are copied at once."""
FTYP: Final = box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
DOWN: Final = (b"trak", b"mdia", b"minf", b"stbl")
"""The way from moov to where chunks lie."""


WIDTHS: Final = {b"stco": "I", b"co64": "Q"}


class Flat(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file that was made."""

    size: int
    """Bytes."""
    sha256: str
    duration: int
    """Milliseconds."""
    changed: bool
    """Whether it is another than what it was made of."""


class Target:
    """The file that is made."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Add to the file."""
        self._file.write(data)
        self._digest.update(data)
        self._size += len(data)

    def copy(self, file: int, start: int, size: int) -> None:
        """Add a part of another file."""
        end = start + size
        while start < end:
            data = os.pread(file, min(PIECE, end - start), start)
            if not data:
                raise Broken("the file became shorter while it was read")
            self.write(data)
            start += len(data)

    def done(self, seconds: float, *, is_changed: bool) -> Flat:
        """Make it last, and return what is known of it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return Flat(
            size=self._size,
            sha256=self._digest.hexdigest(),
            duration=round(1000 * seconds),
            changed=is_changed,
        )


def flatten(source: Path, path: Path) -> Flat:
    """Write the flat form of a file; raises `Broken`."""
    with source.open("rb") as file, path.open("wb") as out:
        target = Target(out)
        number = file.fileno()
        whole = os.fstat(number).st_size
        found = list(places(number))
        moov = next((place for place in found if place.name == b"moov"), None)
        if moov is None:
            raise Broken("there is no moov: it is no MP4, or is cut off")
        held = content(number, moov, MOST_MOVIE)
        if any(place.name == b"moof" for place in found):
            return _join(number, found, target)
        if found[-1].end < whole:
            raise Broken("it is cut off")
        if any(place.name == b"mdat" and place.start < moov.start for place in found):
            return _put_first(number, found, moov, target)
        target.copy(number, 0, whole)
        return target.done(_seconds(held), is_changed=False)


def _join(file: int, found: list[Place], target: Target) -> Flat:
    """Write one flat movie of many fragments."""
    held: dict[int, Table] = {}
    spans, size, limit = array("Q"), 0, found[-1].end
    for run in _runs(file, found, held):
        length = sum(run.sizes)
        if run.offset < 0 or run.offset + length > limit:
            continue  # its mdat was cut off
        held[run.track].add(run, size)
        if spans and spans[-2] + spans[-1] == run.offset:
            spans[-1] += length
        else:
            spans.extend((run.offset, length))
        size += length
        if size > limit:
            raise Broken("frames lie upon each other")
    tables = [table for table in held.values() if table]
    if not tables:
        raise Broken("there are no frames")
    ahead = len(FTYP) + HEAD.size + LONG.size
    is_wide = size > WIDE_FROM
    unplaced, seconds = movie(tables, 0, is_wide=is_wide)
    placed, _ = movie(tables, ahead + len(unplaced), is_wide=is_wide)
    target.write(FTYP + placed)
    target.write(HEAD.pack(IS_LONG, b"mdat") + LONG.pack(HEAD.size + LONG.size + size))
    for start, length in zip(spans[::2], spans[1::2], strict=True):
        target.copy(file, start, length)
    return target.done(seconds, is_changed=True)


def _runs(file: int, found: list[Place], held: dict[int, Table]) -> Iterator[Run]:
    """Return the runs of all fragments; `held` gets a table for each track."""
    known: dict[int, Track] = {}
    for place in found:
        if place.name == b"moov":
            # One in the middle describes the same tracks, of which the picture has changed.
            another = tracks(content(file, place, MOST_MOVIE))
            if known and known.keys() != another.keys():
                raise Broken("there are other tracks than at the beginning")
            known = another
            for number, track in known.items():
                held.setdefault(number, Table(track)).turn(track)
        elif place.name == b"moof":
            yield from runs(content(file, place, MOST_FRAGMENT), place, known)


def _put_first(file: int, found: list[Place], moov: Place, target: Target) -> Flat:
    """Write a flat movie with its description before its frames."""
    held = content(file, moov, MOST_MOVIE)
    # Eight bytes where four would do are no harm, but chunks must not run out of them.
    is_wide = found[-1].end > WIDE_FROM
    size = len(_moved(held, DOWN, lambda _: 0, is_wide=is_wide)) + HEAD.size

    def shift(offset: int) -> int:
        return offset + size - (moov.size if offset > moov.start else 0)

    ahead = found[: 1 if found[0].name == b"ftyp" else 0]
    for place in ahead:
        target.copy(file, place.start, place.size)
    target.write(box(b"moov", _moved(held, DOWN, shift, is_wide=is_wide)))
    for place in found[len(ahead) :]:
        if place is not moov:
            target.copy(file, place.start, place.size)
    return target.done(_seconds(held), is_changed=True)


def _moved(
    data: memoryview, down: tuple[bytes, ...], shift: Callable[[int], int], *, is_wide: bool
) -> bytes:
    """Return moov, or what of it lies further down, with other places of chunks."""
    parts = []
    for name, inner in boxes(data):
        if down and name == down[0]:
            parts.append(box(name, _moved(inner, down[1:], shift, is_wide=is_wide)))
        elif not down and name in WIDTHS:
            (count,) = unpack(">I", inner, 4)
            offsets = unpack(f">{count}{WIDTHS[name]}", inner, 8)
            parts.append(where(map(shift, offsets), is_wide=is_wide))
        else:
            parts.append(box(name, bytes(inner)))
    return b"".join(parts)


def _seconds(moov: memoryview) -> float:
    scale, duration = after_dates(child(moov, b"mvhd"))
    return duration / max(scale, 1)


def main(arguments: list[str]) -> int:
    """Make one file and say what it is; anything wrong is one line on standard error.

    Ends with `AT_FAULT` where the file is at fault, and with 1 where it may do better next time.
    """
    source, path = map(Path, arguments)
    try:
        # What is there already is not ours to write over, nor to remove.
        path.touch(exist_ok=False)
        try:
            flat = flatten(source, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except (Broken, ArithmeticError, OSError, MemoryError) as failure:
        sys.stderr.write(f"{source}: {str(failure) or type(failure).__name__}\n")
        return AT_FAULT if isinstance(failure, Broken | ArithmeticError) else 1
    sys.stdout.write(msgspec.json.encode(flat).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
