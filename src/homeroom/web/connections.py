"""HTTP connections within a budget: those without a right give way when room is needed."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeroom.base.body_budget import BodyBudget, CountedBody
from homeroom.base.connection_budget import ConnectionBudget, ConnectionSlot
from homeroom.base.networks import network_of
from homeroom.domain.refusal import OverloadedError
from homeroom.web.addresses import get_client_address
from homeroom.web.http import HTTPProtocol
from homeroom.web.sockets import SLOT_EXTENSION, WebSocketProtocol

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HOLD_EXTENSION = "homeroom.hold"
"""Key of a function that reads nothing more from the client for some seconds."""
MAX_SUCCESS_STATUS = 299
METHODS_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
RETRY_AFTER_SECONDS = 5
OVERLOADED_BODY = b'{"title":"Service Unavailable","status":503,"detail":"too many connections"}'
OVERLOADED = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n"
    b"retry-after: %d\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
    % (RETRY_AFTER_SECONDS, len(OVERLOADED_BODY), OVERLOADED_BODY)
)
"""The response to a connection that finds no room, or is closed for another one."""


def show_right(scope: Scope) -> bool:
    """Count the connection of a request as one that has shown a right; False if there is no room.

    Without room the request is served, but its connection may be closed for another one.
    """
    slot: ConnectionSlot | None = (scope.get("extensions") or {}).get(SLOT_EXTENSION)
    if slot is None:
        return True
    has_right = slot.show_right()
    if has_right and scope["type"] == "websocket":
        slot.work()
    return has_right


def hold(scope: Scope, seconds: float) -> None:
    """Read nothing more from a client for some seconds: it does not keep to Retry-After."""
    hold_connection = (scope.get("extensions") or {}).get(HOLD_EXTENSION)
    if hold_connection is not None:
        hold_connection(seconds)


class BudgetedApp:
    """ASGI middleware that counts connections and bodies for their client.

    The client of a connection is the one that a trusted proxy names.
    """

    def __init__(self, app: ASGIApp, bodies: BodyBudget) -> None:
        self._app = app
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its `receive` raises `OverloadedError` when the budget is used up."""
        slot: ConnectionSlot | None = (scope.get("extensions") or {}).get(SLOT_EXTENSION)
        if slot is None:
            await self._app(scope, receive, send)
            return
        slot.identify(network_of(get_client_address(scope)))
        if scope["type"] != "http" or scope["method"] in METHODS_WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        body = CountedBody(self._bodies, slot)

        async def receive_counted() -> Message:
            message = await receive()
            if not body.add(len(message.get("body", b""))):
                raise OverloadedError(RETRY_AFTER_SECONDS, "too many requests are on their way")
            # Fast senders without a right must not use up the event loop.
            if (seconds := body.pace()) > 0:
                await asyncio.sleep(seconds)
            return message

        try:
            await self._app(scope, receive_counted, send)
        finally:
            body.close()


class RightShowingApp:
    """ASGI middleware for addresses that only those get who have a right to them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its connection as one with a right if it succeeds."""

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] <= MAX_SUCCESS_STATUS:
                show_right(scope)
            await send(message)

        await self._app(scope, receive, send_and_count)


def with_rights(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Return routes whose success shows a right: a key, a ticket, a token or a signature."""
    routes = list(routes)
    for route in routes:
        if isinstance(route, Route):
            route.app = RightShowingApp(route.app)
    return routes


class BudgetedHTTPProtocol(HTTPProtocol):
    """An HTTP connection with a slot in the budget."""

    _slot: ConnectionSlot
    _is_receiving = False
    """A request has begun, and its end has not come."""

    def __init__(self, budget: ConnectionBudget, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  as uvicorn calls it
        super().__init__(*args, **kwargs)
        self._budget = budget

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a connection, if there is room for it."""
        super().connection_made(transport)
        address = network_of(get_client_address({"client": self.client}))
        self._slot = self._budget.admit(address, self._make_room)
        self.ws_protocol_class = cast(
            "type[asyncio.Protocol]", partial(WebSocketProtocol, slot=self._slot)
        )
        if not self._slot.is_open:
            self.transport.write(OVERLOADED)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the budget."""
        self._slot.release()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse data of a connection that has a slot."""
        if self._slot.is_open:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Put the slot where the application finds it."""
        super().on_message_begin()
        self._is_receiving = True
        extensions = cast("dict[str, Any]", self.scope)["extensions"]
        extensions[SLOT_EXTENSION] = self._slot
        extensions[HOLD_EXTENSION] = self._hold

    def on_headers_complete(self) -> None:
        """Wait for the body, after all who wait for something longer."""
        if self._slot.has_right:
            self._slot.work()
        else:
            self._slot.wait()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Count as served: the request is whole."""
        self._is_receiving = False
        self._slot.work()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        if not self.pipeline:
            self._slot.wait()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for a client that reads too slowly."""
        if not self._slot.has_right:
            self._slot.wait()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Count as served again."""
        if self._is_responding():
            self._slot.work()
        super().resume_writing()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; it waits until the client has shown a right."""
        super().handle_websocket_upgrade()
        if not self._slot.has_right:
            self._slot.wait()

    def _is_responding(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and cycle.response_started and not cycle.response_complete

    def _make_room(self) -> None:
        """Close for another connection, with a response where one is due."""
        if self._is_responding() or self.flow.write_paused:
            self.transport.abort()
            return
        if self._is_receiving or self._header_bytes:
            self.transport.write(OVERLOADED)
        self.transport.close()

    def _hold(self, seconds: float) -> None:
        self.transport.pause_reading()
        self.loop.call_later(seconds, self._end_hold)

    def _end_hold(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()
