"""The one place that builds and joins the rooms: settings, store, doors, server."""

import asyncio
import fcntl
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec
import uvicorn
import uvloop
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from homeroom.base.clock import Clock, ShiftedClock, SystemClock
from homeroom.base.ids import JobId, SchoolId, UserId
from homeroom.base.keys import Keys
from homeroom.base.settings import Settings
from homeroom.contract.action import Door
from homeroom.desk import Desk
from homeroom.domain.kinds import Kind
from homeroom.domain.webcasts import Hosts
from homeroom.jobs.worker import Handler, Worker
from homeroom.partner.app import Observer, PartnerAPI
from homeroom.partner.door import Doorkeeper
from homeroom.store.engine import Engine, PostgresEngine, SqliteEngine
from homeroom.store.files import Files
from homeroom.store.migrate import is_current, migrate
from homeroom.store.queue import Job
from homeroom.store.work import Store, Work
from homeroom.usecases import teachers
from homeroom.usecases.means import Means
from homeroom.web.faults import FaultBook
from homeroom.web.journal import Journal

log = logging.getLogger("homeroom")

CLOCK_OFFSET = "sandbox_clock_offset"
PULL_KEY = "pull_key"
DRAIN_SECONDS = 4
KEEP_ALIVE_SECONDS = 75
BACKLOG = 1024


class CannotStart(Exception):
    """What keeps the server from starting, in plain words."""


# --- the store, as every command needs it --------------------------------------------


def address(settings: Settings) -> str | Path:
    """Return where the database is."""
    return settings.database or (settings.data / "homeroom.db").resolve()


