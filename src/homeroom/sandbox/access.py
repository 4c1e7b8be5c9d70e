"""Authorization of the sandbox: this machine, or the operator's token from another machine."""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request

from homeroom.async_store import AsyncStore
from homeroom.base.keys import fingerprint
from homeroom.usecases import operations
from homeroom.web.addresses import get_client_address, is_loopback, names_this_machine
from homeroom.web.problems import HTTPError, bearer_token, unauthorized_error


class SandboxAccess:
    """Authorizes requests from this machine, and others by the operator's token."""

    def __init__(self, store: AsyncStore, listen_address: str) -> None:
        """Set the store of tokens and the address at which the server listens."""
        self._store = store
        self._is_loopback_only = is_loopback(listen_address)

    async def authorize(self, request: Request) -> None:
        """Raise `HTTPError` 401 or 403 if the request may not use the sandbox.

        The token of the request, if it needs one, is in `request.state.token` then.
        """
        is_local = is_loopback(get_client_address(request.scope)) and names_this_machine(
            request.headers
        )
        if self._is_loopback_only and is_local and not _is_foreign_page(request):
            return
        if "authorization" not in request.headers:
            detail = "the sandbox is open on loopback only; elsewhere send the operator's token"
            raise unauthorized_error(detail)
        token_hash = fingerprint(bearer_token(request))
        token = await self._store.read(lambda uow: operations.find_token(uow, token_hash))
        if token is None:
            raise unauthorized_error("no such token is in force")
        request.state.token = token
        if token.school is not None:
            detail = "this token is one school's; the sandbox wants the operator's"
            raise HTTPError(HTTPStatus.FORBIDDEN, detail)


def _is_foreign_page(request: Request) -> bool:
    """Return whether a page of another site sends the request, by its Origin header."""
    origin = request.headers.get("origin")
    if origin is None:
        return False
    try:
        return not is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return True
