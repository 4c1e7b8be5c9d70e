"""The HTTP client: makes one attempt to send a message, and says what came of it (Q91).

A receiver is not trusted: it gets no redirect followed, at most 64 KiB of its answer are read, and
its name is resolved here and each address checked, so that a name cannot lead into this network.
"""

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from homeroom.base.clock import DAY, Clock
from homeroom.base.ids import SchoolId
from homeroom.domain.deliveries import AttemptOutcome, AttemptResult, StoredMessage
from homeroom.domain.endpoints import Endpoint, EndpointFormat
from homeroom.messages.addresses import AddressGuard
from homeroom.messages.rendering import (
    OutgoingRequest,
    SignFile,
    render_message,
    render_test_message,
)

MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_EXCERPT: Final = 500
"""Characters of an answer that the log of deliveries keeps."""
MAX_CONNECTIONS: Final = 200
MAX_HEADER_BYTES: Final = 8190
KEEP_ALIVE_SECONDS: Final = 15
MAX_URLS: Final = 1000
"""Addresses of receivers that are parsed and checked once."""
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)
"""For a request: its attempt has a deadline."""
_may_send: ContextVar[Callable[[], bool]] = ContextVar("may_send")
"""Returns whether this task may still send: a connection may take long to open."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


class BlockedAddressError(OSError):
    """A receiver's address is one that no message may be sent to."""


class LeaseEndedError(Exception):
    """The lease of this server ended before anything was sent."""


class _Acknowledgement(msgspec.Struct):
    """The part of an answer that acknowledges a message of the format `classin`."""

    error_info: "_ErrorInfo"


class _ErrorInfo(msgspec.Struct):
    errno: Any


class GuardedResolver(AbstractResolver):
    """Resolves names, and leaves out addresses that are blocked."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name; raises `BlockedAddressError` if all are blocked."""
        results = await self._resolver.resolve(host, port, family)
        allowed = [result for result in results if self._guard.allows(result["host"])]
        if results and not allowed:
            raise BlockedAddressError(f"{host} leads to {results[0]['host']}")
        return allowed

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()


class LeasedConnector(aiohttp.TCPConnector):
    """Opens connections, and gives none away after the lease has ended."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp calls it so
    ) -> Connection:
        """Return a connection; raises `LeaseEndedError` so that nothing is sent on it."""
        connection = await super().connect(req, traces, timeout)
        if not _may_send.get()():
            connection.release()
            raise LeaseEndedError
        return connection


class MessageClient:
    """Sends messages over HTTP; a `Sender` for the delivery loop."""

    def __init__(
        self,
        clock: Clock,
        real: Clock,
        guard: AddressGuard,
        find_secret: Callable[[SchoolId], Awaitable[str]],
        sign_file: SignFile,
        *,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Create a client; `find_secret` returns the secret of a school at the moment."""
        self._clock = clock
        self._real = real
        self._find_secret = find_secret
        self._sign_file = sign_file
        self._parse_url = lru_cache(MAX_URLS)(partial(_parse_url, guard))
        connector = LeasedConnector(
            resolver=resolver or GuardedResolver(guard),
            use_dns_cache=False,
            limit=MAX_CONNECTIONS,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            ssl=tls if tls is not None else True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept"),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def send(
        self,
        endpoint: Endpoint,
        message: StoredMessage,
        *,
        is_resend: bool,
        may_send: Callable[[], bool],
    ) -> AttemptResult | None:
        """Send a message; returns None if the lease ended before anything was sent."""
        request = render_message(
            message,
            endpoint,
            await self._find_secret(endpoint.school),
            self._clock.now(),
            self._real.now(),
            self._sign_file,
            is_resend=is_resend,
        )
        return await self._attempt(endpoint, endpoint.url, request, may_send)

    async def send_test(self, endpoint: Endpoint) -> AttemptResult:
        """Send the test message to the address that is to become active."""
        secret = await self._find_secret(endpoint.school)
        request = render_test_message(endpoint, secret, self._clock.now(), self._real.now())
        url = endpoint.new_url or endpoint.url
        result = await self._attempt(endpoint, url, request, lambda: True)
        return result or AttemptResult(AttemptOutcome.DROPPED)

    async def _attempt(
        self,
        endpoint: Endpoint,
        url: str,
        request: OutgoingRequest,
        may_send: Callable[[], bool],
    ) -> AttemptResult | None:
        begun = time.monotonic()
        _may_send.set(may_send)  # for this task alone
        status: int | None = None
        answer: bytes | None = None
        retry_after: int | None = None
        try:
            async with asyncio.timeout(endpoint.timeout_seconds):
                async with self._session.post(
                    self._parse_url(url),
                    data=request.content,
                    headers={**request.headers, "Accept-Encoding": "identity"},
                    allow_redirects=False,
                    timeout=_NO_TIMEOUT,
                ) as response:
                    status = response.status
                    retry_after = _read_retry_after(response.headers.get("Retry-After"))
                    answer = await _read_answer(response)
            outcome = _judge(endpoint.format, status, answer)
        except LeaseEndedError:
            return None
        except Exception as failure:  # noqa: BLE001  whatever a receiver does is an outcome
            outcome = _name_failure(failure)
        return AttemptResult(
            outcome=outcome,
            status=status,
            duration_ms=round((time.monotonic() - begun) * 1000),
            answer=_excerpt(answer),
            safe_key=_mask(request.safe_key),
            retry_after=retry_after if endpoint.format is EndpointFormat.STANDARD else None,
        )


