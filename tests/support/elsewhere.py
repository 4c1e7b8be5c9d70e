"""Another site: pages that frame ours, or try to use it behind a visitor's back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

PATIENCE: Final = 30.0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    content = ""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        content = self.server.content.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class Elsewhere:
    """A site with one page, whose content a test sets; `localhost` is another site than we are."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self.show("")

    @property
    def origin(self) -> str:
        """Its origin."""
        return f"http://localhost:{self._server.server_port}"

    def show(self, content: str) -> None:
        """Show a page from now on."""
        head = '<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,">'
        self._server.content = head + content

    def frame(self, url: str) -> str:
        """Show a page that frames another, and return its address."""
        self.show(f'<iframe src="{url}" width="1000" height="700"></iframe>')
        return self.origin


@contextmanager
def running_elsewhere() -> Iterator[Elsewhere]:
    """Run it until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Elsewhere(server)
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()
