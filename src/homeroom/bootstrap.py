"""Builds the parts of a server, joins them, and runs them; the only module that knows all."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import uvloop
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from homeroom.admin import site
from homeroom.admin.health import PROBE_PATHS
from homeroom.admin.readiness import ReadinessCheck
from homeroom.admin.request import ReadBackContext
from homeroom.async_store import AsyncStore
from homeroom.base.body_budget import BodyBudget
from homeroom.base.clock import DAY, Clock, ShiftedClock, SteadyClock, SystemClock
from homeroom.base.connection_budget import create_budget
from homeroom.base.garbage_collector import tune_garbage_collector
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.log import log_to_stderr
from homeroom.base.scratch import Scratch
from homeroom.base.settings import Settings
from homeroom.domain.refusal import OverloadedError
from homeroom.domain.webcasts import Hosts
from homeroom.folder import (
    FolderLock,
    find_running_server,
    get_lease_owner,
    lock_data_folder,
    narrow_folders,
    open_storage,
    open_store,
    set_clock,
)
from homeroom.jobs.audit_follower import AuditFollower
from homeroom.jobs.clock_guard import ClockGuard
from homeroom.jobs.handlers import create_handlers
from homeroom.jobs.sweeper import Sweeper
from homeroom.jobs.sweeps import SWEEPS
from homeroom.jobs.worker import Worker
from homeroom.media import service as media_service
from homeroom.media.demo import add_recording
from homeroom.media.listeners import ListeningSockets, open_sockets
from homeroom.media.service import MediaService, build_hosts
from homeroom.partner.authenticator import Authenticator
from homeroom.partner.dispatcher import Dispatcher
from homeroom.partner.openapi import describe_partner_api
from homeroom.partner.turns import SchoolTurns
from homeroom.partner.wires.asgi import Observer
from homeroom.partner.wires.v1 import V1Fork, V1Wire, is_v1_path
from homeroom.player import site as player
from homeroom.player.chat_service import ChatService
from homeroom.player.room_registry import RoomRegistry
from homeroom.sandbox.site import Sandbox
from homeroom.store.local_storage import LocalStorage
from homeroom.store.records import Token
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import demo, jobs, operations, secrets
from homeroom.usecases.demo import DemoSchool
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.secrets import ServerSecrets
from homeroom.web import security_log
from homeroom.web.connections import with_rights
from homeroom.web.draining import Draining, DrainingGate
from homeroom.web.faults import FaultInjector
from homeroom.web.http_server import create_server as http_server
from homeroom.web.journal import Journal
from homeroom.web.metrics import Metrics
from homeroom.web.operator_access import OperatorAccess
from homeroom.web.overloads import respond_os_error, respond_overload
from homeroom.web.problems import (
    HTTPError,
    respond_failure,
    respond_http_error,
    respond_status,
)

STORE_STOP_SECONDS = 3.0
"""Seconds that a unit of work may take once the server is to stop."""


# --- the parts -----------------------------------------------------------------------


def find_hosts(settings: Settings) -> Hosts:
    """Return where pages and streams are reached: as the running server has it, or will have it."""
    running = find_running_server(settings)
    if running is not None and running.hosts is not None:
        return running.hosts
    return build_hosts(settings, f"http://{settings.host}:{settings.port}")


def build_dependencies(
    settings: Settings,
    server_secrets: ServerSecrets,
    video_works: Callable[[], bool] = lambda: True,
) -> Dependencies:
    """Return what use cases need, as the settings have it."""
    return Dependencies(
        KeyGenerator(),
        server_secrets.pull,
        0 if settings.sandbox else settings.stop_delay,
        push_key=server_secrets.push,
        clip_key=server_secrets.clips,
        ticket_key=server_secrets.tickets,
        pull_url_seconds=settings.pull_days * DAY,
        video_works=video_works,
    )


@dataclass(frozen=True)
class Services:
    """The parts of a running server."""

    settings: Settings
    async_store: AsyncStore
    clock: Clock
    worker: Worker
    sweeper: Sweeper
    clock_guard: ClockGuard
    authenticator: Authenticator
    dispatcher: Dispatcher
    v1: V1Wire
    faults: FaultInjector | None
    journal: Journal | None
    metrics: Metrics
    deps: Dependencies
    hosts: Hosts
    files: LocalStorage
    scratch: Scratch
    media: MediaService
    chat: ChatService
    draining: Draining
    readiness: ReadinessCheck

    async def close_live(self) -> None:
        """Close chats and streams while requests are still answered."""
        # A database that does not answer must not hold what follows.
        self.async_store.store.begin_stopping(STORE_STOP_SECONDS)
        await self.chat.close()
        await self.media.end_engine()


@asynccontextmanager
async def build_services(
    settings: Settings, store: Store, real: SteadyClock, sockets: ListeningSockets
) -> AsyncIterator[Services]:
    """Build all parts over a store, run them until the block ends, and stop them."""
    async_store = AsyncStore(store)
    clock = set_clock(settings, store, real)
    files = await asyncio.to_thread(open_storage, settings, store)
    handlers = create_handlers(async_store, files)
    worker = Worker(async_store, clock, real, handlers, lease_owner=get_lease_owner(store))
    server_secrets = await async_store.write(secrets.load_or_create)
    engine = media_service.create_engine_client(settings, sockets.media, server_secrets.engine)
    deps = build_dependencies(
        settings, server_secrets, media_service.create_video_check(settings, engine)
    )
    where = build_hosts(settings, sockets.url, sockets.media)
    faults = FaultInjector() if settings.sandbox else None
    metrics = Metrics()
    journal = Journal() if settings.sandbox else None

    authenticator = Authenticator(async_store, (clock, real), has_reasons=settings.sandbox)
    dispatcher = Dispatcher(
        async_store,
        clock,
        deps,
        where,
        files,
        turns=SchoolTurns(store.engine.parallel_units),
        faults=faults,
        run_jobs=worker.run_now,
    )
    observer = Observer(metrics.count_call, clock, journal)
    draining = Draining()
    scratch = Scratch(settings.data / "scratch")
    prefix = deps.keys.public_key()[:8]
    v1 = V1Wire(authenticator, dispatcher, observer, draining, scratch=scratch, id_prefix=prefix)
    media = MediaService(
        settings,
        async_store,
        deps,
        server_secrets,
        files,
        metrics,
        engine,
        sockets.media,
        sockets.api,
    )
    # In the sandbox an integrator moves the clock on purpose.
    clock_guard = ClockGuard(async_store, real, is_on=not settings.sandbox)
    sweeper = Sweeper(async_store, SWEEPS, clock_guard.is_pausing)
    metrics.watch_sweeps(clock_guard.is_pausing)
    await clock_guard.start()
    follower = AuditFollower(async_store, SystemClock(), clock_guard.is_pausing)
    parts = (worker, sweeper, clock_guard, follower)
    tasks = [asyncio.create_task(part.run()) for part in parts]
    try:
        rooms = RoomRegistry(async_store, deps, where, media.facts)
        async with media.running(), rooms.running():
            yield Services(
                settings=settings,
                async_store=async_store,
                clock=clock,
                worker=worker,
                sweeper=sweeper,
                clock_guard=clock_guard,
                authenticator=authenticator,
                dispatcher=dispatcher,
                v1=v1,
                faults=faults,
                journal=journal,
                metrics=metrics,
                deps=deps,
                hosts=where,
                files=files,
                scratch=scratch,
                media=media,
                chat=ChatService(rooms, metrics),
                draining=draining,
                readiness=ReadinessCheck(
                    async_store,
                    worker,
                    metrics,
                    draining,
                    media.engine_problem,
                    clock_guard.describe_problem,
                    os.getpid(),
                ),
            )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await clock_guard.stop()
        security_log.flush()


# --- the server ----------------------------------------------------------------------


def serve(settings: Settings, ready: Callable[["RunningServer", DemoSchool | None], None]) -> None:
    """Serve until SIGTERM or SIGINT; call `ready` once connections are accepted."""
    log_to_stderr(settings.log_level)
    # A viewer is a connection, and there may be thousands.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    narrow_folders(settings)
    with lock_data_folder(settings) as lock, open_store(settings) as store:
        real = SystemClock()
        set_clock(settings, store, real)
        _release_leases(settings, store, lock)
        store.write(jobs.put_back)
        school = None
        if settings.demo:
            school = store.write(lambda uow: _prepare_demo(uow, settings))
            add_recording(store, open_storage(settings, store), school)

        def announce(running: RunningServer) -> None:
            lock.announce(running.url, running.services.hosts)
            ready(running, school)
            tune_garbage_collector()

        uvloop.run(run_server(settings, store, real, announce))


def _release_leases(settings: Settings, store: Store, lock: FolderLock) -> None:
    """Let jobs run at once that a server which died had begun."""
    with lock.try_alone() as is_alone:
        if settings.database is None:
            # Only this server uses the database.
            store.write(jobs.release_all)
        elif is_alone and (owner := get_lease_owner(store)) is not None:
            store.write(lambda uow: jobs.release(uow, owner))


def _prepare_demo(uow: UnitOfWork, settings: Settings) -> DemoSchool:
    works = media_service.create_video_check(settings, None)
    deps = build_dependencies(settings, secrets.load_or_create(uow), works)
    school = demo.find_or_create(uow, deps)
    return demo.put_on_air(uow, deps, school) if settings.media == "embedded" else school


async def run_server(
    settings: Settings, store: Store, real: SteadyClock, ready: Callable[["RunningServer"], None]
) -> None:
    """Serve until stopped; `real` is the clock of the machine, or of a test."""
    with ExitStack() as opened:
        sockets = await open_sockets(settings, opened)
        async with build_services(settings, store, real, sockets) as parts:
            app = DrainingGate(
                V1Fork(parts.v1, build_site(parts)), parts.draining, _is_served_to_end
            )
            budget = create_budget()
            bodies = BodyBudget(budget.log)
            parts.metrics.watch_load(budget, bodies, parts.dispatcher.turns)
            http = http_server(app, parts.draining, budget, bodies)
            http.on_started = lambda: ready(RunningServer(sockets.url, parts, http.stop))
            http.before_stop = parts.close_live
            await http.serve(sockets=[sockets.api])


def _is_served_to_end(path: str) -> bool:
    """Return whether a path is served while the server stops, or refuses by itself."""
    # The last reports of the media engine come while it ends.
    return is_v1_path(path) or path.startswith("/media/") or path in PROBE_PATHS


@dataclass(frozen=True)
class RunningServer:
    """A server that takes connections."""

    url: str
    services: Services
    stop: Callable[[], None]
    """Asks it to finish; safe to call from another thread."""


def build_site(server: Services) -> Starlette:
    """Return everything but the partner API."""
    return Starlette(
        routes=[
            *_sandbox(server),
            *with_rights(server.media.routes),
            *player.routes(
                server.async_store,
                server.deps,
                server.hosts,
                server.media.facts,
                server.media.gateway,
                server.chat,
                server.metrics,
            ),
            *site.routes(
                server.async_store,
                ReadBackContext(server.deps, server.hosts, server.media.facts),
                server.worker,
                server.metrics,
                server.readiness,
                describe_partner_api,
                _build_operator_access(server),
                server.settings,
            ),
        ],
        exception_handlers={
            HTTPError: respond_http_error,
            OverloadedError: respond_overload,
            OSError: respond_os_error,
            HTTPException: respond_status,
            Exception: respond_failure,
        },
    )


def _sandbox(server: Services) -> list[Route]:
    """Return the routes of the sandbox, if it is enabled."""
    clock, book, journal = server.clock, server.faults, server.journal
    if not isinstance(clock, ShiftedClock) or book is None or journal is None:
        return []

    def forget(school: SchoolId | None) -> None:
        server.authenticator.forget()
        server.sweeper.wake()
        server.chat.registry.refresh_soon()
        if school is not None:
            server.dispatcher.duplicates.forget(school)

    return Sandbox(
        server.async_store,
        clock,
        server.worker,
        server.deps,
        book,
        journal,
        _build_operator_access(server),
        server.settings.host,
        forget,
    ).routes()


def _build_operator_access(server: Services) -> OperatorAccess:
    async def find_token(token_hash: str) -> Token | None:
        return await server.async_store.read(lambda uow: operations.find_token(uow, token_hash))

    return OperatorAccess(find_token)
