"""HTTP as this server speaks it: uvicorn's, with limits for headers, and with fewer packets."""

import asyncio
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from homeroom.web.bodies import WHOLE_EXTENSION

HEADER_TIMEOUT_SECONDS = 20
"""Seconds in which a client must send the head of a request; bodies have their own limit."""
MAX_HEADER_BYTES = 64 * 1024
"""Bytes of request line and headers that may come in pieces."""
UNREAD_BODY_SECONDS = 4
"""Seconds in which the rest of a body must come that the response did not wait for."""
MAX_URL_BYTES = 64 * 1024 - 1
"""Bytes of an address; httptools reads no longer one."""
PARSED_BYTES = 8 * 1024
"""Bytes that are parsed at a time: tiny requests or chunks must share the event loop."""
BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


class HTTPProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, whose answers leave whole, and whose connections an application may cut.

    uvicorn has no limit for the time or the size of an unfinished head.
    """

    _in_header = True
    _header_bytes = 0
    _header_timer: asyncio.TimerHandle | None = None
    _in_body = False
    _unread_timer: asyncio.TimerHandle | None = None
    _unparsed = b""
    _is_declining = False
    """The request is parsed again, without its offer to change the protocol."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a connection, and start the timer of its first head."""
        super().connection_made(
            _CoalescingTransport(cast("asyncio.Transport", transport), self.loop)
        )
        self._header_timer = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers of a closed connection."""
        self._reset_header_limits()
        self._stop_unread_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse data in pieces, and let others have the event loop between two of them."""
        self._unset_keepalive_if_required()
        if self._unparsed:
            self._unparsed += data
        elif len(data) > PARSED_BYTES:
            self._unparsed = data
            self._parse_next()
        else:
            self._parse(data)

    def _parse_next(self) -> None:
        """Parse a piece of the rest; continues later, and after the response if there is one."""
        if self.transport.is_closing():
            self._unparsed = b""
            return
        piece, self._unparsed = self._unparsed[:PARSED_BYTES], self._unparsed[PARSED_BYTES:]
        self._parse(piece)
        if isinstance(self.transport, _CoalescingTransport):
            self.transport.set_backlog(is_waiting=bool(self._unparsed))
            if self._unparsed and not self.pipeline:
                self.loop.call_soon(self._parse_next)

    def on_response_complete(self) -> None:
        """Continue with the bytes after the request, after the rest of its body."""
        had_pipeline = bool(self.pipeline)
        super().on_response_complete()
        if self._in_body and self.cycle.response_complete and not self.transport.is_closing():
            # No application waits for it, so none has a deadline for it.
            self._unread_timer = self.loop.call_later(UNREAD_BODY_SECONDS, self.transport.close)
        if self._unparsed and had_pipeline and not self.pipeline:
            self.loop.call_soon(self._parse_next)

    def _parse(self, data: bytes) -> None:
        """Parse data; refuse a head of a request that is too large."""
        rest = memoryview(data)
        try:
            while rest:
                rest = self._parse_until_upgrade(rest)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("Invalid HTTP request received.")
            return
        if not self._in_header or self.transport.is_closing():
            return
        self._header_bytes += len(data)
        if self._header_bytes > MAX_HEADER_BYTES:
            self.send_400_response("The head of the request is too large.")
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(HEADER_TIMEOUT_SECONDS, self.transport.close)

    def _parse_until_upgrade(self, data: memoryview) -> memoryview:
        """Parse data; returns what follows a head with an offer that is declined.

        httptools ends at an offer to change the protocol and drops the body of the request. Who
        declines the offer must continue as if it had not been made (RFC 9110, 7.8), so a new parser
        gets the same head without it, and then the rest.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self._is_declining:
                self.handle_websocket_upgrade()
                return data[:0]
            head = self._write_head_without_offer()
            self._is_declining = False
            self.parser = create_parser(self)
            self.parser.feed_data(head)
            return data[upgrade.args[0] :]
        return data[:0]

    def _write_head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % field for field in self.headers if field[0] != b"upgrade"]
        return b"\r\n".join((*lines, b"", b""))

    def _should_upgrade(self) -> bool:
        """Tell whether a request begins a WebSocket: a GET of HTTP/1.1 without a body."""
        return (
            super()._should_upgrade()
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and not any(name in BODY_HEADERS for name, _ in self.headers)
        )

    def on_headers_complete(self) -> None:
        """Stop the timer: the head is complete."""
        self._in_header = False
        self._reset_header_limits()
        if len(self.url) > MAX_URL_BYTES or self.parser.get_method() == b"CONNECT":
            # The parser turns this into an invalid request.
            raise httptools.HttpParserInvalidURLError
        if self.parser.should_upgrade() and not self._should_upgrade():
            self._is_declining = True
            return
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the body, unless the request is about to be parsed again."""
        if not self._is_declining:
            self._in_body = False
            cast("dict[str, Any]", self.scope)["extensions"][WHOLE_EXTENSION] = True
            self._stop_unread_timer()
            super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, without what only answers need."""
        transport = cast("_CoalescingTransport", self.transport)
        # A client sends no frames before the upgrade is accepted.
        self._unparsed = b""
        transport.set_backlog(is_waiting=False)
        self.transport = transport.unwrap()
        super().handle_websocket_upgrade()

    def _reset_header_limits(self) -> None:
        self._header_bytes = 0
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def on_message_begin(self) -> None:
        """Put the way to cut the connection where the application finds it."""
        super().on_message_begin()
        self._in_header = True
        scope = cast("dict[str, Any]", self.scope)
        scope["extensions"] = {"homeroom.abort": self.transport.abort}


def create_parser(protocol: HttpToolsProtocol) -> httptools.HttpRequestParser:
    """Return a parser as uvicorn creates it."""
    parser = httptools.HttpRequestParser(protocol)
    # A request behind one with `Connection: close` must not prevent the response to the first.
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


class _CoalescingTransport(asyncio.Transport):
    """A transport that sends the head of an answer and its body at once, where both are there.

    uvicorn writes them one after the other: two packets, for which the client wakes up twice.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._buffer = b""
        self._has_backlog = False
        self._is_paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send data together with the buffer, or buffer it until the next iteration of the loop."""
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
            self._send(data)
        else:
            self._buffer = bytes(data)
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Close once everything is sent."""
        self._flush()
        self._transport.close()

    def unwrap(self) -> asyncio.Transport:
        """Send the buffer, and return the transport that sends at once."""
        self._flush()
        return self._transport

    def _flush(self) -> None:
        if self._buffer:
            data, self._buffer = self._buffer, b""
            self._send(data)

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        # The client may have gone since they were buffered: uvloop raises at a write then.
        if not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        """Close the connection at once; unsent data are lost."""
        self._buffer = b""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether the transport closes or is closed."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401  as asyncio has it
        """Return what the transport knows of its peer."""
        return self._transport.get_extra_info(name, default)

    def set_backlog(self, *, is_waiting: bool) -> None:
        """Read nothing more while data wait to be parsed."""
        self._has_backlog = is_waiting
        self._apply_pauses()

    def pause_reading(self) -> None:
        """Stop reading from the client."""
        self._is_paused = True
        self._apply_pauses()

    def resume_reading(self) -> None:
        """Continue reading from the client, once nothing waits to be parsed."""
        self._is_paused = False
        self._apply_pauses()

    def _apply_pauses(self) -> None:
        if self._transport.is_closing():
            return
        if self._is_paused or self._has_backlog:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection to another protocol."""
        self._transport.set_protocol(protocol)
