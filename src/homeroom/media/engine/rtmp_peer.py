"""The connection of an RTMP peer: handshake, deadlines, fair turns, and the last word."""

import asyncio
import logging
import socket
from abc import abstractmethod
from collections.abc import Callable
from time import monotonic
from typing import Final, cast

from homeroom.base.connection_budget import ConnectionBudget, ConnectionSlot
from homeroom.base.networks import network_of
from homeroom.media.engine.amf0 import ProtocolError
from homeroom.media.engine.chunks import ACKNOWLEDGEMENT, LONG, WRAP, ChunkReader, RTMPMessage
from homeroom.media.engine.handshake import Handshake
from homeroom.media.engine.packets import UnsupportedMediaError
from homeroom.media.engine.responses import SERVER_FAILED, WINDOW_BYTES, control_message

log = logging.getLogger("homeroom.media.rtmp")

HANDSHAKE_SECONDS: Final = 10.0
"""Deadline for handshake and connect, and again for each publish or play."""
LINGER_SECONDS: Final = 1.0
"""Time for a peer to read the reason before the connection closes."""
USER_TIMEOUT_MS: Final = 30_000
"""TCP_USER_TIMEOUT: the kernel drops a peer that acknowledges nothing for this long."""
MIN_READ_BYTES: Final = 13
"""SO_RCVLOWAT of a publisher: ffmpeg writes the header of a message, at most 12 bytes, and then
its body. Two wake-ups for each message would cost more than the message itself."""
TURN_SECONDS: Final = 0.005
"""Work for one peer before the loop serves others."""
MAX_COMMAND_BYTES: Final = 256_000
"""Bytes that a peer may send without publishing."""
MAX_COMMAND_BYTES_PER_SECOND: Final = 2_000
"""Further bytes for each second."""


class RTMPPeer(asyncio.Protocol):
    """The connection of one peer, without the meaning of its messages."""

    _transport: asyncio.Transport
    _timer: asyncio.TimerHandle
    _slot: ConnectionSlot

    def __init__(self, budget: ConnectionBudget) -> None:
        self._budget = budget
        self._loop = asyncio.get_running_loop()
        self._ip = ""
        self._handshake: Handshake | None = Handshake()
        self._reader = ChunkReader()
        self._is_paused = False
        self._is_over = False
        self._heard_at = self._loop.time()
        self._received = self._acknowledged = 0
        self._unpublished_since = (self._received, self._heard_at)
        """Bytes and time of the start of the present time without a publish session."""
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
            self._abort()

    def data_received(self, data: bytes) -> None:
        """Handle input from the peer."""
        if self._is_over:
            return
        self._heard_at = self._loop.time()
        self._received += len(data)
        if not self._is_publishing and self._is_over_budget():
            self._reject("too many bytes were sent without publishing")
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

    def connection_lost(self, _: Exception | None) -> None:
        """End the stream of the peer."""
        self._is_over = True
        self._slot.release()
        self._timer.cancel()
        self._release()

    @property
    @abstractmethod
    def _is_publishing(self) -> bool:
        """Return whether there is a publish session."""

    @abstractmethod
    def _handle_message(self, message: RTMPMessage) -> None:
        """Handle one message; raises `ProtocolError` and `UnsupportedMediaError`."""

    @abstractmethod
    def _flush(self) -> None:
        """Pass on what the latest messages brought."""

    @abstractmethod
    def _release(self) -> None:
        """End the publish session or remove the viewer; does nothing where there is none."""

    @abstractmethod
    def _reject(self, reason: str) -> None:
        """Close the connection of a peer that breaks a rule, with the message that it expects."""

    def _is_over_budget(self) -> bool:
        """Return whether too much came without a publish session."""
        received, since = self._unpublished_since
        allowed = MAX_COMMAND_BYTES + MAX_COMMAND_BYTES_PER_SECOND * (self._heard_at - since)
        return self._received - received > allowed

    def _shake_hands(self, handshake: Handshake, data: bytes) -> bytes:
        try:
            answer, rest = handshake.feed(data)
        except ProtocolError as fault:
            self._reject(str(fault))
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
        # Input holds a part of a message or a single one, most of the time.
        over: float | None = None
        try:
            while not (self._is_paused or self._is_over) and (message := self._reader.next()):
                over = over or monotonic() + TURN_SECONDS
                self._handle_message(message)
                if monotonic() > over and not self._is_paused:
                    self._pause_reading()
                    self._loop.call_soon(self._resume_reading)
        except (ProtocolError, UnsupportedMediaError) as fault:
            self._reject(str(fault))
        except Exception:
            log.exception("connection_failed", extra={"ip": self._ip})
            self._end(SERVER_FAILED)
        self._flush()

    def _skip_short_reads(self) -> None:
        """Have the kernel wait for more than the header of a message, or for the end."""
        own: socket.socket | None = self._transport.get_extra_info("socket")
        if own is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, MIN_READ_BYTES)

    def _pause_reading(self) -> None:
        self._is_paused = True
        self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._is_paused:
            return
        self._is_paused = False
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._process()

    def _wait_for_request(self) -> None:
        """Start the deadline for what the peer must do next, or the server for it."""
        self._set_timer(HANDSHAKE_SECONDS, self._time_out)

    def _time_out(self) -> None:
        self._reject(f"nothing was published or played for {HANDSHAKE_SECONDS:.0f} s")

    def _end(self, last: bytes) -> None:
        """Send a last message and give the peer time to read it.

        Closing the socket at once would reset the connection and lose the message. Unread input
        would do the same, so what still comes is read and ignored.
        """
        if self._is_over or self._transport.is_closing():
            return
        self._release()
        if self._handshake is not None:
            self._abort()  # it cannot read messages yet
            return
        self._is_over = True
        self._slot.wait()
        self._transport.write(last)
        self._transport.write_eof()
        self._set_timer(LINGER_SECONDS, self._transport.abort)
        self._resume_reading()

    def _abort(self) -> None:
        self._is_over = True
        self._transport.abort()

    def _set_timer(self, seconds: float, then: Callable[[], None]) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)
