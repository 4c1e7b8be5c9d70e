"""Presence of teachers in their classrooms by the teacher's pages at this server (Q95)."""

from collections.abc import Collection
from contextlib import suppress
from functools import partial
from time import monotonic

from homeroom.async_store import AsyncStore
from homeroom.base.ids import LessonId, SchoolId, UserId
from homeroom.domain.classroom_events import LeaveReason, SignOfLife
from homeroom.domain.lessons import Lesson
from homeroom.player.room import Room
from homeroom.store.engine import UnavailableError
from homeroom.usecases import attendance

BEAT_SECONDS = 5.0
"""Time between two signs of life of a page."""


class TeacherPresence:
    """Saves signs of life of the teachers whose pages are open here."""

    def __init__(self, store: AsyncStore, server: str) -> None:
        """Initialize with a name that no other server has, now or later."""
        self._store = store
        self._server = server
        self._renewed_at: dict[tuple[LessonId, UserId], float] = {}
        """Monotonic time of the last sign of a teacher."""

    async def renew(self, rooms: Collection[Room]) -> None:
        """Save a sign of the teachers in open classes, at once if it is the first one."""
        now, clock_now = monotonic(), self._store.store.clock.now()
        due: dict[SchoolId, set[SignOfLife]] = {}
        for room in rooms:
            lifecycle = room.lesson.lifecycle
            if not lifecycle.opens_at <= clock_now < lifecycle.closes_at:
                continue
            for teacher in room.teachers:
                last = self._renewed_at.get((room.id, teacher.user))
                if teacher.connections and (last is None or now - last >= BEAT_SECONDS):
                    sign = SignOfLife(room.id, teacher.user, self._server)
                    due.setdefault(room.lesson.school, set()).add(sign)
        for school, signs in due.items():
            await self._store.write(partial(attendance.renew, signs=signs), school)
            for sign in signs:
                self._renewed_at[sign.lesson, sign.user] = now

    async def end(self, lesson: Lesson, user: UserId, *, by_hand: bool) -> None:
        """End the presence of a teacher without connections, or give it a last sign."""
        if self._renewed_at.pop((lesson.id, user), None) is None:
            return
        signs = [SignOfLife(lesson.id, user, self._server)]
        change = partial(attendance.renew, signs=signs)
        if by_hand:
            change = partial(attendance.end, signs=signs, reason=LeaveReason.NORMAL)
        # Without the write the sign stands still from now on: the presence ends a little later.
        with suppress(UnavailableError):
            await self._store.write(change, lesson.school)
