"""A server of HTTP-FLV that sends what a test wants, as servers of others do."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.flv_source import FILE_HEAD, FlvSource


class FlvServer:
    """Sends each client the same source from its beginning, at its own pace."""

    def __init__(self, source: FlvSource) -> None:
        self.connected: list[float] = []
        """When each client came, by `time.monotonic`."""
        self._is_over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.connected.append(time.monotonic())
                with suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Type", "video/x-flv")
                    self.send_header("Access-Control-Allow-Origin", "*")
                    self.end_headers()
                    self.wfile.write(FILE_HEAD)
                    for tag in source.tags:
                        late = outer.connected[-1] + tag.due / 1000 - time.monotonic()
                        if late > 0 and outer._is_over.wait(late):
                            return
                        self.wfile.write(tag.encode())

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/class.flv"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """End all connections."""
        self._is_over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def serving_flv(source: FlvSource) -> Iterator[FlvServer]:
    """Serve a source until the block ends."""
    server = FlvServer(source)
    try:
        yield server
    finally:
        server.close()
