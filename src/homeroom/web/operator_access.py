"""Authorization of an operator: a request from this machine, or the operator's token."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.base.keys import fingerprint
from homeroom.store.records import Token
from homeroom.web.addresses import get_client_address, is_loopback, names_this_machine
from homeroom.web.problems import HTTPError, bearer_token, unauthorized_error
from homeroom.web.token_log import log_token

FindToken = Callable[[str], Awaitable[Token | None]]
"""Returns the token of a fingerprint, or None if no such token is in force."""


class OperatorAccess:
    """Authorizes requests of operators."""

    def __init__(self, find_token: FindToken) -> None:
        self._find_token = find_token

    async def check_token(self, request: Request, place: str) -> None:
        """Raise `HTTPError` 401 or 403 if the request has no operator's token.

        A token that is found is in `request.state.token`. `place` names what it is for.
        """
        if "authorization" not in request.headers:
            detail = f"{place} is open on loopback only; elsewhere send the operator's token"
            raise unauthorized_error(detail)
        token = await self._find_token(fingerprint(bearer_token(request)))
        if token is None:
            raise unauthorized_error("no such token is in force")
        request.state.token = token
        if token.school is not None:
            detail = f"this token is one school's; {place} wants the operator's"
            raise HTTPError(HTTPStatus.FORBIDDEN, detail)

    def protect(self, route: Route) -> Route:
        """Return a route that only this machine and operators may use."""

        async def respond(request: Request) -> Response:
            if not is_from_this_machine(request):
                await self.check_token(request, route.path)
            response: Response = await route.endpoint(request)
            return response

        return Route(route.path, log_token(respond), methods=["GET"])


def is_from_this_machine(request: Request) -> bool:
    """Return whether a request comes over loopback, and names this machine."""
    return is_loopback(get_client_address(request.scope)) and names_this_machine(request.headers)
