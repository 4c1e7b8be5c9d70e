"""Hooks of an external media engine, which worker processes forward to the main process."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.media.engine.http_client import NoResponseError, send_request
from homeroom.media.hooks import HOOKS_PATH, MAX_BODY_BYTES
from homeroom.web.addresses import get_client_address
from homeroom.web.bodies import read_body
from homeroom.web.problems import HTTPError

FORWARD_SECONDS = 60.0
"""Longest wait for the main process, which may copy a recording."""


def forwarding_routes(main_url: str) -> list[Route]:
    """Return the route of hooks; the main process at a URL handles all, one recording at a time."""

    async def forward(request: Request) -> Response:
        body = await read_body(request, MAX_BODY_BYTES)
        try:
            status, answer = await send_request(
                f"{main_url}{HOOKS_PATH}?{request.url.query}",
                method="POST",
                body=body,
                headers={"X-Forwarded-For": get_client_address(request.scope)},
                timeout=FORWARD_SECONDS,
            )
        except NoResponseError as error:
            # The engine reports again.
            detail = "the main process of the server does not answer"
            raise HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error
        return Response(answer, status, media_type="application/json")

    return [Route(HOOKS_PATH, forward, methods=["POST"])]
