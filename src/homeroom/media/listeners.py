"""The listening sockets of a server and of its media engine."""

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from homeroom.base.settings import Settings
from homeroom.folder import StartupError
from homeroom.media.service import EngineListeners
from homeroom.web.ports import bind, listen, share

LOOPBACK = "127.0.0.1"
PORT_RETRY_SECONDS = 5.0
"""Seconds that the processes of a server that was killed may take to free its ports."""


Take = Callable[[str, int], tuple[socket.socket, str]]


class ListeningSockets(NamedTuple):
    """The sockets of a server."""

    api: socket.socket
    """Of the public port; where worker processes listen there, it only reserves the port."""
    url: str
    hooks: socket.socket
    """To which our own media engine reports: the one of the API, or one of this machine only."""
    media: EngineListeners | None


async def open_sockets(settings: Settings, opened: ExitStack) -> ListeningSockets:
    """Open the sockets that the settings name; the stack closes them."""

    async def at(
        port: int, take: Take = listen, seconds: float = 0, hint: str = ""
    ) -> tuple[socket.socket, str]:
        deadline = time.monotonic() + seconds
        while True:
            try:
                listener, url = take(settings.host, port)
            except OSError as error:
                if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                    await asyncio.sleep(0.1)
                    continue
                message = f"cannot listen at {settings.host} port {port}: {error.strerror}{hint}"
                raise StartupError(message) from None
            return opened.enter_context(listener), url

    if settings.workers == 1:
        api, url = await at(settings.port)
        hooks = api
    else:
        # The worker processes of a main process that was killed still answer open requests.
        api, url = await at(settings.port, bind, PORT_RETRY_SECONDS)
        share(api)
        hooks = opened.enter_context(listen(LOOPBACK, 0)[0])
    if settings.media != "embedded":
        return ListeningSockets(api, url, hooks, None)
    rtmp, _ = await at(
        settings.rtmp_port, listen, PORT_RETRY_SECONDS, " (--rtmp-port takes another)"
    )
    http, _ = await at(
        settings.media_port, listen, PORT_RETRY_SECONDS, " (--media-port takes another)"
    )
    return ListeningSockets(api, url, hooks, EngineListeners(rtmp, http))
