"""A receiver of messages in tests: an endpoint of a school, with an HTTP server behind it."""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

import httpx

from homeroom.receive import ACKNOWLEDGEMENT, ReceivedMessage, SignatureError, parse, verify

WAIT_SECONDS: Final = 10.0
MAX_BODY_BYTES: Final = 2**20
SHUTDOWN_SECONDS: Final = 5.0


class Receiver:
    """Receives the messages of a school over HTTP, verifies each one, and acknowledges it."""

    def __init__(self, server_url: str, sid: int, secret: str, token: str) -> None:
        """Set up; the server at the address sends the messages of the school.

        The token may add endpoints of the school.
        """
        self._token = token
        self._server_url = server_url
        self._sid = sid
        self._secret = secret
        self.messages: list[ReceivedMessage] = []
        """What came and was acknowledged, in order, without test messages."""
        self.refused = 0
        """Requests that were refused because a test asked for it."""
        self.unsigned = 0
        """Requests whose signature was wrong."""
        self._refusals: list[tuple[int, bytes]] = []
        self._changed = threading.Condition()
        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), _build_handler(self._take))
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(0.05,), name="receiver", daemon=True
        )

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}/messages"

    def __enter__(self) -> Self:
        """Listen, and become an endpoint of the school."""
        self._thread.start()
        try:
            self._add_endpoint()
        except BaseException:
            self.close()
            raise
        return self

    def _add_endpoint(self) -> None:
        body = {"SID": self._sid, "url": self.url}
        httpx.post(
            f"{self._server_url}/admin/v1/endpoints",
            json=body,
            headers={"authorization": f"Bearer {self._token}"},
            trust_env=False,
            verify=False,  # noqa: S501  a server of this process, over HTTP
        ).raise_for_status()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; the endpoint stays with its school."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join(SHUTDOWN_SECONDS)

    def refuse(
        self, times: int = 1, *, status: int = HTTPStatus.OK, body: bytes = b'{"error_info":{}}'
    ) -> None:
        """Answer the next requests so that they are no acknowledgement."""
        with self._changed:
            self._refusals += [(status, body)] * times

    def wait_for(
        self, kind: str, *, class_id: int | None = None, seconds: float = WAIT_SECONDS
    ) -> ReceivedMessage:
        """Return the first message of a kind, by its name, that came for a class.

        Raises `AssertionError` with what came instead, if none comes in some seconds.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for message in self.messages:
                    is_of_class = class_id in (None, message.fields.get("ClassID"))
                    if message.kind == kind and is_of_class:
                        return message
                left = deadline - time.monotonic()
                if left <= 0:
                    came = ", ".join(str(message.kind) for message in self.messages)
                    raise AssertionError(f"no {kind} within {seconds:g} s; came: {came or 'none'}")
                self._changed.wait(left)

    def _take(self, content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        with self._changed:
            self._changed.notify_all()
            try:
                verify(content, self._secret, headers)
            except SignatureError:
                self.unsigned += 1
                return HTTPStatus.UNAUTHORIZED, b""
            if self._refusals:
                self.refused += 1
                return self._refusals.pop(0)
            message = parse(content)
            if not message.is_test:
                self.messages.append(message)
            return HTTPStatus.OK, ACKNOWLEDGEMENT


def _build_handler(
    take: Callable[[bytes, dict[str, str]], tuple[int, bytes]],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are written one after the other

        def do_POST(self) -> None:  # the name is that of the base class
            length = min(int(self.headers["content-length"]), MAX_BODY_BYTES)
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = take(self.rfile.read(length), headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is that of the base class
            """Log nothing."""

    return Handler
