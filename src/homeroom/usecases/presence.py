"""Presence of viewers at several servers of a database."""

from collections.abc import Collection

from homeroom.base.clock import DAY
from homeroom.base.ids import LessonId, ViewerId
from homeroom.domain.presence import RoomPresence
from homeroom.store.records import Viewer
from homeroom.store.unit_of_work import UnitOfWork

MAX_LISTED_VIEWERS = 200
"""Viewers in the presence list that teachers get."""


def write(uow: UnitOfWork, here: Collection[RoomPresence], ended: Collection[RoomPresence]) -> None:
    """Write the viewers of rooms here, and delete what ended: here, or with another server."""
    uow.presences.save(here, uow.now)
    uow.presences.delete(ended)


def delete_old(uow: UnitOfWork) -> None:
    """Delete what servers left that ended long ago."""
    uow.presences.delete_old(uow.now - DAY)


def list_elsewhere(
    uow: UnitOfWork, server: str, lessons: Collection[LessonId]
) -> list[RoomPresence]:
    """Return what other servers wrote of some rooms."""
    return uow.presences.list_elsewhere(server, lessons)


def list_by_name(uow: UnitOfWork, ids: Collection[ViewerId]) -> list[Viewer]:
    """Return the first of some viewers, by name."""
    return uow.viewers.list_by_name(ids, MAX_LISTED_VIEWERS)
