"""RTMP: one connection that publishes or plays a stream."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from homeroom.media.engine.amf0 import Malformed, Value, decode, encode
from homeroom.media.engine.answers import (
    FAREWELL,
    PING,
    PONG,
    PUBLISHING,
    STREAM,
    WELCOME,
    WINDOW,
    connected,
    control,
    not_connected,
    result,
    status,
)
from homeroom.media.engine.asking import Client, Denied
from homeroom.media.engine.chunks import (
    ACKNOWLEDGEMENT,
    AGGREGATE,
    COMMAND,
    COMMAND_AMF3,
    DATA_AMF3,
    LONG,
    MOST_MEDIA,
    USER_CONTROL,
    WINDOW_SIZE,
    WRAP,
    Message,
    Reader,
)
from homeroom.media.engine.fanout import Viewer, is_crowded
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO, Unsupported
from homeroom.media.engine.settings import APP, LONGEST_NAME

if TYPE_CHECKING:
    from homeroom.media.engine.hub import Hub
    from homeroom.media.engine.stream import Publication

log = logging.getLogger("homeroom.media.rtmp")

DEADLINE: Final = 10.0
"""Seconds for handshake and connect together, and again until it is said what is wanted."""
SILENCE: Final = 30.0
"""Seconds after which a publisher who sends nothing is cut."""
LINGER: Final = 1.0
"""Seconds that a peer has to read why it is cut."""
UNREAD: Final = 30_000
"""Milliseconds after which the kernel gives up a peer that takes nothing or is gone."""
TURN: Final = 0.005
"""Seconds of work for one peer before others get their turn."""
MOST_TOGETHER: Final = 1_000
"""Messages in an aggregate."""
CHATTER: Final = 256_000
"""Bytes that a peer who does not publish may send at first."""
CHATTER_RATE: Final = 2_000
"""Bytes that it may send besides in each second."""
LONGEST: Final = 1024
"""Characters of an address, or a part of one."""

VERSION: Final = 3
SHAKE: Final = 1536
"""Bytes of each of the messages that connections begin with."""
RESULTS: Final = {"createStream": STREAM, "getStreamLength": 0}
"""What calls are answered; whoever numbers any other waits for an answer too, and null will do."""
SET_DATA_FRAME: Final = encode("@setDataFrame")
METADATA: Final = encode("onMetaData")
TAG_HEADER: Final = 11
TAG_END: Final = 4


class RTMP(asyncio.Protocol):
    """A peer on its way from the handshake to publishing or playing, and to its end."""

    _transport: asyncio.Transport
    _timer: asyncio.TimerHandle
    _client: Client

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._ip = ""
        self._opening: bytes | None = b""
        self._is_answered = False
        self._reader = Reader()
        self._tc_url: str | None = None
        self._query = ""
        self._publication: Publication | None = None
        self._viewer: Viewer | None = None
        self._is_held = False
        self._is_over = False
        self._begun = self._heard = self._loop.time()
        self._received = self._acknowledged = 0
        self._window = WINDOW

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._ip = str(peer[0]).removeprefix("::ffff:") if peer else ""
        own: socket.socket | None = transport.get_extra_info("socket")
        if own is not None:
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD)
        self._timer = self._loop.call_later(DEADLINE, self._late)
        if is_crowded(transport):
            self._abort("there are too many connections")

    def data_received(self, data: bytes) -> None:
        """Take what the peer sends."""
        if self._is_over:
            return
        self._heard = self._loop.time()
        self._received += len(data)
        allowed = CHATTER + CHATTER_RATE * (self._heard - self._begun)
        if self._publication is None and self._received > allowed:
            self._abort("it talks too much")
            return
        if self._opening is not None:
            data = self._shake_hands(self._opening + data)
        elif self._received - self._acknowledged >= self._window:
            self._acknowledged = self._received
            self._transport.write(control(ACKNOWLEDGEMENT, LONG.pack(self._received & WRAP)))
        self._reader.feed(data)
        self._work()

    def pause_writing(self) -> None:
        """Let a viewer lag; anyone else is told so little that it could be read."""
        if self._viewer is not None:
            self._viewer.pause()
        else:
            self._abort("it does not read")

    def resume_writing(self) -> None:
        """Let a viewer go on."""
        if self._viewer is not None:
            self._viewer.resume()

    def connection_lost(self, _: Exception | None) -> None:
        """End what the peer published or played."""
        self._is_over = True
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self._let_go()
        if self._viewer is not None:
            self._hub.stopped(self._client)

    def _shake_hands(self, data: bytes) -> bytes:
        """Answer the opening, once it is there; returns what comes after it."""
        if data and data[0] != VERSION:
            self._abort("no RTMP")
            return b""
        if not self._is_answered and len(data) > SHAKE:
            self._is_answered = True
            # Zeros in the place of a version say that ours is the simple handshake.
            own = bytes((VERSION,)) + bytes(8) + os.urandom(SHAKE - 8)
            self._transport.write(own + data[1 : 1 + SHAKE])
        if len(data) < 1 + 2 * SHAKE:
            self._opening = data
            return b""
        self._opening = None
        return data[1 + 2 * SHAKE :]

    def _work(self) -> None:
        """Do what the messages say that are there."""
        over = monotonic() + TURN
        try:
            while not (self._is_held or self._is_over) and (said := self._reader.next()):
                self._take(said)
                if monotonic() > over and not self._is_held:
                    self._hold()
                    self._loop.call_soon(self._go_on)
        except Malformed as fault:
            self._abort(str(fault))
        except Unsupported as fault:
            about = {"ip": self._ip, "stream": self._client.stream}
            log.warning("a push is refused: %s", fault, extra=about)
            self._refuse("NetStream.Publish.Rejected", str(fault))
            self._let_go()
        except Exception:
            log.exception("a connection is given up", extra={"ip": self._ip})
            self._transport.abort()
        if self._publication is not None:
            self._publication.flush()

    def _hold(self) -> None:
        """Read no further for now."""
        self._is_held = True
        self._transport.pause_reading()

    def _go_on(self) -> None:
        """Read on."""
        self._is_held = False
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._work()

    def _take(self, said: Message) -> None:
        """Do what one message says; the kinds that are not here need nothing done."""
        kind, body = said.type, said.body
        if kind in (AUDIO, VIDEO):
            if self._publication is not None:
                self._publication.take(kind, said.time, body)
        elif kind == COMMAND:
            self._command(decode(body))
        elif kind == COMMAND_AMF3:
            self._command(decode(body[1:]))
        elif kind == SCRIPT:
            self._data(said.time, body)
        elif kind == DATA_AMF3:
            self._data(said.time, body[1:])
        elif kind == AGGREGATE:
            self._take_apart(said)
        elif kind == USER_CONTROL and body[:2] == PING:
            self._transport.write(control(USER_CONTROL, PONG + body[2:6]))
        elif kind == WINDOW_SIZE and any(body[:4]):
            self._window = int.from_bytes(body[:4], "big")

    def _data(self, time: int, body: bytes) -> None:
        body = body.removeprefix(SET_DATA_FRAME)
        if self._publication is not None and body.startswith(METADATA):
            self._publication.take(SCRIPT, time, body)

    def _take_apart(self, said: Message) -> None:
        """Take the messages within an aggregate, which look like the tags of an FLV file."""
        body, at, shift, left = said.body, 0, None, MOST_TOGETHER
        while at + TAG_HEADER <= len(body):
            kind = body[at]
            end = at + TAG_HEADER + int.from_bytes(body[at + 1 : at + 4], "big")
            time = int.from_bytes(body[at + 7 : at + 8] + body[at + 4 : at + 7], "big")
            if shift is None:
                shift = said.time - time
            left -= 1
            if end > len(body) or left < 0:
                raise Malformed("an aggregate that is cut short, or of too many messages")
            if kind in (AUDIO, VIDEO, SCRIPT):
                inner = body[at + TAG_HEADER : end]
                self._take(Message(kind, (time + shift) & WRAP, said.stream_id, inner))
            at = end + TAG_END

    def _command(self, values: list[Value]) -> None:
        name, number, about, argument = [*values, None, None, None, None][:4]
        if not (isinstance(name, str) and isinstance(number, float)):
            raise Malformed("a command without a name or a number")
        if name == "connect":
            self._connect(number, about)
        elif self._tc_url is None:
            raise Malformed("the first command is not connect")
        elif name == "publish":
            self._begin(argument, self._publish, "NetStream.Publish.BadName")
        elif name == "play":
            self._begin(argument, self._play, "NetStream.Play.Failed")
        elif name == "pause":
            self._transport.write(status("NetStream.Pause.Notify", "a live stream goes on"))
        elif name in {"FCUnpublish", "deleteStream", "closeStream"}:
            self._stop()
        elif number:
            self._transport.write(result(number, RESULTS.get(name)))

    def _connect(self, number: float, about: Value) -> None:
        if self._tc_url is not None or not isinstance(about, dict):
            raise Malformed("connected twice, or to nothing")
        app, url = about.get("app"), about.get("tcUrl", "")
        if not (isinstance(app, str) and isinstance(url, str)) or len(app) + len(url) > LONGEST:
            raise Malformed("no application, or too long a name for it")
        app, _, self._query = app.partition("?")
        if not self._query:
            self._query = url.partition("?")[2]
        if app.strip("/") != APP:
            reason = f"there is no application of this name; the address ends in /{APP}/ and a key"
            self._end(not_connected(number, reason))
            return
        self._tc_url = url
        self._transport.write(connected(number))
        self._wait(DEADLINE, self._late)

    def _begin(
        self, name: Value, ask: Callable[[], Coroutine[None, None, None]], bad_name: str
    ) -> None:
        """Ask the hub for what the peer wants; until it answers, nothing more is read."""
        if self._task is not None:
            raise Malformed("a connection publishes or plays one stream, once")
        stream, _, query = (name if isinstance(name, str) else "").partition("?")
        if not 0 < len(stream) <= LONGEST_NAME or len(query) > LONGEST:
            self._refuse(bad_name, "no stream has such a name")
            return
        query = query or self._query
        param = f"?{query}" if query else ""
        number = self._hub.client_id()
        self._client = Client(number, self._ip, APP, stream, param, self._tc_url or "")
        self._hold()
        self._wait(DEADLINE, self._late)
        self._task = self._loop.create_task(self._asked(ask))

    async def _asked(self, ask: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await ask()
        except Exception:
            log.exception("a connection is given up", extra={"ip": self._ip})
            self._transport.abort()
        self._go_on()

    async def _publish(self) -> None:
        try:
            publication = await self._hub.publish(self._client, self._cut)
        except Denied as denial:
            self._refuse("NetStream.Publish.Denied", str(denial))
            return
        if self._is_over:
            publication.end()
            return
        self._publication = publication
        self._reader.most_media = MOST_MEDIA
        self._transport.write(PUBLISHING)
        self._watch()

    async def _play(self) -> None:
        try:
            stream = await self._hub.play(self._client)
        except Denied as denial:
            self._refuse("NetStream.Play.Failed", str(denial))
            return
        if self._is_over:
            self._hub.stopped(self._client)
            return
        self._timer.cancel()
        self._viewer = Viewer(self._transport, self._client, FAREWELL)
        self._transport.write(WELCOME)
        stream.rtmp.join(self._viewer)

    def _stop(self) -> None:
        """End what the peer says it has done with; it means to close the connection itself."""
        if self._publication is None and self._viewer is None:
            return
        self._let_go()
        self._transport.write(status("NetStream.Unpublish.Success", "the stream has ended"))
        self._is_over = True
        self._wait(DEADLINE, self._transport.abort)

    def _let_go(self) -> None:
        """End what is published or played."""
        if self._publication is not None:
            self._publication.end()
        if self._viewer is not None and self._viewer.fanout is not None:
            self._viewer.fanout.leave(self._viewer)

    def _cut(self, reason: str) -> None:
        """End a push; whoever wants that has ended the publication, or is about to."""
        self._refuse("NetStream.Publish.Denied", reason)

    def _refuse(self, code: str, reason: str) -> None:
        log.debug("a peer is refused: %s", reason, extra={"ip": self._ip})
        self._end(status(code, reason, "error"))

    def _late(self) -> None:
        self._abort("it takes too long")

    def _watch(self) -> None:
        """Cut a publisher who has fallen silent."""
        silent = self._loop.time() - self._heard
        if silent >= SILENCE:
            self._cut(f"nothing has come for {SILENCE:.0f} s")
        else:
            self._wait(SILENCE - silent, self._watch)

    def _end(self, last: bytes) -> None:
        """Say a last word, and leave the peer the time to read it.

        Were the socket closed at once, what it still sends would wipe that word out.
        """
        if self._is_over or self._transport.is_closing():
            return
        self._is_over = True
        self._transport.write(last)
        self._transport.write_eof()
        self._wait(LINGER, self._transport.abort)

    def _abort(self, reason: str) -> None:
        log.debug("a peer is given up: %s", reason, extra={"ip": self._ip})
        self._is_over = True
        self._transport.abort()

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        """Do something later, in the place of what was to be done later until now."""
        self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)
