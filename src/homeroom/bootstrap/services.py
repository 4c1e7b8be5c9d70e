"""The parts of a process that serves HTTP."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from homeroom.admin.readiness import ReadinessCheck
from homeroom.admin.scraping import MetricsScraper
from homeroom.async_store import hear_chats
from homeroom.base.scratch import Scratch
from homeroom.bootstrap.core import CoreParts
from homeroom.folder import get_lease_owner
from homeroom.jobs.worker import make_lease
from homeroom.partner.authenticator import Authenticator
from homeroom.partner.dispatcher import Dispatcher
from homeroom.partner.turns import SchoolTurns
from homeroom.partner.wires.asgi import Observer
from homeroom.partner.wires.v1 import V1Wire
from homeroom.partner.wires.v2 import V2Wire
from homeroom.player.chat_service import ChatService
from homeroom.player.presence_exchange import PresenceExchange
from homeroom.player.room_registry import RoomRegistry
from homeroom.web.draining import Draining
from homeroom.workers.main_process import MainProcess

STORE_STOP_SECONDS = 3.0
"""Seconds that a unit of work may take once the server is to stop."""


@dataclass(frozen=True)
class Services(CoreParts):
    """The parts of a process that serves HTTP."""

    main: MainProcess
    authenticator: Authenticator
    dispatcher: Dispatcher
    v1: V1Wire
    v2: V2Wire
    scratch: Scratch
    chat: ChatService
    draining: Draining
    readiness: ReadinessCheck
    scraper: MetricsScraper

    def follow_sandbox(self) -> None:
        """Forget what depends on the clock, which was moved, or on a school, which was reset."""
        self.authenticator.forget()
        self.chat.registry.refresh_soon()

    async def close_live(self) -> None:
        """Close the chats while requests are still answered."""
        # A database that does not answer must not hold what follows.
        self.async_store.store.begin_stopping(STORE_STOP_SECONDS)
        await self.chat.close()


def build_health(
    core: CoreParts, main: MainProcess, draining: Draining
) -> tuple[ReadinessCheck, MetricsScraper]:
    """Return what checks this process, and what brings its metrics up to date."""
    store, metrics = core.async_store, core.metrics
    readiness = ReadinessCheck(
        store,
        main.job_loop,
        metrics,
        draining,
        (main.engine_problem, main.message_problem),
        main.clock_problem,
        os.getpid(),
    )
    return readiness, MetricsScraper(store, main.job_loop, metrics, readiness, core.settings)


@asynccontextmanager
async def run_services(core: CoreParts, main: MainProcess) -> AsyncIterator[Services]:
    """Build the parts, run them until the block ends, and stop them."""
    settings, store = core.settings, core.async_store
    state = main.state
    authenticator = Authenticator(store, (core.clock, core.real), has_reasons=settings.sandbox)
    dispatcher = Dispatcher(
        store,
        core.clock,
        core.deps,
        core.hosts,
        core.files,
        turns=SchoolTurns(store.store.engine.parallel_units),
        duplicates=state.duplicates,
        rate_limits=state.rate_limits,
        faults=state.faults,
        lease_jobs=partial(make_lease, core.real, get_lease_owner(store.store)),
        run_jobs=main.run_jobs,
    )
    observer = Observer(core.metrics.calls.count, core.clock, state.journal)
    draining = Draining()
    scratch = Scratch(settings.data / "scratch")
    prefix = core.deps.keys.public_key()[:8]
    v1 = V1Wire(authenticator, dispatcher, observer, draining, scratch=scratch, id_prefix=prefix)
    v2 = V2Wire(authenticator, dispatcher, observer, draining, id_prefix=f"{prefix}-v2")
    presence = None
    if settings.database is not None:
        presence = PresenceExchange(store, core.deps.keys.public_key())
    rooms = RoomRegistry(store, core.deps, core.hosts, main.facts, presence)
    readiness, scraper = build_health(core, main, draining)
    async with rooms.running(), hear_chats(settings.database, rooms.hear):
        yield Services(
            **vars(core),
            main=main,
            authenticator=authenticator,
            dispatcher=dispatcher,
            v1=v1,
            v2=v2,
            scratch=scratch,
            chat=ChatService(rooms, core.metrics),
            draining=draining,
            readiness=readiness,
            scraper=scraper,
        )
