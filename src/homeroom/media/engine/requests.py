"""HTTP request parsing and response heads."""

from functools import lru_cache
from typing import Final

import msgspec

from homeroom.base.errors import HomeroomError
from homeroom.base.text import strip_pasted
from homeroom.base.values import Value
from homeroom.media.engine.settings import MAX_NAME_CHARS

HEAD_END: Final = b"\r\n\r\n"
ALLOWED: Final = bytes(set(range(0x21, 0x7F)) - set(b'"<>\\^`{|}'))
"""Allowed bytes of a target; others would need escaping wherever it is repeated."""
CORS: Final = (
    b"Access-Control-Allow-Origin: *\r\n"
    b"Access-Control-Expose-Headers: Content-Length, Content-Range, Date\r\n"
)
KEEP: Final = {
    (b"HTTP/1.1", False): b"",
    (b"HTTP/1.1", True): b"Connection: close\r\n",
    (b"HTTP/1.0", False): b"Connection: keep-alive\r\n",
    (b"HTTP/1.0", True): b"Connection: close\r\n",
}
"""The Connection header line, by version and by whether the connection closes."""
MAX_DIGITS: Final = 12
DELTA_DIRECTIVES: Final = (None, "YES", "v2")
"""Values of `_HLS_skip`; v2 also skips date ranges, which our playlists do not have."""
UNAVAILABLE: Final = 503
RETRY_AFTER_SECONDS: Final = 5
REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
PREFLIGHT: Final = (
    b"HTTP/1.1 204 No Content\r\n" + CORS + b"Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
    b"Access-Control-Allow-Headers: Range, Content-Type\r\n"
    b"Access-Control-Max-Age: 86400\r\n"
)
FLV: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nCache-Control: no-store\r\n"
    + CORS
    + b"Connection: close\r\n\r\n"
)
PLAYLIST: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\nCache-Control: no-cache\r\n"
    + CORS
)
MEDIA: Final = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nCache-Control: max-age=60\r\n" + CORS


class BadRequestError(HomeroomError):
    """The request is invalid or not supported; the message is for the peer."""


class HTTPRequest(msgspec.Struct, eq=False):
    """The head of a request; requests with a body are not supported."""

    method: bytes
    path: str
    query: str
    connection: bytes
    """The Connection header line for the response."""
    is_last: bool
    """Whether the connection closes after the response."""
    head: bytes
    lower: bytes
    """The head in lower case, to find fields by name."""

    def field(self, name: bytes) -> str:
        """Return a header field by its lower-case name, or an empty text."""
        return _field(self.head, self.lower, name).decode("latin-1")

    def page(self) -> slice:
        """Return the requested slice of a list; raises `BadRequestError`."""
        fields = dict(pair.split("=", 1) for pair in self.query.split("&") if "=" in pair)
        start, count = _parse_number(fields.get("start")) or 0, _parse_number(fields.get("count"))
        return slice(start, start + count if count is not None else None)


def parse_request(head: bytes) -> HTTPRequest:
    """Parse a request head, including its last line end; raises `BadRequestError`."""
    words = head[: head.find(b"\r\n")].split(b" ")
    if len(words) != 3:  # noqa: PLR2004  method, target and version
        raise BadRequestError("this is not HTTP")
    method, target, version = words
    if (version, True) not in KEEP or not target or target.translate(None, ALLOWED):
        raise BadRequestError("this is not HTTP/1.1")
    lower = head.lower()
    if b"\r\ntransfer-encoding" in lower or _field(head, lower, b"content-length") not in {
        b"",
        b"0",
    }:
        raise BadRequestError("no request here has a body")
    connection = _field(lower, lower, b"connection")
    is_last = b"close" in connection or (version == b"HTTP/1.0" and b"keep-alive" not in connection)
    path, _, query = target.decode("ascii").partition("?")
    return HTTPRequest(
        method, _clean_path(path), query, KEEP[version, is_last], is_last, head, lower
    )


def _clean_path(path: str) -> str:
    """Return a path without doubled slashes, and without encoded blanks around its parts."""
    if "//" not in path and "%" not in path:
        return path
    parts = [part for part in map(strip_pasted, path.split("/")) if part]
    return "/" + "/".join(parts)


def response_head(status: int, kind: str = "text/plain; charset=utf-8") -> bytes:
    """Return the head of an uncached response, without its length."""
    lines = f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {kind}\r\n"
    if status == UNAVAILABLE:
        lines += f"Retry-After: {RETRY_AFTER_SECONDS}\r\n"
    return lines.encode() + b"Cache-Control: no-cache\r\n" + CORS


OVERLOADED: Final = response_head(UNAVAILABLE) + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
"""The response to a connection that finds no room."""


class StreamTarget(Value, frozen=True):
    """The requested resource of a stream: FLV, a file, or the playlist."""

    name: str
    query: str
    """Without the HLS delivery directives (`_HLS_…`)."""
    is_flv: bool = False
    file: str = ""
    number: int | None = None
    """The segment that the playlist must contain (blocking reload), and its part."""
    part: int | None = None
    is_delta: bool = False
    """Whether the player has an older playlist and needs only what is new."""


@lru_cache(1024)
def parse_target(path: str, query: str) -> StreamTarget | None:
    """Parse a path below the application; raises `BadRequestError`."""
    folder, slash, file = path.rstrip("/").partition("/")
    name, _, kind = (folder, "", "") if slash else folder.rpartition(".")
    name = strip_pasted(name)
    if not 0 < len(name) <= MAX_NAME_CHARS or len(file) > MAX_NAME_CHARS:
        return None
    if slash:
        return StreamTarget(name, query, file=file) if file else None
    if kind not in {"flv", "m3u8"}:
        return None
    if kind == "flv" or "_HLS_" not in query:
        return StreamTarget(name, query, is_flv=kind == "flv")
    pairs = query.split("&")
    kept_query = "&".join(pair for pair in pairs if not pair.startswith("_HLS_"))
    fields = dict(pair.split("=", 1) for pair in pairs if pair.startswith("_HLS_") and "=" in pair)
    number, part = _parse_number(fields.get("_HLS_msn")), _parse_number(fields.get("_HLS_part"))
    if number is None and part is not None:
        raise BadRequestError("_HLS_part needs _HLS_msn")
    skip = fields.get("_HLS_skip")
    if skip not in DELTA_DIRECTIVES:
        raise BadRequestError("_HLS_skip is YES or v2")
    return StreamTarget(name, kept_query, number=number, part=part, is_delta=skip is not None)


def _parse_number(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or len(text) > MAX_DIGITS:
        raise BadRequestError("this is no number")
    return int(text)


def _field(head: bytes, lower: bytes, name: bytes) -> bytes:
    at = lower.find(b"\r\n" + name + b":")
    if at < 0:
        return b""
    at += len(name) + 3
    return head[at : head.find(b"\r\n", at)].strip()
