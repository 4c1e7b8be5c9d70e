"""`homeroom serve` as a process of its own, as an operator starts it."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import IO, Final
from unittest.mock import patch

import httpx

from homeroom.cli.group import main as homeroom

READY_SECONDS: Final = 60
STOP_SECONDS: Final = 10
COMMAND: Final = (sys.executable, "-m", "homeroom.cli")
# Settings and proxies of the developer must not reach the server.
PLAIN: Final = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("HOMEROOM_") and not name.lower().endswith("_proxy")
}
_LISTENING = re.compile(r"listening at (http\S+)")
_PUSH = re.compile(r"^\s*push\s+(rtmp\S+)$", re.MULTILINE)
_PULL = re.compile(r"^\s*pull\s+(rtmp\S+) and (http\S+)$", re.MULTILINE)
_SID = re.compile(r"^\s*SID\s+(\d+)$", re.MULTILINE)
_SECRET = re.compile(r"^\s*SECRET\s+(\S+)$", re.MULTILINE)
_TOKEN = re.compile(r"^\s*token\s+(\S+)$", re.MULTILINE)


class DidNotStart(Exception):
    """The server ended, or said nothing in time; the message is what it did say."""


class CommandFailed(Exception):
    """A command ended with something else than 0."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        super().__init__(f"exit {code}\n{stdout}\n{stderr}")
        self.code = code
        self.stdout = stdout
        self.stderr = stderr


def run(
    *args: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one `homeroom` command to its end, whatever that is."""
    return subprocess.run(
        [*COMMAND, *args],
        capture_output=True,
        text=True,
        check=False,
        env={**PLAIN, **(env or {})},
        cwd=cwd,
        timeout=READY_SECONDS,
    )


def typed(*args: str, env: dict[str, str] | None = None) -> str:
    """Run one `homeroom` command in this process, which saves the second that a new one takes."""
    out, err = StringIO(), StringIO()
    code: str | int | None = 0
    environment = {**PLAIN, **(env or {})}
    with (
        patch.dict(os.environ, environment, clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            homeroom(args, prog_name="homeroom")
        except SystemExit as end:
            code = end.code
    if code != 0:
        raise CommandFailed(int(code or 0), out.getvalue(), err.getvalue())
    return out.getvalue()


class Process:
    """A running `homeroom serve`; returns from its making when connections are taken."""

    def __init__(
        self,
        *options: str,
        data: Path,
        database: str | None = None,
        env: dict[str, str] | None = None,
        command: Sequence[str] = COMMAND,
        key_file: Path | None = None,
    ) -> None:
        """Start it with options such as "--demo", "--sandbox"; it takes free ports."""
        self.data = data
        self.where = ["--data", str(data)]
        if database is not None:
            self.where += ["--database", database]
        if key_file is not None:
            self.where += ["--key-file", str(key_file)]
        self.env = env or {}
        for port in ("--port", "--rtmp-port", "--media-port"):
            variable = f"HOMEROOM_{port.removeprefix('--').replace('-', '_').upper()}"
            if port not in options and variable not in self.env:
                options = (port, "0", *options)
        self._expects_demo = "--demo" in options or "HOMEROOM_DEMO" in self.env
        self._said: list[str] = []
        self._logged: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [*command, "serve", *options, *self.where],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**PLAIN, "PYTHONUNBUFFERED": "1", **self.env},
        )
        self._readers = [
            threading.Thread(target=self._read, args=(pipe, lines), daemon=True)
            for pipe, lines in (
                (self.process.stdout, self._said),
                (self.process.stderr, self._logged),
            )
        ]
        for reader in self._readers:
            reader.start()
        try:
            self.url = self._found(_LISTENING)
            self.sid = int(self._found(_SID)) if self._expects_demo else 0
            self.secret = self._found(_SECRET) if self._expects_demo else ""
        except BaseException:
            self.kill()
            raise

    @property
    def output(self) -> str:
        """Its output so far."""
        return "".join(self._said)

    @property
    def log(self) -> str:
        """Its log so far."""
        return "".join(self._logged)

    @property
    def token(self) -> str | None:
        """The operator's token, where the demo has just made one."""
        found = _TOKEN.search(self.output)
        return None if found is None else found[1]

    @property
    def push_url(self) -> str:
        """Address to push streams to, as it printed it: `rtmp://127.0.0.1:PORT/live`."""
        return self._found(_PUSH)

    @property
    def pull_urls(self) -> tuple[str, str]:
        """Addresses to pull streams from, over RTMP and HTTP, as it printed them."""
        self._found(_PULL)
        found = _PULL.search(self.output)
        assert found is not None
        return found[1], found[2]

    def wait_until_ready(self) -> None:
        """Wait until its media engine answers too."""
        with httpx.Client(trust_env=False) as client:
            for _ in range(READY_SECONDS * 10):
                if client.get(f"{self.url}/readyz").status_code == httpx.codes.OK:
                    return
                time.sleep(0.1)
        raise DidNotStart(self.log)

    def cli(self, *args: str) -> str:
        """Run a command on the same data and return what it printed."""
        return typed(*args, *self.where, env=self.env)

    def advance(self, seconds: int) -> int:
        """Move the sandbox's clock and return the moment it then shows."""
        answer = httpx.post(
            f"{self.url}/sandbox/clock", json={"advance": seconds}, trust_env=False, timeout=30
        )
        answer.raise_for_status()
        return int(answer.json()["now"])

    def stop(self) -> int:
        """Ask it to finish (SIGTERM) and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._ended()

    def kill(self) -> int:
        """End it as a power cut would (SIGKILL)."""
        if self.process.poll() is None:
            self.process.kill()
        return self._ended()

    def _ended(self) -> int:
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
            raise
        for reader in self._readers:
            reader.join(STOP_SECONDS)
        return code

    def _read(self, pipe: IO[str] | None, lines: list[str]) -> None:
        assert pipe is not None  # both are PIPE
        with pipe:
            for line in pipe:
                with self._changed:
                    lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def _found(self, pattern: re.Pattern[str]) -> str:
        """Wait until it has printed something, or has ended, or time is up."""

        def settled() -> bool:
            has_ended = self.process.poll() is not None and not self._readers[0].is_alive()
            return pattern.search(self.output) is not None or has_ended

        with self._changed:
            # The end of a process notifies no one, so look again every 0.1 s.
            for _ in range(READY_SECONDS * 10):
                if self._changed.wait_for(settled, 0.1):
                    break
        found = pattern.search(self.output)
        if found is None:
            raise DidNotStart(f"{self.output}\n{self.log}")
        return found[1]
