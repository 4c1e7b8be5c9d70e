"""Signs of life: what gives none for some time has ended (ADR 0035)."""

from collections.abc import Callable, Hashable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class SilenceWatch(Generic[T]):
    """Finds the beats that stand still, by a clock that is not set."""

    def __init__(self, seconds: float, read_time: Callable[[], float]) -> None:
        """Set up; a beat that stands still for some seconds is silent."""
        self._seconds = seconds
        self._read_time = read_time
        self._first_seen: dict[T, tuple[int, float]] = {}
        """The last beat of each, and when it was seen first."""

    def find_silent(self, beats: Mapping[T, int]) -> dict[T, int]:
        """Take all beats there are now, and return those that stand still."""
        now, former = self._read_time(), self._first_seen
        self._first_seen = {
            key: former[key] if key in former and former[key][0] == beat else (beat, now)
            for key, beat in beats.items()
        }
        return {
            key: beat
            for key, (beat, seen_at) in self._first_seen.items()
            if now - seen_at >= self._seconds
        }
