"""The fork between the wires of the partner API and the rest of the site, by path."""

from typing import Any

from starlette.types import ASGIApp

from homeroom.partner.wires.v1 import V1Wire, is_v1_path
from homeroom.partner.wires.v2 import V2Wire, is_v2_path


class PartnerFork:
    """Serves both wires at their paths, and passes every other request to another application."""

    def __init__(self, v1: V1Wire, v2: V2Wire, other: ASGIApp) -> None:
        self._v1 = v1
        self._v2 = v2
        self._other = other

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
        """Pass a request on, by its path."""
        if scope["type"] != "http":
            await self._other(scope, receive, send)
        elif is_v1_path(scope["path"]):
            await self._v1(scope, receive, send)
        elif is_v2_path(scope["path"]):
            await self._v2(scope, receive, send)
        else:
            await self._other(scope, receive, send)


def is_partner_path(path: str) -> bool:
    """Return whether a path belongs to the partner API."""
    return is_v1_path(path) or is_v2_path(path)
