"""MP4 boxes: write them, read them from memory, locate them in files."""

import os
import struct
from collections.abc import Iterator
from typing import Final

from homeroom.base.errors import HomeroomError
from homeroom.base.values import Value

HEAD: Final = struct.Struct(">I4s")
LONG: Final = struct.Struct(">Q")
MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""The identity matrix: the picture is neither rotated nor scaled."""
UNDETERMINED: Final = 0x55C4
"""The language "und", as mdhd packs it."""
TO_THE_END: Final = 0
IS_LONG: Final = 1


class MalformedMP4Error(HomeroomError):
    """A file is not valid MP4; the message says where the error is."""


def box(name: bytes, *parts: bytes) -> bytes:
    """Return a box with these parts as its content."""
    return b"".join((HEAD.pack(8 + sum(map(len, parts)), name), *parts))


def full_box(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """Return a full box, which begins with a version and flags."""
    return box(name, struct.pack(">I", version << 24 | flags), *parts)


def mvhd(scale: int, duration: int, next_track: int) -> bytes:
    """Return the movie header; its clock has `scale` ticks per second."""
    times = struct.pack(">QQIQ", 0, 0, scale, duration)
    volume = struct.pack(">IHHQ", 0x10000, 0x100, 0, 0)
    return full_box(b"mvhd", 1, 0, times, volume, MATRIX, bytes(24), struct.pack(">I", next_track))


def tkhd(number: int, duration: int, rest: bytes) -> bytes:
    """Return the header of an enabled track; the duration is in ticks of the movie."""
    return full_box(b"tkhd", 1, 3, struct.pack(">QQIIQ", 0, 0, number, 0, duration), rest)


def mdhd(scale: int, duration: int) -> bytes:
    """Return the media header of a track, with its own clock."""
    return full_box(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, scale, duration, UNDETERMINED, 0))


def boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Return name and content of each box in memory; raises `MalformedMP4Error`."""
    offset = 0
    while offset < len(data):
        if len(data) - offset < HEAD.size:
            raise MalformedMP4Error("a box ends in the middle of its head")
        size, name = HEAD.unpack_from(data, offset)
        head = HEAD.size
        if size == IS_LONG and len(data) - offset >= HEAD.size + LONG.size:
            size, head = LONG.unpack_from(data, offset + head)[0], HEAD.size + LONG.size
        if not head <= size <= len(data) - offset:
            raise MalformedMP4Error(
                f"a box {name!r} of {size} bytes where {len(data) - offset} are left"
            )
        yield name, data[offset + head : offset + size]
        offset += size


def child(data: memoryview, *path: bytes) -> memoryview:
    """Return the content of the first box at this path; or raise `MalformedMP4Error`."""
    for step in path:
        content = next((inner for name, inner in boxes(data) if name == step), None)
        if content is None:
            raise MalformedMP4Error(f"there is no box {step!r}")
        data = content
    return data


def unpack(form: str, data: memoryview, at: int) -> tuple[int, ...]:
    """Unpack numbers from the content of a box; raises `MalformedMP4Error` if it is too short."""
    try:
        return struct.unpack_from(form, data, at)
    except struct.error:
        raise MalformedMP4Error("a box is shorter than what it should hold") from None


def has_wide_times(content: memoryview) -> bool:
    """Return whether the version of a box has 64-bit times."""
    return any(content[:1])


def fields_after_dates(header: memoryview) -> tuple[int, ...]:
    """Return the two numbers after the dates of mvhd, mdhd or tkhd.

    In mvhd and mdhd they are ticks per second and the duration. In tkhd the first is the track.
    """
    return unpack(">IQ", header, 20) if has_wide_times(header) else unpack(">II", header, 12)


class BoxLocation(Value, frozen=True):
    """The location of a box in a file, in bytes."""

    name: bytes
    start: int
    head: int
    size: int
    """Includes the head."""

    @property
    def end(self) -> int:
        """Return the offset of the next box."""
        return self.start + self.size


def locate_boxes(file: int) -> Iterator[BoxLocation]:
    """Return the complete boxes of an open file; reads only their heads."""
    start, whole = 0, os.fstat(file).st_size
    while len(head := os.pread(file, HEAD.size + LONG.size, start)) >= HEAD.size:
        size, name = HEAD.unpack_from(head)
        length = HEAD.size
        if size == IS_LONG and len(head) == HEAD.size + LONG.size:
            size, length = LONG.unpack_from(head, length)[0], len(head)
        # Size 0, "to the end of the file", is valid for mdat alone: a hole of zeros looks alike.
        if size == TO_THE_END and name == b"mdat":
            size = whole - start
        if size < length or start + size > whole:
            return
        yield BoxLocation(name, start, length, size)
        start += size


def read_content(file: int, place: BoxLocation, max_bytes: int) -> memoryview:
    """Return the content of a box in a file; raises `Broken` where that is over `most` bytes."""
    size = place.size - place.head
    if size > max_bytes:
        raise MalformedMP4Error(f"a box {place.name!r} of {place.size} bytes")
    data = os.pread(file, size, place.start + place.head)
    if len(data) < size:
        raise MalformedMP4Error("the file became shorter while it was read")
    return memoryview(data)
