"""Static files of the pages: in memory, compressed once, with a hash in their addresses."""

import gzip
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.base.values import Value

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
PLAIN_TEXT = "text/plain; charset=utf-8"
"""Media type of licences and notes beside the assets."""
CACHE_IMMUTABLE = "public, max-age=31536000, immutable"
CACHE_REVALIDATE = "no-cache"
HASH_LENGTH = 16


class Asset(Value, frozen=True):
    """One file."""

    content: bytes
    media_type: str
    hash: str


class Assets:
    """The files of a folder, served below a path."""

    def __init__(self, folder: Path, path: str) -> None:
        self._files = _load_assets(folder)
        self._path = path
        self.route = Route(f"{path}/{{name:path}}", self._serve, methods=["GET"])

    def url(self, name: str) -> str:
        """Return the address of a file; it changes with the content."""
        return f"{self._path}/{name}?v={self._files[name].hash}"

    async def _serve(self, request: Request) -> Response:
        asset = self._files.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        is_packed = _accepts_gzip(request.headers.get("accept-encoding", ""))
        tag = f'"{asset.hash}-gzip"' if is_packed else f'"{asset.hash}"'
        # Modules import one another without a hash: browsers must revalidate those.
        is_named = request.query_params.get("v") == asset.hash
        headers = {
            "cache-control": CACHE_IMMUTABLE if is_named else CACHE_REVALIDATE,
            "etag": tag,
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
        }
        if _matches_etag(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        headers["content-type"] = asset.media_type
        if is_packed:
            headers["content-encoding"] = "gzip"
        return Response(_compress(asset.content) if is_packed else asset.content, headers=headers)


@cache
def _load_assets(folder: Path) -> dict[str, Asset]:
    return {
        path.relative_to(folder).as_posix(): _load_asset(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


def _load_asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(
        content,
        MEDIA_TYPES.get(path.suffix, PLAIN_TEXT),
        sha256(content).hexdigest()[:HASH_LENGTH],
    )


@cache
def _compress(content: bytes) -> bytes:
    """Return the content in gzip; at its first request, not at the start of the server."""
    return gzip.compress(content, mtime=0)


def _accepts_gzip(accepted: str) -> bool:
    for part in accepted.split(","):
        coding, _, quality = part.replace(" ", "").lower().partition(";q=")
        if coding == "gzip":
            return quality.strip("0.") != "" or not quality
    return False


def _matches_etag(tags: str, tag: str) -> bool:
    return any(item.strip().removeprefix("W/") in (tag, "*") for item in tags.split(","))