@contextmanager
def opened_store(settings: Settings) -> Iterator[Store]:
    """Open the store, its tables brought up to date, on the clock that the server goes by."""
    where = address(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    if not is_current(where):
        migrate(where)
    engine: Engine = SqliteEngine(where) if isinstance(where, Path) else PostgresEngine(where)
    store = Store(engine, SystemClock())
    try:
        offset = int(store.look(lambda work: work.operations.kept(CLOCK_OFFSET)) or 0)
        if offset:
            store.clock = ShiftedClock(SystemClock(), offset, moved=lambda _offset: None)
        yield store
    finally:
        store.close()


@contextmanager
def only_server(settings: Settings) -> Iterator[None]:
    """Make sure that no other server works on the same data folder."""
    settings.data.mkdir(parents=True, exist_ok=True)
    path = settings.data / "homeroom.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            message = f"another server (pid {file.read().strip()}) works on {settings.data}"
            raise CannotStart(message) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


# --- the doors -----------------------------------------------------------------------


def hosts(settings: Settings, served_at: str) -> Hosts:
    """Return where pages and streams are reached from outside."""
    pages = (settings.public_url or served_at).rstrip("/")
    name = urlsplit(pages).hostname or "localhost"
    return Hosts(
        pages,
        rtmp=(settings.rtmp_url or f"rtmp://{name}").rstrip("/"),
        http=(settings.media_url or pages).rstrip("/"),
    )


@dataclass(frozen=True)
class Server:
    """A running server's parts, for its doors."""

    settings: Settings
    desk: Desk
    clock: Clock
    worker: Worker
    doorkeeper: Doorkeeper
    partner: PartnerAPI
    faults: FaultBook | None
    journal: Journal | None
    means: Means
    hosts: Hosts
    files: Files


@asynccontextmanager
async def built(
    settings: Settings, store: Store, served_at: str, real: Clock
) -> AsyncIterator[Server]:
    """Join the rooms over a store; ends what was started."""
    desk = Desk(store)
    clock = _clock(settings, store, real)
    store.clock = clock
    files = Files(settings.data)
    worker = Worker(desk, clock, real, _handlers(desk, files))
    pull_key = await desk.work(_pull_key)
    delay = 0 if settings.sandbox else settings.stop_delay
    means = Means(Keys(), pull_key, delay)
    where = hosts(settings, served_at)
    faults = FaultBook() if settings.sandbox else None
    journal = Journal() if settings.sandbox else None

    async def settle(_jobs: list[JobId]) -> None:
        await worker.run_due()

    doorkeeper = Doorkeeper(desk, (clock, real))
    partner = PartnerAPI(
        desk,
        doorkeeper,
        clock,
        means,
        where,
        files,
        faults=faults,
        observer=Observer(lambda _action, _errno, _seconds: None, journal),
        settle=settle,
    )
    working = asyncio.create_task(worker.run())
    try:
        yield Server(
            settings, desk, clock, worker, doorkeeper, partner, faults, journal, means, where, files
        )
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


def _clock(settings: Settings, store: Store, real: Clock) -> Clock:
    if not settings.sandbox:
        return real
    offset = int(store.look(lambda work: work.operations.kept(CLOCK_OFFSET)) or 0)

    def keep(new: int) -> None:
        store.work(lambda work: work.operations.keep(CLOCK_OFFSET, str(new)))

    return ShiftedClock(real, offset, moved=keep)


def _pull_key(work: Work) -> str:
    """Return the key that signs pull addresses; the first server makes it."""
    key = work.operations.kept(PULL_KEY)
    if key is None:
        key = Keys().secret()
        work.operations.keep(PULL_KEY, key)
    return key


def _handlers(desk: Desk, files: Files) -> dict[Kind, Handler]:
    async def finish_stop(job: Job) -> None:
        school = SchoolId(int(job.payload["school"]))
        user = UserId(int(job.payload["user"]))
        await desk.work(lambda work: teachers.finish_stop(work, school, user), school)

    async def erase_file(job: Job) -> None:
        await asyncio.to_thread(files.erase, str(job.payload["path"]))

    return {Kind.FINISH_STOP: finish_stop, Kind.ERASE_FILE: erase_file}


# --- the server ----------------------------------------------------------------------


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP, letting an application cut the connection: the sandbox's `drop` needs it."""

    def on_message_begin(self) -> None:
        """Put the way to cut the connection where the application finds it."""
        super().on_message_begin()
        scope = cast("dict[str, Any]", self.scope)
        scope["extensions"] = {"homeroom.abort": self.transport.abort}


class Root:
    """The first fork: the partner API's two addresses, and everything else."""

    def __init__(self, partner: PartnerAPI, sites: Starlette) -> None:
        self._partner = partner
        self._sites = sites
        self._doors = frozenset(Door)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
        """Pass a request on; a client's base address may end in a slash of its own."""
        if scope["type"] == "http" and "/" + scope["path"].lstrip("/") in self._doors:
            await self._partner(scope, receive, send)
        else:
            await self._sites(scope, receive, send)


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until told to stop; `ready` is told the address once connections are taken."""
    _log_to_stderr(settings.log_level)
    with only_server(settings), opened_store(settings) as store:
        uvloop.run(served(settings, store, SystemClock(), lambda running: ready(running.url)))


async def served(
    settings: Settings, store: Store, real: Clock, ready: Callable[["Running"], None]
) -> None:
    """Serve until told to stop, by a given clock."""
    listener = _listener(settings)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    served_at = f"http://{shown}:{port}"
    async with built(settings, store, served_at, real) as server:
        config = uvicorn.Config(
            Root(server.partner, _sites(server)),
            http=Protocol,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        http = _Drained(config)
        http.on_started = lambda: ready(Running(served_at, server, http.stop))
        await http.serve(sockets=[listener])


class _Drained(uvicorn.Server):
    """uvicorn's server, for which SIGTERM is a request to finish and not a way to die."""

    on_started: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections, and say so."""
        await super().startup(sockets)
        self.on_started()

    def stop(self) -> None:
        """Ask it to finish."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Finish at SIGTERM or SIGINT; a second one does not wait for open requests."""
        loop = asyncio.get_running_loop()
        in_main_thread = threading.current_thread() is threading.main_thread()
        signals = (signal.SIGTERM, signal.SIGINT) if in_main_thread else ()
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


@dataclass(frozen=True)
class Running:
    """A server that takes connections."""

    url: str
    server: Server
    stop: Callable[[], None]
    """Asks it to finish; safe to call from another thread."""


def _listener(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        message = f"cannot listen at {settings.host} port {settings.port}: {error.strerror}"
        raise CannotStart(message) from None
    listener.listen(BACKLOG)
    return listener


def _sites(server: Server) -> Starlette:
    """Return everything but the partner API."""
    del server
    return Starlette(routes=[])


# --- the log -------------------------------------------------------------------------

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _JSONLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what else the record carries."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JSONLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
