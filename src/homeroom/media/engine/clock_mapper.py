"""Maps the timestamps of publishers to one clock that never goes back."""

WRAP = 1 << 32
HALF = WRAP // 2
MAX_BACK_MS = 3_000
"""A step back by more than this means that the publisher's clock restarted."""
MAX_AHEAD_MS = 10_000
"""A step ahead of real time by more than this is a jump."""
STEP_MS = 20
"""Time step that replaces a jump."""


class ClockMapper:
    """Maps timestamps that wrap at 32 bits, jump and restart to one clock."""

    def __init__(self) -> None:
        self.last = 0
        """The latest mapped time, in milliseconds."""
        self._published_at: int | None = None
        self._arrived = 0.0
        self._at = 0

    def place(self, published_at: int, arrived: float) -> int:
        """Return milliseconds since the first timestamp; `arrived` is its arrival, in seconds."""
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
