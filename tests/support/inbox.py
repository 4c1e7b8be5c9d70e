"""A receiver of messages in a thread: it acknowledges as a test wants, and keeps what came."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

PATIENCE: Final = 20.0
OK: Final = {"error_info": {"errno": 1, "error": "ok"}}


class Inbox:
    """What a receiver got."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: object = OK
        self.url = ""
        self._changed = threading.Condition()

    def take(self, body: dict[str, Any], headers: dict[str, str]) -> object:
        """Keep a message and return the answer."""
        with self._changed:
            self.bodies.append(body)
            self.headers.append(headers)
            self._changed.notify_all()
            return self.answer

    @property
    def commands(self) -> list[object]:
        """The commands of all messages."""
        return [body.get("Cmd") for body in self.bodies]

    def wait(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, looked at after each message."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while not holds():
                left = deadline - time.monotonic()
                assert left > 0, self.bodies
                self._changed.wait(min(left, 0.2))


@contextmanager
def receiving_in_thread() -> Iterator[Inbox]:
    """Run a receiver."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            names = {name.lower(): value for name, value in self.headers.items()}
            answer = json.dumps(inbox.take(json.loads(body), names)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  of the base class
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
