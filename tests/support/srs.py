"""An SRS as far as its HTTP API goes: it lists streams, and clients can be disconnected."""

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

PATIENCE: Final = 30

# What SRS 6 answers, but for the streams' own names and clients.
STREAM: Final = {
    "id": "vid-0r95h4l",
    "vhost": "vid-11f7a54",
    "app": "live",
    "tcUrl": "rtmp://127.0.0.1/live",
    "url": "/live/livestream",
    "live_ms": 1785311446829,
    "frames": 1522,
    "send_bytes": 83913,
    "recv_bytes": 2097152,
    "kbps": {"recv_30s": 331, "send_30s": 12},
    "video": {
        "codec": "H264",
        "profile": "High",
        "level": "3.2",
        "width": 1280,
        "height": 720,
    },
    "audio": {"codec": "AAC", "sample_rate": 44100, "channel": 2, "profile": "LC"},
}


def stream(name: str, cid: object = None, **more: object) -> dict[str, Any]:
    """Return a stream as SRS lists it; one without a client is not being pushed."""
    publish = {"active": False} if cid is None else {"active": True, "cid": cid}
    return {**STREAM, "name": name, "clients": 1, "publish": publish, **more}


class SRS:
    """Listens until it is closed; a test may change what it answers at any time."""

    def __init__(self) -> None:
        self.streams: list[dict[str, Any]] = []
        self.first: list[list[dict[str, Any]]] = []
        """Lists that are answered, each once, before that of the streams."""
        self.own: dict[str, Any] = {}
        """What our own engine adds to the answer."""
        self.answer: tuple[int, bytes] | None = None
        """Answered in place of the list."""
        self.asked: list[tuple[str, str | None]] = []
        """Path and authorization of each request."""
        self.kicked: list[str] = []
        self.kick_status = 200
        """Answered to a kick."""
        self._changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._note(self.path, self.headers["Authorization"])
                self._say(*(outer.answer or outer._listed(self.path)))

            def do_DELETE(self) -> None:
                outer._note(self.path, self.headers["Authorization"])
                with outer._changed:
                    outer.kicked.append(self.path.rpartition("/")[2])
                    outer._changed.notify_all()
                said = b'{"code":0,"server":"vid-0xk989d","service":"qp2z4i","pid":"1"}'
                self._say(outer.kick_status, said)

            def _say(self, status: int, body: bytes) -> None:
                with suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.address}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def wait_for_kick(self, client: str) -> None:
        """Wait until a client is disconnected."""
        with self._changed:
            if not self._changed.wait_for(lambda: client in self.kicked, PATIENCE):
                raise TimeoutError(f"{client} was not disconnected, but {self.kicked}")

    def wait_for_looks(self, number: int) -> None:
        """Wait until it was asked so many times more."""
        with self._changed:
            until = len(self.asked) + number
            if not self._changed.wait_for(lambda: len(self.asked) >= until, PATIENCE):
                raise TimeoutError("it is not asked")

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._thread.join(PATIENCE)
        self._server.server_close()

    def _note(self, path: str, authorization: str | None) -> None:
        with self._changed:
            self.asked.append((path, authorization))
            self._changed.notify_all()

    def _listed(self, path: str) -> tuple[int, bytes]:
        query = parse_qs(urlsplit(path).query)
        start, number = (int(query.get(name, ["0"])[0]) for name in ("start", "count"))
        # Ten by default.
        streams = self.first.pop(0) if self.first else self.streams
        page = streams[start : start + (number or 10)]
        body = {"code": 0, "server": "vid-0xk989d", "streams": page, **self.own}
        return 200, json.dumps(body).encode()
