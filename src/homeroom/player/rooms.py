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
from homeroom.player import looks
from homeroom.player.frames import EntryEvent
from homeroom.player.looks import Asked, News, Standings
from homeroom.player.people import Person
from homeroom.player.room import Room
from homeroom.player.state import Facts, State
from homeroom.store.viewers import WatchTime
from homeroom.usecases import chat, viewing
from homeroom.usecases.chat import History
from homeroom.usecases.dependencies import Dependencies

log = logging.getLogger("homeroom.player")

AIR_SECONDS = 0.25
LOOK_SECONDS = 1.0
PEOPLE_LOOKS = 2
"""Every so many looks the teachers are told who is there."""
WATCHED_LOOKS = 15
"""Every so many looks it is written down how long everybody has watched."""
LOG_IN_FIRST = 4401
NO_CLASS = 4404
RESTART = 1012


class Rooms:
    """The rooms of the classes that are watched; one that is empty is forgotten."""

    def __init__(self, store: AsyncStore, deps: Dependencies, hosts: Hosts, facts: Facts) -> None:
        """Take what tells which streams are on the air."""
        self.async_store = store
        self.deps = deps
        self._hosts = hosts
        self._facts = facts
        self.open: dict[LessonId, Room] = {}
        """The rooms there are now."""
        self._one_look = asyncio.Lock()
        self._soon = asyncio.Event()
        self._failing: set[str] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the rooms up to date until the block ends."""
        tasks = [asyncio.create_task(self._looks()), asyncio.create_task(self._airs())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def look_soon(self) -> None:
        """Look at once how the classes stand, for the clock was moved, and tell everybody."""
        for room in self.open.values():
            room.tell_anew()
        self._soon.set()

    async def close(self) -> None:
        """Write what waits, and send everybody to the next server."""
        await self._safely(self._write_likes)
        await self._safely(self._write_watched)
        for room in self.open.values():
            room.end(RESTART)

    def now(self) -> Moment:
        """Return the present moment."""
        return self.async_store.store.clock.now()

    def state(self, room: Room, person: Person) -> State:
        """Return how a class stands now, as somebody may see it."""
        return room.state(self.now(), self._facts, person)

    async def room(self, lesson: Lesson, after: EntryId) -> tuple[Room, Sequence[EntryEvent], bool]:
        """Return the room of a class, what came after an entry, and whether that is all there is.

        Once it returns it must be entered before anything else happens.
        """
        history: History | None = None
        while True:
            room = self.open.get(lesson.id)
            if room is None:
                opening = await self.async_store.read(
                    lambda uow: looks.opening(uow, self.deps, self._hosts, lesson)
                )
                # Another may have come in meanwhile.
                self.open.setdefault(lesson.id, Room(opening, self.now(), self._facts))
            elif after > room.last:
                # They come from another server, which was faster; or from another world.
                known = {room.id: room.last}
                self.take(await self.async_store.read(partial(looks.news, after=known)))
                after = min(after, room.last)
            elif after == 0:
                return room, room.recent, True
            elif room.remembers(after):
                return room, room.since(after), False
            elif history is not None and room.remembers(history.last):
                return room, room.missed(history), history.is_fresh
            else:
                history = await self.async_store.read(
                    partial(chat.joined, lesson=lesson.id, after=after)
                )

    def take(self, news: News) -> None:
        """Tell the rooms what has happened in them."""
        for lesson, entries in news.entries.items():
            room = self.open.get(lesson)
            if room is not None:
                room.tell(*room.take(entries, news.standings.get(lesson)))
                room.tell_state(self.now(), self._facts)

    # --- from time to time -----------------------------------------------------------------------

    async def _airs(self) -> None:
        """Tell the rooms what goes on the air and off it."""
        while True:
            for room in self.open.values():
                room.tell_state(self.now(), self._facts)
            await asyncio.sleep(AIR_SECONDS)

    async def _looks(self) -> None:
        """Look, count and write down."""
        for number in count(1):
            await self._safely(self._write_likes)
            await self._safely(self._look)
            for room in self.open.values():
                room.tell_counts()
                if number % PEOPLE_LOOKS == 0:
                    room.tell_people()
            if number % WATCHED_LOOKS == 0:
                await self._safely(self._write_watched)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), LOOK_SECONDS)
            self._soon.clear()

    async def _safely(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Do what is done again soon; that it begins to fail is logged once."""
        name = turn.__name__
        try:
            await turn()
        except Exception:
            if name not in self._failing:
                log.exception("the rooms cannot be kept up to date; trying again")
            self._failing.add(name)
        else:
            self._failing.discard(name)

    async def _look(self) -> None:
        """Find out what happened in the classes, how they stand, and who may stay."""
        async with self._one_look:
            asked = {
                room.id: Asked(
                    room.last,
                    {one.ticket for one in room.connections if one.ticket is not None},
                    {teacher.identity for teacher in room.teachers},
                )
                for room in self.open.values()
            }
            if not asked:
                return
            found = await self.async_store.read(
                lambda uow: looks.standings(uow, self.deps, self._hosts, asked)
            )
            self.take(found.news)
            for lesson, question in asked.items():
                room = self.open.get(lesson)
                if room is not None:
                    self._settle(room, question, found)
            if not found.news.is_all:
                self._soon.set()

    def _settle(self, room: Room, question: Asked, found: Standings) -> None:
        """Let a room be as the database has it."""
        sight = found.sights.get(room.id)
        if sight is not None:
            room.see(sight, found.news.last(room.id, question.after))
            room.likes = sight.standing.likes
            room.tell_state(self.now(), self._facts)
        if sight is None or room.id in found.gone:
            room.end(NO_CLASS)
        for connection in list(room.connections):
            if (connection.ticket or connection.person.identity) in found.outcasts:
                connection.pipe.close_with(NO_CLASS if connection.ticket is None else LOG_IN_FIRST)

    async def _write_likes(self) -> None:
        """Add the new likes to those in the database."""
        # Taken before the wait: at the end two do this at once.
        taken = [(room, room.take_likes()) for room in self.open.values() if room.new_likes]
        if not taken:
            return
        given = {room.id: number for room, number in taken}
        try:
            likes = await self.async_store.write(lambda uow: chat.add_likes(uow, given))
        except BaseException:
            for room, number in taken:
                room.give_back_likes(number)
            raise
        for room, _ in taken:
            room.likes = likes.get(room.id, 0)

    async def _write_watched(self) -> None:
        """Write down how long everybody has watched, and forget who has left."""
        taken = []
        for room in self.open.values():
            for viewer in room.viewers:
                watched = viewer.take_watched()
                if watched is not None:
                    taken.append((viewer, watched))
        # Always in one order: two servers must not wait for each other.
        rows = sorted((one for _, one in taken), key=_place)
        try:
            if rows:
                await self.async_store.write(lambda uow: viewing.add_watched(uow, rows))
        except BaseException:
            for viewer, watched in taken:
                viewer.give_back(watched.seconds)
            raise
        for room in list(self.open.values()):
            room.tidy()
            if not room.people:
                del self.open[room.id]


def _place(watched: WatchTime) -> tuple[int, str]:
    return watched.viewer.lesson, watched.viewer.identity
