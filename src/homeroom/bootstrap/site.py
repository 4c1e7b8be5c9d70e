"""The routes of a server, but for the partner API."""

from collections.abc import Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from homeroom.admin import site
from homeroom.admin.request import ReadBackContext
from homeroom.bootstrap.messaging import build_test
from homeroom.bootstrap.sandbox import build_operator_access
from homeroom.bootstrap.services import Services
from homeroom.domain.refusal import OverloadedError
from homeroom.media import clips, drive_files, message_files
from homeroom.partner.openapi import describe_partner_api
from homeroom.player import site as player
from homeroom.web.connections import with_rights
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


def build_site(server: Services, sandbox: Sequence[BaseRoute]) -> Starlette:
    """Return everything but the partner API."""
    return Starlette(
        routes=[
            *sandbox,
            *with_rights(clips.routes(server.async_store, server.files, server.secrets.clips)),
            *with_rights(
                drive_files.routes(server.async_store, server.files, server.secrets.clips)
            ),
            *with_rights(
                message_files.routes(server.async_store, server.files, server.secrets.clips)
            ),
            *with_rights(server.main.hook_routes),
            *player.routes(
                server.async_store,
                server.deps,
                server.hosts,
                server.main.facts,
                server.main.whip,
                server.chat,
                server.main.state.logins,
                server.metrics,
            ),
            *site.routes(
                server.async_store,
                ReadBackContext(server.deps, server.hosts, server.main.facts),
                server.readiness,
                lambda: server.main.scrape(server.scraper),
                describe_partner_api,
                build_operator_access(server),
                server.settings,
                build_test(server),
            ),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
