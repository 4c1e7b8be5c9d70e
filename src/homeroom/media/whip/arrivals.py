"""Reports when each packet came, by which a browser measures the way to us.

It is what draft-holmer-rmcat-transport-wide-cc-extensions-01 describes.
"""

from struct import Struct
from typing import Final

from homeroom.media.whip.order import NUMBERS, Unwrapped

EXTENSION: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
EVERY: Final = 0.1
"""Seconds between two reports."""
MOST: Final = 500
"""Packets in one report."""
UNITS: Final = 4_000
"""Parts of a second in which times are told."""
REFERENCE: Final = 256
"""Such parts in the unit of the time that a report begins with: 64 ms."""
SMALL: Final = 255
LARGE: Final = 32_767
LOST, NEAR, FAR = 0, 1, 2
"""How a packet is told of: not at all, by a byte of time since the last one, by two."""
IN_CHUNK: Final = 7
CHUNK: Final = 0xC000
"""A chunk that tells of seven packets in two bits each."""
_HEAD: Final = Struct(">BBHIIHHI")
_SHORT: Final = Struct(">H")
_SIGNED: Final = Struct(">h")
_FEEDBACK: Final = 0x8F
_TYPE: Final = 205


class Arrivals:
    """The packets of a connection that its browser has not been told of."""

    def __init__(self) -> None:
        self._numbers = Unwrapped(16)
        self._seen: dict[int, float] = {}
        self._next: int | None = None
        self._reports = 0
        self._told_at = 0.0

    def take(self, number: int, now: float) -> None:
        """Take note of a packet; the number counts those of all tracks."""
        self._seen[self._numbers.of(number)] = now

    def report(self, own: int, media: int, now: float) -> bytes | None:
        """Return a report from one source of ours about one of theirs, if it is time for one."""
        if now - self._told_at < EVERY or not self._seen:
            return None
        self._told_at = now
        seen, self._seen = self._seen, {}
        first, end = min(seen), max(seen) + 1
        begin = first if self._next is None else min(first, self._next)
        begin, self._next = max(begin, end - MOST), end
        symbols, deltas = [], b""
        reference = last = min(seen.values()) * UNITS // REFERENCE * REFERENCE
        for number in range(begin, end):
            if number not in seen:
                symbols.append(LOST)
                continue
            delta = round(seen[number] * UNITS - last)
            last += delta
            if 0 <= delta <= SMALL:
                symbols.append(NEAR)
                deltas += bytes((delta,))
            else:
                symbols.append(FAR)
                deltas += _SIGNED.pack(max(-LARGE, min(delta, LARGE)))
        body = _chunks(symbols) + deltas
        body += bytes(-len(body) % 4)
        self._reports += 1
        time = int(reference) // REFERENCE & 0xFFFFFF
        head = _HEAD.pack(
            *(_FEEDBACK, _TYPE, (_HEAD.size + len(body)) // 4 - 1, own, media),
            *(begin % NUMBERS, end - begin, time << 8 | (self._reports - 1) & 0xFF),
        )
        return head + body


def _chunks(symbols: list[int]) -> bytes:
    chunks = b""
    for at in range(0, len(symbols), IN_CHUNK):
        chunk = CHUNK
        for place, symbol in enumerate(symbols[at : at + IN_CHUNK]):
            chunk |= symbol << 2 * (IN_CHUNK - 1 - place)
        chunks += _SHORT.pack(chunk)
    return chunks
