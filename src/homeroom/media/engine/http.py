"""The media listener: HTTP-FLV and HLS for players, and the engine's API for the server."""

import asyncio
import logging
from contextlib import suppress
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any, Final, cast

import msgspec

from homeroom.base.connection_budget import ConnectionBudget, ConnectionSlot
from homeroom.base.errors import HomeroomError
from homeroom.base.keys import secrets_equal
from homeroom.base.networks import network_of
from homeroom.media.engine import requests
from homeroom.media.engine.fanout import StreamViewer
from homeroom.media.engine.hls import TooFarAheadError
from homeroom.media.engine.hooks_client import ClientInfo, DeniedError
from homeroom.media.engine.registry import StreamRegistry
from homeroom.media.engine.requests import BadRequestError, HTTPRequest, StreamTarget
from homeroom.media.engine.settings import APP, EngineSettings
from homeroom.media.engine.stream import LiveStream

log = logging.getLogger("homeroom.media.http")

MAX_HEAD_BYTES: Final = 8192
HEAD_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 60.0
FULL_SECONDS: Final = 20.0
"""A peer may read nothing of a response for this long."""
PERMISSION_SECONDS: Final = 5.0
"""Seconds for which a connection reuses a permission for the same stream."""
MAX_IP_CHARS: Final = 45
MAX_IGNORED_BYTES: Final = 65_536
"""Maximum bytes from an FLV viewer; a player has no reason to send any."""
NO_SUCH_CLIENT: Final = 2049
"""The code that SRS uses."""
VERSION: Final = version("homeroom")
LIVE: Final = f"/{APP}/"
API: Final = "/api/v1/"
JSON: Final = "application/json"


class NoRoomError(HomeroomError):
    """A viewer with a valid address finds no room."""


