"""WebSocket as this server speaks it: uvicorn's, with limits, and a straight way to the wire."""

import asyncio
import logging
from typing import Any, Protocol

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from homeroom.base.connection_budget import ConnectionSlot
from homeroom.web.close_codes import CloseCode

MAX_MESSAGE_BYTES = 8 * 1024
"""Bytes of a message that comes in."""
PING_SECONDS = 20.0
"""Seconds between pings, and the time to answer one."""
MAX_UNSENT_BYTES = 256 * 1024
"""Bytes that may wait for a client that reads too slowly; then its connection is cut."""
MAX_QUEUED_MESSAGES = 64
"""Messages that may wait to be read; a client that sends more is cut off."""
ABNORMAL_CLOSURE = 1006
"""Code of a connection that ended without a close frame."""
MAX_CONTROL_FRAMES = 100
"""Pings, pongs and pieces of messages that may come between two pings of ours."""
CHUNK_BYTES = 4 * 1024
"""Bytes that are parsed between two checks of the number of frames."""
IGNORE_SECONDS = 10.0
"""Seconds for which a client that floods is ignored before its connection closes."""

SLOT_EXTENSION = "homeroom.slot"
"""Key under which an application finds the `ConnectionSlot`, among the extensions of the scope."""
WRITER_EXTENSION = "homeroom.pipe"
"""Key under which an application finds its `FrameWriter`, among the extensions of the scope."""

_log = logging.getLogger("homeroom.web.sockets")
# Addresses carry tokens and messages are private: of neither may a line be logged, at any level.
_log.setLevel(logging.WARNING)
# What is no text is the client's fault, and would fill the log.
_log.addFilter(lambda line: not (line.exc_info and line.exc_info[0] is UnicodeDecodeError))


class FrameWriter(Protocol):
    """Writes encoded frames to a client, so that a broadcast is encoded once."""

    def write_frame(self, frame: bytes) -> None:
        """Send a whole frame; a client that reads too slowly is cut."""
        ...

    def close_with(self, code: int) -> None:
        """Close with a code after all sent data; does nothing if it is closed."""
        ...

    def ignore_then_close(self) -> None:
        """Stop reading, and close later: a client that is closed at once reconnects at once."""
        ...


def text_frame(text: bytes) -> bytes:
    """Return UTF-8 text as a frame that may be sent to any client."""
    return Frame(Opcode.TEXT, text).serialize(mask=False)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, whose connections an application may write to beside it.

    Frames are whole, so what the library sends between them (pings, the close) does no harm.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        slot: ConnectionSlot | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._slot = slot
        self.logger = self.conn.logger = _log
        self.conn.debug = False
        self._control_frames = 0
        self._is_ignored = False

    def handle_connect(self, event: Request) -> None:
        """Begin a connection, and put the way to its client where the application finds it."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = {
                **(self.scope["extensions"] or {}),
                WRITER_EXTENSION: self,
                SLOT_EXTENSION: self._slot,
            }
            self.scope["extensions"] = extensions

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the budget of connections, and tell a lost connection from a closed one."""
        # The base class would give the code of a page that closes without one.
        self.queue.put_nowait({"type": "websocket.disconnect", "code": ABNORMAL_CLOSURE})
        if self._slot is not None:
            self._slot.release()
        super().connection_lost(exc)

    def write_frame(self, frame: bytes) -> None:
        """Send a whole frame; a client that reads too slowly is cut."""
        if self.close_sent or self.transport.is_closing():
            return
        self.transport.write(frame)
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.transport.abort()

    def close_with(self, code: int) -> None:
        """Close with a code after all sent data; does nothing if it is closed."""
        if self.close_sent or self.transport.is_closing():
            return
        try:
            self.conn.send_close(code)
        except InvalidState:  # the client was faster
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    def ignore_then_close(self) -> None:
        """Stop reading, and close later: a client that is closed at once reconnects at once."""
        if not self._is_ignored:
            self._is_ignored = True
            # Paused by us, not by the library, which would resume when its queue is empty.
            self.read_paused = False
            self.transport.pause_reading()
            self.loop.call_later(IGNORE_SECONDS, self._close_ignored)

    def _close_ignored(self) -> None:
        self.close_with(CloseCode.TOO_MANY)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Take what came, piece by piece; many tiny frames would block the loop."""
        if self.close_sent and len(data) > CHUNK_BYTES:
            # More than a close frame.
            self.transport.close()
            return
        for start in range(0, len(data), CHUNK_BYTES):
            if self._is_ignored or self.transport.is_closing():
                return
            super().data_received(data[start : start + CHUNK_BYTES])
            if (
                self._control_frames > MAX_CONTROL_FRAMES
                or self.queue.qsize() > MAX_QUEUED_MESSAGES
            ):
                self.ignore_then_close()
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        """Take a piece of a message."""
        self._control_frames += 1
        super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping."""
        self._control_frames += 1
        super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take an answer to a ping."""
        self._control_frames += 1
        super().handle_pong(event)

    def send_keepalive_ping(self) -> None:
        """Ask whether the client is there."""
        self._control_frames = 0
        super().send_keepalive_ping()
