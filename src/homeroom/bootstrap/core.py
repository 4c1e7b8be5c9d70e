"""The parts that each process of a server has: store, clock, files, keys and metrics."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock, SteadyClock
from homeroom.base.settings import Settings
from homeroom.bootstrap.dependencies import build_dependencies
from homeroom.domain.webcasts import Hosts
from homeroom.folder import open_storage, set_clock
from homeroom.store.local_storage import LocalStorage
from homeroom.store.unit_of_work import Store
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.secrets import ServerSecrets
from homeroom.web.metrics import Metrics


@dataclass(frozen=True)
class CoreParts:
    """The parts that each process of a server has."""

    settings: Settings
    async_store: AsyncStore
    clock: Clock
    real: SteadyClock
    """The clock of the machine, or of a test."""
    secrets: ServerSecrets
    deps: Dependencies
    hosts: Hosts
    files: LocalStorage
    metrics: Metrics


async def build_core(
    settings: Settings,
    store: Store,
    real: SteadyClock,
    server_secrets: ServerSecrets,
    hosts: Hosts,
    video_works: Callable[[], bool],
) -> CoreParts:
    """Build the parts over a store."""
    # The sandbox shows the messages of all schools, also of those without a receiver.
    store.subscribed.is_everybody = settings.sandbox
    return CoreParts(
        settings=settings,
        async_store=AsyncStore(store),
        clock=set_clock(settings, store, real),
        real=real,
        secrets=server_secrets,
        deps=build_dependencies(settings, server_secrets, video_works),
        hosts=hosts,
        files=await asyncio.to_thread(open_storage, settings, store),
        metrics=Metrics(),
    )
