"""Process of the WHIP gateway: starts it for the first session and sends it requests."""

import asyncio
import logging
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from importlib.util import find_spec
from typing import cast

import msgspec

from homeroom.base.keys import KeyGenerator
from homeroom.domain.streams import BrowserPublishError, PublishRefusal
from homeroom.media.engine.http_client import NoResponseError, send_request
from homeroom.media.whip.settings import GatewaySettings

log = logging.getLogger("homeroom.media")

COMMAND = (sys.executable, "-m", "homeroom.media.whip")
REQUIRED_PACKAGES = ("aiortc", "av")
"""Packages of the extra `homeroom[browser]`."""
MAX_OFFER_BYTES = 64_000
RESPONSE_TIMEOUT_SECONDS = 20.0
"""Timeout of a request. The gateway may need 17 s to end another session and to connect."""
SHUTDOWN_SECONDS = 8.0
"""Time in which the gateway ends its sessions before it is killed."""
CREATED = 201
REFUSALS_BY_STATUS = {409: PublishRefusal.BUSY, 422: PublishRefusal.OFFER, 503: PublishRefusal.BUSY}


class _SessionResponse(msgspec.Struct):
    id: str
    sdp: str


class _ErrorResponse(msgspec.Struct):
    detail: str = ""


class GatewayProcess:
    """Client and supervisor of the gateway, which runs from the first session until shutdown."""

    def __init__(self, push_base: str, address: str | None, log_level: str) -> None:
        """Set up without starting the process.

        `address` is the public IP address for ICE candidates; None means this machine's own.
        """
        self.push_base = push_base
        """Base URL for pushing streams from this machine, as `Hosts.push`."""
        self._address = address
        self._log_level = log_level
        self._secret = KeyGenerator().token()
        self._lock = asyncio.Lock()
        self._process: Process | None = None
        self._url = ""

    @property
    def is_installed(self) -> bool:
        """True if `homeroom[browser]` is installed."""
        return all(find_spec(name) is not None for name in REQUIRED_PACKAGES)

    async def start_session(self, push_url: str, offer: str) -> tuple[str, str]:
        """Publish a browser's WebRTC offer; return the session id and the SDP answer.

        A session that already publishes at this URL ends. Raises `BrowserPublishError`.
        """
        if not self.is_installed:
            raise BrowserPublishError(
                PublishRefusal.NOT_INSTALLED, "homeroom[browser] is not installed on this server"
            )
        if len(offer.encode()) > MAX_OFFER_BYTES:
            raise BrowserPublishError(
                PublishRefusal.OFFER, f"the offer is longer than {MAX_OFFER_BYTES} bytes"
            )
        try:
            await self._ensure_running()
            body = msgspec.json.encode({"sdp": offer, "push_url": push_url})
            status, answer = await self._send("POST", "/sessions", body)
            if status == CREATED:
                session = msgspec.json.decode(answer, type=_SessionResponse)
                return session.id, session.sdp
            error_response = msgspec.json.decode(answer or b"{}", type=_ErrorResponse)
        except (NoResponseError, OSError, msgspec.DecodeError) as error:
            log.exception("gateway_failed")
            self._kill()
            raise BrowserPublishError(
                PublishRefusal.FAILED, "the gateway for browsers does not answer"
            ) from error
        raise BrowserPublishError(
            REFUSALS_BY_STATUS.get(status, PublishRefusal.FAILED), error_response.detail
        )

    async def stop_session(self, session: str) -> None:
        """End a session; an unknown session is ignored."""
        if self._is_running:
            with suppress(NoResponseError):
                await self._send("DELETE", f"/sessions/{session}")

    async def close(self) -> None:
        """End all sessions and the gateway."""
        async with self._lock:
            process, self._process = self._process, None
            if process is None or process.returncode is not None:
                return
            _stdin(process).close()
            try:
                async with asyncio.timeout(SHUTDOWN_SECONDS):
                    await process.wait()
            except TimeoutError:
                log.exception("gateway_killed: it does not end")
                process.kill()
                await process.wait()

    @property
    def _is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _ensure_running(self) -> None:
        """Start the gateway, unless it runs."""
        async with self._lock:
            if self._is_running:
                return
            # Clients can connect before the process is ready. We close our copy of the
            # socket, so that nothing listens there after the process has ended.
            with socket.create_server(("127.0.0.1", 0)) as listener:
                settings = GatewaySettings(
                    http_fd=listener.fileno(),
                    secret=self._secret,
                    webrtc_address=self._address,
                    log_level=self._log_level,
                )
                self._url = f"http://127.0.0.1:{listener.getsockname()[1]}"
                self._process = await asyncio.create_subprocess_exec(
                    *COMMAND,
                    stdin=PIPE,
                    stdout=DEVNULL,
                    pass_fds=(listener.fileno(),),
                    # Ctrl-C must reach only this process; the gateway ends when its stdin closes.
                    start_new_session=True,
                )
            _stdin(self._process).write(msgspec.json.encode(settings) + b"\n")
            log.info("gateway_started", extra={"pid": self._process.pid})

    async def _send(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._secret}"}
        return await send_request(
            self._url + path,
            method=method,
            body=body,
            headers=headers,
            timeout=RESPONSE_TIMEOUT_SECONDS,
        )

    def _kill(self) -> None:
        """Kill a gateway that does not answer; the next session starts another."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()


def _stdin(process: Process) -> asyncio.StreamWriter:
    return cast("asyncio.StreamWriter", process.stdin)  # a pipe, never None
