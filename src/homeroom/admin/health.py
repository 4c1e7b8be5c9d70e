"""Health, for probes: alive, ready, and the numbers behind it."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.jobs.worker import Worker
from homeroom.usecases import jobs
from homeroom.web.metrics import CONTENT_TYPE, Metrics
from homeroom.web.problems import NO_STORE, json_response

PROBE_TIMEOUT_SECONDS = 2.0
"""Seconds the database may take to answer a probe."""
MAX_IDLE_SECONDS = 60.0
"""Seconds after which the loop that does jobs counts as stuck; it turns every five."""
PROBE_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class HealthRoutes:
    """The endpoints for probes and metrics."""

    def __init__(
        self, store: AsyncStore, worker: Worker, metrics: Metrics, media_trouble: Callable[[], str]
    ) -> None:
        """Take also what says why streams cannot be carried now, or nothing."""
        self._store = store
        self._worker = worker
        self._metrics = metrics
        self._media_trouble = media_trouble

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
        results = [
            await self._check_read(),
            await self._check_write(),
            self._check_worker(),
            self._media_trouble(),
        ]
        reasons = [reason for reason in results if reason]
        if reasons:
            body = {"status": "not ready", "reasons": reasons}
            return json_response(body, HTTPStatus.SERVICE_UNAVAILABLE)
        set_aside = await self._count_set_aside()
        if set_aside:
            # Still 200: another server would find the same jobs, and all others are run.
            reason = f"{set_aside} jobs are set aside; homeroom doctor says which and why"
            return json_response({"status": "degraded", "reasons": [reason]})
        return json_response({"status": "ready", "reasons": []})

    async def _check_read(self) -> str:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                await self._store.read(jobs.count_pending)
        except TimeoutError:
            return f"the database does not answer within {PROBE_TIMEOUT_SECONDS:.0f} s"
        except Exception as failure:  # noqa: BLE001  whatever it is, it is a reason
            return f"the database cannot be read: {type(failure).__name__}"
        return ""

    async def _check_write(self) -> str:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                # An empty unit takes the writer's turn and commits; nothing reaches the disk.
                await self._store.write(lambda _work: None)
        except TimeoutError:
            return f"the database takes no work within {PROBE_TIMEOUT_SECONDS:.0f} s"
        except Exception as failure:  # noqa: BLE001  as above
            return f"the database cannot be written: {type(failure).__name__}"
        return ""

    async def _count_set_aside(self) -> int:
        return await self._store.read(lambda uow: jobs.get_counts(uow).set_aside)

    def _check_worker(self) -> str:
        idle = self._worker.idle_seconds()
        if idle <= MAX_IDLE_SECONDS:
            return ""
        return f"the loop that does jobs has not turned for {idle:.0f} s"

    async def _get_metrics(self, _request: Request) -> Response:
        counts = await self._store.read(jobs.get_counts)
        self._metrics.set_jobs(counts, self._worker.failures)
        stats = self._store.store.engine.stats
        self._metrics.set_commits(stats.commits, stats.units)
        return Response(self._metrics.render(), headers={**NO_STORE, "content-type": CONTENT_TYPE})