class MediaHTTP(asyncio.Protocol):
    """One HTTP connection; handles its requests one after the other."""

    _transport: asyncio.Transport
    _slot: ConnectionSlot

    def __init__(
        self, hub: StreamRegistry, settings: EngineSettings, budget: ConnectionBudget
    ) -> None:
        self._streams = hub
        self._budget = budget
        self._secret = settings.api_secret
        self._loop = asyncio.get_running_loop()
        self._id = hub.client_id()
        self._peer = ""
        self._is_local = False
        self._received = bytearray()
        self._is_full = False
        self._unsent = 0
        self._deadline = self._loop.time() + HEAD_SECONDS
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._permission: tuple[str, str, float, LiveStream] | None = None
        """Cached permission: name, query, expiry and the stream."""
        self._client: ClientInfo | None = None
        self._viewer: StreamViewer | None = None
        self._ignored = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start waiting for a request."""
        self._transport = cast("asyncio.Transport", transport)
        peer = str((transport.get_extra_info("peername") or ("",))[0])
        self._peer = peer.removeprefix("::ffff:")
        with suppress(ValueError):
            self._is_local = ip_address(self._peer).is_loopback
        self._slot = self._budget.admit(network_of(self._peer), self._transport.abort)
        if not self._slot.is_open:
            self._transport.write(requests.OVERLOADED)
            self._transport.close()
            return
        self._timer = self._loop.call_at(self._deadline, self._check_deadline)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the reason does not matter
        """Release the slot, the task, the viewer and the timer."""
        self._slot.release()
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        if self._viewer is not None and self._viewer.fanout is not None:
            self._viewer.fanout.leave(self._viewer)
        if self._client is not None:
            self._streams.viewer_left(self._client)

    def data_received(self, data: bytes) -> None:
        """Add input; input from an FLV viewer is ignored."""
        if not self._slot.is_open:
            return
        if self._viewer is not None:
            self._ignored += len(data)
            if self._ignored > MAX_IGNORED_BYTES:
                self._transport.abort()
            return
        if not self._received and self._task is None and not self._is_full:
            self._deadline = self._loop.time() + HEAD_SECONDS
        self._received += data
        if len(self._received) > MAX_HEAD_BYTES:
            self._transport.pause_reading()
        self._handle_next()

    def pause_writing(self) -> None:
        """Pause responses until the peer reads (back-pressure)."""
        if self._viewer is not None:
            self._viewer.pause()
        else:
            self._slot.wait()
        self._is_full = True
        self._unsent = self._transport.get_write_buffer_size()
        self._deadline = self._loop.time() + FULL_SECONDS

    def resume_writing(self) -> None:
        """Resume responses."""
        self._is_full = False
        if self._viewer is not None:
            self._viewer.resume()
            return
        self._deadline = self._loop.time() + IDLE_SECONDS
        self._handle_next()

    def _check_deadline(self) -> None:
        """Close a connection that is idle or stuck; one timer serves all deadlines."""
        now = self._loop.time()
        if now >= self._deadline:
            unsent = self._transport.get_write_buffer_size()
            is_watching = self._viewer is not None and self._viewer.fanout is not None
            if self._task is not None or is_watching:
                # A waiting response has its own deadline, and a stream drops its stalled viewers.
                self._deadline = now + FULL_SECONDS
            elif self._is_full and unsent < self._unsent:
                self._unsent = unsent
                self._deadline = now + FULL_SECONDS
            else:
                self._transport.abort()
                return
        # A deadline can become earlier, for example when a request starts on an idle connection.
        self._timer = self._loop.call_at(
            min(self._deadline, now + HEAD_SECONDS), self._check_deadline
        )

    def _handle_next(self) -> None:
        """Handle the next complete request after the previous response."""
        transport = self._transport
        if self._task is not None or self._is_full or transport.is_closing():
            return
        end = self._received.find(requests.HEAD_END, 0, MAX_HEAD_BYTES)
        if end < 0:
            if len(self._received) >= MAX_HEAD_BYTES:
                self._reject(431, "the head of this request is too long")
            else:
                transport.resume_reading()
            return
        head = bytes(self._received[: end + 2])
        del self._received[: end + len(requests.HEAD_END)]
        try:
            self._dispatch(requests.parse_request(head))
        except BadRequestError as reason:
            self._reject(400, str(reason))
        if self._received and self._viewer is None:
            # One per loop turn: a peer with a thousand pipelined requests must share the loop.
            self._deadline = max(self._deadline, self._loop.time() + HEAD_SECONDS)
            self._loop.call_soon(self._handle_next)
        else:
            transport.resume_reading()

    def _dispatch(self, request: HTTPRequest) -> None:
        path = request.path
        if path.startswith(API):
            self._serve_api(request, path[len(API) :].strip("/"))
        elif request.method == b"OPTIONS":
            self._send(request, requests.PREFLIGHT, None)
        elif request.method not in {b"GET", b"HEAD"}:
            self._refuse(request, 405, "only GET, HEAD and OPTIONS are answered")
        elif path.startswith(LIVE):
            self._serve_live(request, requests.parse_target(path[len(LIVE) :], request.query))
        else:
            self._refuse(request, 404, "there is nothing at this address")

    def _serve_live(self, request: HTTPRequest, target: StreamTarget | None) -> None:
        if target is None:
            self._refuse(request, 404, "there is nothing at this address")
            return
        permission, stream = self._permission, None
        if (
            permission is not None
            and permission[0] == target.name
            and permission[1] == target.query
            and self._loop.time() < permission[2]
        ):
            stream = permission[3]
            if target.number is None and self._try_send(request, target, stream):
                return
        self._slot.work()
        self._task = self._loop.create_task(self._serve_when_ready(request, target, stream))

    async def _serve_when_ready(
        self, request: HTTPRequest, target: StreamTarget, stream: LiveStream | None
    ) -> None:
        """Wait for permission and for the file, then respond."""
        try:
            stream = stream or await self._play(request, target)
            if target.number is not None:
                await stream.hls.wait_for_position(target.number, target.part)
            if self._try_send(request, target, stream):
                return
            if not target.file:
                await stream.hls.wait_for_first_segment()
            elif stream.hls.is_hinted(target.file):
                await stream.hls.wait_for_file(target.file)
            if not self._try_send(request, target, stream):
                self._refuse(request, 404, "there is no such thing in this stream now")
        except DeniedError as reason:
            self._refuse(request, 403, str(reason))
        except TooFarAheadError as reason:
            self._refuse(request, 400, str(reason))
        except (NoRoomError, TimeoutError) as failure:
            self._refuse(request, 503, str(failure) or "this did not come in time")
        except Exception:
            log.exception("request_failed", extra={"client": self._id})
            self._refuse(request, 500, "this went wrong")
        finally:
            self._task = None
            self._loop.call_soon(self._handle_next)

    async def _play(self, request: HTTPRequest, target: StreamTarget) -> LiveStream:
        host = request.field(b"host")[:255]
        param = f"?{target.query}" if target.query else ""
        ip = self._forwarded_for(request) or self._peer
        self._slot.identify(network_of(ip))
        client = ClientInfo(self._id, ip, APP, target.name, param, f"http://{host}/{APP}")
        stream = await self._streams.play(client)
        self._client = client
        if not self._slot.show_right():
            raise NoRoomError("there are too many viewers; try again later")
        self._permission = (
            target.name,
            target.query,
            self._loop.time() + PERMISSION_SECONDS,
            stream,
        )
        return stream

    def _forwarded_for(self, request: HTTPRequest) -> str:
        """Return who asks through a proxy on this machine, by what the proxy says last."""
        field = request.field(b"x-forwarded-for") if self._is_local else ""
        if field:
            with suppress(ValueError):
                return str(ip_address(field.rpartition(",")[2].strip()[:MAX_IP_CHARS]))
        return ""

    def _try_send(self, request: HTTPRequest, target: StreamTarget, stream: LiveStream) -> bool:
        """Answer with what is there; tells whether it is."""
        hls = stream.hls
        if target.is_flv:
            self._start_flv(request, stream)
            return True
        start, body = requests.MEDIA, hls.file(target.file)
        if not target.file:
            # A proxy may send each request of one player by another connection.
            hls.record_viewer(self._forwarded_for(request) or self._id, self._loop.time())
            playlist = hls.playlist(target.name, target.query, is_delta=target.is_delta)
            start, body = requests.PLAYLIST, playlist
        if body is None:
            return False
        hls.bytes_out += len(body)
        self._send(request, start, body)
        return True

    def _start_flv(self, request: HTTPRequest, stream: LiveStream) -> None:
        if request.method == b"HEAD":
            self._transport.write(requests.FLV)
            self._transport.close()
            return
        self._received.clear()
        self._slot.work()
        client = cast("ClientInfo", self._client)
        self._viewer = StreamViewer(self._transport, client)
        self._transport.resume_reading()
        self._transport.write(requests.FLV)
        stream.flv.join(self._viewer)

    def _serve_api(self, request: HTTPRequest, what: str) -> None:
        if not secrets_equal(request.field(b"authorization"), f"Bearer {self._secret}"):
            self._refuse(request, 401, "this is for the API of this server")
            return
        self._slot.show_right(is_privileged=True)
        if request.method == b"GET" and what == "versions":
            self._send_json(
                request, {"code": 0, "server": "homeroom", "data": {"version": VERSION}}
            )
        elif request.method == b"GET" and what == "streams":
            report = self._streams.report()
            self._send_json(request, {**report, "streams": report["streams"][request.page()]})
        elif request.method == b"DELETE" and what.startswith("clients/"):
            is_done = self._streams.kick(what.removeprefix("clients/"))
            status, code = (200, 0) if is_done else (404, NO_SUCH_CLIENT)
            self._send_json(request, {"code": code}, status)
        else:
            self._refuse(request, 404, "there is nothing at this address")

    def _send_json(self, request: HTTPRequest, answer: dict[str, Any], status: int = 200) -> None:
        self._send(request, requests.response_head(status, JSON), msgspec.json.encode(answer))

    def _refuse(self, request: HTTPRequest, status: int, reason: str) -> None:
        log.debug("request_refused", extra={"client": self._id, "status": status, "why": reason})
        self._send(request, requests.response_head(status), reason.encode())

    def _reject(self, status: int, reason: str) -> None:
        """Respond to an invalid request and close the connection."""
        log.debug("request_rejected", extra={"client": self._id, "status": status, "why": reason})
        self._received.clear()
        head = requests.response_head(status) + b"Connection: close\r\nContent-Length: %d\r\n\r\n"
        self._slot.wait()
        self._transport.write(head % len(reason) + reason.encode())
        self._transport.close()

    def _send(self, request: HTTPRequest, start: bytes, body: bytes | memoryview | None) -> None:
        transport = self._transport
        if transport.is_closing():
            return
        self._deadline = self._loop.time() + IDLE_SECONDS
        self._slot.wait()
        length = b"Content-Length: %d\r\n" % len(body) if body is not None else b""
        head = start + request.connection + length + b"\r\n"
        if not body or request.method == b"HEAD":
            transport.write(head)
        else:
            # Separate writes would each be a system call.
            transport.writelines((head, body))
        if request.is_last:
            transport.close()
