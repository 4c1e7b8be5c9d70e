"""The media engine as a process of its own, with an API that says what a test wants."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from homeroom.media.engine.settings import EngineSettings

PATIENCE: Final = 30
SECRET: Final = "engine-secret"
Hook = dict[str, Any]
Judge = Callable[[Hook], tuple[int, bytes]]


def allow(_hook: Hook) -> tuple[int, bytes]:
    """Answer every hook as SRS wants to hear it."""
    return 200, b"0"


class HookServer:
    """Takes hooks as the API does, remembers them, and answers as a test sets it."""

    def __init__(self, judge: Judge = allow) -> None:
        self.judge = judge
        self.taken: list[Hook] = []
        self._changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                hook = json.loads(self.rfile.read(length))
                status, body = outer.judge(hook)
                with outer._changed:
                    outer.taken.append(hook)
                    outer._changed.notify_all()
                with suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/media/hooks?secret=s"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def of(self, action: str) -> list[Hook]:
        """Return the hooks of one action so far."""
        return [hook for hook in self.taken if hook["action"] == action]

    def wait(self, action: str, number: int = 1) -> Hook:
        """Wait for the n-th hook of an action."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.of(action)) >= number, PATIENCE):
                raise TimeoutError(f"no {action}: {[hook['action'] for hook in self.taken]}")
            return self.of(action)[number - 1]

    def wait_for(self, matches: Callable[[Hook], bool]) -> Hook:
        """Wait for the first hook that matches."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(map(matches, self.taken)), PATIENCE):
                raise TimeoutError(f"no such hook: {[hook['action'] for hook in self.taken]}")
            return next(filter(matches, self.taken))

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._thread.join(PATIENCE)
        self._server.server_close()


class Engine:
    """A running engine; its sockets are ours, so that another one can take them over."""

    def __init__(
        self, folder: Path, hooks: HookServer, descriptors: int = 0, **more: int | str
    ) -> None:
        self._descriptors = descriptors
        self.folder = folder
        self.hooks = hooks
        self._more = more
        self._sockets = [_listening(), _listening()]
        self.rtmp_port, self.http_port = (one.getsockname()[1] for one in self._sockets)
        self.rtmp = f"rtmp://127.0.0.1:{self.rtmp_port}/live"
        self.http = f"http://127.0.0.1:{self.http_port}/live"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start the process, or another one in place of one that has ended."""
        fds = [one.fileno() for one in self._sockets]
        settings = EngineSettings(
            rtmp_fd=fds[0],
            http_fd=fds[1],
            hooks_url=self.hooks.url,
            api_secret=SECRET,
            recordings=str(self.folder / "recordings"),
            spool=str(self.folder / "spool"),
        )
        settings = msgspec.structs.replace(settings, **self._more)
        self.log = self.folder / "engine.log"
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *limit_descriptors(self._descriptors),
                    sys.executable,
                    "-m",
                    "homeroom.media.engine",
                ],
                stdin=subprocess.PIPE,
                stderr=log,
                pass_fds=fds,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(settings) + b"\n")
        self.process.stdin.flush()
        until(self._answers)
        return self.process

    def streams(self) -> dict[str, Any]:
        """Return what the engine says of its streams."""
        url = f"http://127.0.0.1:{self.http_port}/api/v1/streams/"
        answer = httpx.get(url, headers=_BEARER, trust_env=False, timeout=5)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def stream(self, name: str) -> dict[str, Any] | None:
        """Return what the engine says of one stream."""
        found = [one for one in self.streams()["streams"] if one["name"] == name]
        return found[0] if found else None

    def kick(self, client: str) -> int:
        """End a push and return the status of the answer."""
        url = f"http://127.0.0.1:{self.http_port}/api/v1/clients/{client}"
        return httpx.delete(url, headers=_BEARER, trust_env=False, timeout=5).status_code

    def end(self) -> int:
        """Let it end in order, as its parent does; returns its exit code."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait(PATIENCE)
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()

    def close(self) -> None:
        """End it, and give its ports free."""
        if self.process.poll() is None:
            self.end()
        for one in self._sockets:
            one.close()

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text())
        try:
            self.streams()
        except httpx.HTTPError:
            return False
        return True


_BEARER = {"Authorization": f"Bearer {SECRET}"}


@contextmanager
def running_engine(
    folder: Path, judge: Judge = allow, descriptors: int = 0, **more: int | str
) -> Iterator[Engine]:
    """Run an engine until the block ends; it may open so many files, if a number is given."""
    hooks = HookServer(judge)
    try:
        engine = Engine(folder, hooks, descriptors, **more)
        try:
            yield engine
        finally:
            engine.close()
    finally:
        hooks.close()


def limit_descriptors(number: int) -> list[str]:
    """Return the start of a command that may open so many files; 0 does not limit it."""
    return ["sh", "-c", f'ulimit -n {number}; exec "$@"', "sh"] if number else []


def until(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for something to hold."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.02)


def _listening() -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", 0))
    one.listen(128)
    return one
