"""Reports when each packet came, by which a browser measures the way to us.

It is what draft-holmer-rmcat-transport-wide-cc-extensions-01 describes.
"""

from struct import Struct
from typing import Final

from homeroom.media.whip.reorder_buffer import SEQUENCE_MODULUS, RTPUnwrapper

TRANSPORT_CC_URI: Final = (
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)
FEEDBACK_SECONDS: Final = 0.1
"""Seconds between two reports."""
MAX_PACKETS: Final = 500
"""Packets in one report."""
TICKS_PER_SECOND: Final = 4_000
"""Parts of a second in which times are told."""
TICKS_PER_REFERENCE: Final = 256
"""Such parts in the unit of the time that a report begins with: 64 ms."""
MAX_SMALL_DELTA: Final = 255
MAX_LARGE_DELTA: Final = 32_767
NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA = 0, 1, 2
"""How a packet is told of: not at all, by a byte of time since the last one, by two."""
SYMBOLS_PER_CHUNK: Final = 7
STATUS_VECTOR: Final = 0xC000
"""A chunk that tells of seven packets in two bits each."""
_HEAD: Final = Struct(">BBHIIHHI")
_SHORT: Final = Struct(">H")
_SIGNED: Final = Struct(">h")
_FEEDBACK: Final = 0x8F
_TYPE: Final = 205


class TransportFeedback:
    """The packets of a connection that its browser has not been told of."""

    def __init__(self) -> None:
        self._unwrapper = RTPUnwrapper(16)
        self._arrival_times: dict[int, float] = {}
        self._next: int | None = None
        self._reports = 0
        self._reported_at = 0.0

    def add(self, sequence: int, now: float) -> None:
        """Take note of a packet; the number counts those of all tracks."""
        self._arrival_times[self._unwrapper.unwrap(sequence)] = now

    def build_report(self, sender_ssrc: int, media_ssrc: int, now: float) -> bytes | None:
        """Return a report from one source of ours about one of theirs, if it is time for one."""
        if now - self._reported_at < FEEDBACK_SECONDS or not self._arrival_times:
            return None
        self._reported_at = now
        arrival_times, self._arrival_times = self._arrival_times, {}
        first, end = min(arrival_times), max(arrival_times) + 1
        begin = first if self._next is None else min(first, self._next)
        begin, self._next = max(begin, end - MAX_PACKETS), end
        symbols, deltas = [], b""
        reference = last = (
            min(arrival_times.values())
            * TICKS_PER_SECOND
            // TICKS_PER_REFERENCE
            * TICKS_PER_REFERENCE
        )
        for sequence in range(begin, end):
            if sequence not in arrival_times:
                symbols.append(NOT_RECEIVED)
                continue
            delta = round(arrival_times[sequence] * TICKS_PER_SECOND - last)
            last += delta
            if 0 <= delta <= MAX_SMALL_DELTA:
                symbols.append(SMALL_DELTA)
                deltas += bytes((delta,))
            else:
                symbols.append(LARGE_DELTA)
                deltas += _SIGNED.pack(max(-MAX_LARGE_DELTA, min(delta, MAX_LARGE_DELTA)))
        body = _pack_chunks(symbols) + deltas
        body += bytes(-len(body) % 4)
        self._reports += 1
        time = int(reference) // TICKS_PER_REFERENCE & 0xFFFFFF
        head = _HEAD.pack(
            *(_FEEDBACK, _TYPE, (_HEAD.size + len(body)) // 4 - 1, sender_ssrc, media_ssrc),
            *(begin % SEQUENCE_MODULUS, end - begin, time << 8 | (self._reports - 1) & 0xFF),
        )
        return head + body


def _pack_chunks(symbols: list[int]) -> bytes:
    chunks = b""
    for at in range(0, len(symbols), SYMBOLS_PER_CHUNK):
        chunk = STATUS_VECTOR
        for place, symbol in enumerate(symbols[at : at + SYMBOLS_PER_CHUNK]):
            chunk |= symbol << 2 * (SYMBOLS_PER_CHUNK - 1 - place)
        chunks += _SHORT.pack(chunk)
    return chunks
