"""The HTTP server of a process, over all that it serves."""

from collections.abc import Sequence

from starlette.routing import BaseRoute

from homeroom.admin.health import PROBE_PATHS
from homeroom.base.body_budget import BodyBudget
from homeroom.base.connection_budget import create_budget
from homeroom.bootstrap.services import Services
from homeroom.bootstrap.site import build_site
from homeroom.partner.wires.fork import PartnerFork, is_partner_path
from homeroom.web.draining import DrainingGate
from homeroom.web.http_server import HTTPServer, create_server


def create_http_server(services: Services, sandbox: Sequence[BaseRoute]) -> HTTPServer:
    """Return the HTTP server of a process."""
    site = PartnerFork(services.v1, services.v2, build_site(services, sandbox))
    app = DrainingGate(site, services.draining, _is_served_to_end)
    budget = create_budget()
    bodies = BodyBudget(budget.log)
    services.metrics.watch_load(budget, bodies, services.dispatcher.turns)
    return create_server(app, services.draining, budget, bodies)


def _is_served_to_end(path: str) -> bool:
    """Return whether a path is served while the server stops, or refuses by itself."""
    # The last reports of the media engine come while it ends.
    return is_partner_path(path) or path.startswith("/media/") or path in PROBE_PATHS
