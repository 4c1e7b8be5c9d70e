"""WebSocket endpoints of the live rooms, for viewers and for teachers.

A client sends one JSON object (a command) in a frame, the server an array of events.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from homeroom.base.errors import HomeroomError
from homeroom.base.networks import network_of
from homeroom.domain.refusal import OperatorError
from homeroom.domain.webcasts import Hosts
from homeroom.player.chat_service import ChatService
from homeroom.player.participants import (
    PageClient,
    RoomConnection,
    TeacherParticipant,
    ViewerParticipant,
)
from homeroom.player.protocol import (
    COMMAND_DECODER,
    BookReminder,
    Command,
    JoinRoom,
    ModerationCommand,
    RequestState,
    SendLikes,
    SendMessage,
    SetPlaying,
)
from homeroom.player.rate_limiter import RateLimiter
from homeroom.player.room import Room
from homeroom.player.teacher_log import report_teacher_link
from homeroom.player.token_bucket import COMMANDS, JOINS, TokenBucket
from homeroom.usecases.viewer_messages import ClientType
from homeroom.usecases.viewing import LoginRequiredError, NoSuchPageError
from homeroom.web.addresses import get_client_address
from homeroom.web.close_codes import CloseCode
from homeroom.web.connections import show_right
from homeroom.web.metrics import Metrics
from homeroom.web.origins import is_same_origin
from homeroom.web.sockets import WRITER_EXTENSION, FrameWriter

log = logging.getLogger("homeroom.player")

JOIN_SECONDS = 10.0
MAX_CONNECTIONS = 10_000
MAX_CONNECTIONS_PER_NETWORK = 500
"""Connections from one address that have not joined a room; a whole school may share it."""
CONNECT_BACKOFF_SECONDS = 5.0
"""Seconds for which new connections from an address are refused after too many at once."""
CONNECT_INTERVAL_SECONDS = 0.05
"""Seconds after which the limiter allows one more connection from the address."""
CLOSED_BY_HAND = frozenset((1000, 1001, 1005))
"""Codes with which a client closes: normal, the page is left, and none at all."""

JoinHandler = Callable[[FrameWriter, JoinRoom], Awaitable[tuple[Room, RoomConnection]]]


class CloseConnectionError(HomeroomError):
    """The connection must be closed with this code."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code)
        self.code = code


