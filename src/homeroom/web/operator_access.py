"""Authorization of an operator: a request from this machine, or the operator's token."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.base.keys import fingerprint
from homeroom.domain.tokens import ExpiredTokenError, TokenScope
from homeroom.store.records import Token
from homeroom.web.addresses import get_client_address, is_loopback, names_this_machine
from homeroom.web.problems import CHALLENGE, HTTPError, bearer_token, unauthorized_error
from homeroom.web.token_log import log_token

FindToken = Callable[[str], Awaitable[Token | None]]
"""Returns the token of a fingerprint, or None if no such token is in force.

Raises `ExpiredTokenError` if it has expired.
"""


def require_token(token: Token | None) -> Token:
    """Return a token that was looked up, or raise `HTTPError` 401 without one."""
    if token is None:
        raise unauthorized_error("no such token is in force")
    return token


def expired_token_error(error: ExpiredTokenError) -> HTTPError:
    """Return the error of a token that was in force."""
    until = datetime.fromtimestamp(error.expires_at, UTC).isoformat()
    return unauthorized_error(f"this token expired at {until}")


def check_scope(token: Token, scope: TokenScope) -> None:
    """Raise `HTTPError` 403 if a token may not be used for this (RFC 6750)."""
    if scope not in token.scopes:
        detail = f"this needs a token with the scope {scope}; this token has {_list(token)}"
        challenge = f'{CHALLENGE["www-authenticate"]}, error="insufficient_scope", scope="{scope}"'
        raise HTTPError(HTTPStatus.FORBIDDEN, detail, {"www-authenticate": challenge})


def _list(token: Token) -> str:
    return ", ".join(token.scopes) or "none"


class OperatorAccess:
    """Authorizes requests of operators."""

    def __init__(self, find_token: FindToken) -> None:
        self._find_token = find_token

    async def check_token(
        self, request: Request, place: str, scope: TokenScope | None = None
    ) -> None:
        """Raise `HTTPError` 401 or 403 if the request has no operator's token with a scope.

        A token that is found is in `request.state.token`. `place` names what it is for.
        """
        if "authorization" not in request.headers:
            detail = f"{place} is open on loopback only; elsewhere send the operator's token"
            raise unauthorized_error(detail)
        try:
            token = require_token(await self._find_token(fingerprint(bearer_token(request))))
        except ExpiredTokenError as error:
            raise expired_token_error(error) from None
        request.state.token = token
        if token.school is not None:
            detail = f"this token is one school's; {place} wants the operator's"
            raise HTTPError(HTTPStatus.FORBIDDEN, detail)
        if scope is not None:
            check_scope(token, scope)

    def protect(self, route: Route) -> Route:
        """Return a route that only this machine and operators may use."""

        async def respond(request: Request) -> Response:
            if not is_from_this_machine(request):
                await self.check_token(request, route.path, TokenScope.READ)
            response: Response = await route.endpoint(request)
            return response

        return Route(route.path, log_token(respond), methods=["GET"])


def is_from_this_machine(request: Request) -> bool:
    """Return whether a request comes over loopback, and names this machine."""
    return is_loopback(get_client_address(request.scope)) and names_this_machine(request.headers)
