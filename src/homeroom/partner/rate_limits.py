"""Rate limits of actions: calls of a school within any 60 seconds of the server's clock."""

from typing import Protocol

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId

WINDOW_SECONDS = 60
MAX_KEYS = 10_000
"""Schools and actions that are remembered; those without recent calls go first."""


class RateLimits(Protocol):
    """The calls of the last 60 seconds at all processes of a server."""

    async def count_call(self, school: SchoolId, action: str, limit: int, now: Moment) -> bool:
        """Count a call; return False for one above the limit, which does not count."""
        ...


class CallCounter:
    """The calls of the last 60 seconds, by school and action."""

    def __init__(self) -> None:
        self._calls: dict[tuple[SchoolId, str], list[Moment]] = {}

    async def count_call(self, school: SchoolId, action: str, limit: int, now: Moment) -> bool:
        """Count a call; return False for one above the limit, which does not count."""
        return self.add(school, action, limit, now)

    def add(self, school: SchoolId, action: str, limit: int, now: Moment) -> bool:
        """Count a call; return False for one above the limit, which does not count."""
        if len(self._calls) >= MAX_KEYS:
            self._calls = {
                key: calls for key, calls in self._calls.items() if _is_recent(calls[-1], now)
            }
        calls = self._calls.setdefault((school, action), [])
        if len(calls) >= limit:
            calls[:] = [moment for moment in calls if _is_recent(moment, now)]
            if len(calls) >= limit:
                return False
        calls.append(now)
        return True

    def forget(self, school: SchoolId) -> None:
        """Forget the calls of a school."""
        self._calls = {key: calls for key, calls in self._calls.items() if key[0] != school}


def _is_recent(moment: Moment, now: Moment) -> bool:
    return abs(now - moment) < WINDOW_SECONDS
