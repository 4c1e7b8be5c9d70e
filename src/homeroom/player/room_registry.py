"""The rooms of one server, kept as the database and the media engine have them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import count

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Moment
from homeroom.base.ids import EntryId, LessonId
from homeroom.domain.lessons import Lesson
from homeroom.domain.webcasts import Hosts
from homeroom.player import room_queries
from homeroom.player.participants import Participant
from homeroom.player.protocol import ChatEvent
from homeroom.player.room import Room
from homeroom.player.room_queries import ChatUpdates, RoomQuery, RoomUpdates
from homeroom.player.state import Facts, State
from homeroom.store.viewers import WatchTime
from homeroom.usecases import chat, viewing
from homeroom.usecases.chat import ChatHistory
from homeroom.usecases.dependencies import Dependencies

log = logging.getLogger("homeroom.player")

STREAM_POLL_SECONDS = 0.25
REFRESH_SECONDS = 1.0
REFRESHES_PER_PRESENCE = 2
"""Every so many looks the teachers are told who is there."""
REFRESHES_PER_WATCH_TIME = 15
"""Every so many looks it is written down how long everybody has watched."""
LOG_IN_FIRST = 4401
NO_CLASS = 4404
RESTART = 1012


class RoomRegistry:
    """The rooms of the classes that are watched; one that is empty is forgotten."""

    def __init__(self, store: AsyncStore, deps: Dependencies, hosts: Hosts, facts: Facts) -> None:
        """Take what tells which streams are on the air."""
        self.async_store = store
        self.deps = deps
        self._hosts = hosts
        self._facts = facts
        self.rooms: dict[LessonId, Room] = {}
        """The rooms there are now."""
        self._refresh_lock = asyncio.Lock()
        self._refresh_requested = asyncio.Event()
        self._failing_tasks: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the rooms up to date until the block ends."""
        tasks = [
            asyncio.create_task(self._refresh_regularly()),
            asyncio.create_task(self._poll_streams()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def refresh_soon(self) -> None:
        """Look at once how the classes stand, for the clock was moved, and tell everybody."""
        for room in self.rooms.values():
            room.force_next_state()
        self._refresh_requested.set()

    async def close(self) -> None:
        """Write what waits, and send everybody to the next server."""
        await self._run_safely(self._write_likes)
        await self._run_safely(self._write_watch_time)
        for room in self.rooms.values():
            room.close(RESTART)

    def now(self) -> Moment:
        """Return the present moment."""
        return self.async_store.store.clock.now()

    def state(self, room: Room, participant: Participant) -> State:
        """Return how a class stands now, as somebody may see it."""
        return room.state(self.now(), self._facts, participant)

    async def open_room(
        self, lesson: Lesson, after: EntryId
    ) -> tuple[Room, Sequence[ChatEvent], bool]:
        """Return the room of a class, what came after an entry, and whether that is all there is.

        Once it returns it must be entered before anything else happens.
        """
        history: ChatHistory | None = None
        while True:
            room = self.rooms.get(lesson.id)
            if room is None:
                opening = await self.async_store.read(
                    lambda uow: room_queries.load_seed(uow, self.deps, self._hosts, lesson)
                )
                # Another may have come in meanwhile.
                self.rooms.setdefault(lesson.id, Room(opening, self.now(), self._facts))
            elif after > room.last_entry:
                # They come from another server, which was faster; or from another world.
                known = {room.id: room.last_entry}
                self.publish(
                    await self.async_store.read(
                        partial(room_queries.load_chat_updates, after=known)
                    )
                )
                after = min(after, room.last_entry)
            elif after == 0:
                return room, room.recent_messages, True
            elif room.has_events_since(after):
                return room, room.events_since(after), False
            elif history is not None and room.has_events_since(history.last_entry):
                return room, room.missed_events(history), history.is_complete
            else:
                history = await self.async_store.read(
                    partial(chat.load_history, lesson=lesson.id, after=after)
                )

    def publish(self, news: ChatUpdates) -> None:
        """Tell the rooms what has happened in them."""
        for lesson, entries in news.entries.items():
            room = self.rooms.get(lesson)
            if room is not None:
                room.broadcast(*room.apply_entries(entries, news.chat_states.get(lesson)))
                room.broadcast_state(self.now(), self._facts)

    # --- from time to time -----------------------------------------------------------------------

    async def _poll_streams(self) -> None:
        """Tell the rooms what goes on the air and off it."""
        while True:
            for room in self.rooms.values():
                room.broadcast_state(self.now(), self._facts)
            await asyncio.sleep(STREAM_POLL_SECONDS)

    async def _refresh_regularly(self) -> None:
        """Look, count and write down."""
        for number in count(1):
            await self._run_safely(self._write_likes)
            await self._run_safely(self._refresh)
            for room in self.rooms.values():
                room.broadcast_counts()
                if number % REFRESHES_PER_PRESENCE == 0:
                    room.send_presence()
            if number % REFRESHES_PER_WATCH_TIME == 0:
                await self._run_safely(self._write_watch_time)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._refresh_requested.wait(), REFRESH_SECONDS)
            self._refresh_requested.clear()

    async def _run_safely(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Do what is done again soon; that it begins to fail is logged once."""
        name = turn.__name__
        try:
            await turn()
        except Exception:
            if name not in self._failing_tasks:
                log.exception("the rooms cannot be kept up to date; trying again")
            self._failing_tasks.add(name)
        else:
            self._failing_tasks.discard(name)

    async def _refresh(self) -> None:
        """Find out what happened in the classes, how they stand, and who may stay."""
        async with self._refresh_lock:
            asked = {
                room.id: RoomQuery(
                    room.last_entry,
                    {one.ticket for one in room.connections if one.ticket is not None},
                    {teacher.identity for teacher in room.teachers},
                )
                for room in self.rooms.values()
            }
            if not asked:
                return
            found = await self.async_store.read(
                lambda uow: room_queries.load_room_updates(uow, self.deps, self._hosts, asked)
            )
            self.publish(found.chat_updates)
            for lesson, question in asked.items():
                room = self.rooms.get(lesson)
                if room is not None:
                    self._apply_updates(room, question, found)
            if not found.chat_updates.is_complete:
                self._refresh_requested.set()

    def _apply_updates(self, room: Room, question: RoomQuery, found: RoomUpdates) -> None:
        """Let a room be as the database has it."""
        sight = found.snapshots.get(room.id)
        if sight is not None:
            room.update_snapshot(sight, found.chat_updates.last_entry(room.id, question.after))
            room.likes = sight.chat.likes
            room.broadcast_state(self.now(), self._facts)
        if sight is None or room.id in found.removed:
            room.close(NO_CLASS)
        for connection in list(room.connections):
            if (connection.ticket or connection.participant.identity) in found.revoked:
                connection.pipe.close_with(NO_CLASS if connection.ticket is None else LOG_IN_FIRST)

    async def _write_likes(self) -> None:
        """Add the new likes to those in the database."""
        # Taken before the wait: at the end two do this at once.
        taken = [
            (room, room.take_pending_likes()) for room in self.rooms.values() if room.pending_likes
        ]
        if not taken:
            return
        given = {room.id: number for room, number in taken}
        try:
            likes = await self.async_store.write(lambda uow: chat.add_likes(uow, given))
        except BaseException:
            for room, number in taken:
                room.restore_pending_likes(number)
            raise
        for room, _ in taken:
            room.likes = likes.get(room.id, 0)

    async def _write_watch_time(self) -> None:
        """Write down how long everybody has watched, and forget who has left."""
        taken = []
        for room in self.rooms.values():
            for viewer in room.viewers:
                watched = viewer.take_watch_time()
                if watched is not None:
                    taken.append((viewer, watched))
        # Always in one order: two servers must not wait for each other.
        rows = sorted((one for _, one in taken), key=_lock_order)
        try:
            if rows:
                await self.async_store.write(lambda uow: viewing.add_watch_time(uow, rows))
        except BaseException:
            for viewer, watched in taken:
                viewer.restore_watch_time(watched.seconds)
            raise
        for room in list(self.rooms.values()):
            room.remove_absent()
            if not room.participants:
                del self.rooms[room.id]


def _lock_order(watched: WatchTime) -> tuple[int, str]:
    return watched.viewer.lesson, watched.viewer.identity
