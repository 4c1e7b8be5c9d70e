"""Chat service: joins participants to rooms, and writes and broadcasts their messages."""

import asyncio
import logging

import msgspec

from homeroom.base.ids import EntryId, SchoolId, ViewerId
from homeroom.base.values import replace
from homeroom.domain.chat import (
    ChatAccess,
    ChatEntry,
    ChatRefusal,
    ChatRefusalError,
    EntryKind,
    NewChatEntry,
    normalize_message,
)
from homeroom.domain.refusal import OperatorError
from homeroom.domain.viewers import sign_ticket
from homeroom.player import room_queries
from homeroom.player.participants import (
    PageClient,
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
    ParticipantKind,
    PauseChat,
    PinMessage,
    ReminderBooked,
    SendLikes,
    SendMessage,
)
from homeroom.player.room import Room, Welcome
from homeroom.player.room_queries import ChatUpdates
from homeroom.player.room_registry import RoomRegistry
from homeroom.store.engine import SHARED_SCHOOL
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat, reservations, teaching, viewing
from homeroom.web.metrics import Metrics
from homeroom.web.sockets import FrameWriter

log = logging.getLogger("homeroom.player")

BATCH_SECONDS = 0.03
"""Messages within this time are written in one transaction and broadcast together."""


class PendingMessage(msgspec.Struct, frozen=True):
    """A message that waits to be written."""

    room: Room
    connection: RoomConnection
    entry: NewChatEntry