class AnswerTooLargeError(Exception):
    """An answer has more than 64 KiB."""


async def _read_answer(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of an answer; a longer one than allowed closes the connection."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            response.close()
            raise AnswerTooLargeError
        parts.append(part)
    return b"".join(parts)


def _judge(endpoint_format: EndpointFormat, status: int, answer: bytes) -> AttemptOutcome:
    """Return the outcome of an answer that came in time (Q91)."""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return AttemptOutcome.REDIRECT
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return AttemptOutcome.STATUS
    if endpoint_format is EndpointFormat.STANDARD:
        return AttemptOutcome.ACKNOWLEDGED
    try:
        acknowledgement = msgspec.json.decode(answer, type=_Acknowledgement)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return AttemptOutcome.NOT_JSON
    errno = acknowledgement.error_info.errno
    # True is 1 in Python, and 1.0 equals it; the number 1 of JSON is neither.
    is_one = type(errno) is int and errno == 1
    return AttemptOutcome.ACKNOWLEDGED if is_one else AttemptOutcome.WRONG_ERRNO


def _name_failure(failure: Exception) -> AttemptOutcome:
    """Return the outcome of an attempt that failed."""
    chain: list[BaseException] = []
    cause: BaseException | None = failure
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for kind, outcome in _FAILURES:
        if any(isinstance(each, kind) for each in chain):
            return outcome
    return AttemptOutcome.DROPPED


_FAILURES: Final[tuple[tuple[type[BaseException], AttemptOutcome], ...]] = (
    (BlockedAddressError, AttemptOutcome.BLOCKED_ADDRESS),
    (AnswerTooLargeError, AttemptOutcome.TOO_LARGE),
    (TimeoutError, AttemptOutcome.TIMEOUT),
    (ssl.SSLError, AttemptOutcome.TLS),
    (ssl.CertificateError, AttemptOutcome.TLS),
    (aiohttp.ClientConnectorError, AttemptOutcome.CONNECT),
    (aiohttp.InvalidURL, AttemptOutcome.CONNECT),
)


def _parse_url(guard: AddressGuard, text: str) -> URL:
    """Return a URL; refuses a blocked address in it, as no resolver is asked for that."""
    url = URL(text, encoded=True)
    host = url.host or ""
    if _is_literal(host) and not guard.allows(host):
        raise BlockedAddressError(f"{host} is blocked")
    return url


def _is_literal(host: str) -> bool:
    """Return whether a host is an IP address, in any of the ways that a library may read."""
    if ":" in host:
        return True
    return all(part[:1].isdigit() for part in host.rstrip(".").split("."))


def _read_retry_after(text: str | None) -> int | None:
    """Return the seconds of a Retry-After header; a date is passed over."""
    if text is None or not text.strip().isdecimal():
        return None
    return min(int(text.strip()[:9]), DAY)


def _excerpt(answer: bytes | None) -> str | None:
    if answer is None:
        return None
    text = answer[: 4 * MAX_EXCERPT].decode(errors="replace")
    return _CONTROL.sub(" ", text)[:MAX_EXCERPT]


def _mask(safe_key: str | None) -> str | None:
    return f"{safe_key[:4]}…{safe_key[-4:]}" if safe_key is not None else None
