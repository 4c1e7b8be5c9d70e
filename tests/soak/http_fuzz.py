"""A run of requests by chance against a server: it stops at the first fault."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tests.soak.http_requests import FuzzRequest, Requests, Subject
from tests.support.process import Process

CONNECTIONS: Final = 8
READ_SECONDS: Final = 30
MAX_BODY_BYTES: Final = 8_000_000
WARM_SHARE: Final = 0.3
"""Share of the requests after which caches are full, and memory must not grow any more."""
READINESS: Final = b"GET /readyz"
"""The probe says 503 for what it has found, without Retry-After."""


@dataclass
class Result:
    """What a run saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    """Responses by status; 0 is a closed connection."""
    slowest_seconds: float = 0.0
    slowest_request: bytes = b""
    faults: list[str] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    """Resident bytes of the server, warm and at the end."""


class FuzzResponse(NamedTuple):
    """What matters of a response."""

    status: int = 0
    """0 for a connection that was closed, or that said nothing."""
    has_retry_after: bool = False
    goes_on: bool = False


async def run_fuzz(subject: Subject, requests: int, seed: int, max_seconds: float) -> Result:
    """Send requests over some connections; stop at the first fault."""
    result = Result()
    source = Requests(subject, seed)
    left = requests
    warm_at = int(requests * (1 - WARM_SHARE))
    address = urlsplit(subject.process.url)

    async def work() -> None:
        nonlocal left
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while left > 0 and not result.faults:
            left -= 1
            if left == warm_at:
                result.memory.append(resident_bytes(subject.process))
            request = source.make()
            if connection is None:
                connection = await asyncio.open_connection(address.hostname, address.port)
            began = time.monotonic()
            response = await _exchange(*connection, request.data)
            seconds = time.monotonic() - began
            result.statuses[response.status] += 1
            if seconds > result.slowest_seconds:
                result.slowest_seconds, result.slowest_request = seconds, request.data[:2_000]
            fault = _find_fault(request, response)
            if seconds > max_seconds:
                fault = f"took {seconds:.1f} s"
            if fault:
                result.faults.append(f"{fault}, seed {seed}: {request.data[:2_000]!r}")
            if not response.goes_on or request.may_close:
                connection[1].close()
                connection = None
        if connection is not None:
            connection[1].close()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    result.memory.append(resident_bytes(subject.process))
    return result


def _find_fault(request: FuzzRequest, response: FuzzResponse) -> str:
    """Return what is wrong with a response, or nothing."""
    match response.status:
        case 0:
            return "" if request.may_close else "closed without a response"
        case HTTPStatus.SERVICE_UNAVAILABLE:
            is_fine = response.has_retry_after or request.data.startswith(READINESS)
            return "" if is_fine else "503 without Retry-After"
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"status {status}"
    return ""


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> FuzzResponse:
    """Send a request and read the whole response."""
    try:
        writer.write(request)
        async with asyncio.timeout(READ_SECONDS):
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            while (status := int(head[9:12])) == HTTPStatus.CONTINUE:
                head = await reader.readuntil(b"\r\n\r\n")
            headers = dict(
                line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
            )
            has_body = status not in {101, 204, 304} and not request.startswith(b"HEAD ")
            if has_body:
                await _read_body(reader, headers)
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        return FuzzResponse()
    goes_on = headers.get(b"connection") != b"close" and status != HTTPStatus.SWITCHING_PROTOCOLS
    return FuzzResponse(status, b"retry-after" in headers, goes_on)


async def _read_body(reader: asyncio.StreamReader, headers: dict[bytes, bytes]) -> None:
    if headers.get(b"transfer-encoding") == b"chunked":
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    elif b"content-length" in headers:
        await reader.readexactly(min(int(headers[b"content-length"]), MAX_BODY_BYTES))
    else:
        await reader.read()


def resident_bytes(process: Process) -> int:
    """Return the resident memory of a server's process."""
    pages = Path(f"/proc/{process.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096
