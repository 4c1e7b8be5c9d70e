"""Endpoint that serves recorded files by byte ranges to holders of a signed URL."""

import asyncio
from http import HTTPStatus

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeroom.async_store import AsyncStore
from homeroom.domain.clips import NewClip, has_valid_signature
from homeroom.store.storage import Storage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import clips
from homeroom.web import security_log
from homeroom.web.addresses import get_client_address
from homeroom.web.problems import HTTPError
from homeroom.web.ranges import file_response
from homeroom.web.security_log import SecurityEvent

# Sent with every response, cross-origin or not: a cached copy must serve both cases.
_CORS_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
    (b"access-control-allow-headers", b"Range, If-Range"),
    (b"access-control-expose-headers", b"Accept-Ranges, Content-Length, Content-Range, ETag"),
    (b"access-control-max-age", b"86400"),
)


def routes(store: AsyncStore, storage: Storage, key: str) -> list[Route]:
    """Return the route of clip files; `key` verifies the signatures of their URLs."""

    async def serve_clip(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT)
        file_id = request.path_params["file_id"]
        try:
            file = await find_signed_file(request, file_id)
        except HTTPError as error:
            if error.status is HTTPStatus.FORBIDDEN:
                address = get_client_address(request.scope)
                security_log.report(SecurityEvent.CLIP_REFUSED, address, reason=error.detail)
            raise
        try:
            stored = await asyncio.to_thread(storage.open, file.path)
        except FileNotFoundError:
            raise _absent(file, storage) from None
        headers = {"cache-control": "private, no-cache"}
        return file_response(request, stored, file.name, "video/mp4", headers)

    async def find_signed_file(request: Request, file_id: str) -> NewClip:
        expires_at = _verify_signature(request, file_id, key)

        def find_file(uow: UnitOfWork) -> NewClip:
            if expires_at <= uow.now:
                raise _forbidden("the address has expired: ask for another one")
            clip = clips.find_by_file_id(uow, file_id)
            if clip is None or clip.deleted_at is not None:
                raise _missing(file_id)
            return clip.file

        return await store.read(find_file)

    return [
        Route(
            "/clips/{file_id}.mp4",
            serve_clip,
            methods=["GET", "HEAD", "OPTIONS"],
            middleware=[Middleware(_CORSMiddleware)],
        )
    ]


def _verify_signature(request: Request, file_id: str, key: str) -> int:
    """Return the time at which a signed URL expires; raises `HTTPError` for a wrong signature."""
    expires = request.query_params.get("expires", "")
    signature = request.query_params.get("signature", "")
    if not has_valid_signature(file_id, expires, signature, key):
        raise _forbidden("the address is not signed as ours are")
    return int(expires, 16)


def _forbidden(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.FORBIDDEN, detail)


def _missing(file_id: str) -> HTTPError:
    return HTTPError(HTTPStatus.NOT_FOUND, f"there is no clip {file_id}")


def _absent(file: NewClip, storage: Storage) -> HTTPError:
    """Return the error for a file that is not in this storage: another server may have it."""
    if file.storage in (None, storage.id):
        return _missing(file.file_id)
    detail = f"the file of clip {file.file_id} is with another server"
    return HTTPError(HTTPStatus.NOT_FOUND, detail)


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
