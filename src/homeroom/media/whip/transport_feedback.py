"""Transport-wide congestion control feedback: reports the arrival time of each packet.

A browser estimates the bandwidth from these reports. The format is that of
draft-holmer-rmcat-transport-wide-cc-extensions-01.
"""

from struct import Struct
from typing import Final

from homeroom.media.whip.reorder_buffer import SEQUENCE_MODULUS, RTPUnwrapper

TRANSPORT_CC_URI: Final = (
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)
FEEDBACK_SECONDS: Final = 0.1
"""Interval of reports."""
MAX_PACKETS: Final = 500
"""Maximum number of packets in one report."""
TICKS_PER_SECOND: Final = 4_000
"""Unit of receive deltas: 0.25 ms."""
TICKS_PER_REFERENCE: Final = 256
"""Unit of the reference time of a report: 64 ms."""
MAX_SMALL_DELTA: Final = 255
MAX_LARGE_DELTA: Final = 32_767
NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA = 0, 1, 2
"""Packet status symbols: no delta, a delta of one byte, a delta of two bytes."""
SYMBOLS_PER_CHUNK: Final = 7
STATUS_VECTOR: Final = 0xC000
"""Status vector chunk of seven symbols with two bits each."""
_HEAD: Final = Struct(">BBHIIHHI")
_SHORT: Final = Struct(">H")
_SIGNED: Final = Struct(">h")
_FEEDBACK: Final = 0x8F
_TYPE: Final = 205


class TransportFeedback:
    """Collects arrival times of a connection's packets and builds feedback reports."""

    def __init__(self) -> None:
        self._unwrapper = RTPUnwrapper(16)
        self._arrival_times: dict[int, float] = {}
        self._next: int | None = None
        self._reports = 0
        self._reported_at = 0.0

    def add(self, sequence: int, now: float) -> None:
        """Add a packet by its transport-wide sequence number, which counts all tracks together."""
        self._arrival_times[self._unwrapper.unwrap(sequence)] = now

    def build_report(self, sender_ssrc: int, media_ssrc: int, now: float) -> bytes | None:
        """Return an RTCP feedback packet if one is due, else None; `now` is in seconds."""
        if now - self._reported_at < FEEDBACK_SECONDS or not self._arrival_times:
            return None
        self._reported_at = now
        arrival_times, self._arrival_times = self._arrival_times, {}
        first, end = min(arrival_times), max(arrival_times) + 1
        begin = min(first, self._next) if self._next is not None else first
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
