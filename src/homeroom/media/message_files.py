"""Endpoint that serves the files of messages, such as archives of chats, by a signed URL."""

from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.domain.message_files import PATH, message_file_subject
from homeroom.media.signed_files import SignedFile, SignedFiles, build_signed_route
from homeroom.store.storage import Storage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.web.ranges import file_response
from homeroom.web.security_log import SecurityEvent

HEADERS = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff"}
MEDIA_TYPES = {".zip": "application/zip", ".jpg": "image/jpeg", ".png": "image/png"}


def routes(store: AsyncStore, storage: Storage, key: str) -> list[Route]:
    """Return the route of the files; `key` verifies the signatures of their URLs."""
    signed = SignedFiles(store, storage, key, "file", SecurityEvent.FILE_REFUSED, _find)

    async def serve_file(request: Request) -> Response:
        path = request.path_params["path"]
        file, stored = await signed.open(request, path, message_file_subject(path))
        media_type = MEDIA_TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
        return file_response(request, stored, file.name, media_type, HEADERS, "attachment")

    return [build_signed_route(f"{PATH}/{{path:path}}", serve_file)]


def _find(_uow: UnitOfWork, path: str) -> SignedFile:
    # Only this server signs paths: a valid signature is all that it needs.
    return SignedFile(path, PurePosixPath(path).name, None)
