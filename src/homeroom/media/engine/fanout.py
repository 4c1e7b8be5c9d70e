"""Handing a stream out: all viewers of one protocol get the same bytes, each at its own pace."""

import asyncio
import logging
import resource
from collections.abc import Callable, Iterable

from homeroom.media.engine.hooks_client import ClientInfo
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO, Packet

log = logging.getLogger("homeroom.media.fanout")

MAX_QUEUED_BYTES = 2_000_000
"""Bytes that may wait for one viewer; with more it skips to the next key frame."""
STALL_SECONDS = 20.0
"""Seconds after which a viewer who takes nothing is dropped."""
MAX_GOP_BYTES = 16_000_000
MAX_GOP_FRAMES = 20_000
"""Bytes and frames kept for those who join; of longer groups they get the next key frame."""


def is_crowded(transport: asyncio.BaseTransport, share: float = 3 / 4) -> bool:
    """Tell whether a connection is one too many: beyond a share of the descriptors there may be.

    The rest is kept for recordings, for the API, and for what is asked of it.
    """
    own = transport.get_extra_info("socket")
    # The system gives the lowest number that is free.
    number: int = -1 if own is None else own.fileno()
    return number >= share * resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class GopCache:
    """What a viewer begins with: metadata, codec headers, everything since the last key frame."""

    def __init__(self) -> None:
        self._headers: dict[int, Packet] = {}
        self.gop: list[Packet] = []
        self._size = 0
        self._has_audio_frames = False

    @property
    def has_video(self) -> bool:
        """Tell whether a player must begin with a key frame."""
        return VIDEO in self._headers

    @property
    def has_audio(self) -> bool:
        """Tell whether there is sound."""
        return AUDIO in self._headers

    @property
    def can_start(self) -> bool:
        """Tell whether there is something to begin with: a key frame, or sound and no picture.

        Only with the first frame is it known which headers there are.
        """
        return bool(self.gop) if self.has_video else self._has_audio_frames

    def add(self, packet: Packet) -> None:
        """Remember a packet, if who joins must have it."""
        if packet.is_header or packet.kind == SCRIPT:
            self._headers[packet.kind] = packet
            return
        self._has_audio_frames |= packet.kind == AUDIO
        if packet.is_keyframe:
            self.gop, self._size = [packet], len(packet.body)
        elif self.gop:
            self.gop.append(packet)
            self._size += len(packet.body)
            if self._size > MAX_GOP_BYTES or len(self.gop) > MAX_GOP_FRAMES:
                self.gop = []

    def headers(self) -> Iterable[Packet]:
        """Return what stands before all pictures and sound."""
        order = (SCRIPT, VIDEO, AUDIO)
        return [self._headers[kind] for kind in order if kind in self._headers]

    def clear(self) -> None:
        """Begin anew, as a new publisher does."""
        self._headers.clear()
        self.gop, self._size, self._has_audio_frames = [], 0, False


