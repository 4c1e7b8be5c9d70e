"""Authorization of the sandbox: this machine, or the operator's token from another machine."""

from urllib.parse import urlsplit

from starlette.requests import Request

from homeroom.web.addresses import is_loopback
from homeroom.web.operator_access import OperatorAccess, is_from_this_machine


class SandboxAccess:
    """Authorizes requests from this machine, and others by the operator's token."""

    def __init__(self, operators: OperatorAccess, listen_address: str) -> None:
        """Set the check of tokens, and the address at which the server listens."""
        self._operators = operators
        self._is_loopback_only = is_loopback(listen_address)

    async def authorize(self, request: Request) -> None:
        """Raise `HTTPError` 401 or 403 if the request may not use the sandbox."""
        is_local = is_from_this_machine(request) and not _is_foreign_page(request)
        if not (self._is_loopback_only and is_local):
            await self._operators.check_token(request, "the sandbox")


def _is_foreign_page(request: Request) -> bool:
    """Return whether a page of another site sends the request, by its Origin header."""
    origin = request.headers.get("origin")
    if origin is None:
        return False
    try:
        return not is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return True
