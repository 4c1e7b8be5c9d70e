"""An RTMP connection, which publishes or plays one stream."""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from homeroom.base.connection_budget import ConnectionBudget, ConnectionSlot
from homeroom.base.networks import network_of
from homeroom.media.engine.amf0 import ProtocolError, Value, decode, encode
from homeroom.media.engine.chunks import (
    ACKNOWLEDGEMENT,
    AGGREGATE,
    COMMAND,
    COMMAND_AMF3,
    DATA_AMF3,
    LONG,
    MAX_MEDIA_MESSAGE_BYTES,
    USER_CONTROL,
    WINDOW_SIZE,
    WRAP,
    ChunkReader,
    RTMPMessage,
    split_aggregate,
)
from homeroom.media.engine.fanout import StreamViewer
from homeroom.media.engine.handshake import Handshake
from homeroom.media.engine.hooks_client import ClientInfo, DeniedError
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO, UnsupportedMediaError
from homeroom.media.engine.responses import (
    MESSAGE_STREAM_ID,
    PING,
    PLAY_END,
    PLAY_START,
    PONG,
    PUBLISH_START,
    WINDOW_BYTES,
    connect_error,
    connect_result,
    control_message,
    result_message,
    status_message,
)
from homeroom.media.engine.settings import APP, MAX_NAME_CHARS

if TYPE_CHECKING:
    from homeroom.media.engine.registry import StreamRegistry
    from homeroom.media.engine.stream import Publication

log = logging.getLogger("homeroom.media.rtmp")

HANDSHAKE_SECONDS: Final = 10.0
"""Deadline for handshake and connect, and again for publish or play."""
SILENCE_SECONDS: Final = 30.0
"""A publisher who sends nothing for this long is disconnected."""
LINGER_SECONDS: Final = 1.0
"""Time for a peer to read the reason before the connection closes."""
USER_TIMEOUT_MS: Final = 30_000
"""TCP_USER_TIMEOUT: the kernel drops a peer that acknowledges nothing for this long."""
TURN_SECONDS: Final = 0.005
"""Work for one peer before the loop serves others."""
MAX_COMMAND_BYTES: Final = 256_000
"""Bytes that a peer may send without publishing."""
MAX_COMMAND_BYTES_PER_SECOND: Final = 2_000
"""Further bytes for each second."""
MAX_ADDRESS_CHARS: Final = 1024
"""Maximum length of an address or a part of it."""

CALL_RESULTS: Final = {"createStream": MESSAGE_STREAM_ID, "getStreamLength": 0}
"""Results of calls; any other numbered call gets null as its result."""
NO_ROOM: Final = "the server has too many connections; try again later"
SET_DATA_FRAME: Final = encode("@setDataFrame")
METADATA: Final = encode("onMetaData")


