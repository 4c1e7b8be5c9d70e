"""The one place that builds and joins the rooms: settings, store, doors, server."""

import asyncio
import fcntl
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import uvloop
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from homeroom.admin import site
from homeroom.base.clock import Clock, ShiftedClock, SystemClock
from homeroom.base.ids import SchoolId, UserId
from homeroom.base.keys import Keys
from homeroom.base.settings import Settings
from homeroom.contract.action import Door
from homeroom.desk import Desk
from homeroom.domain.kinds import Kind
from homeroom.domain.webcasts import Hosts
from homeroom.jobs.worker import Handler, Worker
from homeroom.partner.app import Observer, PartnerAPI
from homeroom.partner.door import Doorkeeper
from homeroom.sandbox.site import Sandbox
from homeroom.store.engine import Engine
from homeroom.store.files import Files
from homeroom.store.migrate import is_current, migrate
from homeroom.store.postgres import PostgresEngine
from homeroom.store.queue import Job
from homeroom.store.sqlite import SqliteEngine
from homeroom.store.work import Store, Work
from homeroom.usecases import demo, teachers
from homeroom.usecases.demo import DemoSchool
from homeroom.usecases.means import Means
from homeroom.web.faults import FaultBook
from homeroom.web.http import listen
from homeroom.web.http import server as http_server
from homeroom.web.journal import Journal
from homeroom.web.log import log_to_stderr
from homeroom.web.metrics import Metrics
from homeroom.web.problems import Problem, show_failure, show_problem, show_status

CLOCK_OFFSET = "sandbox_clock_offset"
CLOCK_SHIFTED = "sandbox_clock_on"
"""Whether the last server to start was a sandbox: then commands go by its clock."""
PULL_KEY = "pull_key"
LOCK = "homeroom.lock"
"""Held by the server of a data folder; holds its process id and its address."""


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
    bring_up_to_date(settings)
    engine: Engine = SqliteEngine(where) if isinstance(where, Path) else PostgresEngine(where)
    store = Store(engine, SystemClock())
    try:
        offset = store.look(_clock_offset)
        if offset:
            store.clock = ShiftedClock(SystemClock(), offset, moved=lambda _offset: None)
        yield store
    finally:
        store.close()


