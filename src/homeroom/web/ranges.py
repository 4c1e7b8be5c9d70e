"""A response with the content of a stored file, whole or in byte ranges (RFC 9110, section 14)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from homeroom.base.errors import HomeroomError
from homeroom.base.keys import KeyGenerator
from homeroom.store.storage import StoredFile

CHUNK_BYTES = 64 * 1024
MAX_RANGES = 100
"""A request for more ranges gets the whole content."""

Disposition = Literal["inline", "attachment"]
"""Whether a browser shows a file, or saves it."""
Span = tuple[int, int]
"""First byte, and the byte after the last one."""


class MalformedRangeError(HomeroomError):
    """The Range header cannot be parsed."""


class UnsatisfiableRangeError(HomeroomError):
    """A range begins after the end of the content."""


def file_response(
    request: Request,
    file: StoredFile,
    name: str,
    media_type: str,
    headers: Mapping[str, str],
    disposition: Disposition = "inline",
) -> Response:
    """Return the response to a GET or HEAD of a file, and close the file after it was sent."""
    quoted = quote(name)
    file_name = f'filename="{name}"' if quoted == name else f"filename*=utf-8''{quoted}"
    version = f"{file.modified_at}-{file.size}".encode()
    every = {
        "accept-ranges": "bytes",
        "content-disposition": f"{disposition}; {file_name}",
        "last-modified": formatdate(file.modified_at, usegmt=True),
        "etag": f'"{hashlib.md5(version, usedforsecurity=False).hexdigest()}"',
        **headers,
    }
    spans: list[Span] = []
    condition = request.headers.get("if-range")
    if condition in (None, every["etag"], every["last-modified"]):
        try:
            spans = parse_ranges(request.headers.get("range"), file.size)
        except MalformedRangeError as error:
            file.content.close()
            return PlainTextResponse(str(error), HTTPStatus.BAD_REQUEST)
        except UnsatisfiableRangeError:
            file.content.close()
            content_range = {"content-range": f"bytes */{file.size}"}
            status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            return PlainTextResponse(status_code=status, headers=content_range)
    return _FileResponse(request.method == "HEAD", file, spans, media_type, every)


def parse_ranges(header: str | None, size: int) -> list[Span]:
    """Parse a Range header into sorted spans that do not overlap; empty means the whole content.

    Raises `MalformedRangeError` and `UnsatisfiableRangeError`.
    """
    if header is None:
        return []
    unit, _, text = header.partition("=")
    if unit.strip().lower() != "bytes":
        raise MalformedRangeError("only ranges of bytes are served")
    parts = text.split(",")
    if len(parts) > MAX_RANGES:
        return []
    spans = [span for part in parts if (span := _parse_span(part, size)) is not None]
    if not spans:
        raise MalformedRangeError("the Range header has no range")
    if any(first >= size for first, _ in spans):
        raise UnsatisfiableRangeError
    if any(first >= end for first, end in spans):
        raise MalformedRangeError("a range ends before it begins")
    merged: list[Span] = []
    for first, end in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((first, end))
    return merged


def _parse_span(part: str, size: int) -> Span | None:
    first, dash, last = (piece.strip() for piece in part.partition("-"))
    if not dash or not f"{first}{last}".isdecimal():
        return None
    if not first:
        return max(size - int(last), 0), size
    return int(first), min(int(last) + 1, size) if last else size


class _FileResponse(StreamingResponse):
    def __init__(
        self,
        is_head: bool,  # noqa: FBT001  a positional fact of the request
        file: StoredFile,
        spans: list[Span],
        media_type: str,
        headers: dict[str, str],
    ) -> None:
        self._file = file
        pieces: list[bytes | Span]
        if not spans:
            pieces = [(0, file.size)]
        elif len(spans) == 1:
            pieces = [spans[0]]
            headers["content-range"] = _content_range(spans[0], file.size)
        else:
            boundary = KeyGenerator().file_id()
            pieces = _multipart(spans, boundary, file.size, media_type)
            media_type = f"multipart/byteranges; boundary={boundary}"
        length = sum(
            len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces
        )
        headers |= {"content-length": str(length), "content-type": media_type}
        status = HTTPStatus.PARTIAL_CONTENT if spans else HTTPStatus.OK
        super().__init__(self._stream([] if is_head else pieces), status, headers)

    async def _stream(self, pieces: list[bytes | Span]) -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            position, end = piece
            while position < end:
                chunk = await asyncio.to_thread(
                    self._read, position, min(CHUNK_BYTES, end - position)
                )
                position += len(chunk)
                yield chunk

    def _read(self, position: int, length: int) -> bytes:
        self._file.content.seek(position)
        chunk = self._file.content.read(length)
        if not chunk:
            message = "a stored file is shorter than its size"
            raise OSError(message)
        return chunk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, and close the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.content.close()


def _content_range(span: Span, size: int) -> str:
    return f"bytes {span[0]}-{span[1] - 1}/{size}"


def _multipart(spans: list[Span], boundary: str, size: int, media_type: str) -> list[bytes | Span]:
    pieces: list[bytes | Span] = []
    separator = ""
    for span in spans:
        head = (
            f"{separator}--{boundary}\r\nContent-Type: {media_type}\r\n"
            f"Content-Range: {_content_range(span, size)}\r\n\r\n"
        )
        pieces += [head.encode("latin-1"), span]
        separator = "\r\n"
    return [*pieces, f"\r\n--{boundary}--".encode("latin-1")]
