"""The hub: the rooms of the classes that are watched, and their way to the database and back."""

import asyncio
import logging
from dataclasses import dataclass, replace

from homeroom.base.ids import EntryId, SchoolId, ViewerId
from homeroom.domain.chat import ChatEntry, EntryKind, NewChatEntry, normalize_message
from homeroom.domain.refusal import OperatorError
from homeroom.domain.viewers import sign_ticket
from homeroom.player import looks
from homeroom.player.frames import Delete, Join, Like, Moderation, Mute, No, Pause, Pin, Say
from homeroom.player.looks import News
from homeroom.player.people import Connection, Person, Teacher, Viewer
from homeroom.player.room import Room, Welcome
from homeroom.player.rooms import Rooms
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat, teaching, viewing
from homeroom.web.metrics import Metrics
from homeroom.web.sockets import FrameWriter

log = logging.getLogger("homeroom.player")

TICK_SECONDS = 0.03
"""What is said within it is written and told together."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message on its way into the database."""

    room: Room
    connection: Connection
    entry: NewChatEntry


class Hub:
    """Who comes in, and what they say."""

    def __init__(self, rooms: Rooms, metrics: Metrics) -> None:
        """Take the rooms of this server."""
        self.rooms = rooms
        self._store = rooms.async_store
        self._deps = rooms.deps
        self._metrics = metrics.chat
        self._said: dict[SchoolId, list[Said]] = {}
        self._writers: dict[SchoolId, asyncio.Task[None]] = {}
        self.closing = asyncio.Event()
        """Set once nobody is let in any more."""

    async def close(self) -> None:
        """Write what waits, and send everybody to the next server."""
        self.closing.set()
        while self._writers:
            await asyncio.wait(self._writers.values())
        await self.rooms.close()

    # --- who comes in ----------------------------------------------------------------------------

    async def watch(self, pipe: FrameWriter, key: str, join: Join) -> tuple[Room, Connection]:
        """Let a viewer in; raises `Unknown`, `LogInFirst`."""
        admitted = await self._store.read(
            lambda uow: viewing.admit(uow, self._deps, key, join.ticket)
        )
        lesson = admitted.seen.lesson
        if admitted.is_news:
            known = await self._store.write(
                lambda uow: viewing.enter(uow, admitted), lesson.school, shared=True
            )
            admitted = replace(admitted, viewer=known)
        room, entries, is_fresh = await self.rooms.room(lesson, EntryId(join.after))
        person = room.people.get(admitted.ticket.identity)
        if isinstance(person, Viewer):
            person.become(admitted)
        else:
            person = Viewer(admitted)
        ticket = admitted.ticket
        connection = Connection(pipe, person, ticket, sign_ticket(ticket, self._deps.ticket_key))
        room.enter(connection)
        state = self.rooms.state(room, person)
        connection.tell(Welcome(connection.you, state, entries, is_fresh), room.counts())
        return room, connection

    async def teach(self, pipe: FrameWriter, token: str, join: Join) -> tuple[Room, Connection]:
        """Let the school's own people in; raises `OperatorError`."""
        taught = await self._store.read(lambda uow: teaching.taught(uow, self._deps, token))
        seen = taught.seen
        room, entries, is_fresh = await self.rooms.room(seen.lesson, EntryId(join.after))
        connection = Connection(pipe, room.people.get(token) or Teacher(token, seen.teacher_name))
        room.enter(connection)
        person = connection.person
        welcome = Welcome(connection.you, self.rooms.state(room, person), entries, is_fresh)
        connection.tell(welcome, room.counts(), room.named())
        return room, connection

    # --- what is said ----------------------------------------------------------------------------

    def say(self, room: Room, connection: Connection, say: Say) -> None:
        """Take a message, which everybody sees once it is written down, or refuse it."""
        if self.closing.is_set():
            return  # unanswered it is said again, to the next server
        person = connection.person
        try:
            text = normalize_message(say.text)
            self._check_say(room, person)
        except OperatorError as why:
            self._refuse(connection, No("say", str(why), say.nonce))
            return
        entry = NewChatEntry(room.id, EntryKind.MESSAGE, person.author, text, nonce=say.nonce)
        school = room.lesson.school
        self._said.setdefault(school, []).append(Said(room, connection, entry))
        if school not in self._writers:
            self._writers[school] = asyncio.create_task(self._write(school))

    def _check_say(self, room: Room, person: Person) -> None:
        """Refuse a message that may not be said now; raises `OperatorError`."""
        if room.lesson.is_over(self.rooms.now()):
            raise OperatorError("over")
        if not isinstance(person, Viewer):
            return
        may = person.admitted.may_chat
        if may != "open":
            raise OperatorError(may)
        if room.sight.standing.is_paused:
            raise OperatorError("paused")
        if not person.says.take():
            raise OperatorError("slow")
        if not room.says.take():
            raise OperatorError("room_slow")

    async def _write(self, school: SchoolId) -> None:
        """Write what is said in the classes of a school, as long as anything is."""
        await asyncio.sleep(TICK_SECONDS)
        while said := self._said.pop(school, None):
            await self._keep(school, said)
            await asyncio.sleep(TICK_SECONDS)
        del self._writers[school]

    async def _keep(self, school: SchoolId, said: list[Said]) -> None:
        """Write messages, and tell everybody of them."""
        after = {one.room.id: one.room.last for one in said}

        def unit(uow: UnitOfWork) -> tuple[list[ChatEntry | None], News]:
            return chat.say(uow, [one.entry for one in said]), looks.news(uow, after)

        try:
            entries, news = await self._store.write(unit, school)
        except Exception:
            log.exception("what was said could not be written down")
            for one in said:
                self._refuse(one.connection, No("say", "failed", one.entry.nonce))
            return
        self._metrics.count_messages(sum(entry is not None for entry in entries))
        for one, entry in zip(said, entries, strict=True):
            if entry is None:
                self._hush(one, after[one.room.id])
        self.rooms.take(news)
        for one, entry in zip(said, entries, strict=True):
            # It was sent again, and somebody has deleted it before its sender knew it was there.
            if entry is not None and entry.is_deleted:
                one.connection.tell(No("say", "missing", one.entry.nonce))

    def _hush(self, said: Said, last: EntryId) -> None:
        """Refuse what somebody said who is muted: that was done elsewhere, or as they came in."""
        person, room = said.connection.person, said.room
        # Where more has happened since, they may be heard again by now.
        if isinstance(person, Viewer) and room.last == last:
            person.judge(room.lesson, is_muted=True)
        self._refuse(said.connection, No("say", "muted", said.entry.nonce))

    def like(self, room: Room, connection: Connection, like: Like) -> None:
        """Count likes, or refuse them."""
        person = connection.person
        if isinstance(person, Viewer) and not person.admitted.may_like:
            self._refuse(connection, No("like", person.admitted.may_chat))
        elif not person.likes.take(like.n):
            self._refuse(connection, No("like", "slow"))
        else:
            room.new_likes += like.n

    async def moderate(self, room: Room, connection: Connection, asked: Moderation) -> None:
        """Do what a teacher asks for, and tell everybody of it."""
        by, lesson, after = connection.person.author, room.id, {room.id: room.last}

        def unit(uow: UnitOfWork) -> News:
            match asked:
                case Delete(id=message):
                    chat.delete(uow, lesson, by, EntryId(message))
                case Pin(id=message):
                    chat.pin(uow, lesson, by, None if message is None else EntryId(message))
                case Mute(viewer=viewer, on=is_muted):
                    chat.mute(uow, lesson, by, ViewerId(viewer), is_muted=is_muted)
                case Pause(on=is_paused):
                    chat.pause(uow, lesson, by, is_paused=is_paused)
            return looks.news(uow, after)

        about = str(type(asked).__struct_config__.tag)
        try:
            news = await self._store.write(unit, room.lesson.school)
        except OperatorError:
            self._refuse(connection, No(about, "missing"))
        except Exception:
            log.exception("a chat could not be moderated")
            self._refuse(connection, No(about, "failed"))
        else:
            self.rooms.take(news)

    def _refuse(self, connection: Connection, no: No) -> None:
        self._metrics.count_refusal(no.about, no.why)
        connection.tell(no)
