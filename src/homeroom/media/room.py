"""Joins the media room: where streams are reached, what runs beside the server, what it serves."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homeroom.async_store import AsyncStore
from homeroom.base.clock import MINUTE
from homeroom.base.settings import Settings
from homeroom.domain.streams import StreamFacts
from homeroom.domain.webcasts import Hosts
from homeroom.media import clips, hooks
from homeroom.media.browser import Browser
from homeroom.media.control import Control
from homeroom.media.demo import Broadcast
from homeroom.media.engine.settings import EngineSettings
from homeroom.media.finisher import Finisher
from homeroom.media.supervisor import Supervisor, engine_id
from homeroom.media.watch import Watch
from homeroom.store.local_storage import scratch_folder
from homeroom.store.storage import Storage
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.secrets import ServerSecrets
from homeroom.web.metrics import MediaNumbers, Metrics

log = logging.getLogger("homeroom.media")

RTMP_PORT = 1935
"""The port that an address of RTMP need not name."""
PATIENCE = 60.0
"""Seconds for which the engine may be down before classes are told that there is no video."""
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  they are compared with


@dataclass(frozen=True, slots=True)
class Listeners:
    """The sockets of the embedded engine; the server holds them, so that no crash loses a port."""

    rtmp: socket.socket
    http: socket.socket


def hosts(settings: Settings, served_at: str, listeners: Listeners | None = None) -> Hosts:
    """Return where pages and streams are reached from outside."""
    pages = (settings.public_url or served_at).rstrip("/")
    name = urlsplit(pages).hostname or "localhost"
    name = f"[{name}]" if ":" in name else name
    rtmp_port, media_port = settings.rtmp_port, settings.media_port
    if listeners is not None:
        rtmp_port, media_port = _port(listeners.rtmp), _port(listeners.http)
    own = f"rtmp://{name}" if rtmp_port == RTMP_PORT else f"rtmp://{name}:{rtmp_port}"
    rtmp = settings.rtmp_url or own
    push = {"embedded": own, "external": rtmp, "none": ""}[settings.media]
    http = settings.media_url or f"http://{name}:{media_port}"
    push = "" if settings.media == "none" else settings.push_url or push
    return Hosts(pages, rtmp=rtmp.rstrip("/"), http=http.rstrip("/"), push=push.rstrip("/"))


def recordings(settings: Settings) -> Path:
    """Return the folder that recordings are written to."""
    return (settings.media_folder or settings.data / "media" / "recordings").resolve()


def spool(settings: Settings) -> Path:
    """Return the folder of the engine's reports that are not answered yet."""
    return (settings.data / "media" / "spool").resolve()


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _here(listener: socket.socket, scheme: str = "http") -> str:
    """Return the address under which this machine reaches a listener of its own."""
    name, port = listener.getsockname()[:2]
    name = EVERYWHERE.get(name, name)
    return f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"


def push_base(settings: Settings, listeners: Listeners | None) -> str:
    """Return where streams are pushed to from this machine; empty where nothing takes them."""
    return hosts(settings, "").push if listeners is None else _here(listeners.rtmp, "rtmp")


def control(settings: Settings, listeners: Listeners | None, secret: str) -> Control | None:
    """Return the way to the engine; none where there is no engine, or no way to it."""
    if listeners is not None:
        return Control(_here(listeners.http), secret)
    if settings.media == "external" and settings.media_api is not None:
        return Control(settings.media_api, secret)
    return None


def video_works(settings: Settings, engine: Control | None) -> Callable[[], bool]:
    """Return what tells whether classes can be recorded now; a short restart punishes nobody."""
    if engine is None:
        return lambda: settings.media != "none"
    return lambda: engine.down_for() <= PATIENCE


def _begun(uow: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Begin what runs beside the server; should it ever fail, that is told at once."""

    def tell(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.critical("a part of the media room has ended", exc_info=failure)

    task = asyncio.create_task(uow)
    task.add_done_callback(tell)
    return task


class Room:
    """What belongs to the media room of one server, and runs beside it."""

    def __init__(
        self,
        settings: Settings,
        store: AsyncStore,
        deps: Dependencies,
        secrets: ServerSecrets,
        storage: Storage,
        metrics: Metrics,
        engine: Control | None,
        listeners: Listeners | None,
        api: socket.socket,
    ) -> None:
        """Take the engine, its sockets where it is our own, and the API's for the hooks."""
        self._metrics = metrics
        self._engine = engine
        self._finisher = Finisher(store, storage, scratch_folder(settings.data))
        self.routes = clips.routes(store, storage, secrets.clips)
        name = "" if listeners is None else engine_id(settings.data / "media")
        if settings.media != "none":
            taken = hooks.Taken(recordings(settings), storage, self._finisher.nudge)
            self.routes += hooks.routes(store, deps, secrets.hooks, taken, name)
        self.hooks_url = f"{_here(api)}/media/hooks?secret={secrets.hooks}"
        base = push_base(settings, listeners)
        self.browser = Browser(base, settings.webrtc_address, settings.log_level)
        self._supervisor: Supervisor | None = None
        self._watch: Watch | None = None
        if engine is not None:
            self._watch = Watch(store, deps, engine, name, self._tell)
        if engine is not None and listeners is not None:
            told = EngineSettings(
                rtmp_fd=listeners.rtmp.fileno(),
                http_fd=listeners.http.fileno(),
                hooks_url=self.hooks_url,
                api_secret=secrets.engine,
                recordings=str(recordings(settings)),
                spool=str(spool(settings)),
                coalesce_ms=settings.coalesce_ms,
                rotate_seconds=settings.rotate_minutes * MINUTE,
                log_level=settings.log_level,
            )
            self._supervisor = Supervisor(told, settings.data / "media", engine.down_for)
        self._demo: Broadcast | None = None
        if settings.demo and listeners is not None:
            self._demo = Broadcast(store, deps, base)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run it until the block ends."""
        beside = [_begun(self._finisher.run())]
        if self._watch is not None:
            beside.append(_begun(self._watch.run()))
        if self._demo is not None:
            beside.append(_begun(self._demo.run()))
        if self._supervisor is not None:
            self._supervising = _begun(self._supervisor.run())
        try:
            yield
        finally:
            await self.end_engine()
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)

    async def end_engine(self) -> None:
        """End our own engine, while its last reports can still be answered."""
        await self.browser.end()
        if self._supervisor is not None:
            self._supervisor.end()
            await asyncio.wait((self._supervising,))

    def trouble(self) -> str:
        """Return why our own engine cannot carry streams now, or nothing."""
        if self._supervisor is None or self._engine is None:
            return ""
        if self._supervisor.waits_for:
            return f"the media engine waits: {self._supervisor.waits_for}"
        if self._supervisor.pid is None:
            return "the media engine does not run"
        return "" if self._engine.is_up else "the media engine does not answer"

    def facts(self, name: str) -> StreamFacts | None:
        """Return what was last known of a stream that runs."""
        return None if self._watch is None else self._watch.facts(name)

    def _tell(self, numbers: MediaNumbers) -> None:
        restarts = 0 if self._supervisor is None else self._supervisor.restarts
        self._metrics.set_media(replace(numbers, restarts=restarts))
