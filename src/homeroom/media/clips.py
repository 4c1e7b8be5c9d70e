"""Endpoint that serves recorded files by byte ranges to holders of a signed URL."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.media.signed_files import SignedFile, SignedFiles, build_signed_route
from homeroom.store.storage import Storage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import clips
from homeroom.web.ranges import file_response
from homeroom.web.security_log import SecurityEvent


def routes(store: AsyncStore, storage: Storage, key: str) -> list[Route]:
    """Return the route of clip files; `key` verifies the signatures of their URLs."""
    signed = SignedFiles(store, storage, key, "clip", SecurityEvent.CLIP_REFUSED, _find)

    async def serve_clip(request: Request) -> Response:
        file_id = request.path_params["file_id"]
        file, stored = await signed.open(request, file_id, file_id)
        headers = {"cache-control": "private, no-cache"}
        return file_response(request, stored, file.name, "video/mp4", headers)

    return [build_signed_route("/clips/{file_id}.mp4", serve_clip)]


def _find(uow: UnitOfWork, file_id: str) -> SignedFile | None:
    clip = clips.find_by_file_id(uow, file_id)
    if clip is None or clip.deleted_at is not None:
        return None
    return SignedFile(clip.file.path, clip.file.name, clip.file.storage)
