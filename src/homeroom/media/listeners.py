"""The listening sockets of a server and of its media engine."""

import asyncio
import errno
import socket
import time
from contextlib import ExitStack
from typing import NamedTuple

from homeroom.base.settings import Settings
from homeroom.folder import StartupError
from homeroom.media.service import EngineListeners
from homeroom.web.http import listen

PORT_RETRY_SECONDS = 5.0
"""Seconds that the media engine of a server that was killed may take to free its ports."""


class ListeningSockets(NamedTuple):
    """The sockets of a server."""

    api: socket.socket
    url: str
    media: EngineListeners | None


async def open_sockets(settings: Settings, opened: ExitStack) -> ListeningSockets:
    """Open the sockets that the settings name; the stack closes them."""

    async def at(port: int, seconds: float = 0, hint: str = "") -> tuple[socket.socket, str]:
        deadline = time.monotonic() + seconds
        while True:
            try:
                listener, url = listen(settings.host, port)
            except OSError as error:
                if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                    await asyncio.sleep(0.1)
                    continue
                message = f"cannot listen at {settings.host} port {port}: {error.strerror}{hint}"
                raise StartupError(message) from None
            return opened.enter_context(listener), url

    api, url = await at(settings.port)
    if settings.media != "embedded":
        return ListeningSockets(api, url, None)
    rtmp, _ = await at(settings.rtmp_port, PORT_RETRY_SECONDS, " (--rtmp-port takes another)")
    http, _ = await at(settings.media_port, PORT_RETRY_SECONDS, " (--media-port takes another)")
    return ListeningSockets(api, url, EngineListeners(rtmp, http))
