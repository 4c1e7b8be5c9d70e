"""The journal: the last requests of the partner API, for an integrator to look at."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId

LENGTH = 1000
LONGEST_VALUE = 2000
SECRET_FIELDS = frozenset({"safeKey", "password", "md5pass", "userJson"})
MASK = "***"


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its answer."""

    request_id: str
    at: Moment
    action: str
    school: SchoolId | None
    fields: dict[str, str]
    errno: int | None
    """None: the connection was dropped."""
    reason: str
    milliseconds: float


class Journal:
    """The last requests, newest last."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LENGTH)

    def write(self, entry: Entry) -> None:
        """Add a request."""
        self._entries.append(entry)

    def last(self, limit: int) -> list[Entry]:
        """Return the last requests, newest first."""
        return [self._entries[-place] for place in range(1, min(limit, len(self._entries)) + 1)]


def masked(fields: Mapping[str, object]) -> dict[str, str]:
    """Return a form as it may be shown: secrets hidden, long values cut, files by their size."""
    return {
        name: MASK
        if name in SECRET_FIELDS
        else value[:LONGEST_VALUE]
        if isinstance(value, str)
        else f"<file of {len(getattr(value, 'content', b''))} bytes>"
        for name, value in fields.items()
    }
