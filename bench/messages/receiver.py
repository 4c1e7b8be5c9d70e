"""A receiver of messages in a process of its own: acknowledges all, and notes when each came.

It does next to nothing for a request, because it shares two cores with the sender. `POST /fail`
names a class whose messages it does not acknowledge from then on, `GET /log` returns what came.
"""

import asyncio
import json
import re
import time
from typing import Final, NamedTuple

CLASS: Final = re.compile(rb'"(?:ClassID|CourseID)": ?(\d+)')
NUMBER: Final = re.compile(rb'"Number": ?(\d+)')
LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
ACKNOWLEDGED: Final = b'{"error_info":{"errno":1,"error":"ok"}}'
EVERY_LESSON: Final = -1
"""Given as the class that fails, no message is acknowledged."""
REFUSED: Final = b'{"error_info":{"errno":2,"error":"no"}}'


class Arrival(NamedTuple):
    """A message that came, or came again."""

    at: float
    """Monotonic seconds of the machine, when its first byte was read."""
    lesson: int
    """The id of the class, or of the course of a message about one."""
    number: int


class ReceiverLog:
    """The log of a receiver, and the class that it refuses."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.failing_lesson = 0

    def respond(self, path: bytes, body: bytes, at: float) -> bytes:
        """Return the body of the answer."""
        if path == b"/log":
            return json.dumps(self.arrivals).encode()
        if path == b"/count":
            return json.dumps(len(self.arrivals)).encode()
        if path == b"/fail":
            self.failing_lesson = int(json.loads(body)["lesson"])
            self.arrivals.clear()
            return b"{}"
        lesson, number = CLASS.search(body), NUMBER.search(body)
        if lesson is None:
            return ACKNOWLEDGED  # the test message
        arrival = Arrival(at, int(lesson[1]), int(number[1]) if number else 0)
        self.arrivals.append(arrival)
        return REFUSED if self.failing_lesson in (arrival.lesson, EVERY_LESSON) else ACKNOWLEDGED


class ReceiverProtocol(asyncio.Protocol):
    """One connection, with keep-alive."""

    def __init__(self, log: ReceiverLog) -> None:
        self._log = log
        self._data = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._data:
            self._began = time.monotonic()
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self._data, 0, end + 2)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._data) < whole:
                return
            _, path, _ = self._data[: self._data.find(b"\r\n")].split(b" ", 2)
            answer = self._log.respond(path, self._data[end + 4 : whole], self._began)
            self._data = self._data[whole:]
            self._transport.write(HEAD + str(len(answer)).encode() + b"\r\n\r\n" + answer)


async def main() -> None:
    log = ReceiverLog()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ReceiverProtocol(log), "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
