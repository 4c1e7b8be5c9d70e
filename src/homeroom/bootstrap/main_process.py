"""A server of several processes: the main one, which starts worker processes that serve HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from starlette.applications import Starlette

from homeroom.base.clock import ShiftedClock, SteadyClock
from homeroom.base.settings import Settings
from homeroom.bootstrap.core import CoreParts
from homeroom.bootstrap.main_parts import MainParts, run_main
from homeroom.bootstrap.sandbox import sandbox_routes
from homeroom.bootstrap.services import STORE_STOP_SECONDS, build_health
from homeroom.bootstrap.site import EXCEPTION_HANDLERS
from homeroom.media.listeners import ListeningSockets
from homeroom.store.unit_of_work import Store
from homeroom.web.draining import Draining
from homeroom.web.http_server import create_server
from homeroom.web.merged_metrics import render_merged
from homeroom.web.ports import get_url
from homeroom.workers.channel import ProcedureTable
from homeroom.workers.main_process import add_main_procedures, describe_status
from homeroom.workers.pool import WorkerPool
from homeroom.workers.procedures import COLLECT_METRICS, FOLLOW_SANDBOX, SCRAPE, SET_STATUS
from homeroom.workers.settings import WorkerSettings

SCRAPE_SECONDS = 5.0
"""Time that a worker process may take to return its metrics."""
STATUS_SECONDS = 0.25
"""Interval at which worker processes learn the state of the main process."""


@dataclass(frozen=True)
class MainServer:
    """A main process whose worker processes accept connections."""

    url: str
    core: CoreParts


async def run_main_process(
    settings: Settings, store: Store, real: SteadyClock, ready: Callable[[MainServer], None]
) -> None:
    """Run a server of several processes until it is stopped."""
    async with (
        run_main(settings, store, real) as (sockets, core, main),
        _run_pool(core, main, sockets) as pool,
    ):

        def get_offset() -> int:
            return core.clock.offset if isinstance(core.clock, ShiftedClock) else 0

        async def follow() -> None:
            await pool.channels.call_all(FOLLOW_SANDBOX, get_offset())

        # The clock may have moved since the process has read it.
        pool.on_started = lambda channel: channel.notify(FOLLOW_SANDBOX, get_offset())
        routes = [*main.hook_routes, *sandbox_routes(core, main, follow)]
        site = Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS)
        draining = Draining()
        http = create_server(site, draining)

        async def start() -> None:
            try:
                await pool.start()
            except BaseException:
                http.stop()
                raise
            if not draining.is_active:
                ready(MainServer(sockets.url, core))

        async def end() -> None:
            store.begin_stopping(STORE_STOP_SECONDS)
            pool.begin_ending()
            # Its last reports come while it ends.
            await main.media.end_engine()

        starting: list[asyncio.Task[None]] = []
        http.on_started = lambda: starting.append(asyncio.create_task(start()))
        http.before_stop = end
        await http.serve(sockets=[sockets.hooks])
        for task in starting:
            await task


@asynccontextmanager
async def _run_pool(
    core: CoreParts, main: MainParts, sockets: ListeningSockets
) -> AsyncIterator[WorkerPool]:
    """Build the pool of worker processes; report to them until the block ends, and stop them."""
    procedures = ProcedureTable()
    template = WorkerSettings(
        number=0,
        listener_fd=0,
        channel_fd=0,
        settings=core.settings,
        hosts=core.hosts,
        main_url=get_url(sockets.hooks),
        push_base=main.whip.push_base,
    )
    pool = WorkerPool(template, sockets.api, procedures, core.metrics.registry)
    _, scraper = build_health(core, main, Draining())

    async def scrape(_request: None) -> bytes:
        own, others = await asyncio.gather(
            scraper.collect(), pool.channels.call_all(COLLECT_METRICS, None, SCRAPE_SECONDS)
        )
        return render_merged([own, *others])

    async def report() -> None:
        while True:
            pool.channels.broadcast(SET_STATUS, describe_status(main))
            await asyncio.sleep(STATUS_SECONDS)

    add_main_procedures(procedures, main)
    procedures.add(SCRAPE, scrape)
    reporting = asyncio.create_task(report())
    try:
        yield pool
    finally:
        await pool.end()
        reporting.cancel()
        with suppress(asyncio.CancelledError):
            await reporting
