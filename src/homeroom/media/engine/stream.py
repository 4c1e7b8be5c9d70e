"""A live stream with its three outputs, and the publish session that feeds it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from homeroom.media.engine import flv
from homeroom.media.engine.aac import SoundCheck
from homeroom.media.engine.avc import PictureCheck
from homeroom.media.engine.clock_mapper import MAX_OFFSET_MS, STEP_MS, ClockMapper
from homeroom.media.engine.fanout import Fanout, GopCache
from homeroom.media.engine.hls import HlsWindow
from homeroom.media.engine.hooks_client import ClientInfo
from homeroom.media.engine.init_segment import InitSegment
from homeroom.media.engine.metadata import read_metadata
from homeroom.media.engine.packager import MediaChunk
from homeroom.media.engine.packet_parser import PacketParser
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO, Packet
from homeroom.media.engine.recorder import Recorder
from homeroom.media.engine.stream_facts import StreamMeter
from homeroom.media.engine.viewer_feed import ViewerFeed


class LiveStream:
    """A stream; it outlives its publisher, who can reconnect and continue."""

    def __init__(self, name: str, rtmp: Callable[[Packet], bytes], coalesce: float) -> None:
        """Set the RTMP encoding and the seconds for which writes are coalesced."""
        self.name = name
        self.cache = GopCache()
        self.rtmp = Fanout(rtmp, self.cache, self.send)
        self.flv = Fanout(flv.encode_tag, self.cache, self.send, flv.file_header)
        self.hls = HlsWindow()
        self.publication: Publication | None = None
        self._coalesce = coalesce
        self._loop = asyncio.get_running_loop()
        self.idle_since = self._loop.time()
        """Start of the time without a publisher, by the loop's clock."""
        self._batch: list[Packet] = []
        self._timer: asyncio.TimerHandle | None = None
        self.time = 0
        """Milliseconds of the latest packet; continues with the next publisher."""

    @property
    def viewers(self) -> int:
        """Number of viewers of all protocols."""
        return len(self.rtmp) + len(self.flv) + self.hls.viewers

    @property
    def bytes_out(self) -> int:
        """Bytes sent to viewers."""
        return self.rtmp.bytes_out + self.flv.bytes_out + self.hls.bytes_out

    def begin(self, publication: "Publication") -> None:
        """Start a publish session; present viewers wait for its first keyframe."""
        self.send()
        self.publication = publication
        self.cache.clear()
        self.rtmp.restart()
        self.flv.restart()

    def finish(self) -> None:
        """End the publish session; viewers wait for another one."""
        self.send()
        # Its last segment is complete now: plain players must not wait for another session.
        self.hls.discontinue()
        self.publication = None
        self.idle_since = self._loop.time()

    def add(self, packet: Packet) -> None:
        """Add a packet for the viewers."""
        self.time = max(self.time, packet.time)
        self.cache.add(packet)
        # Most streams are recorded and watched by HLS only.
        if self.rtmp or self.flv:
            self._batch.append(packet)

    def flush(self) -> None:
        """Send the batch now, or later if writes are coalesced."""
        if not self._batch:
            return
        if not self._coalesce:
            self.send()
        elif self._timer is None:
            self._timer = self._loop.call_later(self._coalesce, self.send)

    def send(self) -> None:
        """Send the batch to the viewers."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch:
            batch, self._batch = self._batch, []
            self.rtmp.send(batch)
            self.flv.send(batch)

    def drop_stalled(self, now: float) -> None:
        """Disconnect stalled viewers."""
        self.rtmp.drop_stalled(now)
        self.flv.drop_stalled(now)

    def end(self) -> None:
        """End the stream for all viewers."""
        self.send()
        self.rtmp.end()
        self.flv.end()
        self.hls.end()


class PublishObserver(Protocol):
    """Counts bytes and keyframes, and handles the end of publish sessions."""

    bytes_in: int
    slow_key_frames: int

    def publish_ended(self, publication: "Publication") -> None:
        """Handle the end of a publish session."""
        ...


class Publication:
    """One publish session; its connection adds the messages."""

    def __init__(
        self,
        keeper: PublishObserver,
        stream: LiveStream,
        client: ClientInfo,
        recorder: Recorder,
        cut: Callable[[str], None],
    ) -> None:
        """Start publishing; `cut` closes the connection with a reason."""
        self.stream = stream
        self.client = client
        self.recorder = recorder
        self.cut = cut
        self.init: InitSegment | None = None
        """The present init segment, once it is known."""
        self._keeper = keeper
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()
        self._parser = PacketParser()
        self._clock = ClockMapper()
        # The clock of the viewers continues where the previous publisher ended.
        # A track may begin before the first frame of the other one: time for that is ahead.
        self._base = stream.time + STEP_MS if stream.time else MAX_OFFSET_MS
        self._feed = ViewerFeed(stream.cache, stream.add, self._record, stream.hls)
        self._pictures = PictureCheck()
        self._sounds = SoundCheck()
        self._checks = {VIDEO: self._pictures.check, AUDIO: self._sounds.check}
        self.meter = StreamMeter(stream.name, self._pictures, self._sounds, self.heard_at)
        self._is_over = False
        stream.begin(self)

    def add(self, kind: int, time: int, body: bytes) -> None:
        """Add a message with the publisher's time in ms; raises `UnsupportedMediaError`."""
        if self._is_over:
            return
        self._keeper.bytes_in += len(body)
        self.heard_at = self._loop.time()
        if kind == SCRIPT:
            self._add_metadata(body)
            return
        packet = self._parser.parse(kind, 0, body)
        if packet is None:
            return
        # The time of headers means nothing: many publishers send 0.
        is_frame = not packet.is_header
        at = self._clock.place(kind, time, self.heard_at) if is_frame else self._clock.last
        packet.time = self._base + at
        if is_frame:
            self.meter.add(packet, at, self.heard_at)
        else:
            self.meter.announce(kind)
        for ready in self._checks[kind](packet):
            if ready.is_keyframe:
                self._keeper.slow_key_frames += self.meter.add_keyframe(at)
            self._feed.add(ready, at)

    def flush(self) -> None:
        """Send the packets to the viewers."""
        self.stream.flush()

    def watch(self, now: float) -> None:
        """Find problems; the registry calls it every half a second."""
        self.meter.watch(now)
        if self._pictures.false_keyframes:
            self.stream.hls.expect_no_keyframe()

    def end(self) -> None:
        """End the session; does nothing if it has already ended."""
        if self._is_over:
            return
        self._is_over = True
        self.meter.watch(self._loop.time())
        self._feed.end()
        self.recorder.end()
        if self.stream.publication is self:
            self.stream.finish()
        self._keeper.publish_ended(self)

    def _record(self, chunk: MediaChunk) -> None:
        self.init = chunk.init
        self.recorder.add(chunk)

    def _add_metadata(self, body: bytes) -> None:
        """Pass on what describes the stream; the packager needs the tracks that are announced."""
        metadata = read_metadata(body)
        if metadata is None:
            return
        if metadata.has_audio or metadata.has_video:
            self._feed.packager.hint(metadata.has_audio, metadata.has_video)
        if metadata.has_audio:
            # A picture is announced by its header only: a browser may choose to send sound alone.
            self.meter.announce(AUDIO)
        # Its time means nothing either. ffmpeg takes it for subtitles if it has one.
        self.stream.add(Packet(SCRIPT, 0, metadata.encode()))
