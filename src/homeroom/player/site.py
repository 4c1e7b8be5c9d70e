"""Joins the public pages."""

from starlette.routing import BaseRoute

from homeroom.desk import Desk
from homeroom.domain.webcasts import Hosts
from homeroom.player.entry import Entry
from homeroom.player.hub import Hub
from homeroom.player.pages import Pages
from homeroom.player.shell import Shell
from homeroom.player.socket import Sockets
from homeroom.player.state import Facts
from homeroom.player.teach import Browser, Teaching
from homeroom.usecases.means import Means
from homeroom.web.metrics import Metrics


def routes(
    desk: Desk,
    means: Means,
    hosts: Hosts,
    facts: Facts,
    browser: Browser,
    hub: Hub,
    metrics: Metrics,
) -> list[BaseRoute]:
    """Return the addresses of the public pages; the media engine's facts say what is on the air."""
    shell = Shell(hosts)
    return [
        *Pages(desk, means, hosts, shell, facts).routes(),
        *Entry(desk, means, hosts).routes(),
        *Teaching(desk, means, hosts, shell, facts, browser).routes(),
        *Sockets(hub, hosts, metrics).routes(),
        shell.assets.route,
    ]
