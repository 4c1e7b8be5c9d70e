"""Health, for probes: alive, ready, and the numbers behind it."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.jobs.worker import Worker
from homeroom.web.metrics import CONTENT_TYPE, Metrics
from homeroom.web.problems import NO_STORE, json_response

PATIENCE = 2.0
"""Seconds the database may take to answer a probe."""
LONGEST_TURN = 60.0
"""Seconds after which the loop that does jobs counts as stuck; it turns every five."""


class Health:
    """What is asked of a server to know that it does its work."""

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
            Route("/healthz", self._alive, methods=["GET"]),
            Route("/readyz", self._ready, methods=["GET"]),
            Route("/metrics", self._numbers, methods=["GET"]),
        ]

    async def _alive(self, _request: Request) -> Response:
        return Response("ok\n", headers=NO_STORE, media_type="text/plain")

    async def _ready(self, _request: Request) -> Response:
        found = [
            await self._reads(),
            await self._writes(),
            self._does_jobs(),
            self._media_trouble(),
        ]
        reasons = [reason for reason in found if reason]
        if reasons:
            body = {"status": "not ready", "reasons": reasons}
            return json_response(body, HTTPStatus.SERVICE_UNAVAILABLE)
        return json_response({"status": "ready", "reasons": []})

    async def _reads(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._store.read(lambda uow: uow.jobs.count())
        except TimeoutError:
            return f"the database does not answer within {PATIENCE:.0f} s"
        except Exception as failure:  # noqa: BLE001  whatever it is, it is a reason
            return f"the database cannot be read: {type(failure).__name__}"
        return ""

    async def _writes(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                # An empty unit takes the writer's turn and commits; nothing reaches the disk.
                await self._store.write(lambda _work: None)
        except TimeoutError:
            return f"the database takes no work within {PATIENCE:.0f} s"
        except Exception as failure:  # noqa: BLE001  as above
            return f"the database cannot be written: {type(failure).__name__}"
        return ""

    def _does_jobs(self) -> str:
        idle = self._worker.idle_seconds()
        if idle <= LONGEST_TURN:
            return ""
        return f"the loop that does jobs has not turned for {idle:.0f} s"

    async def _numbers(self, _request: Request) -> Response:
        pending, failing = await self._store.read(
            lambda uow: (uow.jobs.count(), len(uow.jobs.failing()))
        )
        self._metrics.see_jobs(pending, failing, self._worker.failures)
        stats = self._store.store.engine.stats
        self._metrics.see_store(stats.commits, stats.units)
        return Response(self._metrics.text(), headers={**NO_STORE, "content-type": CONTENT_TYPE})
