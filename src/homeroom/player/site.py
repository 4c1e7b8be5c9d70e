"""Routes of the public pages."""

from starlette.routing import BaseRoute

from homeroom.async_store import AsyncStore
from homeroom.domain.webcasts import Hosts
from homeroom.player.chat_service import ChatService
from homeroom.player.entry_pages import EntryPages
from homeroom.player.login import LoginEndpoints
from homeroom.player.login_throttle import LoginLimits
from homeroom.player.pages import ClassPages
from homeroom.player.rendering import PageRenderer
from homeroom.player.room_sockets import RoomSockets
from homeroom.player.state import Facts
from homeroom.player.teacher_page import TeacherPages, WhipIngest
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.connections import with_rights
from homeroom.web.metrics import Metrics


def routes(
    store: AsyncStore,
    deps: Dependencies,
    hosts: Hosts,
    facts: Facts,
    whip: WhipIngest,
    chat: ChatService,
    logins: LoginLimits,
    metrics: Metrics,
) -> list[BaseRoute]:
    """Return the routes of the public pages; `facts` returns the state of a running stream."""
    renderer = PageRenderer(hosts)
    return [
        *with_rights(ClassPages(store, deps, hosts, renderer, facts).routes()),
        *with_rights(EntryPages(store, renderer).routes()),
        *with_rights(LoginEndpoints(store, deps, hosts, logins).routes()),
        *with_rights(TeacherPages(store, deps, hosts, renderer, facts, whip).routes()),
        *RoomSockets(chat, hosts, metrics).routes(),
        renderer.assets.route,
    ]
