"""Runs the media engine as a process of its own: starts it, starts it again, ends it in order."""

import asyncio
import fcntl
import logging
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

import msgspec

from homeroom.base.keys import KeyGenerator
from homeroom.media.engine.settings import EngineSettings

log = logging.getLogger("homeroom.media")

COMMAND = (sys.executable, "-m", "homeroom.media.engine")
BACKOFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Seconds before it is started again, after each failure in a row."""
STABLE_SECONDS = 30.0
"""Seconds after which an engine that ends had been well."""
MAX_SILENT_SECONDS = 10.0
"""Seconds without an answer after which an engine that still runs is ended."""
SHUTDOWN_SECONDS = 6.0
"""Seconds in which it closes recordings and hands over its reports."""
CHECK_SECONDS = 1.0
LOCK_NAME = "engine.lock"
"""Held as long as an engine lives, also by one whose server was killed."""
ID_NAME = "engine.id"


class Supervisor:
    """Keeps one engine running."""

    def __init__(
        self,
        settings: EngineSettings,
        folder: Path,
        seconds_down: Callable[[], float],
        command: Sequence[str] = COMMAND,
    ) -> None:
        """Take the folder to lock, and what tells for how many seconds nothing was answered."""
        self._settings = settings
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._seconds_down = seconds_down
        self._command = command
        self._is_ending = asyncio.Event()
        self.pid: int | None = None
        """The process that runs now, if any."""
        self.restarts = 0
        self.waiting_reason = ""
        """What it waits for before it starts an engine, in words; nothing where it does not."""

    def end(self) -> None:
        """Have the engine end in order: `run` returns when it has."""
        self._is_ending.set()

    async def run(self) -> None:
        """Start the engine, and start it again when it ends before it is told to."""
        with (self._folder / LOCK_NAME).open("a") as lock:
            await self._acquire_lock(lock)
            failures = 0
            while not self._is_ending.is_set():
                started_at = time.monotonic()
                try:
                    ended_with = await self._run_engine(lock)
                except OSError as failure:
                    ended_with = str(failure)
                if self._is_ending.is_set():
                    return
                failures = 0 if time.monotonic() - started_at > STABLE_SECONDS else failures
                delay = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                failures += 1
                self.restarts += 1
                log.error(
                    "the media engine ended; it is started again",
                    extra={"ended_with": ended_with, "delay": delay},
                )
                await self._sleep(delay)

    async def _acquire_lock(self, lock: IO[str]) -> None:
        """Wait for the engine of a server that was killed: it still closes its recordings."""
        while not self._is_ending.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if not self.waiting_reason:
                    self.waiting_reason = (
                        f"another media engine works on {self._folder}; a server that shares"
                        " the folder of another is to have media=external or media=none"
                    )
                    log.warning("the media engine waits: %s", self.waiting_reason)
                await self._sleep(0.1)
            else:
                break
        self.waiting_reason = ""

    async def _run_engine(self, lock: IO[str]) -> str:
        """Start an engine and stay with it until it has ended; returns how it did."""
        inherited_fds = (self._settings.rtmp_fd, self._settings.http_fd, lock.fileno())
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=DEVNULL,
            pass_fds=inherited_fds,
            # Ctrl-C is for us; the engine is told by the end of its standard input.
            start_new_session=True,
        )
        self.pid = process.pid
        log.info("the media engine runs", extra={"pid": process.pid})
        ended = asyncio.create_task(process.wait())
        try:
            _stdin(process).write(msgspec.json.encode(self._settings) + b"\n")
            await self._watch_process(process, ended)
            return f"code {await ended}"
        finally:
            self.pid = None

    async def _watch_process(self, process: Process, ended: asyncio.Task[int]) -> None:
        """Return when the engine has ended, by itself or because it was to."""
        started_at = time.monotonic()
        ending = asyncio.create_task(self._is_ending.wait())
        try:
            while not (ended.done() or ending.done()):
                silent_seconds = min(self._seconds_down(), time.monotonic() - started_at)
                if silent_seconds > MAX_SILENT_SECONDS:
                    log.error("the media engine does not answer; it is killed")
                    process.kill()
                    return
                await asyncio.wait(
                    (ended, ending), timeout=CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            ending.cancel()
        if not ended.done():
            await self._end(process, ended)

    async def _end(self, process: Process, ended: asyncio.Task[int]) -> None:
        _stdin(process).close()
        await asyncio.wait((ended,), timeout=SHUTDOWN_SECONDS)
        if not ended.done():
            log.error("the media engine does not end; it is killed")
            process.kill()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_ending.wait()


def engine_id(folder: Path) -> str:
    """Return what the engine of a folder is called in the database; made once."""
    id_file = folder / ID_NAME
    if not id_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{ID_NAME}.{os.getpid()}"
        draft.write_text(KeyGenerator().public_key()[:8])
        with suppress(FileExistsError):  # of two servers that start at once, both take the first
            os.link(draft, id_file)
        draft.unlink()
    return id_file.read_text()


def _stdin(process: Process) -> asyncio.StreamWriter:
    return cast("asyncio.StreamWriter", process.stdin)  # it is a pipe
