"""Delays before a child process that has ended is started again."""

BACKOFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Delays before a restart, by the number of failures in a row."""
STABLE_SECONDS = 30.0
"""Uptime after which an exit no longer counts as one of a row."""


class RestartBackoff:
    """The delays of one child process."""

    def __init__(self) -> None:
        self._failures = 0

    def count_exit(self, uptime_seconds: float) -> float:
        """Count an exit after some uptime; returns the seconds to wait before the next start."""
        if uptime_seconds > STABLE_SECONDS:
            self._failures = 0
        delay = BACKOFF_SECONDS[min(self._failures, len(BACKOFF_SECONDS) - 1)]
        self._failures += 1
        return delay
