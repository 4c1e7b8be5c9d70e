"""An RTMP connection, which publishes or plays one stream."""

import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Final

from homeroom.base.connection_budget import ConnectionBudget
from homeroom.base.networks import network_of
from homeroom.media.engine.amf0 import MAX_VALUES, AMF0Reader, ProtocolError, Value, encode
from homeroom.media.engine.chunks import (
    AGGREGATE,
    COMMAND,
    COMMAND_AMF3,
    DATA_AMF3,
    MAX_DATA_MESSAGE_BYTES,
    MAX_MEDIA_MESSAGE_BYTES,
    USER_CONTROL,
    WINDOW_SIZE,
    RTMPMessage,
    split_aggregate,
)
from homeroom.media.engine.fanout import StreamViewer
from homeroom.media.engine.hooks_client import ClientInfo, DeniedError
from homeroom.media.engine.metadata import METADATA
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO
from homeroom.media.engine.responses import (
    CANNOT_PAUSE,
    CONNECT_NUMBER,
    MESSAGE_STREAM_ID,
    PING,
    PLAY_END,
    PLAY_START,
    PLAY_STOP,
    PONG,
    PUBLISH_START,
    SERVER_FAILED,
    UNPUBLISHED,
    connect_error,
    connect_result,
    control_message,
    result_message,
    status_message,
)
from homeroom.media.engine.rtmp_peer import RTMPPeer
from homeroom.media.engine.settings import APP
from homeroom.media.engine.stream_address import (
    AddressError,
    ServerAddress,
    parse_server,
    parse_stream,
)

if TYPE_CHECKING:
    import asyncio

    from homeroom.media.engine.registry import StreamRegistry
    from homeroom.media.engine.stream import Publication

log = logging.getLogger("homeroom.media.rtmp")

SILENCE_SECONDS: Final = 30.0
"""A publisher who sends nothing for this long is disconnected."""
CALL_RESULTS: Final = {"createStream": MESSAGE_STREAM_ID, "getStreamLength": 0}
"""Results of calls; any other numbered call gets null as its result."""
NO_ROOM: Final = "the server has too many connections; try again later"
BUSY: Final = "this connection has a stream already; delete it before another one"
SET_DATA_FRAME: Final = encode("@setDataFrame")
AMF0_FORMAT: Final = b"\0"
"""Before the values of messages for AMF3, which are in AMF0 nevertheless. No name begins so."""


