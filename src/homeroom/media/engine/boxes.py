"""The boxes that MP4 files are made of: written, read from memory, and found in files."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

HEAD: Final = struct.Struct(">I4s")
LONG: Final = struct.Struct(">Q")
MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""Shown as it is: not turned, not scaled."""
UNDETERMINED: Final = 0x55C4
"""The language "und", as mdhd packs it."""
TO_THE_END: Final = 0
IS_LONG: Final = 1


class Broken(Exception):
    """A file that cannot be read as MP4; the message says where it stops making sense."""


def box(name: bytes, *parts: bytes) -> bytes:
    """Return a box of these parts."""
    return b"".join((HEAD.pack(8 + sum(map(len, parts)), name), *parts))


def full(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Return a box that begins with a version and flags."""
    return box(name, struct.pack(">I", version << 24 | flags), *parts)


def mvhd(scale: int, duration: int, next_track: int) -> bytes:
    """Return the header of a movie; its clock ticks `scale` times a second."""
    times = struct.pack(">QQIQ", 0, 0, scale, duration)
    volume = struct.pack(">IHHQ", 0x10000, 0x100, 0, 0)
    return full(b"mvhd", 1, 0, times, volume, MATRIX, bytes(24), struct.pack(">I", next_track))


def tkhd(number: int, duration: int, rest: bytes) -> bytes:
    """Return the header of a track that is enabled; the duration is on the movie's clock."""
    return full(b"tkhd", 1, 3, struct.pack(">QQIIQ", 0, 0, number, 0, duration), rest)


def mdhd(scale: int, duration: int) -> bytes:
    """Return the header of a track's media, with its own clock."""
    return full(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, scale, duration, UNDETERMINED, 0))


def boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Return name and content of each box in memory; raises `Broken`."""
    place = 0
    while place < len(data):
        if len(data) - place < HEAD.size:
            raise Broken("a box ends in the middle of its head")
        size, name = HEAD.unpack_from(data, place)
        head = HEAD.size
        if size == IS_LONG and len(data) - place >= HEAD.size + LONG.size:
            size, head = LONG.unpack_from(data, place + head)[0], HEAD.size + LONG.size
        if not head <= size <= len(data) - place:
            raise Broken(f"a box {name!r} of {size} bytes where {len(data) - place} are left")
        yield name, data[place + head : place + size]
        place += size


def child(data: memoryview, *path: bytes) -> memoryview:
    """Return the content of the first box at this path; raises `Broken` where there is none."""
    for step in path:
        found = next((inner for name, inner in boxes(data) if name == step), None)
        if found is None:
            raise Broken(f"there is no box {step!r}")
        data = found
    return data


def unpack(form: str, data: memoryview, at: int) -> tuple[int, ...]:
    """Return numbers from the content of a box; raises `Broken` where it is too short."""
    try:
        return struct.unpack_from(form, data, at)
    except struct.error:
        raise Broken("a box is shorter than what it should hold") from None


def has_wide_times(content: memoryview) -> bool:
    """Return whether a box is of a version that has times in eight bytes."""
    return any(content[:1])


def after_dates(header: memoryview) -> tuple[int, ...]:
    """Return the two numbers behind the dates of mvhd, mdhd or tkhd.

    In mvhd and mdhd these are ticks a second and the duration, in tkhd the first is the track.
    """
    return unpack(">IQ", header, 20) if has_wide_times(header) else unpack(">II", header, 12)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box lies in a file, in bytes."""

    name: bytes
    start: int
    head: int
    size: int
    """Head included."""

    @property
    def end(self) -> int:
        """Return where the next box begins."""
        return self.start + self.size


def places(file: int) -> Iterator[Place]:
    """Return the boxes of an open file as long as they are whole; reads their heads only."""
    start, whole = 0, os.fstat(file).st_size
    while len(head := os.pread(file, HEAD.size + LONG.size, start)) >= HEAD.size:
        size, name = HEAD.unpack_from(head)
        length = HEAD.size
        if size == IS_LONG and len(head) == HEAD.size + LONG.size:
            size, length = LONG.unpack_from(head, length)[0], len(head)
        # A box "to the end" is an honest way to write mdat, and what a hole of zeros looks like.
        if size == TO_THE_END and name == b"mdat":
            size = whole - start
        if size < length or start + size > whole:
            return
        yield Place(name, start, length, size)
        start += size


def content(file: int, place: Place, most: int) -> memoryview:
    """Return the content of a box in a file; raises `Broken` where that is over `most` bytes."""
    wanted = place.size - place.head
    if wanted > most:
        raise Broken(f"a box {place.name!r} of {place.size} bytes")
    data = os.pread(file, wanted, place.start + place.head)
    if len(data) < wanted:
        raise Broken("the file became shorter while it was read")
    return memoryview(data)
