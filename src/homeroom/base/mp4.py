"""The two facts that we read from MP4 files: the format, and the duration."""

import io
import struct
from typing import BinaryIO

FILE_TYPE_BOX = b"ftyp"
"""Stands after four bytes in every MP4."""
MAX_BOXES = 1000
"""Boxes read in search of the duration; a file with more before it counts as one without."""
SIZE_TO_END, SIZE_64_BIT = 0, 1
"""Special sizes of a box: it ends with the file, or its size follows in 64 bits."""
_UNKNOWN = (0, 2**32 - 1, 2**64 - 1)


def looks_like_mp4(file: BinaryIO) -> bool:
    """Tell whether a file begins as an MP4 does; raises `OSError`."""
    file.seek(0)
    return file.read(8)[4:] == FILE_TYPE_BOX


def read_duration_ms(file: BinaryIO) -> int | None:
    """Return the duration in the header of an MP4, in milliseconds, or None without one.

    Raises `OSError`.
    """
    try:
        return _find_duration(file)
    except struct.error:
        return None


def _find_duration(file: BinaryIO) -> int | None:
    place, end = 0, file.seek(0, io.SEEK_END)
    for _ in range(MAX_BOXES):
        file.seek(place)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == SIZE_64_BIT:
            head = 16
            (size,) = struct.unpack(">Q", file.read(8))
        elif size == SIZE_TO_END:
            size = end - place
        if kind == b"mvhd":
            return _read_movie_header(file)
        if size < head or place + size > end:
            return None
        place += head if kind == b"moov" else size
    return None


def _read_movie_header(file: BinaryIO) -> int | None:
    (version,) = struct.unpack(">B3x", file.read(4))
    layout = struct.Struct(">16xIQ" if version == 1 else ">8xII")
    scale, length = layout.unpack(file.read(layout.size))
    return None if scale == 0 or length in _UNKNOWN else 1000 * length // scale
