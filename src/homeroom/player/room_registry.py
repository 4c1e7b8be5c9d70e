"""Registry of the live rooms of one server; it polls the database and the media engine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import count

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Moment
from homeroom.base.ids import EntryId, LessonId
from homeroom.domain.webcasts import Hosts
from homeroom.player import room_queries
from homeroom.player.participants import Participant
from homeroom.player.presence_exchange import PresenceExchange
from homeroom.player.protocol import ChatEvent
from homeroom.player.room import Room
from homeroom.player.room_queries import ChatUpdates, RoomQuery, RoomUpdates
from homeroom.player.state import Facts, State
from homeroom.player.stream_reports import StreamReports, build_stream_reports
from homeroom.player.teacher_presence import TeacherPresence
from homeroom.player.visit_log import VisitLog
from homeroom.store.records import PublicLesson, WatchTime
from homeroom.usecases import chat, viewing
from homeroom.usecases.chat import ChatHistory
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.close_codes import CloseCode

log = logging.getLogger("homeroom.player")

STREAM_POLL_SECONDS = 0.25
REFRESH_SECONDS = 1.0
ECHO_SECONDS = 0.005
"""Time in which this server broadcasts an entry of its own, whose announcement it hears as well."""
REFRESHES_PER_PRESENCE = 2
"""Refreshes between two presence lists for teachers."""
REFRESHES_PER_WATCH_TIME = 15
"""Refreshes between two writes of the watch time."""


class RoomRegistry:
    """The rooms of the classes that are watched now; empty rooms are removed."""

    def __init__(
        self,
        store: AsyncStore,
        deps: Dependencies,
        hosts: Hosts,
        facts: Facts,
        presence: PresenceExchange | None = None,
    ) -> None:
        """Initialize; `facts` returns the state of a running stream.

        Servers that share a database exchange the presence of viewers.
        """
        self.async_store = store
        self.deps = deps
        self._hosts = hosts
        self._facts = facts
        self._presence = presence
        self.teachers = TeacherPresence(store, deps.keys.public_key())
        self.visits = VisitLog(store, deps.keys)
        self.rooms: dict[LessonId, Room] = {}
        """Open rooms by class."""
        self._refresh_lock = asyncio.Lock()
        self._refresh_requested = asyncio.Event()
        self._announced: dict[LessonId, EntryId] = {}
        """Last entries of chats that were announced and not read yet."""
        self._has_announced = asyncio.Event()
        self._failing_tasks: set[str] = set()
        self._refresh_seconds = REFRESH_SECONDS

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Refresh the rooms regularly until the block ends."""
        tasks = [
            asyncio.create_task(self._refresh_regularly()),
            asyncio.create_task(self._poll_streams()),
            asyncio.create_task(self._follow_announcements()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def refresh_soon(self) -> None:
        """Refresh and send all states at once, as after the clock was moved."""
        for room in self.rooms.values():
            room.force_next_state()
        self._refresh_requested.set()

    def hear(self, announcement: str) -> None:
        """Read new entries of a chat soon, which a server of this database has announced."""
        lesson, entry = map(int, announcement.split())
        self._announced[LessonId(lesson)] = EntryId(entry)
        self._has_announced.set()

    async def close(self) -> None:
        """Write likes and watch time, and close all rooms so that clients connect elsewhere."""
        await self._run_safely(self._write_likes)
        await self._run_safely(self._write_watch_time)
        await self._run_safely(self._write_visits)
        if self._presence is not None:
            await self._run_safely(self._presence.leave)
        for room in self.rooms.values():
            room.close(CloseCode.RESTART)

    def now(self) -> Moment:
        """Return the current time."""
        return self.async_store.store.clock.now()

    def state(self, room: Room, participant: Participant) -> State:
        """Return the current state of a class for a participant."""
        return room.state(self.now(), self._facts, participant)

    def stream_reports(self, room: Room) -> StreamReports:
        """Return the reports on the streams of a class, for a teacher who joins."""
        return build_stream_reports(room.lesson, self._facts)

    async def open_room(
        self, page: PublicLesson, after: EntryId
    ) -> tuple[Room, Sequence[ChatEvent], bool]:
        """Return the room of a class, the events after an entry, and if those replace earlier ones.

        The caller must add its connection before its next `await`: an empty room may be removed.
        """
        lesson = page.lesson.id
        history: ChatHistory | None = None
        while True:
            room = self.rooms.get(lesson)
            if room is None:
                seed = await self.async_store.read(
                    lambda uow: room_queries.load_seed(uow, self.deps, self._hosts, page)
                )
                # Another connection may have opened the room during the read.
                self.rooms.setdefault(lesson, Room(seed, self.now(), self._facts))
            elif after > room.last_entry:
                # The client comes from a server that was ahead, or from another database.
                after_by_room = {room.id: room.last_entry}
                self.publish(
                    await self.async_store.read(
                        partial(room_queries.load_chat_updates, after=after_by_room)
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
                    partial(chat.load_history, lesson=lesson, after=after)
                )

    def publish(self, news: ChatUpdates) -> None:
        """Apply new chat entries to the rooms and broadcast them."""
        for lesson, entries in news.entries.items():
            room = self.rooms.get(lesson)
            if room is not None:
                room.broadcast(*room.apply_entries(entries, news.chat_states.get(lesson)))
                room.broadcast_state(self.now(), self._facts)

    # --- regular refresh -------------------------------------------------------------------------

    async def _poll_streams(self) -> None:
        """Broadcast states when a stream starts or ends."""
        while True:
            for room in self.rooms.values():
                room.broadcast_state(self.now(), self._facts)
            await asyncio.sleep(STREAM_POLL_SECONDS)

    async def _follow_announcements(self) -> None:
        """Read new entries as soon as another server has written them."""
        while True:
            await self._has_announced.wait()
            await asyncio.sleep(ECHO_SECONDS)
            self._has_announced.clear()
            await self._run_safely(self._read_announced)

    async def _read_announced(self) -> None:
        announced, self._announced = self._announced, {}
        after = {
            lesson: room.last_entry
            for lesson, entry in announced.items()
            if (room := self.rooms.get(lesson)) is not None and room.last_entry < entry
        }
        if after:
            self.publish(
                await self.async_store.read(partial(room_queries.load_chat_updates, after=after))
            )

    async def _refresh_regularly(self) -> None:
        """Refresh rooms, broadcast numbers, and write likes and watch time, every second."""
        if self._presence is not None:
            await self._run_safely(self._presence.delete_old)
        for number in count(1):
            await self._run_safely(self._write_likes)
            await self._run_safely(self._refresh)
            await self._run_safely(self._exchange_presence)
            await self.renew_teachers()
            await self._run_safely(self._write_visits)
            for room in self.rooms.values():
                room.broadcast_counts()
                room.send_stream_reports(self._facts)
                if number % REFRESHES_PER_PRESENCE == 0:
                    room.send_presence()
            if number % REFRESHES_PER_WATCH_TIME == 0:
                await self._run_safely(self._write_watch_time)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._refresh_requested.wait(), self._refresh_seconds)
            self._refresh_requested.clear()

    async def _run_safely(self, step: Callable[[], Awaitable[None]]) -> None:
        """Run a step that is repeated soon; only its first failure in a row is logged."""
        name = step.__name__
        try:
            await step()
        except Exception:
            if name not in self._failing_tasks:
                log.exception("refreshing the rooms failed; it is retried")
            self._failing_tasks.add(name)
        else:
            self._failing_tasks.discard(name)

    async def _refresh(self) -> None:
        """Read new entries, snapshots and revoked credentials, and apply them to the rooms."""
        async with self._refresh_lock:
            queries = {
                room.id: RoomQuery(
                    room.last_entry,
                    {
                        connection.ticket
                        for connection in room.connections
                        if connection.ticket is not None
                    },
                    {teacher.identity for teacher in room.teachers},
                )
                for room in self.rooms.values()
            }
            if not queries:
                return
            updates = await self.async_store.read(
                lambda uow: room_queries.load_room_updates(uow, self.deps, self._hosts, queries)
            )
            self.publish(updates.chat_updates)
            for lesson, query in queries.items():
                room = self.rooms.get(lesson)
                if room is not None:
                    self._apply_updates(room, query, updates)
            if not updates.chat_updates.is_complete:
                self._refresh_requested.set()

    def _apply_updates(self, room: Room, query: RoomQuery, updates: RoomUpdates) -> None:
        """Apply what the database says to one room."""
        snapshot = updates.snapshots.get(room.id)
        if snapshot is not None:
            room.update_snapshot(snapshot, updates.chat_updates.last_entry(room.id, query.after))
            room.likes = snapshot.chat.likes
            room.broadcast_state(self.now(), self._facts)
        if snapshot is None or room.id in updates.removed:
            room.close(CloseCode.NOT_FOUND)
        for connection in list(room.connections):
            credential = connection.ticket or connection.participant.identity
            is_out = (room.id, connection.ticket) in updates.transferred_out
            if is_out or credential in updates.revoked:
                connection.pipe.close_with(
                    CloseCode.LOGIN_REQUIRED
                    if connection.ticket is not None
                    else CloseCode.NOT_FOUND
                )

    async def _exchange_presence(self) -> None:
        if self._presence is not None:
            await self._presence.exchange(list(self.rooms.values()))

    async def renew_teachers(self) -> None:
        """Save that the teachers with an open page are in their classrooms."""
        await self._run_safely(self._renew_teachers)

    async def _renew_teachers(self) -> None:
        await self.teachers.renew(list(self.rooms.values()))

    async def _write_visits(self) -> None:
        await self.visits.write()

    async def _write_likes(self) -> None:
        """Add the pending likes to those in the database."""
        # Taken before the await: on shutdown two tasks run this at the same time.
        pending = [
            (room, room.take_pending_likes()) for room in self.rooms.values() if room.pending_likes
        ]
        if not pending:
            return
        likes_by_room = {room.id: number for room, (number, _) in pending}
        of_viewers = [like for _, (_, likes) in pending for like in likes]
        try:
            likes = await self.async_store.write(
                lambda uow: chat.add_likes(uow, likes_by_room, of_viewers)
            )
        except BaseException:
            for room, taken in pending:
                room.restore_pending_likes(*taken)
            raise
        for room, _ in pending:
            room.likes = likes.get(room.id, 0)

    async def _write_watch_time(self) -> None:
        """Write the watch time of all viewers, and remove absent participants and empty rooms."""
        pending = []
        for room in self.rooms.values():
            for viewer in room.viewers:
                watched = viewer.take_watch_time()
                if watched is not None:
                    pending.append((viewer, watched))
        # Always in one order, so that two servers cannot deadlock.
        rows = sorted((watched for _, watched in pending), key=_lock_order)
        try:
            if rows:
                await self.async_store.write(lambda uow: viewing.add_watch_time(uow, rows))
        except BaseException:
            for viewer, watched in pending:
                viewer.restore_watch_time(watched.seconds)
            raise
        for room in list(self.rooms.values()):
            room.remove_absent()
            if not room.participants:
                del self.rooms[room.id]


def _lock_order(watched: WatchTime) -> tuple[int, str]:
    return watched.viewer.lesson, watched.viewer.identity
