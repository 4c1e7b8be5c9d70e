"""Feeds packets of one publish session to its viewers and to its recording."""

from collections.abc import Callable
from copy import copy
from typing import Final

from homeroom.media.engine.fanout import GopCache
from homeroom.media.engine.gap_filler import GapFiller
from homeroom.media.engine.hls import HlsWindow
from homeroom.media.engine.packager import MediaChunk, Packager
from homeroom.media.engine.packets import Packet

FIRST_PICTURE_MS: Final = 4_500
"""HLS promises a picture that comes by then; the packager holds its frames longer."""


class ViewerFeed:
    """Packages published packets for the recording, and packets with fillers for viewers.

    Without gaps, HLS has the chunks of the recording. From the first gap on it has a packager of
    its own, which continues the same time line and init segment.
    """

    def __init__(
        self,
        cache: GopCache,
        send: Callable[[Packet], None],
        record: Callable[[MediaChunk], None],
        hls: HlsWindow,
    ) -> None:
        """Set the outputs; `send` is that of FLV and RTMP viewers."""
        self.packager = Packager(self._deliver)
        self.packager.set_part_target(hls.part_target)
        self._cache = cache
        self._send = send
        self._record = record
        self._hls = hls
        self._filler = GapFiller(cache)
        self._twin: Packager | None = None
        """The packager of HLS after a gap."""

    def add(self, packet: Packet, at: int) -> None:
        """Add a packet; `at` is its time in the recording.

        Raises `UnsupportedMediaError` for a header that cannot be parsed.
        """
        # The clock of viewers continues when a publisher reconnects; that of a recording does not.
        shift = packet.time - at
        packets = self._filler.add(packet)
        if self._filler.missing and self._twin is None:
            self._fork(at)
        self.packager.add(packet, at)
        for each in packets:
            self._send(each)
            if self._twin is not None:
                self._twin.add(each, each.time - shift)

    def _fork(self, at: int) -> None:
        has_video = self._cache.has_video
        # Players of HLS can hardly add a picture to sound, so they wait longer for the first one.
        if has_video or at > FIRST_PICTURE_MS:
            self._twin = copy(self.packager)
            self._twin.detach(self._list, has_video=has_video)

    def end(self) -> None:
        """Deliver all buffered frames."""
        self.packager.end()
        if self._twin is not None:
            self._twin.end()

    def _deliver(self, chunk: MediaChunk) -> None:
        if self._twin is None:
            self._list(chunk)
        self._record(chunk)

    def _list(self, chunk: MediaChunk) -> None:
        self._hls.add(chunk)
        packager = self.packager if self._twin is None else self._twin
        packager.set_part_target(self._hls.part_target)
