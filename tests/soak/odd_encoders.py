"""Pieces of input as odd encoders send them: extended messages, metadata of files, tiny chunks."""

import struct
from collections.abc import Iterable
from random import Random
from typing import Final

from homeroom.media.engine.amf0 import encode
from homeroom.media.engine.chunks import SET_CHUNK_SIZE, RTMPMessage, encode_message
from tests.support.enhanced import SMALL_MODIFIER, of_tracks, picture, sound

EDGES: Final = (0, 1, 2, 127, 128, 255, 0x7FFF, 0xFFFF, 0xFFFFFE, 0xFFFFFF, 1 << 31, 0xFFFFFFFF)


def extend(random: Random, body: bytes, form: int) -> bytes:
    """Return a frame or header by FourCC, in one of the five forms of a message."""
    is_sound = body[0] >> 4 == 10
    fourcc = random.choice(
        (b"mp4a" if is_sound else b"avc1",) * 20 + (b"hvc1", b"Opus", b"\0\0\0\0")
    )
    modifier = random.choice((b"", b"", SMALL_MODIFIER, b"\xff\xff\xff" + random.randbytes(40)))
    if form < 2:
        plain = sound if is_sound else picture
        return plain(body, fourcc, modifier=modifier)
    number = random.choice((0, 0, 0, 1, 255))
    tracks = [(number, fourcc, body)]
    if form > 2:
        tracks.append((number + 1 & 255, random.choice((fourcc, b"av01")), body))
    return of_tracks(tracks, form - 2, modifier=modifier)


def value(random: Random) -> bytes:
    """Return a value as a file's metadata may have it, well-formed or not."""
    size = random.choice((0, 1, 300, 9_000, 130_000))
    return random.choice(
        (
            encode([1.0] * (size // 9)),
            encode({"times": [0.0] * (size // 9), "filepositions": [{"a": "b"}] * (size // 90)}),
            encode("x" * size),
            b"\x0f" + struct.pack(">I", size) + b"x" * size,
            b"\x0f" + struct.pack(">I", random.choice(EDGES)),
            b"\x10\0\1a\0\1b\5\0\0\x09",
            b"\x07\0\1",
            b"\x0b" + random.randbytes(10),
            b"\x0a\0\0\0\1" * (size // 9) + b"\5",
            b"\x11" + random.randbytes(size // 9),
        )
    )


def rechunk(random: Random, messages: Iterable[RTMPMessage]) -> bytes:
    """Cut messages into chunks of a few bytes, some of them in turns with a copy."""
    size = random.choice((1, 2, 3, 64, 127))
    data = encode_message(SET_CHUNK_SIZE, 0, size.to_bytes(4, "big"), 0)
    time = random.choice((0, 0xFFFFFF, 0x1234567))
    stamp = time.to_bytes(4, "big") if time >= 0xFFFFFF else b""
    for one in messages:
        body = one.body[:3000]
        head = min(time, 0xFFFFFF).to_bytes(3, "big") + len(body).to_bytes(3, "big")
        head += bytes((one.type,)) + bytes(4) + stamp
        streams = (6, 7) if random.random() < 0.3 else (6,)
        for at in range(0, len(body), size):
            for stream in streams:
                data += bytes((0xC0 | stream,)) + stamp if at else bytes((stream,)) + head
                data += body[at : at + size]
    return data
