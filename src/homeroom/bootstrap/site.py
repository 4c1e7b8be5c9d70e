"""The routes of a server, but for the partner API."""

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from homeroom.admin import site
from homeroom.admin.request import ReadBackContext
from homeroom.base.clock import ShiftedClock
from homeroom.base.ids import SchoolId
from homeroom.bootstrap.services import Services
from homeroom.domain.refusal import OverloadedError
from homeroom.media import clips
from homeroom.partner.openapi import describe_partner_api
from homeroom.player import site as player
from homeroom.sandbox.site import Sandbox
from homeroom.store.records import Token
from homeroom.usecases import operations
from homeroom.web.connections import with_rights
from homeroom.web.operator_access import OperatorAccess
from homeroom.web.overloads import respond_os_error, respond_overload
from homeroom.web.problems import (
    HTTPError,
    respond_failure,
    respond_http_error,
    respond_status,
)

EXCEPTION_HANDLERS: Final = {
    HTTPError: respond_http_error,
    OverloadedError: respond_overload,
    OSError: respond_os_error,
    HTTPException: respond_status,
    Exception: respond_failure,
}


def build_site(server: Services) -> Starlette:
    """Return everything but the partner API."""
    return Starlette(
        routes=[
            *_sandbox(server),
            *with_rights(clips.routes(server.async_store, server.files, server.secrets.clips)),
            *with_rights(server.main.hook_routes),
            *player.routes(
                server.async_store,
                server.deps,
                server.hosts,
                server.main.facts,
                server.main.whip,
                server.chat,
                server.metrics,
            ),
            *site.routes(
                server.async_store,
                ReadBackContext(server.deps, server.hosts, server.main.facts),
                server.readiness,
                lambda: server.main.scrape(server.scraper),
                describe_partner_api,
                _build_operator_access(server),
                server.settings,
            ),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )


def _sandbox(server: Services) -> list[Route]:
    """Return the routes of the sandbox, if it is enabled."""
    clock, book, journal = server.clock, server.faults, server.journal
    if not isinstance(clock, ShiftedClock) or book is None or journal is None:
        return []

    def forget(school: SchoolId | None) -> None:
        server.authenticator.forget()
        server.main.wake_sweeper()
        server.chat.registry.refresh_soon()
        if school is not None:
            server.dispatcher.duplicates.forget(school)

    return Sandbox(
        server.async_store,
        clock,
        server.main.job_loop,
        server.deps,
        book,
        journal,
        _build_operator_access(server),
        server.settings.host,
        forget,
    ).routes()


def _build_operator_access(server: Services) -> OperatorAccess:
    async def find_token(token_hash: str) -> Token | None:
        return await server.async_store.read(lambda uow: operations.find_token(uow, token_hash))

    return OperatorAccess(find_token)