class StreamViewer:
    """One connection that plays a stream."""

    __slots__ = (
        "abort",
        "client",
        "close",
        "fanout",
        "has_headers",
        "has_preamble",
        "limit",
        "write",
    )

    def __init__(
        self, transport: asyncio.Transport, client: ClientInfo, farewell: bytes = b""
    ) -> None:
        """Take a connection and what is said on it when the stream ends."""
        self.client = client
        self.write = transport.write
        self.abort = transport.abort
        self.limit = transport.set_write_buffer_limits
        self.fanout: Fanout | None = None
        self.has_preamble = False
        """Whether it has what the protocol begins with."""
        self.has_headers = False
        """Whether it has the codec headers."""
        self.limit(MAX_QUEUED_BYTES)

        def close() -> None:
            if not transport.is_closing():
                transport.write(farewell)
                transport.close()

        self.close = close

    def pause(self) -> None:
        """Take note that the connection is full."""
        if self.fanout is not None:
            self.fanout.lag(self)

    def resume(self) -> None:
        """Take note that the connection has room again."""
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
        """Take how packets are written, and what the protocol begins with.

        `settle` hands out what is held back: who joins gets it with the rest, and not once more.
        """
        self._encode = encode
        self._cache = cache
        self._flush = flush
        self._preamble = preamble
        self._flowing: set[StreamViewer] = set()
        self._waiting: set[StreamViewer] = set()
        self._lagging: dict[StreamViewer, float] = {}
        self._opening: bytes | None = None
        self._is_over = False
        self.bytes_out = 0

    def __len__(self) -> int:
        return len(self._flowing) + len(self._waiting) + len(self._lagging)

    def join(self, viewer: StreamViewer) -> None:
        """Let a viewer see the stream from its last key frame on, or from the next one."""
        if self._is_over:
            viewer.close()
            return
        self._flush()
        viewer.fanout = self
        self._start(viewer)

    def leave(self, viewer: StreamViewer) -> None:
        """Forget a viewer; one that left already is fine."""
        self._flowing.discard(viewer)
        self._waiting.discard(viewer)
        self._lagging.pop(viewer, None)
        viewer.fanout = None

    def lag(self, viewer: StreamViewer) -> None:
        """Give a viewer no more until it has room."""
        self._flowing.discard(viewer)
        self._waiting.discard(viewer)
        self._lagging[viewer] = asyncio.get_running_loop().time()

    def catch_up(self, viewer: StreamViewer) -> None:
        """Let a viewer who has room again go on, with a key frame."""
        if self._lagging.pop(viewer, None) is not None:
            if self._cache.has_video:
                self._waiting.add(viewer)
            else:
                self._flowing.add(viewer)

    def send(self, packets: list[Packet]) -> None:
        """Hand packets out; the cache has them already."""
        self._opening = None
        if self._flowing:
            data = b"".join(map(self._encode, packets))
            self.bytes_out += len(data) * len(self._flowing)
            # A write may find its viewer full, and take it out of the set.
            for viewer in tuple(self._flowing):
                try:
                    viewer.write(data)
                except Exception:  # noqa: BLE001  no viewer may disturb another, or the publisher
                    log.debug("a viewer is gone", extra={"client": viewer.client.id})
                    self.leave(viewer)
        # Who waits may have seen a part of these pictures already: it goes on with the next ones.
        may_start = self._cache.can_start and (
            not self._cache.has_video or any(one.is_keyframe for one in packets)
        )
        if self._waiting and may_start:
            waiting, self._waiting = self._waiting, set()
            for viewer in waiting:
                self._start(viewer)

    def drop_stalled(self, now: float) -> None:
        """Drop the viewers who have not taken in time what waited for them."""
        late = [viewer for viewer, since in self._lagging.items() if now - since > STALL_SECONDS]
        for viewer in late:
            self.leave(viewer)
            viewer.abort()

    def end(self) -> None:
        """Say farewell to every viewer, and to those who come too late."""
        self._is_over = True
        for viewer in [*self._flowing, *self._waiting, *self._lagging]:
            self.leave(viewer)
            viewer.close()

    def restart(self) -> None:
        """Let all who watch wait for the first picture of another publisher, headers and all."""
        self._opening = None
        for viewer in [*self._flowing, *self._waiting, *self._lagging]:
            viewer.has_headers = False
        self._waiting |= self._flowing
        self._flowing.clear()

    def _start(self, viewer: StreamViewer) -> None:
        """Hand a viewer what it must begin with, where there is something to begin with."""
        cache = self._cache
        if not cache.can_start:
            self._waiting.add(viewer)
            return
        opening = self._encode_opening()
        if not viewer.has_headers:
            opening = b"".join(map(self._encode, cache.headers())) + opening
            viewer.has_headers = True
        if not viewer.has_preamble:
            opening = self._preamble(cache) + opening
            viewer.has_preamble = True
        self._flowing.add(viewer)
        # A long group of pictures alone must not count as lagging behind.
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
