"""Requests as bytes on a bare socket, for what no client library would send."""

import json
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http.client import HTTPResponse
from typing import Final
from urllib.parse import urlsplit

from tests.support.wire import Reply

COURSE: Final = "/partner/api/course.api.php"
FORM: Final = "application/x-www-form-urlencoded"
BOUNDARY: Final = "----homeroom"
MULTIPART: Final = f"multipart/form-data; boundary={BOUNDARY}"
PATIENCE: Final = 30


def connected(url: str) -> socket.socket:
    """Open a connection to a server."""
    address = urlsplit(url)
    return socket.create_connection((address.hostname or "", address.port or 0), PATIENCE)


def head(target: str, length: int | None, method: str = "POST", **headers: str) -> bytes:
    """Write the head of a request; headers are spelled with _ for -."""
    given = {"host": "school", "content-type": FORM, **headers}
    if length is not None:
        given["content-length"] = str(length)
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items()]
    return "\r\n".join((f"{method} {target} HTTP/1.1", *lines, "", "")).encode()


def sent(
    url: str,
    body: bytes,
    target: str = COURSE,
    method: str = "POST",
    length: int | None = None,
    **headers: str,
) -> Reply:
    """Send a request as it is given and return the answer; a length may be a lie."""
    start = head(target, len(body) if length is None else length, method, **headers)
    with connected(url) as peer:
        peer.sendall(start + body)
        return answer(peer)


def answer(peer: socket.socket) -> Reply:
    """Read one answer from a connection."""
    with HTTPResponse(peer) as response:
        response.begin()
        content = response.read()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, json.loads(content), found)


def every_byte(url: str, request: bytes) -> bytes:
    """Send a request and return all that comes back before the connection ends."""
    received = b""
    with connected(url) as peer:
        peer.sendall(request)
        with suppress(ConnectionResetError):
            while chunk := peer.recv(65536):
                received += chunk
    return received


def multipart(
    fields: Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]],
    *,
    more: str = "",
    file: bytes | None = None,
) -> bytes:
    """Write a multipart form; `more` are headers of each part, `{length}` in them its length."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    lines: list[bytes] = []
    for name, value in pairs:
        content = value if isinstance(value, bytes) else value.encode()
        headers = f'Content-Disposition: form-data; name="{name}"\r\n'
        headers += more.replace("{length}", str(len(content)))
        lines += [f"--{BOUNDARY}".encode(), headers.encode(), content]
    if file is not None:
        disposition = 'Content-Disposition: form-data; name="Filedata"; filename="图.png"\r\n'
        lines += [f"--{BOUNDARY}".encode(), disposition.encode(), file]
    return b"\r\n".join([*lines, f"--{BOUNDARY}--".encode(), b""])
