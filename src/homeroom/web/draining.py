"""A server that stops: new requests are refused, and open ones are answered in time."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp

from homeroom.domain.refusal import OverloadedError
from homeroom.store.outages import OutageCause
from homeroom.web.overloads import unavailable_error


class Draining:
    """Tells whether the server stops."""

    def __init__(self) -> None:
        self.is_active = False

    def begin(self) -> None:
        """Refuse new requests from now on."""
        self.is_active = True

    def check(self) -> None:
        """Raise `OverloadedError` if the server stops."""
        if self.is_active:
            raise self.error()

    def error(self) -> OverloadedError:
        """Return the error of a request that is not served any more (READINGS Q102)."""
        cause = OutageCause.SHUTTING_DOWN
        return OverloadedError(cause.retry_after_seconds, cause.sentence)


class DrainingGate:
    """An ASGI application in front of all others.

    While the server stops it answers 503, and each response closes its connection. A request that
    is cancelled because it takes too long is answered too; uvicorn would send plain text.
    """

    def __init__(self, app: ASGIApp, draining: Draining, is_exempt: Callable[[str], bool]) -> None:
        """Take also what tells the paths that are served to the end, or refuse by themselves."""
        self._app = app
        self._draining = draining
        self._is_exempt = is_exempt

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
        """Serve a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_closing(message: Any) -> None:  # noqa: ANN401  ASGI
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                if self._draining.is_active:
                    headers = [*message.get("headers", ()), (b"connection", b"close")]
                    message = {**message, "headers": headers}
            await send(message)

        if self._draining.is_active and not self._is_exempt(scope["path"]):
            await self._refuse(scope, receive, send_closing)
            return
        try:
            await self._app(scope, receive, send_closing)
        except asyncio.CancelledError:
            if has_started or not self._draining.is_active:
                raise
            await self._refuse(scope, receive, send_closing)

    async def _refuse(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
        await unavailable_error(self._draining.error()).response()(scope, receive, send)