class RTMPConnection(RTMPPeer):
    """The protocol of one peer: connect, then publish or play, one after the other."""

    _client: ClientInfo

    def __init__(self, hub: "StreamRegistry", budget: ConnectionBudget) -> None:
        super().__init__(budget)
        self._streams = hub
        self._task: asyncio.Task[None] | None = None
        self._server: ServerAddress | None = None
        self._publication: Publication | None = None
        self._viewer: StreamViewer | None = None
        self._about: dict[str, int | str] = {}
        """Facts about the peer in the log."""

    def pause_writing(self) -> None:
        """Mark a viewer as lagging; disconnect other peers, who get little output."""
        if self._viewer is not None:
            self._viewer.pause()
        elif not self._is_over:
            self._report("peer_refused: it does not read what the server sends")
            self._release()
            self._abort()

    def resume_writing(self) -> None:
        """Continue a viewer."""
        if self._viewer is not None:
            self._viewer.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the stream, and a request for one."""
        if self._task is not None:
            self._task.cancel()
        super().connection_lost(exc)

    @property
    def _is_publishing(self) -> bool:
        return self._publication is not None

    def _flush(self) -> None:
        if self._publication is not None:
            self._publication.flush()

    def _handle_message(self, message: RTMPMessage) -> None:
        """Handle one message; other types need no action."""
        kind, body = message.type, message.body
        if kind in (AUDIO, VIDEO):
            if self._publication is not None:
                self._publication.add(kind, message.time, body)
        elif kind in (COMMAND, COMMAND_AMF3):
            self._handle_command(AMF0Reader(body.removeprefix(AMF0_FORMAT), MAX_VALUES))
        elif kind in (SCRIPT, DATA_AMF3):
            self._handle_data(message.time, body.removeprefix(AMF0_FORMAT))
        elif kind == AGGREGATE:
            self._handle_aggregate(message)
        elif kind == USER_CONTROL and body[:2] == PING:
            self._transport.write(control_message(USER_CONTROL, PONG + body[2:6]))
        elif kind == WINDOW_SIZE and any(body[:4]):
            self._window = int.from_bytes(body[:4], "big")

    def _handle_data(self, time: int, body: bytes) -> None:
        """Pass metadata on; other data, as cue points and captions, is dropped."""
        if self._publication is None:
            return
        if self._reader.skipped:
            self._report(f"metadata_skipped: it has {self._reader.skipped} bytes")
            self._reader.skipped = 0
        body = body.removeprefix(SET_DATA_FRAME)
        if body.startswith(METADATA):
            self._publication.add(SCRIPT, time, body)

    def _handle_aggregate(self, aggregate: RTMPMessage) -> None:
        for message in split_aggregate(aggregate):
            self._handle_message(message)

    def _handle_command(self, values: AMF0Reader) -> None:
        """Handle a command; values that it does not need are not read."""
        name, number = values.read_next(), values.read_next()
        if not (isinstance(name, str) and isinstance(number, float)):
            raise ProtocolError("a command without a name or a number")
        if name == "connect":
            self._connect(number, values.read_next())
        elif self._server is None:
            raise ProtocolError("the first command is not connect")
        elif name in {"publish", "play"}:
            values.skip_next()  # always null
            self._start_stream(self._server, name, values.read_next())
        else:
            if name == "pause":
                self._transport.write(CANNOT_PAUSE)
            elif name in {"FCUnpublish", "deleteStream", "closeStream"}:
                self._stop()
            if number:
                self._transport.write(result_message(number, CALL_RESULTS.get(name)))

    def _connect(self, number: float, about: Value) -> None:
        if self._server is not None or not isinstance(about, dict):
            raise ProtocolError("connected twice, or to nothing")
        app, url = about.get("app"), about.get("tcUrl")
        try:
            self._server = parse_server(
                app if isinstance(app, str) else "", url if isinstance(url, str) else ""
            )
        except AddressError as reason:
            self._report(f"peer_refused: {reason}")
            self._end(connect_error(number, str(reason)))
            return
        self._slot.wait()
        self._transport.write(connect_result(number, about))
        self._wait_for_request()

    def _start_stream(self, server: ServerAddress, command: str, name: Value) -> None:
        """Request publish or play; reading pauses until the permission arrives."""
        is_publish = command == "publish"
        error = "NetStream.Publish.BadName" if is_publish else "NetStream.Play.Failed"
        if self._publication is not None or self._viewer is not None:
            self._transport.write(status_message(error, BUSY, "error"))
            return
        try:
            stream, query = parse_stream(server, name if isinstance(name, str) else "")
        except AddressError as reason:
            self._refuse(error, str(reason))
            return
        self._about = {"stream": stream}
        param = f"?{query}" if query else ""
        number = self._streams.client_id()
        self._client = ClientInfo(number, self._ip, APP, stream, param, server.url)
        self._pause_reading()
        self._wait_for_request()
        self._slot.work()
        request = self._publish if is_publish else self._play
        self._task = self._loop.create_task(self._run_request(request))

    async def _run_request(self, request: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await request()
        except Exception:
            log.exception("connection_failed", extra={"ip": self._ip})
            self._end(SERVER_FAILED)
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
        self._reader.max_data_bytes = MAX_DATA_MESSAGE_BYTES
        self._skip_short_reads()
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
        """End the stream at the peer's request; it may begin another one, or close."""
        if self._publication is None and self._viewer is None:
            return
        self._transport.write(UNPUBLISHED if self._publication is not None else PLAY_STOP)
        self._release()
        self._unpublished_since = (self._received, self._heard_at)
        self._slot.wait()
        self._wait_for_request()

    def _release(self) -> None:
        """End the publish session or remove the viewer."""
        publication, self._publication = self._publication, None
        viewer, self._viewer = self._viewer, None
        if publication is not None:
            publication.end()
        if viewer is not None:
            if viewer.fanout is not None:
                viewer.fanout.leave(viewer)
            self._streams.viewer_left(self._client)

    def _cut(self, reason: str) -> None:
        """Disconnect a publisher that did nothing wrong."""
        log.info("publish_cut: %s", reason, extra={"ip": self._ip, **self._about})
        self._end(status_message("NetStream.Publish.Denied", reason, "error"))

    def _refuse(self, code: str, reason: str) -> None:
        """Close the connection; the peer and the operator get the reason."""
        self._report(f"peer_refused: {reason}")
        self._end(status_message(code, reason, "error"))

    def _reject(self, reason: str) -> None:
        """Close the connection of a peer that breaks a rule, with the message that it expects."""
        if self._handshake is None and self._server is None:
            self._report(f"peer_refused: {reason}")
            self._end(connect_error(CONNECT_NUMBER, reason))
        elif self._publication is not None:
            log.warning("publish_refused: %s", reason, extra={"ip": self._ip, **self._about})
            self._end(status_message("NetStream.Publish.Rejected", reason, "error"))
        else:
            code = "NetStream.Failed" if self._viewer is None else "NetStream.Play.Failed"
            self._refuse(code, reason)

    def _report(self, event: str) -> None:
        """Log an event of the peer; those of one address are limited."""
        self._streams.refusals.record(event, network_of(self._ip), self._about)

    def _check_silence(self) -> None:
        """Disconnect a silent publisher."""
        silent = self._loop.time() - self._heard_at
        if silent >= SILENCE_SECONDS:
            self._cut(f"nothing has come for {SILENCE_SECONDS:.0f} s")
        else:
            self._set_timer(SILENCE_SECONDS - silent, self._check_silence)
