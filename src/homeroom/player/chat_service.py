"""The hub: the rooms of the classes that are watched, and their way to the database and back."""

import asyncio
import logging
from dataclasses import dataclass, replace

from homeroom.base.ids import EntryId, SchoolId, ViewerId
from homeroom.domain.chat import ChatEntry, EntryKind, NewChatEntry, normalize_message
from homeroom.domain.refusal import OperatorError
from homeroom.domain.viewers import sign_ticket
from homeroom.player import room_queries
from homeroom.player.participants import (
    Participant,
    RoomConnection,
    TeacherParticipant,
    ViewerParticipant,
)
from homeroom.player.protocol import (
    CommandRefused,
    DeleteMessage,
    JoinRoom,
    ModerationCommand,
    MuteViewer,
    PauseChat,
    PinMessage,
    SendLikes,
    SendMessage,
)
from homeroom.player.room import Room, Welcome
from homeroom.player.room_queries import ChatUpdates
from homeroom.player.room_registry import RoomRegistry
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat, teaching, viewing
from homeroom.web.metrics import Metrics
from homeroom.web.sockets import FrameWriter

log = logging.getLogger("homeroom.player")

BATCH_SECONDS = 0.03
"""What is said within it is written and told together."""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A message on its way into the database."""

    room: Room
    connection: RoomConnection
    entry: NewChatEntry


class ChatService:
    """Who comes in, and what they say."""

    def __init__(self, rooms: RoomRegistry, metrics: Metrics) -> None:
        """Take the rooms of this server."""
        self.registry = rooms
        self._store = rooms.async_store
        self._deps = rooms.deps
        self._metrics = metrics.chat
        self._pending: dict[SchoolId, list[PendingMessage]] = {}
        self._writers: dict[SchoolId, asyncio.Task[None]] = {}
        self.closing = asyncio.Event()
        """Set once nobody is let in any more."""

    async def close(self) -> None:
        """Write what waits, and send everybody to the next server."""
        self.closing.set()
        while self._writers:
            await asyncio.wait(self._writers.values())
        await self.registry.close()

    # --- who comes in ----------------------------------------------------------------------------

    async def join_viewer(
        self, pipe: FrameWriter, key: str, join: JoinRoom
    ) -> tuple[Room, RoomConnection]:
        """Let a viewer in; raises `Unknown`, `LogInFirst`."""
        admitted = await self._store.read(
            lambda uow: viewing.authorize_viewer(uow, self._deps, key, join.ticket)
        )
        lesson = admitted.seen.lesson
        if admitted.needs_saving:
            known = await self._store.write(
                lambda uow: viewing.save_viewer(uow, admitted), lesson.school, shared=True
            )
            admitted = replace(admitted, viewer=known)
        room, entries, is_fresh = await self.registry.open_room(lesson, EntryId(join.after))
        participant = room.participants.get(admitted.ticket.identity)
        if isinstance(participant, ViewerParticipant):
            participant.update_admission(admitted)
        else:
            participant = ViewerParticipant(admitted)
        ticket = admitted.ticket
        connection = RoomConnection(
            pipe, participant, ticket, sign_ticket(ticket, self._deps.ticket_key)
        )
        room.add(connection)
        state = self.registry.state(room, participant)
        connection.send(Welcome(connection.info, state, entries, is_fresh), room.counts())
        return room, connection

    async def join_teacher(
        self, pipe: FrameWriter, token: str, join: JoinRoom
    ) -> tuple[Room, RoomConnection]:
        """Let the school's own people in; raises `OperatorError`."""
        taught = await self._store.read(lambda uow: teaching.open_page(uow, self._deps, token))
        seen = taught.seen
        room, entries, is_fresh = await self.registry.open_room(seen.lesson, EntryId(join.after))
        connection = RoomConnection(
            pipe, room.participants.get(token) or TeacherParticipant(token, seen.teacher_name)
        )
        room.add(connection)
        participant = connection.participant
        welcome = Welcome(
            connection.info, self.registry.state(room, participant), entries, is_fresh
        )
        connection.send(welcome, room.counts(), room.presence())
        return room, connection

    # --- what is said ----------------------------------------------------------------------------

    def send_message(self, room: Room, connection: RoomConnection, say: SendMessage) -> None:
        """Take a message, which everybody sees once it is written down, or refuse it."""
        if self.closing.is_set():
            return  # unanswered it is said again, to the next server
        participant = connection.participant
        try:
            text = normalize_message(say.text)
            self._check_may_send(room, participant)
        except OperatorError as why:
            self._refuse(connection, CommandRefused("say", str(why), say.nonce))
            return
        entry = NewChatEntry(room.id, EntryKind.MESSAGE, participant.author, text, nonce=say.nonce)
        school = room.lesson.school
        self._pending.setdefault(school, []).append(PendingMessage(room, connection, entry))
        if school not in self._writers:
            self._writers[school] = asyncio.create_task(self._write_batches(school))

    def _check_may_send(self, room: Room, participant: Participant) -> None:
        """Refuse a message that may not be said now; raises `OperatorError`."""
        if room.lesson.is_over(self.registry.now()):
            raise OperatorError("over")
        if not isinstance(participant, ViewerParticipant):
            return
        may = participant.admitted.chat_access
        if may != "open":
            raise OperatorError(may)
        if room.snapshot.chat.is_paused:
            raise OperatorError("paused")
        if not participant.message_bucket.try_take():
            raise OperatorError("slow")
        if not room.message_bucket.try_take():
            raise OperatorError("room_slow")

    async def _write_batches(self, school: SchoolId) -> None:
        """Write what is said in the classes of a school, as long as anything is."""
        await asyncio.sleep(BATCH_SECONDS)
        while said := self._pending.pop(school, None):
            await self._write_batch(school, said)
            await asyncio.sleep(BATCH_SECONDS)
        del self._writers[school]

    async def _write_batch(self, school: SchoolId, said: list[PendingMessage]) -> None:
        """Write messages, and tell everybody of them."""
        after = {one.room.id: one.room.last_entry for one in said}

        def unit(uow: UnitOfWork) -> tuple[list[ChatEntry | None], ChatUpdates]:
            return chat.post_messages(
                uow, [one.entry for one in said]
            ), room_queries.load_chat_updates(uow, after)

        try:
            entries, news = await self._store.write(unit, school)
        except Exception:
            log.exception("what was said could not be written down")
            for one in said:
                self._refuse(one.connection, CommandRefused("say", "failed", one.entry.nonce))
            return
        self._metrics.count_messages(sum(entry is not None for entry in entries))
        for one, entry in zip(said, entries, strict=True):
            if entry is None:
                self._refuse_muted(one, after[one.room.id])
        self.registry.publish(news)
        for one, entry in zip(said, entries, strict=True):
            # It was sent again, and somebody has deleted it before its sender knew it was there.
            if entry is not None and entry.is_deleted:
                one.connection.send(CommandRefused("say", "missing", one.entry.nonce))

    def _refuse_muted(self, said: PendingMessage, last: EntryId) -> None:
        """Refuse what somebody said who is muted: that was done elsewhere, or as they came in."""
        participant, room = said.connection.participant, said.room
        # Where more has happened since, they may be heard again by now.
        if isinstance(participant, ViewerParticipant) and room.last_entry == last:
            participant.update_permission(room.lesson, is_muted=True)
        self._refuse(said.connection, CommandRefused("say", "muted", said.entry.nonce))

    def add_likes(self, room: Room, connection: RoomConnection, like: SendLikes) -> None:
        """Count likes, or refuse them."""
        participant = connection.participant
        if isinstance(participant, ViewerParticipant) and not participant.admitted.may_like:
            self._refuse(connection, CommandRefused("like", participant.admitted.chat_access))
        elif not participant.like_bucket.try_take(like.n):
            self._refuse(connection, CommandRefused("like", "slow"))
        else:
            room.pending_likes += like.n

    async def moderate(
        self, room: Room, connection: RoomConnection, command: ModerationCommand
    ) -> None:
        """Do what a teacher asks for, and tell everybody of it."""
        by, lesson, after = connection.participant.author, room.id, {room.id: room.last_entry}

        def unit(uow: UnitOfWork) -> ChatUpdates:
            match command:
                case DeleteMessage(id=message):
                    chat.delete_message(uow, lesson, by, EntryId(message))
                case PinMessage(id=message):
                    chat.pin_message(uow, lesson, by, None if message is None else EntryId(message))
                case MuteViewer(viewer=viewer, on=is_muted):
                    chat.mute(uow, lesson, by, ViewerId(viewer), is_muted=is_muted)
                case PauseChat(on=is_paused):
                    chat.pause(uow, lesson, by, is_paused=is_paused)
            return room_queries.load_chat_updates(uow, after)

        about = str(type(command).__struct_config__.tag)
        try:
            news = await self._store.write(unit, room.lesson.school)
        except OperatorError:
            self._refuse(connection, CommandRefused(about, "missing"))
        except Exception:
            log.exception("a chat could not be moderated")
            self._refuse(connection, CommandRefused(about, "failed"))
        else:
            self.registry.publish(news)

    def _refuse(self, connection: RoomConnection, no: CommandRefused) -> None:
        self._metrics.count_refusal(no.about, no.why)
        connection.send(no)
