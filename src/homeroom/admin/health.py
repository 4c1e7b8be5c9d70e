"""Health, for probes: alive, ready, and the numbers behind it."""

import asyncio
import shutil
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.admin.readiness import PROBE_TIMEOUT_SECONDS, ReadinessCheck
from homeroom.async_store import AsyncStore
from homeroom.base.settings import Settings
from homeroom.folder import database_address
from homeroom.jobs.job_loop import JobLoop
from homeroom.store.engine import UnavailableError
from homeroom.store.inspection import get_wal_bytes
from homeroom.usecases import jobs
from homeroom.web.metrics import CONTENT_TYPE, Metrics
from homeroom.web.problems import NO_STORE, json_response

PROBE_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class HealthRoutes:
    """The endpoints for probes and metrics."""

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

    def routes(self) -> list[Route]:
        """Return the addresses for probes."""
        return [
            Route("/healthz", self._get_liveness, methods=["GET"]),
            Route("/readyz", self._get_readiness, methods=["GET"]),
            Route("/metrics", self._get_metrics, methods=["GET"]),
        ]

    async def _get_liveness(self, _request: Request) -> Response:
        return Response("ok\n", headers=NO_STORE, media_type="text/plain")

    async def _get_readiness(self, _request: Request) -> Response:
        readiness = await self._readiness.check()
        if readiness.reasons:
            body = {"status": "not ready", "reasons": readiness.reasons}
            return json_response(body, HTTPStatus.SERVICE_UNAVAILABLE)
        status = "degraded" if readiness.warnings else "ready"
        return json_response({"status": status, "reasons": readiness.warnings})

    async def _get_metrics(self, _request: Request) -> Response:
        # So that the metrics tell of an outage even where nothing asks for readiness.
        await self._readiness.check()
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                counts = await self._store.read(jobs.get_counts)
            self._metrics.set_jobs(counts, self._job_loop.failures)
        except (TimeoutError, UnavailableError):
            pass  # the gauges of jobs keep what they had; those of the store tell of the outage
        stats = self._store.store.engine.stats
        self._metrics.set_commits(stats.commits, stats.units)
        self._set_store_metrics()
        return Response(self._metrics.render(), headers={**NO_STORE, "content-type": CONTENT_TYPE})

    def _set_store_metrics(self) -> None:
        store, metrics = self._store.store, self._metrics.store
        metrics.set_queue(store.load.queue_length, store.load.queue_seconds)
        metrics.set_pool(store.engine.pool.in_use, store.engine.pool.size)
        metrics.set_disk(shutil.disk_usage(self._data).free)
        if isinstance(self._database, Path):
            metrics.set_wal(get_wal_bytes(self._database))
