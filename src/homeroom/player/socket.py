"""The WebSockets of the rooms: `/class/{key}/room` for viewers, `/teach/{token}/room` for teachers.

A client sends single objects, the server arrays of events that belong together.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from homeroom.domain.refusal import OperatorError
from homeroom.domain.webcasts import Hosts
from homeroom.player.frames import READER, AskState, Frame, Join, Like, Moderation, Play, Say
from homeroom.player.hub import Hub
from homeroom.player.limits import FRAMES, JOINS, Bucket
from homeroom.player.people import Connection, Teacher
from homeroom.player.room import Room
from homeroom.player.rooms import LOG_IN_FIRST, NO_CLASS, RESTART
from homeroom.player.throttle import Throttle, site_of
from homeroom.usecases.viewing import LogInFirst, Unknown
from homeroom.web.metrics import Metrics
from homeroom.web.origins import is_same_origin
from homeroom.web.sockets import CLOSE_TOO_MANY, WRITER_EXTENSION, FrameWriter

log = logging.getLogger("homeroom.player")

MALFORMED = 4400
TOO_LATE = 4408
FAILED = 1011
JOIN_SECONDS = 10.0
MOST_CONNECTIONS = 10_000
MOST_OF_ONE = 500
"""Connections from one address: a whole school may sit behind it."""
WAIT_SECONDS = 5.0
"""Seconds for which nobody is let in from an address that too many have come from at once."""
ARRIVAL_SECONDS = 0.05
"""Seconds after which one more may come from there, once as many have come at once."""

Enter = Callable[[FrameWriter, Join], Awaitable[tuple[Room, Connection]]]


class End(Exception):
    """The connection is to be closed, with a code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Sockets:
    """Takes the connections of the rooms."""

    def __init__(self, hub: Hub, hosts: Hosts, metrics: Metrics) -> None:
        """Take the hub that knows the rooms."""
        self._hub = hub
        self._hosts = hosts
        self._metrics = metrics.chat
        self._open: Counter[str] = Counter()
        self._arrivals = Throttle(MOST_OF_ONE, ARRIVAL_SECONDS, WAIT_SECONDS)

    def routes(self) -> list[BaseRoute]:
        """Return the addresses."""
        return [
            WebSocketRoute("/class/{key}/room", self._viewer),
            WebSocketRoute("/teach/{token}/room", self._teacher),
        ]

    async def _viewer(self, socket: WebSocket) -> None:
        key = socket.path_params["key"]
        await self._serve(socket, lambda pipe, join: self._hub.watch(pipe, key, join))

    async def _teacher(self, socket: WebSocket) -> None:
        token = socket.path_params["token"]
        await self._serve(socket, lambda pipe, join: self._hub.teach(pipe, token, join))

    async def _serve(self, socket: WebSocket, enter: Enter) -> None:
        """Serve a connection to its end."""
        if not is_same_origin(socket.headers, self._hosts.pages):
            await socket.close()
            return
        site = site_of(socket.client.host) if socket.client is not None else ""
        with suppress(WebSocketDisconnect):
            await socket.accept()
            pipe: FrameWriter = socket.scope["extensions"][WRITER_EXTENSION]
            self._open[site] += 1
            self._metrics.connections.inc()
            try:
                self._check_numbers(site)
                await self._talk(socket, pipe, enter)
            except End as end:
                pipe.close_with(end.code)
            finally:
                self._metrics.connections.dec()
                self._open[site] -= 1
                if not self._open[site]:
                    del self._open[site]

    def _check_numbers(self, site: str) -> None:
        """Refuse one connection too many; raises `End`."""
        if self._hub.closing.is_set():
            raise End(RESTART)
        self._arrivals.tried(site)
        if (
            self._open[site] > MOST_OF_ONE
            or self._open.total() > MOST_CONNECTIONS
            or self._arrivals.wait(site) > 0
        ):
            self._metrics.count_refusal("connection", "many")
            raise End(CLOSE_TOO_MANY)

    async def _talk(self, socket: WebSocket, pipe: FrameWriter, enter: Enter) -> None:
        """Let somebody in, and do what they ask; raises `End`."""
        frames, joins = Bucket(FRAMES), Bucket(JOINS)
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                frame = await self._next(socket, pipe, frames)
        except TimeoutError:
            raise End(TOO_LATE) from None
        if frame is None:
            return
        if not isinstance(frame, Join):
            raise End(MALFORMED)
        joins.take()
        room, connection = await self._entered(pipe, frame, enter)
        try:
            while (frame := await self._next(socket, pipe, frames)) is not None:
                if isinstance(frame, Join):
                    if not joins.take():
                        self._metrics.count_refusal("join", "many")
                        raise End(CLOSE_TOO_MANY)
                    room.leave(connection)
                    is_playing = connection.is_playing
                    room, connection = await self._entered(pipe, frame, enter)
                    connection.play(is_playing=is_playing)
                else:
                    await self._do(room, connection, frame)
        finally:
            room.leave(connection)

    async def _entered(
        self, pipe: FrameWriter, join: Join, enter: Enter
    ) -> tuple[Room, Connection]:
        """Return the room that somebody was let into, and their place in it; raises `End`."""
        try:
            return await enter(pipe, join)
        except LogInFirst:
            raise End(LOG_IN_FIRST) from None
        except (Unknown, OperatorError):
            raise End(NO_CLASS) from None
        except Exception as failure:
            log.exception("nobody can be let into a room")
            raise End(FAILED) from failure

    async def _next(self, socket: WebSocket, pipe: FrameWriter, frames: Bucket) -> Frame | None:
        """Return what comes next, none at the end; raises `End`."""
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        if not frames.take():
            self._metrics.count_refusal("frame", "many")
            pipe.ignore_then_close()
            while message["type"] != "websocket.disconnect":
                message = await socket.receive()
            return None
        try:
            return READER.decode(message.get("text") or b"")
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise End(MALFORMED) from None

    async def _do(self, room: Room, connection: Connection, frame: Frame) -> None:
        match frame:
            case Say():
                self._hub.say(room, connection, frame)
            case Like():
                self._hub.like(room, connection, frame)
            case Play(on=is_playing):
                connection.play(is_playing=is_playing)
            case AskState():
                connection.tell(self._hub.rooms.state(room, connection.person))
            case _ if isinstance(connection.person, Teacher) and isinstance(frame, Moderation):
                await self._hub.moderate(room, connection, frame)
            case _:
                raise End(MALFORMED)
