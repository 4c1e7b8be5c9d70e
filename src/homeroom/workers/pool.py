"""The worker processes of a server: starts them, restarts each that ends, and stops them."""

import asyncio
import logging
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge

from homeroom.base.restarts import RestartBackoff
from homeroom.folder import StartupError
from homeroom.web.ports import bind_again
from homeroom.workers.channel import (
    Channel,
    ChannelError,
    ChannelGroup,
    ProcedureTable,
    open_channel,
)
from homeroom.workers.procedures import CHECK_ALIVE, REPORT_STARTED
from homeroom.workers.settings import WorkerSettings

log = logging.getLogger("homeroom.workers")

COMMAND = (sys.executable, "-m", "homeroom.bootstrap.worker_process")
CHECK_SECONDS = 5.0
MAX_SILENT_SECONDS = 15.0
"""Time without an answer after which a worker process is killed."""
MAX_START_SECONDS = 60.0
"""Time that a worker process may take until it accepts connections."""
SHUTDOWN_SECONDS = 7.5
"""Time in which a worker process answers open requests before it is killed."""


class WorkerPool:
    """Keeps a number of worker processes running."""

    def __init__(
        self,
        template: WorkerSettings,
        port: socket.socket,
        procedures: ProcedureTable,
        registry: CollectorRegistry,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """Set up; `port` is shared by the processes, `procedures` answer what they ask."""
        self.channels = ChannelGroup()
        """Channels to the processes that accept connections."""
        self.on_started: Callable[[Channel], None] = lambda _channel: None
        """Called with the channel to each process that has started."""
        self._open: dict[int, Channel] = {}
        self._template = template
        self._port = port
        self._procedures = procedures
        self._command = command
        self._is_ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._started = {
            number: asyncio.Event() for number in range(1, template.settings.workers + 1)
        }
        """By number; set while the process accepts connections."""
        self._running = Gauge(
            "homeroom_workers",
            "Worker processes that accept connections.",
            registry=registry,
        )
        self._restarts = Counter(
            "homeroom_worker_restarts",
            "Times a worker process ended and was started again.",
            registry=registry,
        )
        self._running.set_function(
            lambda: sum(started.is_set() for started in self._started.values())
        )
        procedures.add(REPORT_STARTED, self._report_started)

    async def start(self) -> None:
        """Start all processes; returns when each accepts connections.

        Raises `StartupError` if one ends before.
        """
        self._tasks = [asyncio.create_task(self._keep_running(number)) for number in self._started]
        started = asyncio.create_task(self._wait_started())
        await asyncio.wait((started, *self._tasks), return_when=asyncio.FIRST_COMPLETED)
        if started.done():
            return
        started.cancel()
        self._is_ending.set()
        for task in self._tasks:
            if task.done():
                task.result()

    def begin_ending(self) -> None:
        """Stop all processes; each first answers its open requests."""
        self._is_ending.set()

    async def end(self) -> None:
        """Stop all processes; returns when they have ended."""
        self.begin_ending()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _wait_started(self) -> None:
        for started in self._started.values():
            await started.wait()

    async def _report_started(self, number: int) -> None:
        self._started[number].set()
        self.channels.add(self._open[number])
        self.on_started(self._open[number])

    async def _keep_running(self, number: int) -> None:
        backoff = RestartBackoff()
        has_started = False
        while not self._is_ending.is_set():
            began_at = time.monotonic()
            try:
                ended_with = await self._run_process(number)
            except OSError as failure:
                ended_with = str(failure)
            has_started = has_started or self._started[number].is_set()
            self._started[number].clear()
            if self._is_ending.is_set():
                return
            if not has_started:
                message = f"worker process {number} did not start ({ended_with}); see its log above"
                raise StartupError(message)
            delay = backoff.count_exit(time.monotonic() - began_at)
            self._restarts.inc()
            facts = {"worker": number, "ended_with": ended_with, "delay": delay}
            log.error("worker_exited: it is restarted", extra=facts)
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._is_ending.wait()

    async def _run_process(self, number: int) -> str:
        """Start a process, wait until it has ended, and return its exit status as text."""
        own_end, its_end = socket.socketpair()
        channel = self._open[number] = await open_channel(own_end, self._procedures)
        try:
            # We close our copy of the listener, so that connections to a process that has ended
            # are not kept waiting: the kernel hands them to the others.
            with its_end, bind_again(self._port) as listener:
                fds = (its_end.fileno(), listener.fileno())
                process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=PIPE,
                    stdout=DEVNULL,
                    pass_fds=fds,
                    # Ctrl-C must reach only this process; the others end when their stdin closes.
                    start_new_session=True,
                )
            settings = msgspec.structs.replace(
                self._template, number=number, channel_fd=fds[0], listener_fd=fds[1]
            )
            _stdin(process).write(msgspec.json.encode(settings, enc_hook=str) + b"\n")
            log.info("worker_process_started", extra={"worker": number, "pid": process.pid})
            ended = asyncio.create_task(process.wait())
            await self._watch(process, channel, number, ended)
            return f"code {await ended}"
        finally:
            self.channels.discard(channel)
            channel.close()

    async def _watch(
        self, process: Process, channel: Channel, number: int, ended: asyncio.Task[int]
    ) -> None:
        """Return when a process has ended, or was killed because it does not answer."""
        started_at = time.monotonic()
        ending = asyncio.create_task(self._is_ending.wait())
        try:
            while not (ended.done() or ending.done()):
                await asyncio.wait(
                    (ended, ending), timeout=CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if ended.done() or ending.done():
                    break
                if self._started[number].is_set():
                    is_silent = not await self._is_alive(channel)
                else:
                    is_silent = time.monotonic() - started_at > MAX_START_SECONDS
                if is_silent and not ended.done():
                    log.error("worker_killed: it does not answer", extra={"worker": number})
                    process.kill()
                    return
        finally:
            ending.cancel()
        if not ended.done():
            await self._end_process(process, number, ended)

    async def _is_alive(self, channel: Channel) -> bool:
        try:
            await channel.call(CHECK_ALIVE, None, MAX_SILENT_SECONDS)
        except ChannelError:
            return False
        return True

    async def _end_process(self, process: Process, number: int, ended: asyncio.Task[int]) -> None:
        _stdin(process).close()
        await asyncio.wait((ended,), timeout=SHUTDOWN_SECONDS)
        if not ended.done():
            log.error("worker_killed: it does not end", extra={"worker": number})
            process.kill()


def _stdin(process: Process) -> asyncio.StreamWriter:
    return cast("asyncio.StreamWriter", process.stdin)  # a pipe, never None