class RoomSockets:
    """WebSocket endpoints of the rooms, with their connection limits."""

    def __init__(self, chat: ChatService, hosts: Hosts, metrics: Metrics) -> None:
        """Initialize with the chat service that handles the commands."""
        self._chat = chat
        self._hosts = hosts
        self._metrics = metrics.chat
        self._open = 0
        self._joining_by_network: Counter[str] = Counter()
        """Connections that have not joined a room yet."""
        self._connect_limiter = RateLimiter(
            MAX_CONNECTIONS_PER_NETWORK, CONNECT_INTERVAL_SECONDS, CONNECT_BACKOFF_SECONDS
        )

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these endpoints."""
        return [
            WebSocketRoute("/class/{key}/room", self._viewer),
            WebSocketRoute("/teach/{token}/room", self._teacher),
        ]

    async def _viewer(self, socket: WebSocket) -> None:
        key = socket.path_params["key"]
        client = PageClient(
            get_client_address(socket.scope),
            _find_client_type(socket.headers.get("user-agent", "")),
        )
        await self._serve(
            socket, lambda pipe, join: self._chat.join_viewer(pipe, key, join, client)
        )

    async def _teacher(self, socket: WebSocket) -> None:
        token = socket.path_params["token"]
        address = get_client_address(socket.scope)

        async def join_room(pipe: FrameWriter, join: JoinRoom) -> tuple[Room, RoomConnection]:
            try:
                room, connection = await self._chat.join_teacher(pipe, token, join)
            except (NoSuchPageError, OperatorError) as error:
                report_teacher_link(address, "room", None, str(error))
                raise
            report_teacher_link(address, "room", room.lesson, "")
            return room, connection

        await self._serve(socket, join_room)

    async def _serve(self, socket: WebSocket, handle_join: JoinHandler) -> None:
        """Accept a connection and serve it until it closes."""
        if not is_same_origin(socket.headers, self._hosts.pages):
            await socket.close()
            return
        network = network_of(get_client_address(socket.scope))
        with suppress(WebSocketDisconnect):
            await socket.accept()
            pipe: FrameWriter = socket.scope["extensions"][WRITER_EXTENSION]
            self._open += 1
            self._metrics.connections.inc()
            try:
                with self._count_joining(network):
                    self._check_connection_limits(network)
                    joined = await self._wait_for_join(socket, pipe, handle_join)
                if joined is not None:
                    self._connect_limiter.undo_attempt(network)
                    await self._run_session(socket, pipe, handle_join, *joined)
            except CloseConnectionError as closing:
                pipe.close_with(closing.code)
            finally:
                self._metrics.connections.dec()
                self._open -= 1

    @contextmanager
    def _count_joining(self, network: str) -> Iterator[None]:
        """Count a connection for its address until it has joined a room."""
        self._joining_by_network[network] += 1
        try:
            yield
        finally:
            self._joining_by_network[network] -= 1
            if not self._joining_by_network[network]:
                del self._joining_by_network[network]

    def _check_connection_limits(self, network: str) -> None:
        """Apply the limits on connections; raises `CloseConnectionError`."""
        if self._chat.closing.is_set():
            raise CloseConnectionError(CloseCode.RESTART)
        self._connect_limiter.record_attempt(network)
        if (
            self._joining_by_network[network] > MAX_CONNECTIONS_PER_NETWORK
            or self._open > MAX_CONNECTIONS
            or self._connect_limiter.seconds_to_wait(network) > 0
        ):
            self._metrics.count_refusal("connection", "many")
            raise CloseConnectionError(CloseCode.TOO_MANY)

    async def _wait_for_join(
        self, socket: WebSocket, pipe: FrameWriter, handle_join: JoinHandler
    ) -> tuple[Room, RoomConnection] | None:
        """Return the room and the connection in it, None at the end.

        Raises `CloseConnectionError`.
        """
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                command = await self._receive(socket, pipe, TokenBucket(COMMANDS))
        except TimeoutError:
            raise CloseConnectionError(CloseCode.JOIN_TIMEOUT) from None
        if command is None:
            return None
        if not isinstance(command, JoinRoom):
            raise CloseConnectionError(CloseCode.MALFORMED)
        room, connection = await self._join(pipe, command, handle_join)
        if not show_right(socket.scope):
            self._chat.detach(room, connection)
            raise CloseConnectionError(CloseCode.TOO_MANY)
        return room, connection

    async def _run_session(
        self,
        socket: WebSocket,
        pipe: FrameWriter,
        handle_join: JoinHandler,
        room: Room,
        connection: RoomConnection,
    ) -> None:
        """Dispatch commands until the end; raises `CloseConnectionError`."""
        command_bucket, join_bucket = TokenBucket(COMMANDS), TokenBucket(JOINS)
        join_bucket.try_take()
        try:
            while (command := await self._receive(socket, pipe, command_bucket)) is not None:
                if isinstance(command, JoinRoom):
                    if not join_bucket.try_take():
                        self._metrics.count_refusal("join", "many")
                        raise CloseConnectionError(CloseCode.TOO_MANY)
                    self._chat.detach(room, connection)
                    is_playing = connection.is_playing
                    room, connection = await self._join(pipe, command, handle_join)
                    connection.set_playing(is_playing=is_playing)
                else:
                    await self._dispatch(room, connection, command)
        finally:
            code = getattr(socket.state, "close_code", None)
            await self._chat.leave(room, connection, by_hand=code in CLOSED_BY_HAND)

    async def _join(
        self, pipe: FrameWriter, command: JoinRoom, handle_join: JoinHandler
    ) -> tuple[Room, RoomConnection]:
        """Return the room and the connection in it; raises `CloseConnectionError`."""
        try:
            return await handle_join(pipe, command)
        except LoginRequiredError:
            raise CloseConnectionError(CloseCode.LOGIN_REQUIRED) from None
        except (NoSuchPageError, OperatorError):
            raise CloseConnectionError(CloseCode.NOT_FOUND) from None
        except Exception as failure:
            log.exception("joining a room failed")
            raise CloseConnectionError(CloseCode.INTERNAL_ERROR) from failure

    async def _receive(
        self, socket: WebSocket, pipe: FrameWriter, command_bucket: TokenBucket
    ) -> Command | None:
        """Return the next command, None at the end; raises `CloseConnectionError`."""
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            socket.state.close_code = message.get("code")
            return None
        if not command_bucket.try_take():
            self._metrics.count_refusal("frame", "many")
            pipe.ignore_then_close()
            while message["type"] != "websocket.disconnect":
                message = await socket.receive()
            return None
        try:
            return COMMAND_DECODER.decode(message.get("text") or b"")
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise CloseConnectionError(CloseCode.MALFORMED) from None

    async def _dispatch(self, room: Room, connection: RoomConnection, command: Command) -> None:
        match command:
            case SendMessage():
                self._chat.send_message(room, connection, command)
            case SendLikes():
                self._chat.add_likes(room, connection, command)
            case SetPlaying(on=is_playing):
                connection.set_playing(is_playing=is_playing)
            case RequestState():
                connection.send(self._chat.registry.state(room, connection.participant))
            case BookReminder() if isinstance(connection.participant, ViewerParticipant):
                await self._chat.book_reminder(room, connection, connection.participant)
            case _ if isinstance(connection.participant, TeacherParticipant) and isinstance(
                command, ModerationCommand
            ):
                await self._chat.moderate(room, connection, command)
            case _:
                raise CloseConnectionError(CloseCode.MALFORMED)


def _find_client_type(user_agent: str) -> ClientType:
    """Return whether a browser is that of a telephone or tablet, by what it says."""
    is_mobile = any(word in user_agent for word in ("Mobile", "Android", "iPhone", "iPad"))
    return ClientType.MOBILE if is_mobile else ClientType.DESKTOP
