"""Reorder buffer for RTP packets, and unwrapping of their sequence numbers and times."""

from math import inf
from typing import Final, Generic, TypeVar

MAX_BUFFERED: Final = 1_000
"""Maximum number of packets behind a missing one; two seconds of video have about 500."""
NACK_RETRY_SECONDS: Final = 0.1
"""Interval after which a missing packet is requested again."""
MAX_NACKS: Final = 200
"""Maximum number of packets in one request."""
SEQUENCE_MODULUS: Final = 1 << 16

T = TypeVar("T")


class RTPUnwrapper:
    """Converts RTP sequence numbers or timestamps, which wrap, to numbers without a limit."""

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        """Return the unwrapped number that is nearest to the previous one."""
        if self._last is None:
            self._last = value
        half = self._size // 2
        self._last += (value - self._last + half) % self._size - half
        return self._last


class ReorderBuffer(Generic[T]):
    """Returns packets in their order of sending; waits for missing packets for a limited time."""

    def __init__(self, max_wait: float) -> None:
        """Set up; `max_wait` is the time in seconds to wait for a missing packet."""
        self._max_wait = max_wait
        self._unwrapper = RTPUnwrapper(16)
        self._next: int | None = None
        self._buffer: dict[int, tuple[T, float]] = {}
        self._nacked_at: dict[int, float] = {}

    def add(self, sequence: int, packet: T, now: float) -> list[T | None]:
        """Add a packet; return the packets that are next, with None in place of lost ones."""
        sequence = self._unwrapper.unwrap(sequence)
        if self._next is None:
            self._next = sequence
        if sequence >= self._next:
            self._buffer.setdefault(sequence, (packet, now))
        ready: list[T | None] = []
        while self._buffer:
            entry = self._buffer.pop(self._next, None)
            if entry is None:
                first = min(self._buffer)
                if (
                    now - self._buffer[first][1] < self._max_wait
                    and len(self._buffer) < MAX_BUFFERED
                ):
                    break
                self._next = first
                ready.append(None)
            else:
                self._next += 1
                ready.append(entry[0])
        return ready

    def due_nacks(self, now: float) -> list[int]:
        """Return the sequence numbers of missing packets to request now (RTCP NACK)."""
        if not self._buffer or self._next is None:
            self._nacked_at = {}
            return []
        end = min(max(self._buffer), self._next + MAX_NACKS)
        missing = [sequence for sequence in range(self._next, end) if sequence not in self._buffer]
        due = [
            sequence
            for sequence in missing
            if now - self._nacked_at.get(sequence, -inf) >= NACK_RETRY_SECONDS
        ]
        self._nacked_at = {
            sequence: self._nacked_at.get(sequence, now) for sequence in missing
        } | dict.fromkeys(due, now)
        return [sequence % SEQUENCE_MODULUS for sequence in due]
