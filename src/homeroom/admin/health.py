"""Health, for probes: alive, ready, and the numbers behind it."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.admin.readiness import ReadinessCheck
from homeroom.web.metrics import CONTENT_TYPE
from homeroom.web.problems import NO_STORE, json_response

Scrape = Callable[[], Awaitable[bytes]]
"""Returns the metrics of the server in the text format of Prometheus."""
PROBE_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})


class HealthRoutes:
    """The endpoints for probes and metrics."""

    def __init__(self, readiness: ReadinessCheck, scrape: Scrape) -> None:
        self._readiness = readiness
        self._scrape = scrape

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
        content = await self._scrape()
        return Response(content, headers={**NO_STORE, "content-type": CONTENT_TYPE})
