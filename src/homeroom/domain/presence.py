"""Presence: the viewers who are in the room of a class, at all servers of a database."""

from hashlib import blake2b

import msgspec

from homeroom.base.ids import LessonId, ViewerId
from homeroom.domain.lessons import Lesson

KEY_BYTES = 7
"""Of a viewer's key: it fits the integers of the database and of JSON decoders."""


class ViewerPresence(msgspec.Struct, frozen=True, array_like=True):
    """A viewer who has at least one connection to a server."""

    key: int
    """Stands for the identity: the same person at another server has the same key."""
    viewer: ViewerId | None
    """The stored viewer; None for a visitor without a name."""
    is_playing: bool


class RoomPresence(msgspec.Struct, frozen=True):
    """The viewers of a class at one server."""

    lesson: LessonId
    server: str
    beat: int
    """Grows each time that the server writes: one that has ended stands still."""
    viewers: tuple[ViewerPresence, ...]


def presence_key(lesson: Lesson, identity: str) -> int:
    """Return the key of a viewer in a class; an identity may hold a telephone number."""
    keyed = blake2b(identity.encode(), digest_size=KEY_BYTES, key=lesson.key.encode())
    return int.from_bytes(keyed.digest())
