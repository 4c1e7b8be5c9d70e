"""All routes for the operator: pages, health, read-back and messages."""

from starlette.routing import BaseRoute, Route

from homeroom.admin import pages, readback
from homeroom.admin.health import HealthRoutes, Scrape
from homeroom.admin.messaging import MessagingRoutes
from homeroom.admin.readiness import ReadinessCheck
from homeroom.admin.request import ReadBackContext
from homeroom.async_store import AsyncStore
from homeroom.base.settings import Settings
from homeroom.contract.schema import DescribeAPI
from homeroom.messages.sender import SendTest
from homeroom.web.connections import with_rights
from homeroom.web.operator_access import OperatorAccess

METRICS_PATH = "/metrics"


def routes(
    store: AsyncStore,
    context: ReadBackContext,
    readiness: ReadinessCheck,
    scrape: Scrape,
    describe_partner_api: DescribeAPI,
    operators: OperatorAccess,
    settings: Settings,
    send_test: SendTest,
) -> list[BaseRoute]:
    """Return the routes for the operator; what the settings do not publish needs a right."""
    closed = set() if settings.public_docs else set(pages.DOCS_PATHS)
    closed |= set() if settings.public_metrics else {METRICS_PATH}
    routes = [
        *pages.routes(context.hosts, describe_partner_api),
        *HealthRoutes(readiness, scrape).routes(),
        *with_rights(readback.routes(store, context)),
        *with_rights(MessagingRoutes(store, context.deps.keys, send_test).routes()),
    ]
    return [
        operators.protect(route) if isinstance(route, Route) and route.path in closed else route
        for route in routes
    ]
