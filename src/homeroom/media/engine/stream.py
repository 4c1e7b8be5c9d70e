"""A stream, handed out in three ways, and a push, which feeds it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from homeroom.media.engine import amf0, flv
from homeroom.media.engine.clock_mapper import STEP_MS, ClockMapper
from homeroom.media.engine.fanout import Fanout, GopCache
from homeroom.media.engine.hls import HlsWindow
from homeroom.media.engine.hooks_client import ClientInfo
from homeroom.media.engine.packager import InitSegment, MediaChunk, Packager
from homeroom.media.engine.packets import SCRIPT, Packet, parse_packet
from homeroom.media.engine.recorder import Recorder

log = logging.getLogger("homeroom.media.stream")

SLOW_KEYFRAME_MS = 2_100
"""Milliseconds between key frames that are too many; 60 frames at 29.97 a second are not yet."""


class LiveStream:
    """Outlives a publisher for a while: who comes back goes on where it was cut."""

    def __init__(self, name: str, rtmp: Callable[[Packet], bytes], coalesce: float) -> None:
        """Take how packets are written by RTMP, and the seconds they are held back."""
        self.name = name
        self.cache = GopCache()
        self.rtmp = Fanout(rtmp, self.cache, self.send)
        self.flv = Fanout(flv.encode_tag, self.cache, self.send, flv.file_header)
        self.hls = HlsWindow()
        self.publication: Publication | None = None
        self._coalesce = coalesce
        self._loop = asyncio.get_running_loop()
        self.idle_since = self._loop.time()
        """Since when nobody publishes, by the loop's clock."""
        self._batch: list[Packet] = []
        self._timer: asyncio.TimerHandle | None = None
        self.time = 0
        """Milliseconds of the latest packet; goes on from one publisher to the next."""

    @property
    def viewers(self) -> int:
        """How many watch, by any protocol."""
        return len(self.rtmp) + len(self.flv) + self.hls.viewers

    @property
    def bytes_out(self) -> int:
        """Bytes handed to viewers."""
        return self.rtmp.bytes_out + self.flv.bytes_out + self.hls.bytes_out

    def begin(self, publication: "Publication") -> None:
        """Take a publisher; those who watched the one before it wait for its first picture."""
        self.send()
        self.publication = publication
        self.cache.clear()
        self.rtmp.restart()
        self.flv.restart()

    def finish(self) -> None:
        """Let go of the publisher; who watches waits for it to come back."""
        self.send()
        # Its last segment is whole now: plain players must not wait for another push to see it.
        self.hls.discontinue()
        self.publication = None
        self.idle_since = self._loop.time()

    def add(self, packet: Packet) -> None:
        """Take a packet for the viewers."""
        self.time = max(self.time, packet.time)
        self.cache.add(packet)
        self._batch.append(packet)

    def flush(self) -> None:
        """Hand out what was taken, now or, where writes are coalesced, a little later."""
        if not self._coalesce:
            self.send()
        elif self._timer is None and self._batch:
            self._timer = self._loop.call_later(self._coalesce, self.send)

    def send(self) -> None:
        """Hand out what was taken."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch:
            batch, self._batch = self._batch, []
            self.rtmp.send(batch)
            self.flv.send(batch)

    def drop_stalled(self, now: float) -> None:
        """Drop viewers who have taken nothing for too long."""
        self.rtmp.drop_stalled(now)
        self.flv.drop_stalled(now)

    def end(self) -> None:
        """Say farewell to all who watch."""
        self.send()
        self.rtmp.end()
        self.flv.end()
        self.hls.end()


class PublishObserver(Protocol):
    """Who keeps count of pushes."""

    bytes_in: int
    slow_key_frames: int

    def publish_ended(self, publication: "Publication") -> None:
        """Take note that a push has ended."""
        ...


class Publication:
    """One push; whoever reads its connection hands its messages in."""

    def __init__(
        self,
        keeper: PublishObserver,
        stream: LiveStream,
        client: ClientInfo,
        recorder: Recorder,
        cut: Callable[[str], None],
    ) -> None:
        """Begin to publish; `cut` ends the connection, with a reason."""
        self.stream = stream
        self.client = client
        self.recorder = recorder
        self.cut = cut
        self.keyframe_ms: int | None = None
        """Milliseconds between the last two key frames."""
        self.init: InitSegment | None = None
        """What is pushed, once that is known."""
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()
        self._timeline = ClockMapper()
        # What watches the stream goes on where the publisher before this one ended.
        self._base = stream.time + STEP_MS if stream.time else 0
        self._packager = Packager(self._deliver)
        self._keyframe_at: int | None = None
        self._is_slow = False
        self._is_over = False
        stream.begin(self)

    def add(self, kind: int, time: int, body: bytes) -> None:
        """Take a message; its time is the publisher's own, in ms. Raises `Unsupported`."""
        if self._is_over:
            return
        self._keeper.bytes_in += len(body)
        self.heard_at = self._loop.time()
        packet = parse_packet(kind, 0, body)
        if packet is None:
            return
        # Headers and metadata carry no time of their own: many publishers send them with 0.
        is_frame = kind != SCRIPT and not packet.is_header
        at = self._timeline.place(time, self.heard_at) if is_frame else self._timeline.last
        packet.time = self._base + at
        if kind == SCRIPT:
            self._hint(body)
        else:
            self._packager.add(packet, at)
        if packet.is_keyframe:
            self._check_keyframe(at)
        self.stream.add(packet)

    def flush(self) -> None:
        """Hand out what was taken."""
        self.stream.flush()

    def end(self) -> None:
        """End the push; one that has ended already is fine."""
        if self._is_over:
            return
        self._is_over = True
        self._packager.end()
        self.recorder.end()
        if self.stream.publication is self:
            self.stream.finish()
        self._keeper.publish_ended(self)

    def _deliver(self, chunk: MediaChunk) -> None:
        self.init = chunk.init
        self.stream.hls.add(chunk)
        self.recorder.add(chunk)

    def _hint(self, body: bytes) -> None:
        """Tell the packager what the metadata says the stream has, if it says anything."""
        try:
            values = amf0.decode(body)
        except amf0.ProtocolError:
            return
        facts = values[1] if values[:1] == ["onMetaData"] and len(values) > 1 else None
        if isinstance(facts, dict):
            audio, video = "audiocodecid" in facts, "videocodecid" in facts
            if audio or video:
                self._packager.hint(audio, video)

    def _check_keyframe(self, at: int) -> None:
        """Say so once where key frames are too far apart for those who join, and for HLS."""
        if self._keyframe_at is not None:
            self.keyframe_ms = at - self._keyframe_at
            if self.keyframe_ms > SLOW_KEYFRAME_MS:
                self._keeper.slow_key_frames += 1
                if not self._is_slow:
                    self._is_slow = True
                    log.warning(
                        "key frames are more than two seconds apart: set the encoder's"
                        " key frame interval to 1 or 2 s",
                        extra={"stream": self.stream.name, "ms": self.keyframe_ms},
                    )
        self._keyframe_at = at
