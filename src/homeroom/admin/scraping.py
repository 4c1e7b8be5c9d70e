"""Metrics of this process, brought up to date at each scrape."""

import asyncio
import shutil
from pathlib import Path

from homeroom.admin.readiness import PROBE_TIMEOUT_SECONDS, ReadinessCheck
from homeroom.async_store import AsyncStore
from homeroom.base.settings import Settings
from homeroom.folder import database_address
from homeroom.jobs.job_loop import JobLoop
from homeroom.store.engine import UnavailableError
from homeroom.store.inspection import get_wal_bytes
from homeroom.usecases import deliveries, jobs
from homeroom.web.merged_metrics import MetricFamily
from homeroom.web.metrics import Metrics


class MetricsScraper:
    """The metrics of this process, with the figures that are read only when they are scraped."""

    def __init__(
        self,
        store: AsyncStore,
        job_loop: JobLoop,
        metrics: Metrics,
        readiness: ReadinessCheck,
        settings: Settings,
    ) -> None:
        self._store = store
        self._job_loop = job_loop
        self._metrics = metrics
        self._readiness = readiness
        self._data = settings.data
        self._database = database_address(settings)

    async def scrape(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        await self._update()
        return self._metrics.render()

    async def collect(self) -> list[MetricFamily]:
        """Return the metrics, to be merged with those of other processes."""
        await self._update()
        return self._metrics.collect()

    async def _update(self) -> None:
        # So that the metrics tell of an outage even where nothing asks for readiness.
        await self._readiness.check()
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                counts = await self._store.read(jobs.get_counts)
                messages = await self._store.read(deliveries.get_counts)
            self._metrics.set_jobs(counts, self._job_loop.failures)
            self._metrics.messages.set(messages)
        except (TimeoutError, UnavailableError):
            pass  # these gauges keep what they had; those of the store tell of the outage
        stats = self._store.store.engine.stats
        self._metrics.set_commits(stats.commits, stats.units)
        self._set_store_metrics()

    def _set_store_metrics(self) -> None:
        store, metrics = self._store.store, self._metrics.store
        metrics.set_queue(store.load.queue_length, store.load.queue_seconds)
        metrics.set_pool(store.engine.pool.in_use, store.engine.pool.size)
        metrics.set_disk(shutil.disk_usage(self._data).free)
        if isinstance(self._database, Path):
            metrics.set_wal(get_wal_bytes(self._database))
