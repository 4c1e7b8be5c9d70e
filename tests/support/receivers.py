"""Receivers of messages that behave in any way: each is a function over one raw connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ACKNOWLEDGED: Final = b'{"error_info":{"errno":1,"error":"ok"}}'


class Receiver:
    """A receiver that answers each request alike, and keeps what came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []

    @property
    def url(self) -> str:
        """The address of the receiver."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of all requests."""
        return [request.partition(b"\r\n\r\n")[2] for request in self.requests]

    def headers(self, place: int = -1) -> dict[str, str]:
        """Return the headers of a request, with names in lower case."""
        head = self.requests[place].partition(b"\r\n\r\n")[0].decode()
        lines = (line.partition(":") for line in head.split("\r\n")[1:])
        return {name.lower(): value.strip() for name, _, value in lines}


def answer(
    body: bytes = ACKNOWLEDGED, status: str = "200 OK", *headers: str, version: str = "1.1"
) -> bytes:
    """Return a whole answer."""
    lines = [f"HTTP/{version} {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read a request with its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    return head + await reader.readexactly(lengths[0] if lengths else 0)


@asynccontextmanager
async def receiving(reply: bytes | Handler, **options: object) -> AsyncIterator[Receiver]:
    """Run a receiver that sends these bytes, or that a function serves."""
    receiver = Receiver(0)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            if callable(reply):
                await reply(reader, writer)
                return
            while True:
                receiver.requests.append(await read_request(reader))
                writer.write(reply)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, **options)  # type: ignore[arg-type]  # options of the loop
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
