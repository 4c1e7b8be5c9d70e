"""The engine as a process: `python -m homeroom.media.engine`, with its settings on stdin."""

import asyncio
import gc
import logging
import resource
import signal
import socket
from contextlib import suppress
from pathlib import Path

import uvloop

from homeroom.base.child import on_stdin_closed, read_first_line
from homeroom.base.connection_budget import create_budget
from homeroom.base.log import log_to_stderr
from homeroom.base.private_files import private_umask
from homeroom.media.engine.disk import DiskWriter
from homeroom.media.engine.hooks_client import HooksClient
from homeroom.media.engine.http import MediaHTTP
from homeroom.media.engine.recorder import RecordingArchive
from homeroom.media.engine.registry import StreamRegistry
from homeroom.media.engine.rtmp import RTMPConnection
from homeroom.media.engine.settings import EngineSettings
from homeroom.media.engine.spool import Spool

log = logging.getLogger("homeroom.media")

DISK_SECONDS = 3.0
REPORT_SECONDS = 2.0
"""Time for the last reports at the end; undelivered ones wait for the next start."""


def main() -> None:
    """Run until standard input closes: the parent process is gone then, or wants us to end."""
    # Each viewer needs a descriptor, and the usual limit is about a thousand.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    settings = read_first_line(EngineSettings)
    if settings is not None:
        log_to_stderr(settings.log_level)
        with private_umask():
            uvloop.run(run(settings))


async def run(settings: EngineSettings) -> None:
    """Serve until the end; returns when recordings are written and, if possible, reported."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    on_stdin_closed(loop, over.set)
    hooks = HooksClient(settings.hooks_url)
    recordings = Path(settings.recordings)
    spool = Spool(Path(settings.spool), hooks, recordings)
    disk = DiskWriter()
    archive = RecordingArchive(recordings, spool, disk, settings.rotate_seconds)
    disk.sync(archive.recover)
    budget = create_budget()
    hub = StreamRegistry(hooks, archive, settings.coalesce_ms, budget)
    rtmp = await loop.create_server(
        lambda: RTMPConnection(hub, budget),
        sock=socket.socket(fileno=settings.rtmp_fd),
        backlog=budget.limits.backlog,
    )
    http = await loop.create_server(
        lambda: MediaHTTP(hub, settings, budget),
        sock=socket.socket(fileno=settings.http_fd),
        backlog=budget.limits.backlog,
    )
    tasks = [asyncio.create_task(hub.sweep()), asyncio.create_task(spool.deliver())]
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    log.info("engine_started")
    await over.wait()
    # Close the ports first: the next process may need them.
    rtmp.close()
    http.close()
    hub.end()
    await asyncio.to_thread(disk.close, DISK_SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(REPORT_SECONDS):
            await spool.deliver_all()
    log.info("engine_stopped")


if __name__ == "__main__":
    main()
