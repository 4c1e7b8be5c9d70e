"""A publisher's clock made one that only goes on."""

WRAP = 1 << 32
HALF = WRAP // 2
FURTHEST_BACK = 3_000
"""Milliseconds that sound and picture may lie apart; a clock further back has begun again."""
FURTHEST_ON = 10_000
"""Milliseconds a clock may be ahead of the time that has really passed."""
STEP = 20
"""Milliseconds put in the place of a jump."""


class Timeline:
    """Places a publisher's times, which wrap at 32 bits, jump and begin again, on one clock."""

    def __init__(self) -> None:
        self.last = 0
        """Milliseconds of the latest time placed."""
        self._given: int | None = None
        self._arrived = 0.0
        self._at = 0

    def place(self, given: int, arrived: float) -> int:
        """Return milliseconds since the first time; `arrived` is when it came, in seconds."""
        if self._given is None:
            moved = 0
        else:
            moved = (given - self._given + HALF) % WRAP - HALF
            passed = 1000 * (arrived - self._arrived)
            if moved < -FURTHEST_BACK or moved > passed + FURTHEST_ON:
                moved = self.last - self._at + STEP
        self._given, self._arrived = given, arrived
        self._at += moved
        self.last = max(self.last, self._at)
        return max(self._at, 0)
