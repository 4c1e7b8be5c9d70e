"""Requests to the sandbox, which worker processes forward to the main process."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.media.engine.http_client import NoResponseError, send_request
from homeroom.sandbox.access import SandboxAccess
from homeroom.sandbox.bodies import MAX_BODY_BYTES
from homeroom.sandbox.site import NAMES, report_refusal
from homeroom.web.addresses import get_client_address
from homeroom.web.bodies import read_body
from homeroom.web.problems import NO_STORE, HTTPError

FORWARD_SECONDS = 600.0
"""Longest wait for the main process, which runs the jobs that are due after the clock was moved."""


def forwarding_routes(main_url: str, access: SandboxAccess) -> list[Route]:
    """Return the routes of the sandbox; the main process at a URL answers those it lets through."""

    async def forward(request: Request) -> Response:
        try:
            await access.authorize(request)
        except HTTPError as error:
            report_refusal(request, error)
            raise
        headers = {"X-Forwarded-For": get_client_address(request.scope)}
        if "authorization" in request.headers:
            headers["Authorization"] = request.headers["authorization"]
        method = "GET" if request.method == "HEAD" else request.method
        has_body = method == "POST"
        try:
            status, answer = await send_request(
                f"{main_url}{request.url.path}?{request.url.query}",
                method=method,
                body=await read_body(request, MAX_BODY_BYTES) if has_body else None,
                headers=headers,
                timeout=FORWARD_SECONDS,
            )
        except NoResponseError as error:
            detail = "the main process of the server does not answer"
            raise HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error
        is_problem = status >= HTTPStatus.BAD_REQUEST
        media_type = "application/problem+json" if is_problem else "application/json"
        return Response(answer, status, NO_STORE, media_type=media_type)

    methods = ["GET", "POST", "DELETE"]
    return [Route(f"/sandbox/{name}", forward, methods=methods) for name in NAMES]
