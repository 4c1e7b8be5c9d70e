"""Writes messages of enhanced RTMP from classic ones, by the letter of the specification."""

from collections.abc import Iterable
from typing import Final

HEADER, FRAMES, END, FRAMES_X, VIDEO_METADATA, TS_HEADER = range(6)
"""Packet types; audio has the first two, and 4 for its channels."""
MULTICHANNEL: Final = 4
ONE_TRACK, MANY_TRACKS, MANY_CODECS = range(3)
SMALL_MODIFIER: Final = b"\2\0\0\7"
"""A time offset of seven nanoseconds: the size less one, then three bytes."""


def picture(
    body: bytes, fourcc: bytes = b"avc1", *, short: bool = False, modifier: bytes = b""
) -> bytes:
    """Return a classic picture under a FourCC, without its composition time if it is `short`."""
    kind, payload = _payload(body, short=short)
    return _head(0x80 | body[0] & 0x70, kind, modifier) + fourcc + payload


def sound(body: bytes, fourcc: bytes = b"mp4a", *, modifier: bytes = b"") -> bytes:
    """Return classic sound under a FourCC."""
    return _head(0x90, body[1], modifier) + fourcc + body[2:]


def of_tracks(
    tracks: Iterable[tuple[int, bytes, bytes]],
    form: int,
    *,
    short: bool = False,
    modifier: bytes = b"",
) -> bytes:
    """Return a message of several tracks, each with its id, FourCC and classic body.

    All are of one kind, picture or sound, and of one packet type.
    """
    taken = list(tracks)
    first = taken[0][2]
    is_sound = first[0] >> 4 == 10
    kind = first[1] if is_sound else _payload(first, short=short)[0]
    start, multitrack = (0x90, 5) if is_sound else (0x80 | first[0] & 0x70, 6)
    message = _head(start, multitrack, modifier) + bytes((form << 4 | kind,))
    if form != MANY_CODECS:
        message += taken[0][1]
    for number, fourcc, body in taken:
        payload = body[2:] if is_sound else _payload(body, short=short)[1]
        message += fourcc if form == MANY_CODECS else b""
        message += bytes((number,))
        message += b"" if form == ONE_TRACK else len(payload).to_bytes(3, "big")
        message += payload
    return message


def _payload(body: bytes, *, short: bool) -> tuple[int, bytes]:
    if body[1] == 0:
        return HEADER, body[5:]
    return (FRAMES_X, body[5:]) if short else (FRAMES, body[2:])


def _head(start: int, kind: int, modifier: bytes) -> bytes:
    if not modifier:
        return bytes((start | kind,))
    return bytes((start | 7,)) + modifier + bytes((kind,))
