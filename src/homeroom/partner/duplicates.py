"""The guard against the same request twice within five seconds (READINGS Q41)."""

import hashlib
from collections.abc import Mapping

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId
from homeroom.contract.upload import Upload

WINDOW_SECONDS = 5
MAX_REMEMBERED = 100_000
NOT_COMPARED = frozenset({"action", "safeKey", "timeStamp"})


class DuplicateGuard:
    """The requests of the last five seconds, by their fields."""

    def __init__(self) -> None:
        self._seen: dict[tuple[SchoolId, bytes], Moment] = {}

    def is_duplicate(
        self, school: SchoolId, action: str, fields: Mapping[str, object], now: Moment
    ) -> bool:
        """Tell whether the same was asked within five seconds; if not, remember it."""
        print_ = school, _fingerprint(action, fields)
        seen = self._seen.get(print_)
        if seen is not None and abs(now - seen) < WINDOW_SECONDS:
            return True
        if len(self._seen) >= MAX_REMEMBERED:
            self._seen = {
                known: at for known, at in self._seen.items() if abs(now - at) < WINDOW_SECONDS
            }
        self._seen[print_] = now
        return False

    def forget(self, school: SchoolId) -> None:
        """Forget the requests of a school."""
        self._seen = {known: at for known, at in self._seen.items() if known[0] != school}


def _fingerprint(action: str, fields: Mapping[str, object]) -> bytes:
    digest = hashlib.sha256(action.encode())
    for name in sorted(fields.keys() - NOT_COMPARED):
        value = fields[name]
        content = value.content if isinstance(value, Upload) else str(value).encode()
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.digest()
