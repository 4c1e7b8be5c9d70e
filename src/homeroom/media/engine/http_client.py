"""A minimal HTTP client between engine and API: one request per connection."""

import asyncio
from base64 import b64encode
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from homeroom.base.errors import HomeroomError

MAX_RESPONSE_BYTES = 4_000_000
"""Maximum size of a response."""
HEAD_END = b"\r\n\r\n"


class NoResponseError(HomeroomError):
    """The peer sent no response, or an invalid one."""


async def send_request(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = 3.0,  # noqa: ASYNC109  the deadline is the point of this function
) -> tuple[int, bytes]:
    """Send a request and return status and body; raises `NoResponseError`. Timeout in seconds."""
    try:
        async with asyncio.timeout(timeout):
            return await _exchange(url, method, body, headers or {})
    except (OSError, ValueError, IndexError, EOFError, asyncio.LimitOverrunError) as failure:
        raise NoResponseError(f"{type(failure).__name__}: {failure}") from failure


async def _exchange(
    url: str, method: str, body: bytes | None, headers: dict[str, str]
) -> tuple[int, bytes]:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    reader, writer = await asyncio.open_connection(
        parts.hostname, port, ssl=is_tls or None, limit=MAX_RESPONSE_BYTES
    )
    try:
        writer.write(_request_head(parts.netloc, parts.path, parts.query, method, body, headers))
        if body:
            writer.write(body)
        await writer.drain()
        head = (await reader.readuntil(HEAD_END)).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:])
        }
        return status, await _read_body(reader, fields)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _request_head(
    netloc: str, path: str, query: str, method: str, body: bytes | None, headers: dict[str, str]
) -> bytes:
    user, at, host = netloc.rpartition("@")
    target = (path or "/") + (f"?{query}" if query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    if at:
        lines.append(f"Authorization: Basic {b64encode(unquote(user).encode()).decode()}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _read_body(reader: asyncio.StreamReader, fields: dict[str, str]) -> bytes:
    if fields.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunked(reader)
    if "content-length" in fields:
        length = int(fields["content-length"])
        if not 0 <= length <= MAX_RESPONSE_BYTES:
            raise ValueError(f"an answer of {length} bytes")
        return await reader.readexactly(length)
    whole = await reader.read(MAX_RESPONSE_BYTES + 1)
    if len(whole) > MAX_RESPONSE_BYTES:
        raise ValueError("an answer without an end")
    return whole


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    whole = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        if not 0 < size <= MAX_RESPONSE_BYTES - len(whole):
            raise ValueError("an answer that is too long")
        whole += await reader.readexactly(size)
        await reader.readexactly(2)
    return bytes(whole)
