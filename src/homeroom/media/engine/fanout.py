"""Fan-out of a stream: all viewers of one protocol get the same bytes, each at its own pace."""

import asyncio
import logging
from collections.abc import Callable, Iterable

from homeroom.media.engine.hooks_client import ClientInfo
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO, Packet

log = logging.getLogger("homeroom.media.fanout")

MAX_QUEUED_BYTES = 2_000_000
"""Pending data of one viewer; with more the viewer skips to the next keyframe (back-pressure)."""
STALL_SECONDS = 20.0
"""A viewer who reads nothing for this long is disconnected."""
MAX_GOP_BYTES = 16_000_000
MAX_GOP_FRAMES = 20_000
"""Limits of the GOP cache; in longer groups a new viewer waits for the next keyframe."""
MAX_KEYFRAME_WAIT_MS = 20_000
"""Time without a keyframe after which a viewer waits no longer, and gets the sound alone."""


class GopCache:
    """The start of a viewer: metadata, codec headers and the GOP since the last keyframe."""

    def __init__(self) -> None:
        self._headers: dict[int, Packet] = {}
        self.gop: list[Packet] = []
        self._size = 0
        self._has_audio_frames = False
        self._time = 0
        self._keyframe_at: int | None = None
        """Time of the last keyframe in this publish session."""

    @property
    def has_video(self) -> bool:
        """Return whether there is video, which a player must start with a keyframe."""
        return VIDEO in self._headers

    @property
    def has_audio(self) -> bool:
        """Return whether there is audio."""
        return AUDIO in self._headers

    @property
    def can_start(self) -> bool:
        """Return whether a viewer can start: there is a keyframe, or audio without video.

        The set of headers is known only with the first frame.
        """
        return bool(self.gop) if self.has_video else self._has_audio_frames

    @property
    def has_lost_start(self) -> bool:
        """Return whether the last keyframe is gone from here, and no other one is expected.

        Intra refresh and an open GOP have one keyframe, at their start.
        """
        return (
            not self.gop
            and self._keyframe_at is not None
            and self._time - self._keyframe_at > MAX_KEYFRAME_WAIT_MS
        )

    def without_video(self) -> "GopCache":
        """Return a cache with the audio alone, for viewers who cannot see the picture."""
        sound = GopCache()
        sound._headers = {kind: self._headers[kind] for kind in self._headers if kind == AUDIO}
        return sound

    def add(self, packet: Packet) -> None:
        """Store a packet if a new viewer needs it."""
        if packet.is_header or packet.kind == SCRIPT:
            self._headers[packet.kind] = packet
            return
        self._has_audio_frames |= packet.kind == AUDIO
        self._time = packet.time
        if packet.is_keyframe:
            self.gop, self._size = [packet], len(packet.body)
            self._keyframe_at = packet.time
        elif self.gop:
            self.gop.append(packet)
            self._size += len(packet.body)
            if self._size > MAX_GOP_BYTES or len(self.gop) > MAX_GOP_FRAMES:
                self.gop = []

    def withdraw(self, kind: int) -> None:
        """Remove the header of a track without frames, so that new viewers do not wait for it."""
        self._headers.pop(kind, None)

    def headers(self) -> Iterable[Packet]:
        """Return metadata and codec headers in their order."""
        order = (SCRIPT, VIDEO, AUDIO)
        return [self._headers[kind] for kind in order if kind in self._headers]

    def clear(self) -> None:
        """Remove all packets, for a new publisher."""
        self._headers.clear()
        self.gop, self._size, self._has_audio_frames = [], 0, False
        self._keyframe_at = None


