"""The parts that a server has once: jobs, sweeps, the guard of the clock, and media."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.routing import BaseRoute

from homeroom.admin.scraping import MetricsScraper
from homeroom.async_store import hear_messages
from homeroom.base.clock import SteadyClock, SystemClock
from homeroom.base.settings import Settings
from homeroom.bootstrap.core import CoreParts, build_core
from homeroom.bootstrap.messaging import build_dispatcher
from homeroom.domain.streams import StreamFacts
from homeroom.folder import get_lease_owner
from homeroom.jobs.audit_follower import AuditFollower
from homeroom.jobs.classroom_keeper import ClassroomKeeper
from homeroom.jobs.clock_guard import ClockGuard
from homeroom.jobs.handlers import create_handlers
from homeroom.jobs.sweeper import Sweeper
from homeroom.jobs.sweeps import SWEEPS
from homeroom.jobs.worker import Worker
from homeroom.media.engine_client import EngineClient
from homeroom.media.gateway_process import GatewayProcess
from homeroom.media.listeners import ListeningSockets, open_sockets
from homeroom.media.service import (
    MediaService,
    build_hosts,
    create_engine_client,
    create_video_check,
)
from homeroom.messages.alarm_keeper import AlarmKeeper
from homeroom.messages.dispatcher import MessageDispatcher
from homeroom.messages.mailer import Mailer
from homeroom.store.records import Job
from homeroom.store.unit_of_work import Store
from homeroom.usecases import secrets
from homeroom.web import security_log
from homeroom.workers.shared_state import LocalState


@dataclass(frozen=True)
class MainParts:
    """The parts that a server has once; processes that serve HTTP see them as `MainProcess`."""

    job_loop: Worker
    sweeper: Sweeper
    clock_guard: ClockGuard
    media: MediaService
    classrooms: ClassroomKeeper
    messages: MessageDispatcher
    state: LocalState
    """The state that all processes share."""
    video_works: Callable[[], bool]
    """Tells whether classes can be recorded now."""

    @property
    def whip(self) -> GatewayProcess:
        """The gateway for browsers that go live."""
        return self.media.gateway

    @property
    def hook_routes(self) -> Sequence[BaseRoute]:
        """The route to which a media engine reports."""
        return self.media.hook_routes

    def facts(self, name: str) -> StreamFacts | None:
        """Return the latest facts of a running stream, or None."""
        return self.media.facts(name)

    def list_facts(self) -> Mapping[str, StreamFacts]:
        """Return the latest facts of all running streams, by name."""
        return self.media.list_facts()

    def engine_problem(self) -> str:
        """Return why our own media engine is unavailable, or an empty text."""
        return self.media.engine_problem()

    def clock_problem(self) -> str:
        """Return why the clock is in doubt, or an empty text."""
        return self.clock_guard.describe_problem()

    def message_problem(self) -> str:
        """Return why no messages are sent, or an empty text."""
        return self.messages.describe_problem()

    async def run_jobs(self, jobs: Collection[Job]) -> bool:
        """Run some leased jobs ahead of all others; return whether all ended in time."""
        return await self.job_loop.run_now(jobs)

    def wake_sweeper(self) -> None:
        """Sweep now, because the clock was moved."""
        self.sweeper.wake()

    async def scrape(self, own: MetricsScraper) -> bytes:
        """Return the metrics of the server, which has no other process."""
        return await own.scrape()


@asynccontextmanager
async def run_main(
    settings: Settings, store: Store, real: SteadyClock
) -> AsyncIterator[tuple[ListeningSockets, CoreParts, MainParts]]:
    """Open the sockets of a server, and run the parts that it has once until the block ends."""
    with ExitStack() as opened:
        sockets = await open_sockets(settings, opened)
        core, engine = await _build_main_core(settings, store, real, sockets)
        async with _run_main_parts(core, engine, sockets) as main:
            yield sockets, core, main


async def _build_main_core(
    settings: Settings, store: Store, real: SteadyClock, sockets: ListeningSockets
) -> tuple[CoreParts, EngineClient | None]:
    """Build the core of the process that has these parts, and its client of the media engine."""
    server_secrets = store.write(secrets.load_or_create)
    engine = create_engine_client(settings, sockets.media, server_secrets.engine)
    core = await build_core(
        settings,
        store,
        real,
        server_secrets,
        build_hosts(settings, sockets.url, sockets.media),
        create_video_check(settings, engine),
    )
    return core, engine


@asynccontextmanager
async def _run_main_parts(
    core: CoreParts, engine: EngineClient | None, sockets: ListeningSockets
) -> AsyncIterator[MainParts]:
    """Build the parts, run them until the block ends, and stop them."""
    store = core.async_store
    worker = Worker(
        store,
        core.clock,
        core.real,
        create_handlers(store, core.files),
        lease_owner=get_lease_owner(store.store),
    )
    # In the sandbox an integrator moves the clock on purpose.
    clock_guard = ClockGuard(store, core.real, is_on=not core.settings.sandbox)
    sweeper = Sweeper(store, SWEEPS, clock_guard.is_pausing)
    core.metrics.watch_sweeps(clock_guard.is_pausing)
    media = MediaService(
        core.settings,
        store,
        core.deps,
        core.secrets,
        core.files,
        core.metrics,
        engine,
        sockets.media,
        sockets.hooks,
        core.hosts.push,
    )
    await clock_guard.start()
    follower = AuditFollower(store, SystemClock(), clock_guard.is_pausing)
    classrooms = ClassroomKeeper(store, core.files, media.list_encoders, clock_guard.is_pausing)
    state = LocalState(is_sandbox=core.settings.sandbox)
    dispatcher = build_dispatcher(core, state.take_fault)
    alarms = AlarmKeeper(store, Mailer(core.settings.smtp_url) if core.settings.smtp_url else None)
    core.metrics.watch_messages(lambda: dispatcher.outcomes, lambda: alarms.count)
    parts = (worker, sweeper, clock_guard, follower, classrooms, dispatcher, alarms)
    tasks = [asyncio.create_task(part.run()) for part in parts]
    try:
        async with (
            media.running(),
            hear_messages(core.settings.database, dispatcher.hear),
        ):
            yield MainParts(
                worker,
                sweeper,
                clock_guard,
                media,
                classrooms,
                dispatcher,
                state,
                core.deps.video_works,
            )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await clock_guard.stop()
        security_log.flush()
