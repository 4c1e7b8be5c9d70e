"""All of the operator's side."""

from starlette.routing import BaseRoute

from homeroom.admin import pages, readback
from homeroom.admin.health import Health
from homeroom.desk import Desk
from homeroom.domain.webcasts import Hosts
from homeroom.jobs.worker import Worker
from homeroom.web.metrics import Metrics


def routes(desk: Desk, hosts: Hosts, worker: Worker, metrics: Metrics) -> list[BaseRoute]:
    """Return the addresses of the operator's side."""
    return [
        *pages.routes(hosts),
        *Health(desk, worker, metrics).routes(),
        *readback.routes(desk, hosts),
    ]
