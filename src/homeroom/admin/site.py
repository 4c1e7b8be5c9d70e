"""All routes for the operator: pages, health and read-back."""

from collections.abc import Callable

from starlette.routing import BaseRoute

from homeroom.admin import pages, readback
from homeroom.admin.health import HealthRoutes
from homeroom.admin.request import ReadBackContext
from homeroom.async_store import AsyncStore
from homeroom.contract.schema import DescribeAPI
from homeroom.jobs.worker import Worker
from homeroom.web.metrics import Metrics


def routes(
    store: AsyncStore,
    context: ReadBackContext,
    worker: Worker,
    metrics: Metrics,
    media_trouble: Callable[[], str],
    describe_partner_api: DescribeAPI,
) -> list[BaseRoute]:
    """Return the routes for the operator."""
    return [
        *pages.routes(context.hosts, describe_partner_api),
        *HealthRoutes(store, worker, metrics, media_trouble).routes(),
        *readback.routes(store, context),
    ]