class ChatService:
    """Handles joins, messages, likes and moderation of the rooms of one server."""

    def __init__(self, rooms: RoomRegistry, metrics: Metrics) -> None:
        """Initialize with the rooms of this server."""
        self.registry = rooms
        self._store = rooms.async_store
        self._deps = rooms.deps
        self._metrics = metrics.chat
        self._pending: dict[SchoolId, list[PendingMessage]] = {}
        self._writers: dict[SchoolId, asyncio.Task[None]] = {}
        self.closing = asyncio.Event()
        """Set when the server shuts down and accepts no joins."""

    async def close(self) -> None:
        """Write the pending messages, then close all rooms."""
        self.closing.set()
        while self._writers:
            await asyncio.wait(self._writers.values())
        await self.registry.close()

    # --- joins -----------------------------------------------------------------------------------

    async def join_viewer(
        self, pipe: FrameWriter, key: str, join: JoinRoom, client: PageClient
    ) -> tuple[Room, RoomConnection]:
        """Join a viewer to the room of a class; raises `Unknown`, `LogInFirst`."""
        admitted = await self._store.read(
            lambda uow: viewing.authorize_viewer(uow, self._deps, key, join.ticket)
        )
        lesson = admitted.seen.lesson
        if admitted.needs_saving:
            viewer = await self._store.write(
                lambda uow: viewing.save_viewer(uow, admitted), lesson.school, scope=SHARED_SCHOOL
            )
            admitted = replace(admitted, viewer=viewer)
        room, entries, is_fresh = await self.registry.open_room(admitted.seen, EntryId(join.after))
        participant = room.participants.get(admitted.ticket.identity)
        if isinstance(participant, ViewerParticipant):
            participant.update_admission(admitted)
        else:
            participant = ViewerParticipant(admitted)
        ticket = admitted.ticket
        connection = RoomConnection(
            pipe, participant, ticket, sign_ticket(ticket, self._deps.ticket_key), client
        )
        room.add(connection)
        self.registry.visits.add(connection, self.registry.now(), join.visit)
        state = self.registry.state(room, participant)
        connection.send(Welcome(connection.info, state, entries, is_fresh), room.counts())
        return room, connection

    async def join_teacher(
        self, pipe: FrameWriter, token: str, join: JoinRoom
    ) -> tuple[Room, RoomConnection]:
        """Join a teacher by the token of the teacher's page; raises `OperatorError`."""
        taught = await self._store.read(lambda uow: teaching.open_page(uow, self._deps, token))
        seen = taught.seen
        room, entries, is_fresh = await self.registry.open_room(seen, EntryId(join.after))
        teacher = TeacherParticipant(token, seen.teacher_name, seen.lesson.teacher)
        connection = RoomConnection(pipe, room.participants.get(token) or teacher)
        room.add(connection)
        participant = connection.participant
        welcome = Welcome(
            connection.info, self.registry.state(room, participant), entries, is_fresh
        )
        reports = self.registry.stream_reports(room)
        connection.send(welcome, room.counts(), room.presence(), reports)
        await self.registry.renew_teachers()
        return room, connection

    def detach(self, room: Room, connection: RoomConnection, *, by_hand: bool = False) -> None:
        """Remove a connection from its room, and from the visit of its page."""
        room.remove(connection)
        self.registry.visits.remove(connection, by_hand=by_hand)

    async def leave(self, room: Room, connection: RoomConnection, *, by_hand: bool) -> None:
        """Remove a connection; the last one of a teacher ends the presence in the classroom.

        A connection that breaks off may come again: the presence then ends later, by itself.
        """
        self.detach(room, connection, by_hand=by_hand)
        participant = connection.participant
        if isinstance(participant, TeacherParticipant) and not participant.connections:
            await self.registry.teachers.end(room.lesson, participant.user, by_hand=by_hand)

    # --- commands --------------------------------------------------------------------------------

    def send_message(self, room: Room, connection: RoomConnection, say: SendMessage) -> None:
        """Queue a message, which is broadcast once it is stored, or refuse it."""
        if self.closing.is_set():
            return  # the client sends it again, to the next server
        participant = connection.participant
        try:
            text = normalize_message(say.text)
            self._check_may_send(room, participant)
        except ChatRefusalError as error:
            self._refuse(connection, CommandRefused("say", error.reason, say.nonce))
            return
        entry = NewChatEntry(room.id, EntryKind.MESSAGE, participant.author, text, nonce=say.nonce)
        school = room.lesson.school
        self._pending.setdefault(school, []).append(PendingMessage(room, connection, entry))
        if school not in self._writers:
            self._writers[school] = asyncio.create_task(self._write_batches(school))

    def _check_may_send(self, room: Room, participant: Participant) -> None:
        """Check that a participant may send a message; raises `ChatRefusalError`."""
        if room.lesson.is_over(self.registry.now()):
            raise ChatRefusalError(ChatRefusal.OVER)
        if not isinstance(participant, ViewerParticipant):
            return
        access = participant.admitted.chat_access
        if access is not ChatAccess.OPEN:
            raise ChatRefusalError(ChatRefusal(access))
        if room.snapshot.chat.is_paused:
            raise ChatRefusalError(ChatRefusal.PAUSED)
        if not participant.message_bucket.try_take():
            raise ChatRefusalError(ChatRefusal.SLOW)
        if not room.message_bucket.try_take():
            raise ChatRefusalError(ChatRefusal.ROOM_SLOW)

    async def _write_batches(self, school: SchoolId) -> None:
        """Write pending messages of a school in batches until none are left."""
        await asyncio.sleep(BATCH_SECONDS)
        while batch := self._pending.pop(school, None):
            await self._write_batch(school, batch)
            await asyncio.sleep(BATCH_SECONDS)
        del self._writers[school]

    async def _write_batch(self, school: SchoolId, batch: list[PendingMessage]) -> None:
        """Write messages in one transaction, and broadcast them."""
        after = {pending.room.id: pending.room.last_entry for pending in batch}

        def unit(uow: UnitOfWork) -> tuple[list[ChatEntry | None], ChatUpdates]:
            return chat.post_messages(
                uow,
                [pending.entry for pending in batch],
                [pending.connection.visitor for pending in batch],
            ), room_queries.load_chat_updates(uow, after)

        try:
            entries, news = await self._store.write(unit, school)
        except Exception:
            log.exception("writing chat messages failed")
            for pending in batch:
                self._refuse(
                    pending.connection,
                    CommandRefused("say", ChatRefusal.FAILED, pending.entry.nonce),
                )
            return
        self._metrics.count_messages(sum(entry is not None for entry in entries))
        for pending, entry in zip(batch, entries, strict=True):
            if entry is None:
                self._refuse_muted(pending, after[pending.room.id])
        self.registry.publish(news)
        for pending, entry in zip(batch, entries, strict=True):
            # It was sent again, but its first copy had been deleted by then.
            if entry is not None and entry.is_deleted:
                pending.connection.send(
                    CommandRefused("say", ChatRefusal.MISSING, pending.entry.nonce)
                )

    def _refuse_muted(self, pending: PendingMessage, last: EntryId) -> None:
        """Refuse a message of a viewer who was muted on another server, or while joining."""
        participant, room = pending.connection.participant, pending.room
        # If there are newer entries, the viewer may be unmuted by now.
        if isinstance(participant, ViewerParticipant) and room.last_entry == last:
            participant.update_permission(room.lesson, is_muted=True)
        self._refuse(
            pending.connection, CommandRefused("say", ChatRefusal.MUTED, pending.entry.nonce)
        )

    def add_likes(self, room: Room, connection: RoomConnection, like: SendLikes) -> None:
        """Count likes, or refuse them by permission or rate limit."""
        participant = connection.participant
        if isinstance(participant, ViewerParticipant) and not participant.admitted.may_like:
            self._refuse(
                connection, CommandRefused("like", ChatRefusal(participant.admitted.chat_access))
            )
        elif not participant.like_bucket.try_take(like.n):
            self._refuse(connection, CommandRefused("like", ChatRefusal.SLOW))
        else:
            room.add_likes(like.n, connection.visitor, self.registry.now())

    async def book_reminder(
        self, room: Room, connection: RoomConnection, participant: ViewerParticipant
    ) -> None:
        """Book a reminder of the class; refused for a visitor whom the school cannot reach."""
        admitted, viewer = participant.admitted, participant.author.viewer
        if viewer is None or participant.kind is ParticipantKind.VISITOR:
            self._refuse(connection, CommandRefused("remind", ChatRefusal(admitted.chat_access)))
            return
        if not participant.has_reminder:
            try:
                participant.has_reminder = await self._store.write(
                    lambda uow: reservations.reserve(uow, room.lesson, viewer, admitted.account),
                    room.lesson.school,
                    scope=SHARED_SCHOOL,
                )
            except Exception:
                log.exception("booking a reminder failed")
                self._refuse(connection, CommandRefused("remind", ChatRefusal.FAILED))
                return
        if participant.has_reminder:
            connection.send(ReminderBooked())
        else:
            self._refuse(connection, CommandRefused("remind", ChatRefusal.MISSING))

    async def moderate(
        self, room: Room, connection: RoomConnection, command: ModerationCommand
    ) -> None:
        """Execute a moderation command of a teacher, and broadcast the change."""
        by, lesson, after = connection.participant.author, room.id, {room.id: room.last_entry}

        def unit(uow: UnitOfWork) -> ChatUpdates:
            match command:
                case DeleteMessage(id=message):
                    chat.delete_message(uow, lesson, by, EntryId(message))
                case PinMessage(id=message):
                    chat.pin_message(
                        uow, lesson, by, EntryId(message) if message is not None else None
                    )
                case MuteViewer(viewer=viewer, on=is_muted):
                    chat.mute(uow, lesson, by, ViewerId(viewer), is_muted=is_muted)
                case PauseChat(on=is_paused):
                    chat.pause(uow, lesson, by, is_paused=is_paused)
            return room_queries.load_chat_updates(uow, after)

        about = str(type(command).__struct_config__.tag)
        try:
            news = await self._store.write(unit, room.lesson.school)
        except OperatorError:
            self._refuse(connection, CommandRefused(about, ChatRefusal.MISSING))
        except Exception:
            log.exception("moderating a chat failed")
            self._refuse(connection, CommandRefused(about, ChatRefusal.FAILED))
        else:
            self.registry.publish(news)

    def _refuse(self, connection: RoomConnection, no: CommandRefused) -> None:
        self._metrics.count_refusal(no.about, no.why)
        connection.send(no)
