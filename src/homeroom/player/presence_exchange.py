"""Exchange of presence between the servers of a database: each person counts once.

Every server writes who is in its rooms, and reads what the others wrote. A server that has ended
without a word stops writing, and its viewers no longer count after some seconds. No clocks are
compared.
"""

import asyncio
from collections.abc import Collection, Iterable
from time import monotonic

from homeroom.async_store import AsyncStore
from homeroom.base.ids import LessonId
from homeroom.domain.presence import RoomPresence
from homeroom.player.elsewhere import Elsewhere
from homeroom.player.room import Room
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import presence

BEAT_SECONDS = 3.0
"""Longest time between two writes of a room with viewers."""
STALE_SECONDS = 10.0
"""Time without a write after which a server counts as ended."""
FORGET_SECONDS = 60.0
"""Time without a write after which others delete what a server wrote."""


class PresenceExchange:
    """Writes the presence in the rooms of this server, and reads that of other servers."""

    def __init__(self, store: AsyncStore, server: str) -> None:
        """Initialize with a name that no other server has, now or later."""
        self._store = store
        self._server = server
        self._beat = 0
        self._written: dict[LessonId, RoomPresence] = {}
        self._written_at = 0.0
        """Monotonic time of the last write of all rooms."""
        self._first_seen: dict[tuple[LessonId, str, int], float] = {}
        """Monotonic time at which a beat of a server in a room was read first."""
        self._ended: list[RoomPresence] = []
        self._lock = asyncio.Lock()
        self._has_left = False

    async def delete_old(self) -> None:
        """Delete what servers left that ended long ago."""
        await self._store.write(presence.delete_old)

    async def exchange(self, rooms: Collection[Room]) -> None:
        """Write the viewers here, and let the rooms know those elsewhere."""
        async with self._lock:
            if self._has_left:
                return
            await self._write(rooms)
        if not rooms:
            return
        lessons = [room.id for room in rooms]
        others = await self._store.read(
            lambda uow: presence.list_elsewhere(uow, self._server, lessons)
        )
        elsewhere = {lesson: Elsewhere() for lesson in lessons}
        for other in self._select_live(others):
            elsewhere[other.lesson].add(other, is_first=other.server < self._server)
        await self._add_names(rooms, elsewhere)
        for room in rooms:
            room.set_elsewhere(elsewhere[room.id])

    async def leave(self) -> None:
        """Delete what this server wrote, and write no more."""
        async with self._lock:
            self._has_left = True
            await self._write([])

    async def _write(self, rooms: Collection[Room]) -> None:
        """Write the rooms that have changed, and regularly all."""
        now = monotonic()
        is_due = now - self._written_at >= BEAT_SECONDS
        self._beat += 1
        here = [
            RoomPresence(room.id, self._server, self._beat, viewers)
            for room in rooms
            if (viewers := room.present_viewers())
        ]
        changed = [
            room
            for room in here
            if is_due
            or (last := self._written.get(room.lesson)) is None
            or last.viewers != room.viewers
        ]
        left = self._written.keys() - {room.lesson for room in here}
        ended = [*(self._written[lesson] for lesson in left), *self._ended]
        if changed or ended:
            await self._store.write(lambda uow: presence.write(uow, changed, ended))
            self._written |= {room.lesson: room for room in changed}
            for lesson in left:
                del self._written[lesson]
        if is_due:
            self._written_at = now

    def _select_live(self, others: Iterable[RoomPresence]) -> list[RoomPresence]:
        """Return the presence at servers that have not ended."""
        now, former = monotonic(), self._first_seen
        ages = {}
        self._first_seen = {}
        for other in others:
            beat = other.lesson, other.server, other.beat
            self._first_seen[beat] = former.get(beat, now)
            ages[beat] = other, now - self._first_seen[beat]
        self._ended = [other for other, age in ages.values() if age >= FORGET_SECONDS]
        return [other for other, age in ages.values() if age < STALE_SECONDS]

    async def _add_names(
        self, rooms: Collection[Room], elsewhere: dict[LessonId, Elsewhere]
    ) -> None:
        """Read the names of viewers elsewhere, for the teachers who are here."""
        named = {
            room.id: ids for room in rooms if room.teachers and (ids := elsewhere[room.id].named)
        }

        def unit(uow: UnitOfWork) -> None:
            for lesson, ids in named.items():
                elsewhere[lesson].listed = presence.list_by_name(uow, ids)

        if named:
            await self._store.read(unit)