def bring_up_to_date(settings: Settings) -> bool:
    """Bring the tables to those of this version; tells whether there was anything to do."""
    where = address(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    if is_current(where):
        return False
    # Two commands on a new data folder: the second waits, and then finds the work done.
    with (settings.data / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current(where):
            return False
        migrate(where)
        return True


def _clock_offset(work: Work) -> int:
    """Return how far the clock of the last server was shifted; not at all outside a sandbox."""
    if work.operations.kept(CLOCK_SHIFTED) != "1":
        return 0
    return int(work.operations.kept(CLOCK_OFFSET) or 0)


@contextmanager
def only_server(settings: Settings) -> Iterator[Callable[[str], None]]:
    """Make sure that no other server works on the same SQLite; takes the address served at."""
    settings.data.mkdir(parents=True, exist_ok=True)
    # Servers on one PostgreSQL share the folder as well: each must find the files of the others.
    kind = fcntl.LOCK_EX if settings.database is None else fcntl.LOCK_SH
    with (settings.data / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            pid = file.readline().strip()
            message = f"another server (pid {pid}) works on {settings.data}"
            raise CannotStart(message) from None

        def note(url: str = "") -> None:
            file.truncate(0)
            file.write(f"{os.getpid()}\n{url}\n")
            file.flush()

        note()
        yield note


def running_server(settings: Settings) -> tuple[int, str] | None:
    """Return the process id and the address of the server on a data folder, the last of several."""
    with suppress(FileNotFoundError), (settings.data / LOCK).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid, url, *_ = [*file.read().splitlines(), "", ""]
            return int(pid or 0), url
    return None


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
    metrics: Metrics
    means: Means
    hosts: Hosts
    files: Files


@asynccontextmanager
async def built(
    settings: Settings, store: Store, served_at: str, real: Clock
) -> AsyncIterator[Server]:
    """Join the rooms over a store; ends what was started."""
    desk = Desk(store)
    clock = set_clock(settings, store, real)
    files = Files(settings.data)
    worker = Worker(desk, clock, real, _handlers(desk, files))
    pull_key = await desk.work(_pull_key)
    delay = 0 if settings.sandbox else settings.stop_delay
    means = Means(Keys(), pull_key, delay)
    where = hosts(settings, served_at)
    faults = FaultBook() if settings.sandbox else None
    metrics = Metrics()
    journal = Journal() if settings.sandbox else None

    async def settle() -> None:
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
        observer=Observer(metrics.counted, journal),
        settle=settle,
    )
    working = asyncio.create_task(worker.run())
    try:
        yield Server(
            settings=settings,
            desk=desk,
            clock=clock,
            worker=worker,
            doorkeeper=doorkeeper,
            partner=partner,
            faults=faults,
            journal=journal,
            metrics=metrics,
            means=means,
            hosts=where,
            files=files,
        )
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


def set_clock(settings: Settings, store: Store, real: Clock) -> Clock:
    """Let a store go by the server's clock, and every command after it; returns that clock."""
    shifted = "1" if settings.sandbox else "0"
    if store.look(lambda work: work.operations.kept(CLOCK_SHIFTED)) != shifted:
        store.work(lambda work: work.operations.keep(CLOCK_SHIFTED, shifted))
    store.clock = _clock(settings, store, real)
    return store.clock


def _clock(settings: Settings, store: Store, real: Clock) -> Clock:
    if not settings.sandbox:
        return real
    offset = store.look(_clock_offset)

    def keep(new: int) -> None:
        store.work(lambda work: work.operations.keep(CLOCK_OFFSET, str(new)))

    return ShiftedClock(real, offset, moved=keep)


def _pull_key(work: Work) -> str:
    """Return the key that signs pull addresses; the first server makes it."""
    return work.operations.kept_or_new(PULL_KEY, Keys().secret())


def _handlers(desk: Desk, files: Files) -> dict[Kind, Handler]:
    async def finish_stop(job: Job) -> None:
        school = SchoolId(int(job.payload["school"]))
        user = UserId(int(job.payload["user"]))
        await desk.work(lambda work: teachers.finish_stop(work, school, user), school)

    async def erase_file(job: Job) -> None:
        await asyncio.to_thread(files.erase, str(job.payload["path"]))

    async def erase_files(job: Job) -> None:
        paths: list[str] = msgspec.json.decode(str(job.payload["paths"]), type=list[str])
        # The same picture may have been given to several schools, and is kept once.
        kept = await desk.look(lambda work: work.resets.in_use(paths))
        for path in paths:
            if path not in kept:
                await asyncio.to_thread(files.erase, path)

    return {
        Kind.FINISH_STOP: finish_stop,
        Kind.ERASE_FILE: erase_file,
        Kind.ERASE_FILES: erase_files,
    }


# --- the server ----------------------------------------------------------------------


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


def serve(settings: Settings, ready: Callable[[str, DemoSchool | None], None]) -> None:
    """Serve until told to stop; `ready` is told the address once connections are taken."""
    log_to_stderr(settings.log_level)
    with only_server(settings) as note, opened_store(settings) as store:
        real = SystemClock()
        set_clock(settings, store, real)
        if settings.database is None:
            # The folder is ours alone: who took a job and did not end it is dead.
            store.work(lambda work: work.queue.release())
        school = store.work(_demo) if settings.demo else None

        def announce(running: Running) -> None:
            note(running.url)
            ready(running.url, school)
            _calm_collector()

        uvloop.run(served(settings, store, real, announce))


def _calm_collector() -> None:
    """Let the garbage collector pass over what lives as long as the server does.

    Looking through all of it time and again took a fifth of the processor, and 30 ms at a time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _demo(work: Work) -> DemoSchool:
    return demo.find_or_create(work, Means(Keys(), _pull_key(work), 0))


async def served(
    settings: Settings, store: Store, real: Clock, ready: Callable[["Running"], None]
) -> None:
    """Serve until told to stop, by a given clock."""
    try:
        listener, served_at = listen(settings.host, settings.port)
    except OSError as error:
        message = f"cannot listen at {settings.host} port {settings.port}: {error.strerror}"
        raise CannotStart(message) from None
    async with built(settings, store, served_at, real) as parts:
        http = http_server(Root(parts.partner, _sites(parts)))
        http.on_started = lambda: ready(Running(served_at, parts, http.stop))
        await http.serve(sockets=[listener])


@dataclass(frozen=True)
class Running:
    """A server that takes connections."""

    url: str
    server: Server
    stop: Callable[[], None]
    """Asks it to finish; safe to call from another thread."""


def _sites(server: Server) -> Starlette:
    """Return everything but the partner API."""
    return Starlette(
        routes=[
            *_sandbox(server),
            *site.routes(server.desk, server.hosts, server.worker, server.metrics),
        ],
        exception_handlers={
            Problem: show_problem,
            HTTPException: show_status,
            Exception: show_failure,
        },
    )


def _sandbox(server: Server) -> list[Route]:
    """Return the sandbox's routes: none unless it was asked for."""
    clock, book, journal = server.clock, server.faults, server.journal
    if not isinstance(clock, ShiftedClock) or book is None or journal is None:
        return []

    def forget(school: SchoolId | None) -> None:
        server.doorkeeper.forget()
        if school is not None:
            server.partner.repeats.forget(school)

    host = server.settings.host
    return Sandbox(
        server.desk, clock, server.worker, server.means, book, journal, host, forget
    ).routes()
