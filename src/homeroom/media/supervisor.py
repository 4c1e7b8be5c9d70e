"""Supervisor of the media engine's process: starts, restarts and stops it."""

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
from homeroom.base.restarts import RestartBackoff
from homeroom.media.engine.settings import EngineSettings
from homeroom.store.local_storage import sync_folder

log = logging.getLogger("homeroom.media")

COMMAND = (sys.executable, "-m", "homeroom.media.engine")
MAX_SILENT_SECONDS = 10.0
"""Time without an answer after which a running engine is killed."""
SHUTDOWN_SECONDS = 6.0
"""Time in which the engine closes recordings and delivers reports before it is killed."""
CHECK_SECONDS = 1.0
LOCK_NAME = "engine.lock"
"""File that a running engine locks, even after its server was killed."""
ID_NAME = "engine.id"


class Supervisor:
    """Keeps one engine process running."""

    def __init__(
        self,
        settings: EngineSettings,
        folder: Path,
        seconds_down: Callable[[], float],
        command: Sequence[str] = COMMAND,
    ) -> None:
        """Set up; `folder` is locked while an engine runs, `seconds_down` measures its silence."""
        self._settings = settings
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._seconds_down = seconds_down
        self._command = command
        self._is_ending = asyncio.Event()
        self.pid: int | None = None
        """Id of the running process, if any."""
        self.restarts = 0
        self.waiting_reason = ""
        """Reason why the engine is not started yet, or an empty text."""

    def end(self) -> None:
        """Request a graceful stop; `run` returns when the engine has ended."""
        self._is_ending.set()

    async def run(self) -> None:
        """Run the engine until `end` is called; restart it whenever it exits before."""
        with (self._folder / LOCK_NAME).open("a") as lock:
            await self._acquire_lock(lock)
            backoff = RestartBackoff()
            while not self._is_ending.is_set():
                started_at = time.monotonic()
                try:
                    ended_with = await self._run_engine(lock)
                except OSError as failure:
                    ended_with = str(failure)
                if self._is_ending.is_set():
                    return
                delay = backoff.count_exit(time.monotonic() - started_at)
                self.restarts += 1
                log.error(
                    "engine_exited: it is restarted",
                    extra={"ended_with": ended_with, "delay": delay},
                )
                await self._sleep(delay)

    async def _acquire_lock(self, lock: IO[str]) -> None:
        """Wait for the engine of a killed server, which may still close its recordings."""
        while not self._is_ending.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if not self.waiting_reason:
                    self.waiting_reason = (
                        f"another media engine works on {self._folder}; a server that shares"
                        " the folder of another is to have media=external or media=none"
                    )
                    log.warning("engine_waiting: %s", self.waiting_reason)
                await self._sleep(0.1)
            else:
                break
        self.waiting_reason = ""

    async def _run_engine(self, lock: IO[str]) -> str:
        """Start an engine, wait until it has ended, and return its exit status as text."""
        inherited_fds = (self._settings.rtmp_fd, self._settings.http_fd, lock.fileno())
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=DEVNULL,
            pass_fds=inherited_fds,
            # Ctrl-C must reach only this process; the engine ends when its stdin closes.
            start_new_session=True,
        )
        self.pid = process.pid
        log.info("engine_process_started", extra={"pid": process.pid})
        ended = asyncio.create_task(process.wait())
        try:
            _stdin(process).write(msgspec.json.encode(self._settings) + b"\n")
            await self._watch_process(process, ended)
            return f"code {await ended}"
        finally:
            self.pid = None

    async def _watch_process(self, process: Process, ended: asyncio.Task[int]) -> None:
        """Return when the engine has ended, or was killed because it does not answer."""
        started_at = time.monotonic()
        ending = asyncio.create_task(self._is_ending.wait())
        try:
            while not (ended.done() or ending.done()):
                silent_seconds = min(self._seconds_down(), time.monotonic() - started_at)
                if silent_seconds > MAX_SILENT_SECONDS:
                    log.error("engine_killed: it does not answer")
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
            log.error("engine_killed: it does not end")
            process.kill()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_ending.wait()


def engine_id(folder: Path) -> str:
    """Return the id of a folder's engine in the database; create it on the first call."""
    id_file = folder / ID_NAME
    if not id_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{ID_NAME}.{os.getpid()}"
        with draft.open("w") as file:
            file.write(KeyGenerator().public_key()[:8])
            file.flush()
            # The database names publish sessions by this id: a power cut must not change it.
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # if two servers start at once, both use the first id
            os.link(draft, id_file)
        draft.unlink()
        sync_folder(folder)
    return id_file.read_text()


def _stdin(process: Process) -> asyncio.StreamWriter:
    return cast("asyncio.StreamWriter", process.stdin)  # a pipe, never None
