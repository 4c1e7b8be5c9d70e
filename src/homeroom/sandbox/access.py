"""Who may use the sandbox: this machine, or the operator from elsewhere."""

from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from homeroom.async_store import AsyncStore
from homeroom.base.keys import fingerprint
from homeroom.usecases import operations
from homeroom.web.problems import HTTPError, bearer_token, unauthorized_error


class SandboxAccess:
    """Lets in who sits at this machine, and elsewhere who has the operator's token."""

    def __init__(self, store: AsyncStore, listen_address: str) -> None:
        """Take the address the server listens at."""
        self._store = store
        self._is_loopback_only = is_loopback(listen_address)

    async def authorize(self, request: Request) -> None:
        """Raise `HTTPError` for whoever may not come in."""
        client = request.client.host if request.client else ""
        is_local = is_loopback(client) and _names_this_machine(request)
        if self._is_loopback_only and is_local and not _is_foreign_page(request):
            return
        if "authorization" not in request.headers:
            detail = "the sandbox is open on loopback only; elsewhere send the operator's token"
            raise unauthorized_error(detail)
        token_hash = fingerprint(bearer_token(request))
        token = await self._store.read(lambda uow: operations.find_token(uow, token_hash))
        if token is None:
            raise unauthorized_error("no such token is in force")
        if token.school is not None:
            detail = "this token is one school's; the sandbox wants the operator's"
            raise HTTPError(HTTPStatus.FORBIDDEN, detail)


def is_loopback(host: str) -> bool:
    """Tell whether an address never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _names_this_machine(request: Request) -> bool:
    """Tell whether the request is addressed to this machine by a name or number of its own.

    A page whose name was made to lead here reads without an Origin: to its browser we are its site.
    """
    try:
        return is_loopback(urlsplit(f"//{request.headers.get('host', '')}").hostname or "")
    except ValueError:
        return False


def _is_foreign_page(request: Request) -> bool:
    """Tell whether some other site's page, open in a browser on this machine, sends the request."""
    origin = request.headers.get("origin")
    if origin is None:
        return False
    try:
        return not is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return True
