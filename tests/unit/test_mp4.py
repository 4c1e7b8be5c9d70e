"""Reading an MP4: whether it is one, and its duration."""

import struct
from pathlib import Path

import pytest

from homeroom.base import mp4

FTYP = b"\0\0\0\x10ftypisom\0\0\0\0"
UNKNOWN_32, UNKNOWN_64 = 2**32 - 1, 2**64 - 1


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def large(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content


def mvhd(scale: int, length: int) -> bytes:
    return box(b"mvhd", struct.pack(">IIIII", 0, 1, 2, scale, length) + bytes(80))


def long_mvhd(scale: int, length: int) -> bytes:
    return box(b"mvhd", struct.pack(">IQQIQ", 1 << 24, 1, 2, scale, length) + bytes(80))


@pytest.mark.parametrize(
    ("content", "milliseconds"),
    [
        (FTYP + box(b"moov", mvhd(1000, 61_500)), 61_500),
        (FTYP + box(b"moov", long_mvhd(90_000, 2**33)), 2**33 * 1000 // 90_000),
        (FTYP + box(b"mdat", bytes(100)) + box(b"moov", mvhd(48_000, 24_000)), 500),
        (FTYP + large(b"mdat", bytes(9)) + large(b"moov", mvhd(1, 2)), 2000),
        (FTYP + b"\0\0\0\0moov" + mvhd(1, 3), 3000),
        (FTYP + box(b"moov", box(b"udta", b"x") + mvhd(1, 4)), 4000),
        # A fragmented file does not say, and some say that they do not know.
        (FTYP + box(b"moov", mvhd(1000, 0)), None),
        (FTYP + box(b"moov", mvhd(1000, UNKNOWN_32)), None),
        (FTYP + box(b"moov", long_mvhd(1000, UNKNOWN_64)), None),
        (FTYP + box(b"moov", mvhd(0, 5)), None),
        (FTYP, None),
        (b"", None),
        (b"another container", None),
        (FTYP + struct.pack(">I4s", 7, b"mdat"), None),
        (FTYP + struct.pack(">I4s", 2**31, b"mdat") + box(b"moov", mvhd(1, 1)), None),
        (FTYP + (box(b"moov", mvhd(1, 1)))[:20], None),
        (FTYP + struct.pack(">I4s", 1, b"mdat") + b"\xff" * 8, None),
    ],
)
def test_the_length_is_what_the_file_says(
    tmp_path: Path, content: bytes, milliseconds: int | None
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(content)

    with film.open("rb") as file:
        assert mp4.read_duration_ms(file) == milliseconds


def test_a_file_of_ever_so_many_boxes_is_not_searched_for_ever(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(box(b"free", b"") * mp4.MAX_BOXES + box(b"moov", mvhd(1, 1)))

    with film.open("rb") as file:
        assert mp4.read_duration_ms(file) is None


def test_an_mp4_is_known_by_its_beginning(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    for content, is_one in ((FTYP, True), (b"ftyp", False), (b"", False)):
        film.write_bytes(content)
        with film.open("rb") as file:
            assert mp4.looks_like_mp4(file) is is_one
