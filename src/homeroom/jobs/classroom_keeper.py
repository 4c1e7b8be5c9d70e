"""The keeper of classrooms: notices teachers who push or have gone, and closes what is over."""

import asyncio
import base64
import io
import logging
import zipfile
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from time import monotonic
from typing import Final

import msgspec

from homeroom.async_store import AsyncStore
from homeroom.base.ids import LessonId, SchoolId, UserId, VisitId
from homeroom.base.keys import KeyGenerator
from homeroom.base.silence import SilenceWatch
from homeroom.domain.chat import ChatEntry
from homeroom.domain.classroom_events import ENCODER_SOURCE, LeaveReason, SignOfLife
from homeroom.domain.streams import PublishTarget
from homeroom.store.storage import Storage
from homeroom.usecases import attendance, classroom_closing, rehearsals, visits
from homeroom.usecases.classroom_closing import ChatArchive, DueClassroom
from homeroom.usecases.rehearsal_messages import BLANK_BOARD

log = logging.getLogger("homeroom.jobs.classrooms")

TICK_SECONDS: Final = 1.0
BEAT_SECONDS: Final = 5.0
"""Time between two signs of life of a push."""
SILENT_SECONDS: Final = 30.0
"""Time without a sign of life after which a person has left (Q95), by the real clock."""

SILENT_VISIT_SECONDS: Final = 60.0
"""Time without a sign of life after which the visit of a page has ended (Q96)."""

BLANK_PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAKAAAABaAQAAAAAXvWD/AAAAF0lEQVR42mNgGAWjYBSMglEwCkYB9QEAB2IAAVxw"
    "wrUAAAAASUVORK5CYII="
)
"""The picture of a blackboard on which nothing is written."""

_Place = tuple[LessonId, UserId, str]


class ClassroomKeeper:
    """Looks after the classrooms of a database, every second and when the clock was moved.

    Servers of one database may do so at the same time: each step is done by one of them.
    """

    def __init__(
        self,
        store: AsyncStore,
        storage: Storage,
        list_encoders: Callable[[], Awaitable[Collection[PublishTarget]]],
        is_paused: Callable[[], bool] = lambda: False,
        read_time: Callable[[], float] = monotonic,
    ) -> None:
        """Set up; `is_paused` tells whether the clock is in doubt: then nothing is closed."""
        self._store = store
        self._storage = storage
        self._list_encoders = list_encoders
        self._is_paused = is_paused
        self._read_time = read_time
        self._keys = KeyGenerator()
        self._lock = asyncio.Lock()
        self._pushes: dict[_Place, PublishTarget] = {}
        self._renewed_at = float("-inf")
        self._signs = SilenceWatch[_Place](SILENT_SECONDS, read_time)
        self._visits = SilenceWatch[VisitId](SILENT_VISIT_SECONDS, read_time)
        self._visits_read_at = float("-inf")
        self._is_failing = False
        self._has_board = False

    async def run(self) -> None:
        """Look after the classrooms until cancelled."""
        while True:
            try:
                await self.run_once()
            except Exception:
                if not self._is_failing:
                    log.exception("keeping the classrooms failed; it is retried")
                self._is_failing = True
            else:
                self._is_failing = False
            await asyncio.sleep(TICK_SECONDS)

    async def run_once(self) -> None:
        """Do all that is due now."""
        async with self._lock:
            await self._renew_encoders()
            await self._end_silent()
            await self._end_silent_visits()
            if not self._is_paused():
                await self._play_due()
                await self._close_due()

    async def _renew_encoders(self) -> None:
        """Save a sign of life of those who push: at the begin, regularly, and at the end."""
        targets = await self._list_encoders()
        pushes = {
            (target.lesson.id, target.lesson.teacher, ENCODER_SOURCE): target for target in targets
        }
        now = self._read_time()
        changed = pushes.keys() ^ self._pushes.keys()
        if now - self._renewed_at >= BEAT_SECONDS:
            changed |= pushes.keys()
            self._renewed_at = now
        targets_of = self._pushes | pushes
        signs: dict[SchoolId, list[SignOfLife]] = {}
        for place in changed:
            signs.setdefault(targets_of[place].lesson.school, []).append(SignOfLife(*place))
        for school, of_school in signs.items():
            await self._store.write(partial(attendance.renew, signs=of_school), school)
        self._pushes = pushes

    async def _end_silent(self) -> None:
        """Let those leave whose sign of life has stood still."""
        signs = {
            (sign.lesson, sign.user, sign.source): sign
            for sign in await self._store.read(attendance.list_signs)
        }
        beats = {place: sign.beat for place, sign in signs.items()}
        for place in self._signs.find_silent(beats):
            await self._end(signs[place])

    async def _end_silent_visits(self) -> None:
        """End the visits of pages that have gone without a word (Q96)."""
        now = self._read_time()
        if now - self._visits_read_at < BEAT_SECONDS:
            return
        self._visits_read_at = now
        silent = self._visits.find_silent(await self._store.read(visits.list_beats))
        if silent:
            await self._store.write(partial(visits.end_silent, beats=silent))

    async def _end(self, sign: SignOfLife) -> None:
        school = await self._store.read(lambda uow: attendance.find_school(uow, sign.lesson))
        await self._store.write(
            lambda uow: attendance.end(uow, [sign], LeaveReason.CONNECTION_LOST), school
        )

    # --- rehearsed lessons -----------------------------------------------------------------------

    async def _play_due(self) -> None:
        """Play the events of scripts that are due, before their classes are closed."""
        due = await self._store.read(rehearsals.list_due)
        if due and not self._has_board:
            board = io.BytesIO(BLANK_PICTURE)
            await asyncio.to_thread(lambda: self._storage.put(BLANK_BOARD, board))
            self._has_board = True
        for school, lesson in due:
            try:
                await self._store.write(partial(rehearsals.play, lesson_id=lesson), school)
            except Exception:
                # One class must not hold back the others.
                log.exception("rehearsal_failed", extra={"class": lesson})

    # --- closing ---------------------------------------------------------------------------------

    async def _close_due(self) -> None:
        for due in await self._store.read(classroom_closing.list_due):
            try:
                await self._close(due)
            except Exception:
                # One class must not hold back the others.
                log.exception("closing_failed", extra={"class": due.lesson})

    async def _close(self, due: DueClassroom) -> None:
        messages = await self._store.read(lambda uow: classroom_closing.list_chat(uow, due))
        archive = await self._store_archive(messages) if messages else None
        await self._store.write(lambda uow: classroom_closing.close(uow, due, archive), due.school)

    async def _store_archive(self, messages: Sequence[ChatEntry]) -> ChatArchive:
        """Store the archive of a chat. A file that no message leads to is left after a failure."""
        key = self._keys.file_id()
        path = f"archives/{key[:2]}/{key}.zip"
        await asyncio.to_thread(lambda: self._storage.put(path, io.BytesIO(_pack(messages))))
        return ChatArchive(path, self._store.store.clock.now())


def _pack(messages: Sequence[ChatEntry]) -> bytes:
    """Return a zip with `messages.json`: the messages of a chat in order."""
    rows = [
        {
            "id": entry.id,
            "time": entry.sent_at,
            "name": entry.new.author.name,
            "role": entry.new.author.role.value,
            "text": entry.new.text,
        }
        for entry in messages
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("messages.json", msgspec.json.encode(rows))
    return packed.getvalue()
