"""A worker process: serves HTTP beside others, and leaves the rest to the main process."""

import asyncio
import logging
import os
import socket
import sys

import uvloop

from homeroom.base.child import on_stdin_closed, read_first_line
from homeroom.base.clock import ShiftedClock, SystemClock
from homeroom.base.errors import HomeroomError
from homeroom.base.garbage_collector import tune_garbage_collector
from homeroom.base.log import log_to_stderr
from homeroom.base.private_files import private_umask
from homeroom.base.settings import convert_path
from homeroom.base.termination import exit_at_signals, exit_by_deadline, ignore_signals
from homeroom.bootstrap.core import build_core
from homeroom.bootstrap.http import create_http_server
from homeroom.bootstrap.sandbox import forwarded_sandbox_routes
from homeroom.bootstrap.services import Services, run_services
from homeroom.folder import open_store
from homeroom.store.unit_of_work import Store
from homeroom.usecases import secrets
from homeroom.web import security_log
from homeroom.web.merged_metrics import MetricFamily
from homeroom.workers.channel import Channel, ProcedureTable, open_channel
from homeroom.workers.hook_forwarding import forwarding_routes
from homeroom.workers.procedures import (
    CHECK_ALIVE,
    COLLECT_METRICS,
    FOLLOW_SANDBOX,
    GET_STATUS,
    REPORT_STARTED,
)
from homeroom.workers.remote_main import RemoteMain
from homeroom.workers.settings import WorkerSettings

log = logging.getLogger("homeroom.workers")

START_SECONDS = 30.0
"""Longest wait for the main process at the start, when a machine has much to do."""


def main() -> None:
    """Run until standard input closes: the main process is gone then, or wants us to end."""
    exit_at_signals()
    try:
        settings = read_first_line(WorkerSettings, convert_path)
        if settings is not None:
            log_to_stderr(settings.settings.log_level)
            with private_umask(), open_store(settings.settings) as store:
                uvloop.run(run(settings, store))
    except HomeroomError as error:
        if error.is_defect:
            raise
        log.error("worker_failed", extra={"reason": str(error)})  # noqa: TRY400  no defect
        sys.exit(1)
    finally:
        ignore_signals()


async def run(worker: WorkerSettings, store: Store) -> None:
    """Serve HTTP until the end."""
    settings = worker.settings
    table = ProcedureTable()
    channel = await open_channel(socket.socket(fileno=worker.channel_fd), table)
    routes = forwarding_routes(worker.main_url) if settings.media != "none" else []
    status = await channel.call(GET_STATUS, None, START_SECONDS)
    main_process = RemoteMain(
        channel, table, status, routes, worker.push_base, is_sandbox=settings.sandbox
    )
    core = await build_core(
        settings,
        store,
        SystemClock(),
        store.write(secrets.load_or_create),
        worker.hosts,
        main_process.video_works,
    )
    try:
        async with run_services(core, main_process) as services:
            _add_procedures(table, services)
            await _serve_http(worker, services, channel)
    finally:
        security_log.flush()
        channel.close()


async def _serve_http(worker: WorkerSettings, services: Services, channel: Channel) -> None:
    http = create_http_server(services, forwarded_sandbox_routes(services, worker.main_url))

    def report_started() -> None:
        channel.notify(REPORT_STARTED, worker.number)
        log.info("worker_started", extra={"worker": worker.number, "pid": os.getpid()})
        tune_garbage_collector()

    def end() -> None:
        exit_by_deadline()
        http.stop()

    http.on_started = report_started
    http.before_stop = services.close_live
    on_stdin_closed(asyncio.get_running_loop(), end)
    await http.serve(sockets=[socket.socket(fileno=worker.listener_fd)])


def _add_procedures(table: ProcedureTable, services: Services) -> None:
    async def check_alive(_request: None) -> None:
        pass

    async def collect_metrics(_request: None) -> list[MetricFamily]:
        return await services.scraper.collect()

    async def follow_sandbox(offset: int) -> None:
        if isinstance(services.clock, ShiftedClock):
            services.clock.offset = offset
        services.follow_sandbox()

    table.add(FOLLOW_SANDBOX, follow_sandbox)
    table.add(CHECK_ALIVE, check_alive)
    table.add(COLLECT_METRICS, collect_metrics)


if __name__ == "__main__":
    main()