class StreamViewer:
    """One connection that plays a stream."""

    __slots__ = (
        "abort",
        "client",
        "close",
        "fanout",
        "has_headers",
        "limit",
        "preamble",
        "write",
    )

    def __init__(
        self, transport: asyncio.Transport, client: ClientInfo, end_message: bytes = b""
    ) -> None:
        """Wrap a connection; `end_message` is written when the stream ends."""
        self.client = client
        self.write = transport.write
        self.abort = transport.abort
        self.limit = transport.set_write_buffer_limits
        self.fanout: Fanout | None = None
        self.preamble: bytes | None = None
        """Start of the protocol that was sent."""
        self.has_headers = False
        """Whether the codec headers were sent."""
        self.limit(MAX_QUEUED_BYTES)

        def close() -> None:
            if not transport.is_closing():
                transport.write(end_message)
                transport.close()

        self.close = close

    def pause(self) -> None:
        """Handle a full write buffer."""
        if self.fanout is not None:
            self.fanout.lag(self)

    def resume(self) -> None:
        """Handle a write buffer that has room again."""
        if self.fanout is not None:
            self.fanout.catch_up(self)


class Fanout:
    """The viewers of a stream by one protocol."""

    def __init__(
        self,
        encode: Callable[[Packet], bytes],
        cache: GopCache,
        flush: Callable[[], None] = lambda: None,
        preamble: Callable[[GopCache], bytes] = lambda _cache: b"",
    ) -> None:
        """Set the encoding of packets and the start of the protocol.

        `flush` sends coalesced packets: a new viewer gets them from the cache, and not twice.
        """
        self._encode = encode
        self._cache = cache
        self._flush = flush
        self._preamble = preamble
        self._flowing: set[StreamViewer] = set()
        self._waiting: set[StreamViewer] = set()
        self._listening: set[StreamViewer] = set()
        """Viewers of the sound alone, while there is no keyframe to start at."""
        self._lagging: dict[StreamViewer, float] = {}
        self._opening: bytes | None = None
        self._promise = b""
        """Preamble of the present tracks."""
        self._is_over = False
        self.bytes_out = 0

    def __len__(self) -> int:
        return len(self._viewers)

    def __bool__(self) -> bool:
        return bool(self._flowing or self._waiting or self._listening or self._lagging)

    @property
    def _viewers(self) -> list[StreamViewer]:
        return [*self._flowing, *self._waiting, *self._listening, *self._lagging]

    def join(self, viewer: StreamViewer) -> None:
        """Add a viewer, who starts at the last keyframe or waits for the next one."""
        if self._is_over:
            viewer.close()
            return
        self._flush()
        if not self:
            # Packets are not sent to a fan-out without viewers: an old start is outdated.
            self._opening = None
        viewer.fanout = self
        self._start(viewer)

    def leave(self, viewer: StreamViewer) -> None:
        """Remove a viewer; does nothing if it has already left."""
        self._flowing.discard(viewer)
        self._waiting.discard(viewer)
        self._listening.discard(viewer)
        self._lagging.pop(viewer, None)
        viewer.fanout = None

    def lag(self, viewer: StreamViewer) -> None:
        """Send nothing to a viewer until it has room again."""
        self._flowing.discard(viewer)
        self._waiting.discard(viewer)
        self._listening.discard(viewer)
        self._lagging[viewer] = asyncio.get_running_loop().time()

    def catch_up(self, viewer: StreamViewer) -> None:
        """Continue a viewer with room in its buffer again, at a keyframe."""
        if self._lagging.pop(viewer, None) is not None:
            if self._cache.has_video:
                self._waiting.add(viewer)
            else:
                self._flowing.add(viewer)

    def send(self, packets: list[Packet]) -> None:
        """Send packets to the viewers; the cache must have them already."""
        self._opening = None
        if self._flowing and self._preamble(self._cache) != self._promise:
            self._end_outdated()
        if self._flowing:
            self._write(self._flowing, packets)
        if self._listening and self._can_restart(packets):
            self._start_all(self._listening)
        elif self._listening:
            self._write(self._listening, [packet for packet in packets if packet.kind == AUDIO])
        if self._waiting and (self._can_restart(packets) or self._cache.has_lost_start):
            self._start_all(self._waiting)

    def drop_stalled(self, now: float) -> None:
        """Disconnect viewers who have read nothing for too long."""
        late = [viewer for viewer, since in self._lagging.items() if now - since > STALL_SECONDS]
        for viewer in late:
            self.leave(viewer)
            viewer.abort()

    def end(self) -> None:
        """End the stream for all viewers, also for those who join later."""
        self._is_over = True
        for viewer in self._viewers:
            self._end_viewer(viewer)

    def restart(self) -> None:
        """Make all viewers wait for headers and the first keyframe of another publisher."""
        self._opening = None
        for viewer in self._viewers:
            viewer.has_headers = False
        self._waiting |= self._flowing | self._listening
        self._flowing.clear()
        self._listening.clear()

    def _write(self, viewers: set[StreamViewer], packets: list[Packet]) -> None:
        data = b"".join(map(self._encode, packets))
        self.bytes_out += len(data) * len(viewers)
        # A write may fill the viewer's buffer and remove the viewer from the set.
        for viewer in tuple(viewers):
            try:
                viewer.write(data)
            except Exception:  # noqa: BLE001  a viewer must not affect others or the publisher
                log.debug("viewer_write_failed", extra={"client": viewer.client.id})
                self.leave(viewer)

    def _start_all(self, viewers: set[StreamViewer]) -> None:
        starting = tuple(viewers)
        viewers.clear()
        for viewer in starting:
            self._start(viewer)

    def _can_restart(self, packets: list[Packet]) -> bool:
        """Return whether waiting viewers can start now that these packets were sent.

        A waiting viewer may have a part of this GOP already: it continues with the next one.
        """
        return self._cache.can_start and (
            not self._cache.has_video or any(packet.is_keyframe for packet in packets)
        )

    def _end_outdated(self) -> None:
        """End viewers whose preamble has other tracks than the stream: they can connect again.

        Browsers cannot add a track to a player that runs, and wait for one that does not come.
        """
        self._promise = self._preamble(self._cache)
        for viewer in [viewer for viewer in self._flowing if viewer.preamble != self._promise]:
            self._end_viewer(viewer)

    def _end_viewer(self, viewer: StreamViewer) -> None:
        self.leave(viewer)
        viewer.close()

    def _start(self, viewer: StreamViewer) -> None:
        """Send a viewer its start, or make it wait for one."""
        cache = self._cache
        if cache.can_start:
            self._promise = preamble = self._preamble(cache)
            self._open(viewer, self._flowing, cache, preamble, self._encode_opening())
        elif cache.has_lost_start and cache.has_audio:
            sound = cache.without_video()
            self._open(viewer, self._listening, sound, self._preamble(sound), b"")
            viewer.has_headers = False
        else:
            self._waiting.add(viewer)

    def _open(
        self,
        viewer: StreamViewer,
        viewers: set[StreamViewer],
        cache: GopCache,
        preamble: bytes,
        opening: bytes,
    ) -> None:
        """Send a viewer its start and add it to a set; ends it if it has another preamble."""
        if viewer.preamble not in (None, preamble):
            self._end_viewer(viewer)
            return
        if not viewer.has_headers:
            opening = b"".join(map(self._encode, cache.headers())) + opening
            viewer.has_headers = True
        if viewer.preamble is None:
            opening = preamble + opening
            viewer.preamble = preamble
        viewers.add(viewer)
        # A long GOP alone must not count as lag.
        viewer.limit(max(MAX_QUEUED_BYTES, 2 * len(opening)))
        self.bytes_out += len(opening)
        try:
            viewer.write(opening)
        except Exception:  # noqa: BLE001  as in send
            self.leave(viewer)

    def _encode_opening(self) -> bytes:
        if self._opening is None:
            self._opening = b"".join(map(self._encode, self._cache.gop))
        return self._opening
