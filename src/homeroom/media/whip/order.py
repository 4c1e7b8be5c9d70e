"""RTP's numbers and its packets' order, mended: both wrap, and the net loses and shuffles."""

from math import inf
from typing import Final, Generic, TypeVar

MOST_HELD: Final = 1_000
"""Packets kept behind one that is missing; two seconds of a good picture have about 500."""
AGAIN: Final = 0.1
"""Seconds after which a missing packet is asked for again."""
MOST_ASKED: Final = 200
"""Packets asked for at once."""
NUMBERS: Final = 1 << 16

T = TypeVar("T")


class Unwrapped:
    """Makes numbers of so many bits, which wrap, ones that go on."""

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last: int | None = None

    def of(self, number: int) -> int:
        """Return a number as the one nearest to the number before it."""
        if self._last is None:
            self._last = number
        half = self._size // 2
        self._last += (number - self._last + half) % self._size - half
        return self._last


class Order(Generic[T]):
    """Hands on packets in the order they were sent; one that is missing is waited for."""

    def __init__(self, patience: float) -> None:
        """Take the seconds to wait for a missing packet."""
        self._patience = patience
        self._numbers = Unwrapped(16)
        self._next: int | None = None
        self._held: dict[int, tuple[T, float]] = {}
        self._asked: dict[int, float] = {}

    def take(self, number: int, packet: T, now: float) -> list[T | None]:
        """Take a packet and return those whose turn it is; none stands where some are lost."""
        number = self._numbers.of(number)
        if self._next is None:
            self._next = number
        if number >= self._next:
            self._held.setdefault(number, (packet, now))
        found: list[T | None] = []
        while self._held:
            held = self._held.pop(self._next, None)
            if held is None:
                first = min(self._held)
                if now - self._held[first][1] < self._patience and len(self._held) < MOST_HELD:
                    break
                self._next = first
                found.append(None)
            else:
                self._next += 1
                found.append(held[0])
        return found

    def wanted(self, now: float) -> list[int]:
        """Return the numbers of missing packets that are to be asked for now."""
        if not self._held or self._next is None:
            self._asked = {}
            return []
        end = min(max(self._held), self._next + MOST_ASKED)
        missing = [number for number in range(self._next, end) if number not in self._held]
        wanted = [one for one in missing if now - self._asked.get(one, -inf) >= AGAIN]
        self._asked = {one: self._asked.get(one, now) for one in missing} | dict.fromkeys(
            wanted, now
        )
        return [one % NUMBERS for one in wanted]