class RTMPConnection(asyncio.Protocol):
    """The protocol of one peer: handshake, connect, then publish or play."""

    _transport: asyncio.Transport
    _timer: asyncio.TimerHandle
    _client: ClientInfo
    _slot: ConnectionSlot

    def __init__(self, hub: "StreamRegistry", budget: ConnectionBudget) -> None:
        self._streams = hub
        self._budget = budget
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._ip = ""
        self._handshake: Handshake | None = Handshake()
        self._reader = ChunkReader()
        self._tc_url: str | None = None
        self._query = ""
        self._publication: Publication | None = None
        self._viewer: StreamViewer | None = None
        self._is_paused = False
        self._is_over = False
        self._connected_at = self._heard_at = self._loop.time()
        self._received = self._acknowledged = 0
        self._window = WINDOW_BYTES

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set socket options and the handshake deadline."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._ip = str(peer[0]).removeprefix("::ffff:") if peer else ""
        own: socket.socket | None = transport.get_extra_info("socket")
        if own is not None:
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        self._timer = self._loop.call_later(HANDSHAKE_SECONDS, self._time_out)
        self._slot = self._budget.admit(network_of(self._ip), self._transport.abort)
        if not self._slot.is_open:
            self._abort("there are too many connections")

    def data_received(self, data: bytes) -> None:
        """Handle input from the peer."""
        if self._is_over:
            return
        self._heard_at = self._loop.time()
        self._received += len(data)
        allowed = MAX_COMMAND_BYTES + MAX_COMMAND_BYTES_PER_SECOND * (
            self._heard_at - self._connected_at
        )
        if self._publication is None and self._received > allowed:
            self._abort("it talks too much")
            return
        if self._handshake is not None:
            data = self._shake_hands(self._handshake, data)
        elif self._received - self._acknowledged >= self._window:
            self._acknowledged = self._received
            self._transport.write(
                control_message(ACKNOWLEDGEMENT, LONG.pack(self._received & WRAP))
            )
        self._reader.feed(data)
        self._process()

    def pause_writing(self) -> None:
        """Mark a viewer as lagging; disconnect other peers, who get little output."""
        if self._viewer is not None:
            self._viewer.pause()
        else:
            self._abort("it does not read")

    def resume_writing(self) -> None:
        """Continue a viewer."""
        if self._viewer is not None:
            self._viewer.resume()

    def connection_lost(self, _: Exception | None) -> None:
        """End the publish session or the viewer."""
        self._is_over = True
        self._slot.release()
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self._release()
        if self._viewer is not None:
            self._streams.viewer_left(self._client)

    def _shake_hands(self, handshake: Handshake, data: bytes) -> bytes:
        try:
            answer, rest = handshake.feed(data)
        except ProtocolError as fault:
            self._abort(str(fault))
            return b""
        if answer:
            self._transport.write(answer)
        if rest is None:
            return b""
        self._handshake = None
        self._slot.wait()
        return rest

    def _process(self) -> None:
        """Handle the buffered messages."""
        over = monotonic() + TURN_SECONDS
        try:
            while not (self._is_paused or self._is_over) and (message := self._reader.next()):
                self._handle_message(message)
                if monotonic() > over and not self._is_paused:
                    self._pause_reading()
                    self._loop.call_soon(self._resume_reading)
        except ProtocolError as fault:
            self._abort(str(fault))
        except UnsupportedMediaError as fault:
            about = {"ip": self._ip, "stream": self._client.stream}
            log.warning("publish_refused: %s", fault, extra=about)
            self._refuse("NetStream.Publish.Rejected", str(fault))
            self._release()
        except Exception:
            log.exception("connection_failed", extra={"ip": self._ip})
            self._transport.abort()
        if self._publication is not None:
            self._publication.flush()

    def _pause_reading(self) -> None:
        self._is_paused = True
        self._transport.pause_reading()

    def _resume_reading(self) -> None:
        self._is_paused = False
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._process()

    def _handle_message(self, message: RTMPMessage) -> None:
        """Handle one message; other types need no action."""
        kind, body = message.type, message.body
        if kind in (AUDIO, VIDEO):
            if self._publication is not None:
                self._publication.add(kind, message.time, body)
        elif kind == COMMAND:
            self._handle_command(decode(body))
        elif kind == COMMAND_AMF3:
            self._handle_command(decode(body[1:]))
        elif kind == SCRIPT:
            self._handle_data(message.time, body)
        elif kind == DATA_AMF3:
            self._handle_data(message.time, body[1:])
        elif kind == AGGREGATE:
            self._handle_aggregate(message)
        elif kind == USER_CONTROL and body[:2] == PING:
            self._transport.write(control_message(USER_CONTROL, PONG + body[2:6]))
        elif kind == WINDOW_SIZE and any(body[:4]):
            self._window = int.from_bytes(body[:4], "big")

    def _handle_data(self, time: int, body: bytes) -> None:
        body = body.removeprefix(SET_DATA_FRAME)
        if self._publication is not None and body.startswith(METADATA):
            self._publication.add(SCRIPT, time, body)

    def _handle_aggregate(self, aggregate: RTMPMessage) -> None:
        for message in split_aggregate(aggregate):
            self._handle_message(message)

    def _handle_command(self, values: list[Value]) -> None:
        name, number, about, argument = [*values, None, None, None, None][:4]
        if not (isinstance(name, str) and isinstance(number, float)):
            raise ProtocolError("a command without a name or a number")
        if name == "connect":
            self._connect(number, about)
        elif self._tc_url is None:
            raise ProtocolError("the first command is not connect")
        elif name == "publish":
            self._start_stream(argument, self._publish, "NetStream.Publish.BadName")
        elif name == "play":
            self._start_stream(argument, self._play, "NetStream.Play.Failed")
        elif name == "pause":
            self._transport.write(
                status_message("NetStream.Pause.Notify", "a live stream cannot pause")
            )
        elif name in {"FCUnpublish", "deleteStream", "closeStream"}:
            self._stop()
        elif number:
            self._transport.write(result_message(number, CALL_RESULTS.get(name)))

    def _connect(self, number: float, about: Value) -> None:
        if self._tc_url is not None or not isinstance(about, dict):
            raise ProtocolError("connected twice, or to nothing")
        app, url = about.get("app"), about.get("tcUrl", "")
        if (
            not (isinstance(app, str) and isinstance(url, str))
            or len(app) + len(url) > MAX_ADDRESS_CHARS
        ):
            raise ProtocolError("no application, or too long a name for it")
        app, _, self._query = app.partition("?")
        if not self._query:
            self._query = url.partition("?")[2]
        if app.strip("/") != APP:
            reason = f"there is no application of this name; the address ends in /{APP}/ and a key"
            self._end(connect_error(number, reason))
            return
        self._tc_url = url
        self._slot.wait()
        self._transport.write(connect_result(number))
        self._set_timer(HANDSHAKE_SECONDS, self._time_out)

    def _start_stream(
        self, name: Value, ask: Callable[[], Coroutine[None, None, None]], bad_name: str
    ) -> None:
        """Request publish or play; reading pauses until the permission arrives."""
        if self._task is not None:
            raise ProtocolError("a connection publishes or plays one stream, once")
        stream, _, query = (name if isinstance(name, str) else "").partition("?")
        if not 0 < len(stream) <= MAX_NAME_CHARS or len(query) > MAX_ADDRESS_CHARS:
            self._refuse(bad_name, "no stream has such a name")
            return
        query = query or self._query
        param = f"?{query}" if query else ""
        number = self._streams.client_id()
        self._client = ClientInfo(number, self._ip, APP, stream, param, self._tc_url or "")
        self._pause_reading()
        self._set_timer(HANDSHAKE_SECONDS, self._time_out)
        self._slot.work()
        self._task = self._loop.create_task(self._run_request(ask))

    async def _run_request(self, ask: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await ask()
        except Exception:
            log.exception("connection_failed", extra={"ip": self._ip})
            self._transport.abort()
        self._resume_reading()

    async def _publish(self) -> None:
        try:
            publication = await self._streams.publish(self._client, self._cut)
        except DeniedError as denial:
            self._refuse("NetStream.Publish.Denied", str(denial))
            return
        if self._is_over:
            publication.end()
            return
        if not self._slot.show_right(is_privileged=True):
            self._refuse("NetStream.Publish.Denied", NO_ROOM)
            publication.end()
            return
        self._publication = publication
        self._reader.max_media_bytes = MAX_MEDIA_MESSAGE_BYTES
        self._transport.write(PUBLISH_START)
        self._check_silence()

    async def _play(self) -> None:
        try:
            stream = await self._streams.play(self._client)
        except DeniedError as denial:
            self._refuse("NetStream.Play.Failed", str(denial))
            return
        if self._is_over:
            self._streams.viewer_left(self._client)
            return
        if not self._slot.show_right():
            self._refuse("NetStream.Play.Failed", NO_ROOM)
            self._streams.viewer_left(self._client)
            return
        self._timer.cancel()
        self._viewer = StreamViewer(self._transport, self._client, PLAY_END)
        self._transport.write(PLAY_START)
        stream.rtmp.join(self._viewer)

    def _stop(self) -> None:
        """End the stream at the peer's request; the peer closes the connection."""
        if self._publication is None and self._viewer is None:
            return
        self._release()
        self._transport.write(status_message("NetStream.Unpublish.Success", "the stream has ended"))
        self._is_over = True
        self._set_timer(HANDSHAKE_SECONDS, self._transport.abort)

    def _release(self) -> None:
        """End the publish session or remove the viewer."""
        if self._publication is not None:
            self._publication.end()
        if self._viewer is not None and self._viewer.fanout is not None:
            self._viewer.fanout.leave(self._viewer)

    def _cut(self, reason: str) -> None:
        """Disconnect a publisher; the caller ends the publish session."""
        self._refuse("NetStream.Publish.Denied", reason)

    def _refuse(self, code: str, reason: str) -> None:
        log.debug("peer_refused: %s", reason, extra={"ip": self._ip})
        self._end(status_message(code, reason, "error"))

    def _time_out(self) -> None:
        self._abort("it takes too long")

    def _check_silence(self) -> None:
        """Disconnect a silent publisher."""
        silent = self._loop.time() - self._heard_at
        if silent >= SILENCE_SECONDS:
            self._cut(f"nothing has come for {SILENCE_SECONDS:.0f} s")
        else:
            self._set_timer(SILENCE_SECONDS - silent, self._check_silence)

    def _end(self, last: bytes) -> None:
        """Send a last message and give the peer time to read it.

        Closing the socket at once would reset the connection and lose the message.
        """
        if self._is_over or self._transport.is_closing():
            return
        self._is_over = True
        self._slot.wait()
        self._transport.write(last)
        self._transport.write_eof()
        self._set_timer(LINGER_SECONDS, self._transport.abort)

    def _abort(self, reason: str) -> None:
        log.debug("peer_aborted: %s", reason, extra={"ip": self._ip})
        self._is_over = True
        self._transport.abort()

    def _set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)
