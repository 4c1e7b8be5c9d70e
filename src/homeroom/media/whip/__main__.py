"""Gateway process: `python -m homeroom.media.whip`, with its settings on stdin."""

import asyncio
import logging
import socket
from functools import partial
from typing import cast

import uvicorn
import uvloop

from homeroom.base.child import on_stdin_closed, read_first_line
from homeroom.base.connection_budget import create_budget
from homeroom.base.log import log_to_stderr
from homeroom.base.private_files import private_umask
from homeroom.media.whip import receiver
from homeroom.media.whip.gateway import Gateway
from homeroom.media.whip.settings import GatewaySettings
from homeroom.web.connections import BudgetedHTTPProtocol

log = logging.getLogger("homeroom.media.whip")

GRACEFUL_SHUTDOWN_SECONDS = 1
"""Time for running requests to end at shutdown."""


def main() -> None:
    """Run until stdin closes: the parent process has ended or requests a shutdown."""
    settings = read_first_line(GatewaySettings)
    if settings is not None:
        log_to_stderr(settings.log_level)
        # We log start and end ourselves; aioice would log each of its steps.
        for name in ("uvicorn", "aioice"):
            logging.getLogger(name).setLevel(logging.WARNING)
        receiver.install()
        with private_umask():
            uvloop.run(run(settings))


async def run(settings: GatewaySettings) -> None:
    """Serve requests; return after shutdown, when all pushes have ended."""
    gateway = Gateway(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            gateway.app(),
            http=cast("type[asyncio.Protocol]", partial(BudgetedHTTPProtocol, create_budget())),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        )
    )

    def stop_server() -> None:
        server.should_exit = True

    on_stdin_closed(asyncio.get_running_loop(), stop_server)
    log.info("gateway_ready")
    await server.serve(sockets=[socket.socket(fileno=settings.http_fd)])
    await gateway.close()
    log.info("gateway_stopped")


if __name__ == "__main__":
    main()
