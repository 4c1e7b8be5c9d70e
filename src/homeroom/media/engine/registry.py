"""The stream registry: all streams of the engine, their publishers and permissions."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from homeroom.base.address_log import AddressLog
from homeroom.base.clock import SystemClock
from homeroom.base.connection_budget import ConnectionBudget
from homeroom.base.keys import KeyGenerator
from homeroom.media.engine.chunks import encode_message
from homeroom.media.engine.hooks_client import ClientInfo, DeniedError, HooksClient, hook_body
from homeroom.media.engine.http_client import NoResponseError
from homeroom.media.engine.init_segment import InitSegment
from homeroom.media.engine.packets import Packet
from homeroom.media.engine.recorder import Recorder, RecordingArchive
from homeroom.media.engine.settings import APP
from homeroom.media.engine.stream import LiveStream, Publication

log = logging.getLogger("homeroom.media.hub")

TAKEOVER_SECONDS = 10.0
"""A publisher silent for this long can be replaced by another one with a valid address."""
IDLE_SECONDS = 30.0
"""A stream without a publisher, and its viewers, wait for this long."""
SWEEP_SECONDS = 0.5
RECOVER_SECONDS = 30.0
MAX_STREAMS = 10_000
MAX_PEER_LINES = 10
"""Lines of the log about refused peers, for each address and minute."""


def encode_rtmp(packet: Packet) -> bytes:
    """Return a packet as an RTMP message."""
    return encode_message(packet.kind, packet.time, packet.body)


class StreamRegistry:
    """All streams of this process."""

    def __init__(
        self,
        hooks: HooksClient,
        archive: RecordingArchive,
        coalesce_ms: int,
        budget: ConnectionBudget,
    ) -> None:
        self._budget = budget
        self.refusals = AddressLog(logger="homeroom.media.rtmp", max_lines=MAX_PEER_LINES)
        """Log of refused peers."""
        self._hooks = hooks
        self._archive = archive
        self._coalesce = coalesce_ms / 1000
        self._loop = asyncio.get_running_loop()
        self._clock = SystemClock()
        self._streams: dict[str, LiveStream] = {}
        self._publications: dict[str, Publication] = {}
        self._pending: set[tuple[str, str]] = set()
        self._reported_viewers: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._name = KeyGenerator().public_key()[:8]
        self._numbers = count(1)
        self.slow_key_frames = 0
        self.bytes_in = 0
        self._bytes_out = 0
        self._dropped_frames = 0
        """Frames that were dropped in sessions that have ended."""
        self._recovered_at = 0.0

    def client_id(self) -> str:
        """Return a new client id, unique across engines."""
        return f"{self._name}-{next(self._numbers)}"

    async def publish(self, client: ClientInfo, cut: Callable[[str], None]) -> Publication:
        """Start a publish session, or raise `DeniedError`; `cut` ends it with a reason."""
        name = client.stream
        # By address and not by name: an unauthorized request must not block the teacher's.
        pending = (name, client.param)
        if pending in self._pending:
            raise DeniedError("the stream has a publisher already")
        self._check_free(name)
        self._pending.add(pending)
        try:
            answer = await self._hooks.authorize_publish(client)
        finally:
            self._pending.discard(pending)
        try:
            self._check_free(name)
        except DeniedError:
            # The API has recorded it as a running session.
            self._report_end(client)
            raise
        stream = self._stream(name)
        silent = stream.publication
        if silent is not None:
            silent.cut("another publisher has taken over")
            silent.end()
        shift = answer.now - self._clock.now() if answer.now is not None else 0
        recorder = Recorder(self._archive, client, shift)
        publication = Publication(self, stream, client, recorder, cut)
        self._publications[client.id] = publication
        log.info("publish_started", extra={"stream": name, "ip": client.ip, "client": client.id})
        return publication

    async def play(self, client: ClientInfo) -> LiveStream:
        """Return the stream for a viewer, or raise `DeniedError`; it may have no publisher yet."""
        if await self._hooks.authorize_play(client):
            self._reported_viewers.add(client.id)
        return self._stream(client.stream)

    def viewer_left(self, client: ClientInfo) -> None:
        """Handle the end of a viewer; reports those viewers that the API was asked about."""
        if client.id in self._reported_viewers:
            self._reported_viewers.discard(client.id)
            task = self._loop.create_task(self._report_stop(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def publish_ended(self, publication: Publication) -> None:
        """Handle the end of a publish session and report it."""
        client = publication.client
        self._publications.pop(client.id, None)
        self._dropped_frames += publication.meter.dropped.total()
        log.info("publish_ended", extra={"stream": client.stream, "client": client.id})
        self._report_end(client)

    def kick(self, client_id: str) -> bool:
        """End a publish session and its viewers; returns whether it existed."""
        publication = self._publications.get(client_id)
        if publication is None:
            return False
        stream = publication.stream
        publication.cut("the server has ended this push")
        publication.end()
        stream.end()
        self._forget(stream)
        return True

    async def sweep(self) -> None:
        """Measure publish sessions, drop stalled viewers and idle streams, until cancelled."""
        self._recovered_at = self._loop.time()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                self._sweep(self._loop.time())
            except Exception:
                log.exception("sweep_failed")

    def _sweep(self, now: float) -> None:
        for publication in self._publications.values():
            publication.watch(now)
        for stream in list(self._streams.values()):
            stream.drop_stalled(now)
            if stream.publication is None and now - stream.idle_since > IDLE_SECONDS:
                stream.end()
                self._forget(stream)
        if now - self._recovered_at > RECOVER_SECONDS:
            self._recovered_at = now
            self._archive.disk.sync(self._archive.recover)

    def end(self) -> None:
        """End all publish sessions and streams."""
        for publication in list(self._publications.values()):
            publication.cut("the server is going down")
            publication.end()
        for stream in list(self._streams.values()):
            stream.end()
        self._streams.clear()

    def report(self) -> dict[str, Any]:
        """Return all streams and counters, for `/api/v1/streams/`."""
        streams = [self._describe(stream) for stream in self._streams.values()]
        out = self._bytes_out + sum(stream.bytes_out for stream in self._streams.values())
        dropped = sum(
            publication.meter.dropped.total() for publication in self._publications.values()
        )
        return {
            "code": 0,
            "streams": streams,
            "homeroom": {
                "recording_failures": self._archive.failures,
                "slow_key_frames": self.slow_key_frames,
                "dropped_frames": self._dropped_frames + dropped,
                "spooled": self._archive.spool.count,
                "bytes_in": self.bytes_in,
                "bytes_out": out,
                "connections": self._budget.count,
                "connections_closed": self._budget.closed,
                "connections_refused": self._budget.refused,
            },
        }

    def _describe(self, stream: LiveStream) -> dict[str, Any]:
        publication = stream.publication
        return {
            "id": f"vid-{stream.name}",
            "name": stream.name,
            "vhost": "__defaultVhost__",
            "app": APP,
            "clients": stream.viewers,
            "publish": {
                "active": publication is not None,
                "cid": publication.client.id if publication is not None else "",
            },
            "video": _describe_video(stream, publication.init if publication is not None else None),
            "audio": {"codec": "AAC"} if stream.cache.has_audio else None,
            "homeroom": {
                "viewers": {
                    "rtmp": len(stream.rtmp),
                    "flv": len(stream.flv),
                    "hls": stream.hls.viewers,
                },
                **_describe_session(publication, self._loop.time()),
            },
        }

    def _report_end(self, client: ClientInfo) -> None:
        self._archive.disk.sync(lambda: self._archive.spool.add(hook_body("on_unpublish", client)))

    async def _report_stop(self, client: ClientInfo) -> None:
        with suppress(NoResponseError):
            await self._hooks.report(hook_body("on_stop", client))

    def _check_free(self, name: str) -> None:
        stream = self._streams.get(name)
        publication = stream.publication if stream is not None else None
        if publication is not None and self._loop.time() - publication.heard_at < TAKEOVER_SECONDS:
            raise DeniedError("the stream has a publisher already")

    def _stream(self, name: str) -> LiveStream:
        stream = self._streams.get(name)
        if stream is None:
            if len(self._streams) >= MAX_STREAMS:
                raise DeniedError("the server has too many streams")
            stream = LiveStream(name, encode_rtmp, self._coalesce)
            self._streams[name] = stream
        return stream

    def _forget(self, stream: LiveStream) -> None:
        self._bytes_out += stream.bytes_out
        self._streams.pop(stream.name, None)


def _describe_session(publication: Publication | None, now: float) -> dict[str, Any]:
    if publication is None:
        return {"recording": "off"}
    return publication.meter.report(now, publication.recorder)


def _describe_video(stream: LiveStream, init: InitSegment | None) -> dict[str, Any] | None:
    if not stream.cache.has_video:
        return None
    if init is None:
        return {"codec": "H264"}
    # SRS has profile and level here; the codecs string that players use says more.
    return {"codec": "H264", "width": init.width, "height": init.height, "codecs": init.codecs}
