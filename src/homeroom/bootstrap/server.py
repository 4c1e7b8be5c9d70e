"""A server in one process: all of its parts on one event loop."""

from collections.abc import Callable
from dataclasses import dataclass

from homeroom.base.clock import SteadyClock
from homeroom.base.settings import Settings
from homeroom.bootstrap.core import CoreParts
from homeroom.bootstrap.http import create_http_server
from homeroom.bootstrap.main_parts import MainParts, run_main
from homeroom.bootstrap.sandbox import sandbox_routes
from homeroom.bootstrap.services import Services, run_services
from homeroom.store.unit_of_work import Store


@dataclass(frozen=True)
class RunningServer:
    """A server that takes connections."""

    url: str
    core: CoreParts
    main: MainParts
    services: Services
    stop: Callable[[], None]
    """Asks it to finish; safe to call from another thread."""


async def run_server(
    settings: Settings, store: Store, real: SteadyClock, ready: Callable[[RunningServer], None]
) -> None:
    """Serve until stopped; `real` is the clock of the machine, or of a test."""
    async with (
        run_main(settings, store, real) as (sockets, core, main),
        run_services(core, main) as services,
    ):

        async def close_live() -> None:
            await services.close_live()
            await main.media.end_engine()

        async def follow() -> None:
            services.follow_sandbox()

        http = create_http_server(services, sandbox_routes(core, main, follow))
        running = RunningServer(sockets.url, core, main, services, http.stop)
        http.on_started = lambda: ready(running)
        http.before_stop = close_live
        await http.serve(sockets=[sockets.api])
