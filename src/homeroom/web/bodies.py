"""Bodies of requests, within limits of size and time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from homeroom.base.errors import HomeroomError
from homeroom.web.problems import HTTPError

BODY_SECONDS = 25.0
"""Seconds that a body may take; one of more than `QUICK_BYTES` gets more with each byte."""
QUICK_BYTES = 1024 * 1024
MIN_BYTES_PER_SECOND = 64 * 1024
"""Bytes above `QUICK_BYTES` that must come in a second."""

WHOLE_EXTENSION = "homeroom.whole"
"""Key of an ASGI extension that is there once the whole request has come."""

B = TypeVar("B", bound=msgspec.Struct)
Receive = Callable[[], Awaitable[Any]]


def is_whole_request(scope: Mapping[str, Any]) -> bool:
    """Tell whether all of a request has come, as its connection says."""
    return WHOLE_EXTENSION in scope.get("extensions", ())


class BodyError(HomeroomError):
    """A body cannot be read; the message is for the client."""


class BodyTooLargeError(BodyError):
    """The body is larger than its limit."""

    def __init__(self) -> None:
        super().__init__("the body is too large")


class SlowBodyError(BodyError):
    """The body takes longer than its deadline."""


class BrokenBodyError(BodyError):
    """The connection ended before the body did."""


class BodyStream:
    """The body of one request, read in chunks as they arrive."""

    def __init__(
        self, receive: Receive, content_length: bytes, limit: int, *, is_whole: bool = False
    ) -> None:
        """Take the announced length, empty if absent, and the limit in bytes.

        A body that is whole has come with its head, as nearly all do, and needs no deadline.
        Raises `BodyTooLargeError` if the announced length is over the limit.
        """
        if content_length.isdigit() and int(content_length) > limit:
            raise BodyTooLargeError
        self._receive = receive
        self.limit = limit
        """Bytes that it may have; may be raised while it is read."""
        self._is_whole = is_whole
        self._deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        self.size = 0
        """Bytes read so far."""
        self.is_complete = False

    async def read(self) -> bytes:
        """Return the next chunk; it may be empty.

        Raises `BodyTooLargeError`, `SlowBodyError` and `BrokenBodyError`.
        """
        message = await (self._receive() if self._is_whole else self._receive_in_time())
        if message["type"] == "http.disconnect":
            raise BrokenBodyError("the connection ended before the body did")
        chunk: bytes = message.get("body", b"")
        self.is_complete = not message.get("more_body", False)
        self.size += len(chunk)
        if self.size > self.limit:
            raise BodyTooLargeError
        return chunk

    async def _receive_in_time(self) -> Any:  # noqa: ANN401  ASGI
        more_seconds = max(0, self.size - QUICK_BYTES) / MIN_BYTES_PER_SECOND
        try:
            async with asyncio.timeout_at(self._deadline + more_seconds):
                return await self._receive()
        except TimeoutError:
            raise SlowBodyError("the body took too long") from None

    async def read_all(self) -> bytes:
        """Return the rest of the body; raises what `read` raises."""
        chunks = [await self.read()]
        while not self.is_complete:
            chunks.append(await self.read())
        return b"".join(chunks)


async def read_body(request: Request, most: int) -> bytes:
    """Return the body of a request.

    Raises `HTTPError` for one of more than `most` bytes, and for one that is late or cut off.
    """
    try:
        length = request.headers.get("content-length", "").encode("latin-1")
        is_whole = is_whole_request(request.scope)
        return await BodyStream(request.receive, length, most, is_whole=is_whole).read_all()
    except BodyTooLargeError:
        detail = f"the body has more than {most} bytes"
        raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail) from None
    except SlowBodyError as error:
        headers = {"connection": "close"}
        raise HTTPError(HTTPStatus.REQUEST_TIMEOUT, str(error), headers) from None
    except BrokenBodyError as error:
        raise HTTPError(HTTPStatus.BAD_REQUEST, str(error)) from None


def decode_json(body: bytes, body_type: type[B]) -> B:
    """Return the decoded body of a request; raises `HTTPError` (bad request)."""
    try:
        return msgspec.json.decode(body, type=body_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = f"the body must be a JSON object: {error}"
        raise HTTPError(HTTPStatus.BAD_REQUEST, detail) from None
