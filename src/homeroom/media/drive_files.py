"""Endpoint that serves files of the cloud drive by byte ranges to holders of a signed URL.

Anybody who may upload chooses what is in a file. A browser must not run it as a page of this
server: only files that begin as pictures, films, sound or PDF do are shown, all others are
downloads.
"""

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.base.ids import FileId
from homeroom.domain.files import file_subject
from homeroom.media.signed_files import SignedFile, SignedFiles, build_signed_route
from homeroom.store.storage import Storage, StoredFile
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import files
from homeroom.web.ranges import Disposition, file_response
from homeroom.web.security_log import SecurityEvent

DOWNLOAD_TYPE: Final = "application/octet-stream"
HEAD_BYTES: Final = 16
"""Bytes that show the type of a file."""
SHOWN_TYPES: Final = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBPVP8", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (4, b"ftypisom", "video/mp4"),
    (4, b"ftypmp4", "video/mp4"),
    (4, b"ftypM4V", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
)
"""Types that a browser shows without running anything: where in a file which bytes are."""
HEADERS: Final = {
    "cache-control": "private, no-cache",
    "x-content-type-options": "nosniff",
}


def routes(store: AsyncStore, storage: Storage, key: str) -> list[Route]:
    """Return the route of drive files; `key` verifies the signatures of their URLs."""
    signed = SignedFiles(store, storage, key, "file", SecurityEvent.FILE_REFUSED, _find)

    async def serve_file(request: Request) -> Response:
        number = request.path_params["file_id"]
        file, stored = await signed.open(request, str(number), file_subject(FileId(number)))
        media_type = await asyncio.to_thread(_find_shown_type, stored)
        disposition: Disposition = "inline" if media_type is not None else "attachment"
        return file_response(
            request, stored, file.name, media_type or DOWNLOAD_TYPE, HEADERS, disposition
        )

    return [build_signed_route("/files/{file_id:int}", serve_file)]


def _find(uow: UnitOfWork, file_id: str) -> SignedFile | None:
    row = files.get(uow, FileId(int(file_id)))
    return SignedFile(row.file.path, row.file.name, row.file.storage) if row is not None else None


def _find_shown_type(stored: StoredFile) -> str | None:
    """Return the media type of a file that a browser may show, or None."""
    head = stored.content.read(HEAD_BYTES)
    return next((kind for place, sign, kind in SHOWN_TYPES if head.startswith(sign, place)), None)
