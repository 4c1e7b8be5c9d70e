"""Media service: builds stream URLs, and runs engine, gateway and workers beside the server."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from homeroom.async_store import AsyncStore
from homeroom.base.clock import MINUTE
from homeroom.base.settings import Settings
from homeroom.base.values import replace
from homeroom.domain.streams import PublishTarget, StreamFacts
from homeroom.domain.webcasts import Hosts
from homeroom.media import hooks
from homeroom.media.demo import DemoBroadcast
from homeroom.media.engine.settings import EngineSettings
from homeroom.media.engine_client import EngineClient
from homeroom.media.flattening_worker import FlatteningWorker
from homeroom.media.gateway_process import GatewayProcess
from homeroom.media.stream_monitor import StreamMonitor
from homeroom.media.supervisor import Supervisor, engine_id
from homeroom.store.local_storage import scratch_folder
from homeroom.store.storage import Storage
from homeroom.usecases import streams
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.secrets import ServerSecrets
from homeroom.web.metrics import MediaNumbers, Metrics

log = logging.getLogger("homeroom.media")

RTMP_PORT = 1935
"""Default port of RTMP, omitted in URLs."""
ENGINE_DOWN_GRACE_SECONDS = 60.0
"""Time for which the engine may be down before video counts as unavailable."""
LOOPBACK_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared with, not bound


class EngineListeners(msgspec.Struct, frozen=True):
    """Sockets of the embedded engine; the server owns them, so that a crash loses no port."""

    rtmp: socket.socket
    http: socket.socket


def build_hosts(
    settings: Settings, served_at: str, listeners: EngineListeners | None = None
) -> Hosts:
    """Return the public base URLs of pages, links and streams."""
    pages = (settings.public_url or served_at).rstrip("/")
    host = urlsplit(pages).hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    rtmp_port, media_port = settings.rtmp_port, settings.media_port
    if listeners is not None:
        rtmp_port, media_port = _port(listeners.rtmp), _port(listeners.http)
    own = f"rtmp://{host}" if rtmp_port == RTMP_PORT else f"rtmp://{host}:{rtmp_port}"
    rtmp = settings.rtmp_url or own
    push = {"embedded": own, "external": rtmp, "none": ""}[settings.media]
    http = settings.media_url or f"http://{host}:{media_port}"
    push = "" if settings.media == "none" else settings.push_url or push
    return Hosts(
        pages,
        rtmp=rtmp.rstrip("/"),
        http=http.rstrip("/"),
        push=push.rstrip("/"),
        links=(settings.link_url or "").rstrip("/"),
    )


def recordings_folder(settings: Settings) -> Path:
    """Return the folder to which the engine writes recordings."""
    return (settings.media_folder or settings.data / "media" / "recordings").resolve()


def spool_folder(settings: Settings) -> Path:
    """Return the folder of engine reports that the server has not confirmed yet."""
    return (settings.data / "media" / "spool").resolve()


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _local_url(listener: socket.socket, scheme: str = "http") -> str:
    """Return the URL of a local listener for clients on this machine."""
    host, port = listener.getsockname()[:2]
    host = LOOPBACK_ADDRESSES.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def push_base(settings: Settings, listeners: EngineListeners | None) -> str:
    """Return the base URL for pushing streams from this machine; empty if media is off."""
    return (
        _local_url(listeners.rtmp, "rtmp")
        if listeners is not None
        else build_hosts(settings, "").push
    )


def create_engine_client(
    settings: Settings, listeners: EngineListeners | None, secret: str
) -> EngineClient | None:
    """Return a client of the engine, or None if there is no engine or no known API."""
    if listeners is not None:
        return EngineClient(_local_url(listeners.http), secret)
    if settings.media == "external" and settings.media_api is not None:
        return EngineClient(settings.media_api, secret)
    return None


def create_video_check(settings: Settings, engine: EngineClient | None) -> Callable[[], bool]:
    """Return a function that says if classes can be recorded now; short restarts do not count."""
    if engine is None:
        return lambda: settings.media != "none"
    return lambda: engine.seconds_down() <= ENGINE_DOWN_GRACE_SECONDS


def _start_task(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Start a background task whose failure is logged at once."""

    def report_failure(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.critical("media_task_failed", exc_info=failure)

    task = asyncio.create_task(coroutine)
    task.add_done_callback(report_failure)
    return task


class MediaService:
    """Media parts of one server: hooks, engine, gateway and background tasks."""

    def __init__(
        self,
        settings: Settings,
        store: AsyncStore,
        deps: Dependencies,
        secrets: ServerSecrets,
        storage: Storage,
        metrics: Metrics,
        engine: EngineClient | None,
        listeners: EngineListeners | None,
        hooks_listener: socket.socket,
        push_url: str,
    ) -> None:
        """Set up; `listeners` are those of our own engine, `hooks_listener` is for its hooks.

        `push_url` is the public base URL for pushing streams.
        """
        self._metrics = metrics
        self._engine = engine
        self._flattening_worker = FlatteningWorker(store, storage, scratch_folder(settings.data))
        engine_name = engine_id(settings.data / "media") if listeners is not None else ""
        self._store, self._engine_name = store, engine_name
        intake = hooks.RecordingIntake(
            recordings_folder(settings), storage, self._flattening_worker.wake
        )
        self.hook_routes = (
            hooks.routes(store, deps, secrets.hooks, intake, engine_name, push_url)
            if settings.media != "none"
            else []
        )
        self.hooks_url = f"{_local_url(hooks_listener)}/media/hooks?secret={secrets.hooks}"
        base = push_base(settings, listeners)
        self.gateway = GatewayProcess(base, settings.webrtc_address, settings.log_level)
        self._supervisor: Supervisor | None = None
        self._monitor: StreamMonitor | None = None
        if engine is not None:
            self._monitor = StreamMonitor(store, deps, engine, engine_name, self._report_numbers)
        if engine is not None and listeners is not None:
            engine_settings = EngineSettings(
                rtmp_fd=listeners.rtmp.fileno(),
                http_fd=listeners.http.fileno(),
                hooks_url=self.hooks_url,
                api_secret=secrets.engine,
                recordings=str(recordings_folder(settings)),
                spool=str(spool_folder(settings)),
                coalesce_ms=settings.coalesce_ms,
                rotate_seconds=settings.rotate_minutes * MINUTE,
                log_level=settings.log_level,
            )
            self._supervisor = Supervisor(
                engine_settings, settings.data / "media", engine.seconds_down
            )
        self._demo: DemoBroadcast | None = None
        if settings.demo and listeners is not None:
            self._demo = DemoBroadcast(store, deps, base)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run all background tasks until the block ends."""
        tasks = [_start_task(self._flattening_worker.run())]
        if self._monitor is not None:
            tasks.append(_start_task(self._monitor.run()))
        if self._demo is not None:
            tasks.append(_start_task(self._demo.run()))
        if self._supervisor is not None:
            self._supervisor_task = _start_task(self._supervisor.run())
        try:
            yield
        finally:
            await self.end_engine()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def end_engine(self) -> None:
        """Stop gateway and engine while the server can still answer their last reports."""
        await self.gateway.close()
        if self._supervisor is not None:
            self._supervisor.end()
            await asyncio.wait((self._supervisor_task,))

    def engine_problem(self) -> str:
        """Return the reason why our own engine is unavailable, or an empty string."""
        if self._supervisor is None or self._engine is None:
            return ""
        if self._supervisor.waiting_reason:
            return f"the media engine waits: {self._supervisor.waiting_reason}"
        if self._supervisor.pid is None:
            return "the media engine does not run"
        return "" if self._engine.is_up else "the media engine does not answer"

    def facts(self, name: str) -> StreamFacts | None:
        """Return the latest facts of a running stream, or None."""
        return self._monitor.facts(name) if self._monitor is not None else None

    async def list_encoders(self) -> list[PublishTarget]:
        """Return the classes that encoders push to the engine, from their first frame on."""
        pushes = await self._store.read(lambda uow: streams.list_encoders(uow, self._engine_name))
        return [target for name, target in pushes.items() if self._has_frames(name)]

    def _has_frames(self, name: str) -> bool:
        if self._monitor is None:
            return True
        facts = self._monitor.facts(name)
        return facts is not None and facts.has_frames

    def list_facts(self) -> Mapping[str, StreamFacts]:
        """Return the latest facts of all running streams, by name."""
        return self._monitor.list_facts() if self._monitor is not None else {}

    def _report_numbers(self, numbers: MediaNumbers) -> None:
        restarts = self._supervisor.restarts if self._supervisor is not None else 0
        self._metrics.set_media(replace(numbers, restarts=restarts))
