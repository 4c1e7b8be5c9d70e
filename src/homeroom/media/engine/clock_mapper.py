"""A publisher's clock made one that only goes on."""

WRAP = 1 << 32
HALF = WRAP // 2
MAX_BACK_MS = 3_000
"""Milliseconds that sound and picture may lie apart; a clock further back has begun again."""
MAX_AHEAD_MS = 10_000
"""Milliseconds a clock may be ahead of the time that has really passed."""
STEP_MS = 20
"""Milliseconds put in the place of a jump."""


class ClockMapper:
    """Places a publisher's times, which wrap at 32 bits, jump and begin again, on one clock."""

    def __init__(self) -> None:
        self.last = 0
        """Milliseconds of the latest time placed."""
        self._published_at: int | None = None
        self._arrived = 0.0
        self._at = 0

    def place(self, published_at: int, arrived: float) -> int:
        """Return milliseconds since the first time; `arrived` is when it came, in seconds."""
        if self._published_at is None:
            moved = 0
        else:
            moved = (published_at - self._published_at + HALF) % WRAP - HALF
            passed = 1000 * (arrived - self._arrived)
            if moved < -MAX_BACK_MS or moved > passed + MAX_AHEAD_MS:
                moved = self.last - self._at + STEP_MS
        self._published_at, self._arrived = published_at, arrived
        self._at += moved
        self.last = max(self.last, self._at)
        return max(self._at, 0)
