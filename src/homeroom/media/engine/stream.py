"""A stream, handed out in three ways, and a push, which feeds it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from homeroom.media.engine import amf0, flv
from homeroom.media.engine.asking import Client
from homeroom.media.engine.fanout import Cache, Fanout
from homeroom.media.engine.hls import Hls
from homeroom.media.engine.packager import Chunk, Init, Packager
from homeroom.media.engine.packets import SCRIPT, Packet, packet
from homeroom.media.engine.recorder import Recorder
from homeroom.media.engine.timeline import STEP, Timeline

log = logging.getLogger("homeroom.media.stream")

SLOW = 2_100
"""Milliseconds between key frames that are too many; 60 frames at 29.97 a second are not yet."""


class Stream:
    """Outlives a publisher for a while: who comes back goes on where it was cut."""

    def __init__(self, name: str, rtmp: Callable[[Packet], bytes], coalesce: float) -> None:
        """Take how packets are written by RTMP, and the seconds they are held back."""
        self.name = name
        self.cache = Cache()
        self.rtmp = Fanout(rtmp, self.cache, self.send)
        self.flv = Fanout(flv.tag, self.cache, self.send, flv.header)
        self.hls = Hls()
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
        self.rtmp.begin_again()
        self.flv.begin_again()

    def finish(self) -> None:
        """Let go of the publisher; who watches waits for it to come back."""
        self.send()
        # Its last segment is whole now: plain players must not wait for another push to see it.
        self.hls.discontinue()
        self.publication = None
        self.idle_since = self._loop.time()

    def take(self, packet: Packet) -> None:
        """Take a packet for the viewers."""
        self.time = max(self.time, packet.time)
        self.cache.take(packet)
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

    def sweep(self, now: float) -> None:
        """Drop viewers who have taken nothing for too long."""
        self.rtmp.sweep(now)
        self.flv.sweep(now)

    def end(self) -> None:
        """Say farewell to all who watch."""
        self.send()
        self.rtmp.end()
        self.flv.end()
        self.hls.end()


class Keeper(Protocol):
    """Who keeps count of pushes."""

    bytes_in: int
    slow_key_frames: int

    def ended(self, publication: "Publication") -> None:
        """Take note that a push has ended."""
        ...


class Publication:
    """One push; whoever reads its connection hands its messages in."""

    def __init__(
        self,
        keeper: Keeper,
        stream: Stream,
        client: Client,
        recorder: Recorder,
        cut: Callable[[str], None],
    ) -> None:
        """Begin to publish; `cut` ends the connection, with a reason."""
        self.stream = stream
        self.client = client
        self.recorder = recorder
        self.cut = cut
        self.key_frame_ms: int | None = None
        """Milliseconds between the last two key frames."""
        self.init: Init | None = None
        """What is pushed, once that is known."""
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()
        self._timeline = Timeline()
        # What watches the stream goes on where the publisher before this one ended.
        self._base = stream.time + STEP if stream.time else 0
        self._packager = Packager(self._deliver)
        self._key_at: int | None = None
        self._is_slow = False
        self._is_over = False
        stream.begin(self)

    def take(self, kind: int, time: int, body: bytes) -> None:
        """Take a message; its time is the publisher's own, in ms. Raises `Unsupported`."""
        if self._is_over:
            return
        self._keeper.bytes_in += len(body)
        self.heard_at = self._loop.time()
        taken = packet(kind, 0, body)
        if taken is None:
            return
        # Headers and metadata carry no time of their own: many publishers send them with 0.
        is_frame = kind != SCRIPT and not taken.is_header
        at = self._timeline.place(time, self.heard_at) if is_frame else self._timeline.last
        taken.time = self._base + at
        if kind == SCRIPT:
            self._hint(body)
        else:
            self._packager.take(taken, at)
        if taken.is_key:
            self._watch_keys(at)
        self.stream.take(taken)

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
        self._keeper.ended(self)

    def _deliver(self, chunk: Chunk) -> None:
        self.init = chunk.init
        self.stream.hls.add(chunk)
        self.recorder.add(chunk)

    def _hint(self, body: bytes) -> None:
        """Tell the packager what the metadata says the stream has, if it says anything."""
        try:
            values = amf0.decode(body)
        except amf0.Malformed:
            return
        facts = values[1] if values[:1] == ["onMetaData"] and len(values) > 1 else None
        if isinstance(facts, dict):
            audio, video = "audiocodecid" in facts, "videocodecid" in facts
            if audio or video:
                self._packager.hint(audio, video)

    def _watch_keys(self, at: int) -> None:
        """Say so once where key frames are too far apart for those who join, and for HLS."""
        if self._key_at is not None:
            self.key_frame_ms = at - self._key_at
            if self.key_frame_ms > SLOW:
                self._keeper.slow_key_frames += 1
                if not self._is_slow:
                    self._is_slow = True
                    log.warning(
                        "key frames are more than two seconds apart: set the encoder's"
                        " key frame interval to 1 or 2 s",
                        extra={"stream": self.stream.name, "ms": self.key_frame_ms},
                    )
        self._key_at = at
