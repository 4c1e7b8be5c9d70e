"""The HTTP server: uvicorn with our protocols, and with a graceful stop."""

import asyncio
import ctypes
import logging
import signal
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from homeroom.base.body_budget import BodyBudget
from homeroom.base.connection_budget import ConnectionBudget, create_budget
from homeroom.base.termination import SIGNALS, exit_by_deadline
from homeroom.web.connections import BudgetedApp, BudgetedHTTPProtocol
from homeroom.web.draining import Draining
from homeroom.web.sockets import MAX_MESSAGE_BYTES, PING_SECONDS, WebSocketProtocol

log = logging.getLogger("homeroom.web")

DRAIN_SECONDS = 4.0
"""Time from the request to stop in which open requests finish; then they are cancelled."""
LINGER_SECONDS = 0.5
"""Time in which a stopping server still answers new requests, with 503.

A client that has just sent a request on an idle connection would get no answer if it closed.
"""
ACCEPT_SECONDS = 0.2
"""Time for the requests of connections that have just been accepted."""
CANCEL_SECONDS = 1.0
"""Time in which requests that were cancelled send their answers."""
KEEP_ALIVE_SECONDS = 75
_SO_ATTACH_FILTER = 26
_BPF_RETURN = 0x06
"""Instruction of a packet filter; its operand 0 drops the packet."""


def create_server(
    app: ASGIApp,
    draining: Draining | None = None,
    budget: ConnectionBudget | None = None,
    bodies: BodyBudget | None = None,
) -> "HTTPServer":
    """Return the HTTP server of an application, whose connections and bodies stay within budgets.

    The application learns by `draining` that the server stops.
    """
    budget = budget or create_budget()
    bodies = bodies or BodyBudget(budget.log)
    return HTTPServer(
        uvicorn.Config(
            BudgetedApp(app, bodies),
            http=cast("type[asyncio.Protocol]", partial(BudgetedHTTPProtocol, budget)),
            ws=WebSocketProtocol,
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=budget.limits.backlog,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ),
        draining or Draining(),
    )


class HTTPServer(uvicorn.Server):
    """uvicorn's server, for which SIGTERM is a request to finish and not a way to die."""

    on_started: Callable[[], None] = staticmethod(lambda: None)
    before_stop: Callable[[], Awaitable[None]] | None = None
    """Awaited when it is to finish, while it still takes requests."""

    def __init__(self, config: uvicorn.Config, draining: Draining) -> None:
        super().__init__(config)
        self._draining = draining

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections, and say so."""
        await super().startup(sockets)
        self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Refuse new requests, let open ones finish, and close all connections."""
        self._draining.begin()
        began_at = time.monotonic()
        try:
            if self.before_stop is not None:
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self.before_stop()
        except TimeoutError:
            log.error("stop_continued: chats and streams did not close in time")  # noqa: TRY400  no defect
        finally:
            await self._linger(began_at + LINGER_SECONDS)
            for listener in sockets or ():
                drop_new_connections(listener)
            await self._linger(time.monotonic() + ACCEPT_SECONDS)
            left = began_at + DRAIN_SECONDS - time.monotonic()
            self.config.timeout_graceful_shutdown = max(round(left), 1)
            await super().shutdown(sockets)
            if tasks := set(self.server_state.tasks):
                await asyncio.wait(tasks, timeout=CANCEL_SECONDS)

    async def _linger(self, until: float) -> None:
        """Answer further requests, each of which then closes its connection."""
        await asyncio.sleep(0)
        while self.server_state.connections and time.monotonic() < until:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.05)

    def stop(self) -> None:
        """Request a graceful stop."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at a signal, and end the process if that takes too long."""
        if not self.should_exit:
            exit_by_deadline()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Finish at SIGTERM or SIGINT; a second Ctrl-C does not wait for open requests.

        Afterwards the handlers of before are in place again, without a moment between.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def drop_new_connections(listener: socket.socket) -> None:
    """Let the kernel ignore new connections, and keep those that wait to be accepted.

    A listener that is closed resets the connections that wait, though each may have sent a call.
    """
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", _BPF_RETURN, 0, 0, 0))
    program = struct.pack("HP", 1, ctypes.addressof(drop_all))
    with suppress(OSError):  # not Linux
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
