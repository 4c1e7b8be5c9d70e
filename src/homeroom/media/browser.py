"""Going live from a browser: starts the WHIP gateway when it is first needed, and talks to it."""

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
NEEDED = ("aiortc", "av")
"""The packages of the extra `homeroom[browser]`."""
LONGEST_OFFER = 64_000
"""Bytes."""
PATIENCE = 20.0
"""Seconds for an answer; the gateway may take 17 to end another session and to look for a way."""
LAST_WORDS = 8.0
"""Seconds in which it ends its sessions."""
CREATED = 201
REASONS = {409: PublishRefusal.BUSY, 422: PublishRefusal.OFFER, 503: PublishRefusal.BUSY}


class _Begun(msgspec.Struct):
    id: str
    sdp: str


class _Refused(msgspec.Struct):
    detail: str = ""


class Browser:
    """The way to the gateway, which runs from the first session on until the server ends."""

    def __init__(self, push_base: str, address: str | None, log_level: str) -> None:
        """Take the address browsers are told in the place of this machine's own, if any."""
        self.push_base = push_base
        """Where streams are pushed to from this machine, as `Hosts.push`."""
        self._address = address
        self._log_level = log_level
        self._secret = KeyGenerator().token()
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._url = ""

    @property
    def is_installed(self) -> bool:
        """Return whether `homeroom[browser]` is installed."""
        return all(find_spec(name) is not None for name in NEEDED)

    async def start(self, push_url: str, offer: str) -> tuple[str, str]:
        """Publish what a browser offers by WebRTC; returns session and answer.

        The one that published there before ends. Raises `BrowserPublishError`.
        """
        if not self.is_installed:
            raise BrowserPublishError(
                PublishRefusal.NOT_INSTALLED, "homeroom[browser] is not installed on this server"
            )
        if len(offer.encode()) > LONGEST_OFFER:
            raise BrowserPublishError(
                PublishRefusal.OFFER, f"the offer is longer than {LONGEST_OFFER} bytes"
            )
        try:
            await self._run()
            body = msgspec.json.encode({"sdp": offer, "push_url": push_url})
            status, answer = await self._ask("POST", "/sessions", body)
            if status == CREATED:
                begun = msgspec.json.decode(answer, type=_Begun)
                return begun.id, begun.sdp
            refused = msgspec.json.decode(answer or b"{}", type=_Refused)
        except (NoResponseError, OSError, msgspec.DecodeError) as failure:
            log.exception("the gateway for browsers has failed")
            self._kill()
            raise BrowserPublishError(
                PublishRefusal.FAILED, "the gateway for browsers does not answer"
            ) from failure
        raise BrowserPublishError(REASONS.get(status, PublishRefusal.FAILED), refused.detail)

    async def stop(self, session: str) -> None:
        """End a session; one that is not there is fine."""
        if self._is_running:
            with suppress(NoResponseError):
                await self._ask("DELETE", f"/sessions/{session}")

    async def end(self) -> None:
        """End all sessions and the gateway."""
        async with self._turn:
            process, self._process = self._process, None
            if process is None or process.returncode is not None:
                return
            _input(process).close()
            try:
                async with asyncio.timeout(LAST_WORDS):
                    await process.wait()
            except TimeoutError:
                log.exception("the gateway for browsers does not end; it is killed")
                process.kill()
                await process.wait()

    @property
    def _is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _run(self) -> None:
        """Start the gateway, unless it runs."""
        async with self._turn:
            if self._is_running:
                return
            # It can be connected to at once; and once it is gone, nothing listens there any more.
            with socket.create_server(("127.0.0.1", 0)) as listener:
                told = GatewaySettings(
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
                    # Ctrl-C is for us; the gateway is told by the end of its standard input.
                    start_new_session=True,
                )
            _input(self._process).write(msgspec.json.encode(told) + b"\n")
            log.info("the gateway for browsers runs", extra={"pid": self._process.pid})

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._secret}"}
        return await send_request(
            self._url + path, method=method, body=body, headers=headers, timeout=PATIENCE
        )

    def _kill(self) -> None:
        """End a gateway that does not answer: the next session starts another."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()


def _input(process: Process) -> asyncio.StreamWriter:
    return cast("asyncio.StreamWriter", process.stdin)  # it is a pipe
