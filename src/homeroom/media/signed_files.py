"""Endpoints of signed URLs: signature, expiry, the file in the storage, CORS."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeroom.async_store import AsyncStore
from homeroom.base.values import Value
from homeroom.domain.signed_urls import has_valid_signature
from homeroom.store.storage import Storage, StoredFile
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.web import security_log
from homeroom.web.addresses import get_client_address
from homeroom.web.problems import HTTPError
from homeroom.web.security_log import SecurityEvent

# Sent with every response, cross-origin or not: a cached copy must serve both cases.
_CORS_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"Range, If-Range"),
    (b"access-control-expose-headers", b"Accept-Ranges, Content-Length, Content-Range, ETag"),
    (b"access-control-max-age", b"86400"),
)


class SignedFile(Value, frozen=True):
    """A file that a signed URL names."""

    path: str
    """Path of the file in the storage."""
    name: str
    """File name of a download."""
    storage: str | None
    """The id of the storage that has the file; none if that is unknown."""


class SignedFiles:
    """The files of one sort that are served to holders of a signed URL."""

    def __init__(
        self,
        store: AsyncStore,
        storage: Storage,
        key: str,
        noun: str,
        refused: SecurityEvent,
        find: Callable[[UnitOfWork, str], SignedFile | None],
    ) -> None:
        """`key` verifies the signatures; `refused` is logged for a URL that is not valid."""
        self._store = store
        self._storage = storage
        self._key = key
        self._noun = noun
        self._refused = refused
        self._find = find

    async def open(
        self, request: Request, file_id: str, subject: str
    ) -> tuple[SignedFile, StoredFile]:
        """Return a file that the URL of a request is signed for, and open its content.

        Raises `HTTPError`.
        """
        try:
            file = await self._find_signed(request, file_id, subject)
        except HTTPError as error:
            if error.status is HTTPStatus.FORBIDDEN:
                address = get_client_address(request.scope)
                security_log.report(self._refused, address, reason=error.detail)
            raise
        try:
            return file, await asyncio.to_thread(self._storage.open, file.path)
        except FileNotFoundError:
            raise self._absent(file, file_id) from None

    async def _find_signed(self, request: Request, file_id: str, subject: str) -> SignedFile:
        expires = request.query_params.get("expires", "")
        signature = request.query_params.get("signature", "")
        if not has_valid_signature(subject, expires, signature, self._key):
            raise _forbidden("the address is not signed as ours are")
        expires_at = int(expires, 16)

        def find(uow: UnitOfWork) -> SignedFile:
            if expires_at <= uow.now:
                raise _forbidden("the address has expired: ask for another one")
            file = self._find(uow, file_id)
            if file is None:
                raise self._missing(file_id)
            return file

        return await self._store.read(find)

    def _missing(self, file_id: str) -> HTTPError:
        return HTTPError(HTTPStatus.NOT_FOUND, f"there is no {self._noun} {file_id}")

    def _absent(self, file: SignedFile, file_id: str) -> HTTPError:
        """Return the error for a file that is not in this storage: another server may have it."""
        if file.storage in (None, self._storage.id):
            return self._missing(file_id)
        detail = f"the file of {self._noun} {file_id} is with another server"
        return HTTPError(HTTPStatus.NOT_FOUND, detail)


def build_signed_route(path: str, serve: Callable[[Request], Awaitable[Response]]) -> Route:
    """Return a route whose responses pages of every origin may read."""

    async def serve_or_allow(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return await serve(request)

    return Route(
        path,
        serve_or_allow,
        methods=["GET", "HEAD", "OPTIONS"],
        middleware=[Middleware(_CORSMiddleware)],
    )


def _forbidden(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.FORBIDDEN, detail)


class _CORSMiddleware:
    """ASGI middleware that lets pages of every origin read the response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application and add the CORS headers to its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_CORS_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers)
