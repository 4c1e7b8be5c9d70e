"""Lines of the security log about bearer tokens."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from homeroom.store.records import Token
from homeroom.web import security_log
from homeroom.web.addresses import get_client_address
from homeroom.web.problems import HTTPError
from homeroom.web.security_log import SecurityEvent

MAX_LOGGED_PATH = 200
REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

Endpoint = Callable[[Request], Awaitable[Response]]


def log_token(endpoint: Endpoint) -> Endpoint:
    """Log each use of a bearer token at an endpoint, and each request refused for want of one.

    The endpoint sets `request.state.token` when it has found the token.
    """

    async def respond(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except HTTPError as error:
            if error.status in REFUSALS:
                report_token(request, SecurityEvent.TOKEN_REFUSED, error.status, error.detail)
            else:
                report_token(request, SecurityEvent.TOKEN_USED, error.status)
            raise
        report_token(request, SecurityEvent.TOKEN_USED, HTTPStatus(response.status_code))
        return response

    return respond


def report_token(
    request: Request, event: SecurityEvent, status: HTTPStatus, reason: str = ""
) -> None:
    """Write a line about the token of a request; the query can hold personal data and is not in it.

    A token that was used has been found; a request that needed none has no line.
    """
    token = get_token(request)
    if token is None and event is SecurityEvent.TOKEN_USED:
        return
    security_log.report(
        event,
        get_client_address(request.scope),
        actor=describe_token(token) if token is not None else None,
        sid=token.school if token is not None else None,
        method=request.method,
        path=request.url.path[:MAX_LOGGED_PATH],
        status=status.value,
        reason=reason,
    )


def get_token(request: Request) -> Token | None:
    """Return the token that the endpoint of a request found, if any."""
    token: Token | None = getattr(request.state, "token", None)
    return token


def describe_token(token: Token) -> str:
    """Return a token as an actor of the log."""
    return f"token {token.id}"
