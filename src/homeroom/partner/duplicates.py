"""The duplicate guard: the same request twice within five seconds is refused (READINGS Q41)."""

import hashlib
from collections.abc import Mapping
from typing import Protocol

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId
from homeroom.contract.upload import Upload

WINDOW_SECONDS = 5
MAX_REMEMBERED = 100_000


class Duplicates(Protocol):
    """The requests of the last five seconds at all processes of a server."""

    async def check(self, school: SchoolId, key: bytes, now: Moment) -> bool:
        """Tell whether an equal request came within five seconds; if not, remember this one."""
        ...

    def discard(self, school: SchoolId, key: bytes) -> None:
        """Forget a request that was not run, so that the caller can send it again."""


class DuplicateGuard:
    """The requests of the last five seconds, each by the fingerprint of its fields.

    The API has no idempotency keys: equal fields of one school and action stand for one request.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[SchoolId, bytes], Moment] = {}

    async def check(self, school: SchoolId, key: bytes, now: Moment) -> bool:
        """Tell whether an equal request came within five seconds; if not, remember this one."""
        return self.is_duplicate(school, key, now)

    def is_duplicate(self, school: SchoolId, key: bytes, now: Moment) -> bool:
        """Tell whether an equal request came within five seconds; if not, remember this one."""
        seen_at = self._seen.get((school, key))
        if seen_at is not None and abs(now - seen_at) < WINDOW_SECONDS:
            return True
        if len(self._seen) >= MAX_REMEMBERED:
            self._seen = {
                key: seen_at
                for key, seen_at in self._seen.items()
                if abs(now - seen_at) < WINDOW_SECONDS
            }
        self._seen[school, key] = now
        return False

    def discard(self, school: SchoolId, key: bytes) -> None:
        """Forget a request that was not run, so that the caller can send it again."""
        self._seen.pop((school, key), None)

    def forget(self, school: SchoolId) -> None:
        """Forget the requests of a school."""
        self._seen = {key: seen_at for key, seen_at in self._seen.items() if key[0] != school}


def fingerprint(action: str, fields: Mapping[str, object]) -> bytes:
    """Return the key of a request: that of its action and its fields, in any order."""
    digest = hashlib.sha256(action.encode())
    for name in sorted(fields):
        value = fields[name]
        content = (value.sha256 if isinstance(value, Upload) else str(value)).encode()
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.digest()
