"""The hub: which streams there are, who publishes them, who may."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from homeroom.base.clock import SystemClock
from homeroom.base.keys import KeyGenerator
from homeroom.media.engine.asking import Client, Denied, Hooks, body
from homeroom.media.engine.chunks import message
from homeroom.media.engine.client import Unanswered
from homeroom.media.engine.packager import Init
from homeroom.media.engine.packets import Packet
from homeroom.media.engine.recorder import Archive, Recorder
from homeroom.media.engine.settings import APP
from homeroom.media.engine.stream import Publication, Stream

log = logging.getLogger("homeroom.media.hub")

SILENCE = 10.0
"""Seconds of silence after which another publisher with the right key may take over."""
IDLE = 30.0
"""Seconds that viewers wait for a publisher, and a stream without one is kept."""
SWEEP_EVERY = 2.0
RECOVER_EVERY = 30.0
MOST_STREAMS = 10_000


def rtmp_message(packet: Packet) -> bytes:
    """Return a packet as RTMP viewers get it."""
    return message(packet.kind, packet.time, packet.body)


class Hub:
    """All streams of this process."""

    def __init__(self, hooks: Hooks, archive: Archive, coalesce_ms: int) -> None:
        self._hooks = hooks
        self._archive = archive
        self._coalesce = coalesce_ms / 1000
        self._loop = asyncio.get_running_loop()
        self._clock = SystemClock()
        self._streams: dict[str, Stream] = {}
        self._publications: dict[str, Publication] = {}
        self._asking: set[tuple[str, str]] = set()
        self._asked_for: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._name = KeyGenerator().public_key()[:8]
        self._numbers = count(1)
        self.slow_key_frames = 0
        self.bytes_in = 0
        self._bytes_out = 0
        self._recovered_at = 0.0

    def client_id(self) -> str:
        """Return a new name for a connection; no two engines give the same one."""
        return f"{self._name}-{next(self._numbers)}"

    async def publish(self, client: Client, cut: Callable[[str], None]) -> Publication:
        """Let a client publish, or raise `Denied`; `cut` ends it, with a reason."""
        name = client.stream
        # By address and not by name: a stranger who asks must not stand in the teacher's way.
        asked = (name, client.param)
        if asked in self._asking:
            raise Denied("the stream has a publisher already")
        self._check_free(name)
        self._asking.add(asked)
        try:
            answer = await self._hooks.may_publish(client)
        finally:
            self._asking.discard(asked)
        try:
            self._check_free(name)
        except Denied:
            # The API takes it for a push that runs.
            self._report_end(client)
            raise
        stream = self._stream(name)
        silent = stream.publication
        if silent is not None:
            silent.cut("another publisher has taken over")
            silent.end()
        shift = 0 if answer.now is None else answer.now - self._clock.now()
        recorder = Recorder(self._archive, client, shift)
        publication = Publication(self, stream, client, recorder, cut)
        self._publications[client.id] = publication
        log.info("publishes", extra={"stream": name, "ip": client.ip, "client": client.id})
        return publication

    async def play(self, client: Client) -> Stream:
        """Return the stream a client may play, or raise `Denied`; it may have no publisher yet."""
        if await self._hooks.may_play(client):
            self._asked_for.add(client.id)
        return self._stream(client.stream)

    def stopped(self, client: Client) -> None:
        """Take note that a viewer has left; the API hears of those whom it was asked about."""
        if client.id in self._asked_for:
            self._asked_for.discard(client.id)
            task = self._loop.create_task(self._tell_stopped(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def ended(self, publication: Publication) -> None:
        """Take note that a push has ended, and report it."""
        client = publication.client
        self._publications.pop(client.id, None)
        log.info("published", extra={"stream": client.stream, "client": client.id})
        self._report_end(client)

    def kick(self, client_id: str) -> bool:
        """End a push and all that watch it; tells whether there was such a push."""
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
        """Drop, until cancelled, viewers who take nothing and streams that nobody publishes."""
        self._recovered_at = self._loop.time()
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            try:
                self._sweep(self._loop.time())
            except Exception:
                log.exception("a sweep failed; trying again")

    def _sweep(self, now: float) -> None:
        for stream in list(self._streams.values()):
            stream.sweep(now)
            if stream.publication is None and now - stream.idle_since > IDLE:
                stream.end()
                self._forget(stream)
        if now - self._recovered_at > RECOVER_EVERY:
            self._recovered_at = now
            self._archive.disk.settle(self._archive.recover)

    def end(self) -> None:
        """End every push and every stream."""
        for publication in list(self._publications.values()):
            publication.cut("the server is going down")
            publication.end()
        for stream in list(self._streams.values()):
            stream.end()
        self._streams.clear()

    def report(self) -> dict[str, Any]:
        """Return all streams and what was counted, as `/api/v1/streams/` shows it."""
        streams = [self._shown(stream) for stream in self._streams.values()]
        out = self._bytes_out + sum(stream.bytes_out for stream in self._streams.values())
        return {
            "code": 0,
            "streams": streams,
            "homeroom": {
                "recording_failures": self._archive.failures,
                "slow_key_frames": self.slow_key_frames,
                "spooled": self._archive.spool.count,
                "bytes_in": self.bytes_in,
                "bytes_out": out,
            },
        }

    def _shown(self, stream: Stream) -> dict[str, Any]:
        publication = stream.publication
        return {
            "id": f"vid-{stream.name}",
            "name": stream.name,
            "vhost": "__defaultVhost__",
            "app": APP,
            "clients": stream.viewers,
            "publish": {
                "active": publication is not None,
                "cid": "" if publication is None else publication.client.id,
            },
            "video": _picture(stream, None if publication is None else publication.init),
            "audio": {"codec": "AAC"} if stream.cache.has_audio else None,
            "homeroom": {
                "viewers": {
                    "rtmp": len(stream.rtmp),
                    "flv": len(stream.flv),
                    "hls": stream.hls.viewers,
                },
                "key_frame_ms": None if publication is None else publication.key_frame_ms,
                "recording": "off" if publication is None else publication.recorder.state,
                "recording_error": None if publication is None else publication.recorder.error,
            },
        }

    def _report_end(self, client: Client) -> None:
        self._archive.disk.settle(lambda: self._archive.spool.add(body("on_unpublish", client)))

    async def _tell_stopped(self, client: Client) -> None:
        with suppress(Unanswered):
            await self._hooks.tell(body("on_stop", client))

    def _check_free(self, name: str) -> None:
        stream = self._streams.get(name)
        publication = None if stream is None else stream.publication
        if publication is not None and self._loop.time() - publication.heard_at < SILENCE:
            raise Denied("the stream has a publisher already")

    def _stream(self, name: str) -> Stream:
        stream = self._streams.get(name)
        if stream is None:
            if len(self._streams) >= MOST_STREAMS:
                raise Denied("the server has too many streams")
            stream = Stream(name, rtmp_message, self._coalesce)
            self._streams[name] = stream
        return stream

    def _forget(self, stream: Stream) -> None:
        self._bytes_out += stream.bytes_out
        self._streams.pop(stream.name, None)


def _picture(stream: Stream, init: Init | None) -> dict[str, Any] | None:
    if not stream.cache.has_video:
        return None
    if init is None:
        return {"codec": "H264"}
    # A profile and a level, as SRS names them, would say less than the string players go by.
    return {"codec": "H264", "width": init.width, "height": init.height, "codecs": init.codecs}
