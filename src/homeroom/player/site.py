"""Joins the public pages."""

from starlette.routing import BaseRoute

from homeroom.async_store import AsyncStore
from homeroom.domain.webcasts import Hosts
from homeroom.player.entry import Entry
from homeroom.player.hub import Hub
from homeroom.player.pages import Pages
from homeroom.player.shell import Shell
from homeroom.player.socket import Sockets
from homeroom.player.state import Facts
from homeroom.player.teach import Browser, Teaching
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.metrics import Metrics


def routes(
    store: AsyncStore,
    deps: Dependencies,
    hosts: Hosts,
    facts: Facts,
    browser: Browser,
    hub: Hub,
    metrics: Metrics,
) -> list[BaseRoute]:
    """Return the addresses of the public pages; the media engine's facts say what is on the air."""
    shell = Shell(hosts)
    return [
        *Pages(store, deps, hosts, shell, facts).routes(),
        *Entry(store, deps, hosts).routes(),
        *Teaching(store, deps, hosts, shell, facts, browser).routes(),
        *Sockets(hub, hosts, metrics).routes(),
        shell.assets.route,
    ]
