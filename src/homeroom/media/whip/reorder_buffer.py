"""RTP's numbers and its packets' order, mended: both wrap, and the net loses and shuffles."""

from math import inf
from typing import Final, Generic, TypeVar

MAX_BUFFERED: Final = 1_000
"""Packets kept behind one that is missing; two seconds of a good picture have about 500."""
NACK_RETRY_SECONDS: Final = 0.1
"""Seconds after which a missing packet is asked for again."""
MAX_NACKS: Final = 200
"""Packets asked for at once."""
SEQUENCE_MODULUS: Final = 1 << 16

T = TypeVar("T")


class RTPUnwrapper:
    """Makes numbers of so many bits, which wrap, ones that go on."""

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        """Return a number as the one nearest to the number before it."""
        if self._last is None:
            self._last = value
        half = self._size // 2
        self._last += (value - self._last + half) % self._size - half
        return self._last


class ReorderBuffer(Generic[T]):
    """Hands on packets in the order they were sent; one that is missing is waited for."""

    def __init__(self, max_wait: float) -> None:
        """Take the seconds to wait for a missing packet."""
        self._max_wait = max_wait
        self._unwrapper = RTPUnwrapper(16)
        self._next: int | None = None
        self._buffer: dict[int, tuple[T, float]] = {}
        self._nacked_at: dict[int, float] = {}

    def add(self, sequence: int, packet: T, now: float) -> list[T | None]:
        """Take a packet and return those whose turn it is; none stands where some are lost."""
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
        """Return the numbers of missing packets that are to be asked for now."""
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
