"""HLS of one stream: a window of segments and parts in memory, and its playlist.

One playlist serves plain and low-latency players (RFC 8216bis).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from homeroom.base.clock import SystemClock
from homeroom.base.errors import HomeroomError
from homeroom.media.engine.hls_playlist import (
    QUERY_PLACEHOLDER,
    HlsPart,
    HlsPlaylist,
    HlsSegment,
)
from homeroom.media.engine.hls_targets import HlsTargets, TargetChooser
from homeroom.media.engine.packager import (
    MAX_LAG_MS,
    MIN_PART_SHARE,
    MIN_SEGMENT_MS,
    MediaChunk,
)

MAX_SEGMENT_BYTES: Final = 16_000_000
MAX_SEGMENT_PARTS: Final = 200
"""Limits in bytes and parts after which a segment ends without a keyframe."""
ROUNDING_MS: Final = 499
"""A segment may be longer than the target duration by what rounding takes away."""
MIN_PART_MS: Final = 10
"""Minimum of a part in the playlist; a chunk lasts no time if its tracks come far apart."""
LISTED_TARGETS: Final = 10
UNLISTED_TARGETS: Final = 3
"""Target durations of segments in the playlist, and of segments that have left it and are still
served, for players with an older one (RFC 8216bis, 6.2.2)."""
MAX_LISTED_SEGMENTS: Final = 60
"""The same limit in segments, if they are much shorter than the target duration."""
MAX_AHEAD_MS: Final = 3_000
"""Maximum distance of a requested part into the future."""
MAX_WINDOW_BYTES: Final = 64_000_000
MAX_CACHED_PLAYLISTS: Final = 8
"""Cached playlists, one for each query of the players."""
FIRST_SEGMENT_SECONDS: Final = 15.0
"""Waiting time for the first segment: longer than the default keyframe interval of OBS."""
VIEWER_TIMEOUT_SECONDS: Final = 10.0
"""A player without a playlist request for this long no longer counts as a viewer."""


class TooFarAheadError(HomeroomError):
    """A player requested a part that is too far in the future."""


class HlsWindow:
    """The HLS window of one stream."""

    def __init__(self) -> None:
        self.is_ended = False
        self.bytes_out = 0
        self._clock = SystemClock()
        # Numbers continue after a restart of the engine, so that players and caches do not confuse
        # new files with old ones.
        begun = self._clock.now()
        self._next_segment = 10 * begun
        self._next_part = 100 * begun
        self._targets: HlsTargets | None = None
        self._chooser = TargetChooser()
        self._complete: list[HlsSegment] = []
        self._unlisted: deque[HlsSegment] = deque()
        """Segments that have left the playlist and are still served."""
        self._open_segment: HlsSegment | None = None
        self._is_cut = False
        self._is_independent = True
        self._discontinuities = 0
        self._lag = 0
        """Milliseconds by which the listed parts are shorter than their chunks."""
        self._skipped = 0
        """Milliseconds that no part lists, since the start of the open segment."""
        self._files: dict[str, bytes | memoryview] = {}
        self._size = 0
        self._change = asyncio.Event()
        self._templates: dict[bool, str] = {}
        self._playlists: dict[tuple[str, bool], bytes] = {}
        self._last_request_at: dict[str, float] = {}

    @property
    def part_target(self) -> int | None:
        """Return the maximum of a part in milliseconds, or None before the first playlist."""
        return self._targets.part if self._targets is not None else None

    def add(self, chunk: MediaChunk) -> None:
        """Add the next chunk; the first ones wait until the targets can be chosen."""
        if self._targets is not None:
            self._list_chunk(chunk, self._targets, 0)
            self._notify()
        elif (targets := self._chooser.add(chunk)) is not None:
            self._list_first_chunks(targets)
            self._notify()

    def expect_no_keyframe(self) -> None:
        """Wait no longer for a second keyframe, which would show how far apart they are."""
        if self._targets is None and self._chooser.chunks:
            self._list_first_chunks(self._chooser.choose_without_keyframes())
            self._notify()

    def discontinue(self) -> None:
        """Close the open segment; the next chunk comes from another publish session."""
        self._close_all()
        self._is_cut = bool(self._complete)
        self.is_ended = False
        self._notify()

    def end(self) -> None:
        """Mark the end of the stream in the playlist."""
        self._close_all()
        self.is_ended = True
        self._notify()

    def playlist(self, folder: str, query: str, *, is_delta: bool = False) -> bytes | None:
        """Return the playlist with a query on each URI, or None before the first segment.

        The files are in `folder`, beside the playlist. A delta update skips older segments.
        """
        if self._targets is None or not self._complete:
            return None
        key = (query, is_delta)
        text = self._playlists.get(key)
        if text is None:
            template = self._templates.get(is_delta)
            if template is None:
                template = self._describe(folder, self._targets).write(is_delta=is_delta)
                self._templates[is_delta] = template
            text = template.replace(QUERY_PLACEHOLDER, f"?{query}" if query else "").encode()
            if len(self._playlists) >= MAX_CACHED_PLAYLISTS:
                self._playlists.clear()
            self._playlists[key] = text
        return text

    def file(self, name: str) -> bytes | memoryview | None:
        """Return an init segment, a segment or a part, or None."""
        return self._files.get(name)

    def is_hinted(self, name: str) -> bool:
        """Return whether it is the part of the preload hint."""
        return name == self._hint and not self.is_ended

    async def wait_for_first_segment(self) -> None:
        """Wait for the first segment, up to a deadline."""
        try:
            await self._wait_until(lambda: bool(self._complete), FIRST_SEGMENT_SECONDS)
        except TimeoutError:
            return

    async def wait_for_position(self, number: int, part: int | None) -> None:
        """Wait until a segment or part is listed; raises `TooFarAheadError` or `TimeoutError`."""
        if self.is_ended:
            return
        ahead = number - self._next_number
        listed = (
            len(self._open_segment.parts) if self._open_segment is not None and ahead == 0 else 0
        )
        targets = self._targets or HlsTargets()
        if ahead > 1 or (ahead >= 0 and (part or 0) > listed + MAX_AHEAD_MS // targets.part):
            raise TooFarAheadError("that lies too far ahead")
        await self._wait_until(lambda: self._is_listed(number, part), 3 * targets.segment)

    async def wait_for_file(self, name: str) -> None:
        """Wait for the part of the preload hint; raises `TimeoutError`."""
        targets = self._targets or HlsTargets()
        await self._wait_until(lambda: name in self._files, 3 * targets.segment)

    def record_viewer(self, viewer: str, now: float) -> None:
        """Record a playlist request of a viewer, at seconds of the loop's clock."""
        self._last_request_at[viewer] = now

    @property
    def viewers(self) -> int:
        """Return the approximate number of players."""
        since = asyncio.get_running_loop().time() - VIEWER_TIMEOUT_SECONDS
        self._last_request_at = {who: at for who, at in self._last_request_at.items() if at > since}
        return len(self._last_request_at)

    @property
    def _hint(self) -> str:
        # Part numbers do not restart, so the next name is known before its segment.
        return f"p{self._next_part}.m4s"

    @property
    def _next_number(self) -> int:
        return self._open_segment.number if self._open_segment is not None else self._next_segment

    def _list_first_chunks(self, targets: HlsTargets) -> None:
        self._targets = targets
        chunks, self._chooser = self._chooser.chunks, TargetChooser()
        left = sum(chunk.duration for chunk in chunks)
        for chunk in chunks:
            left -= chunk.duration
            self._list_chunk(chunk, targets, left)

    def _list_chunk(self, chunk: MediaChunk, targets: HlsTargets, age: int) -> None:
        """Add a chunk as a part; `age` is the milliseconds of media after it."""
        if self._lag > MAX_LAG_MS:
            # A gap so long that parts cannot make up for it is only visible in the dates.
            self._close_segment()
            self._skipped, self._lag = self._lag, 0
        segment = self._open_segment
        # A frame can be longer than a part may be; the parts after it are listed as longer then.
        duration = min(max(chunk.duration + self._lag, MIN_PART_MS), targets.part)
        if segment is None or _starts_segment(segment, chunk, duration, targets):
            self._close_segment()
            segment = self._start_segment(chunk, age)
        self._lag = max(self._lag + chunk.duration - duration, -targets.part)
        part = HlsPart(self._hint, duration, chunk.is_independent)
        self._next_part += 1
        segment.parts.append(part)
        segment.duration += duration
        segment.size += len(chunk.data)
        self._files[part.name] = chunk.data

    def _start_segment(self, chunk: MediaChunk, age: int) -> HlsSegment:
        before = self._complete[-1] if self._complete else None
        is_discontinuous = before is not None and (self._is_cut or before.init is not chunk.init)
        start = self._clock.exact() - (chunk.duration + age) / 1000
        if before is not None:
            following = before.started_at + (before.duration + self._skipped) / 1000
            # Dates never go back: a publisher can be faster than the clock.
            start = max(start, following) if is_discontinuous else following
        if is_discontinuous:
            self._lag = 0
        if before is not None and before.init is chunk.init:
            map_name = before.map_name
        else:
            map_name = f"i{self._next_segment}.mp4"
            self._files[map_name] = chunk.init.data
        segment = HlsSegment(self._next_segment, chunk.init, map_name, start, is_discontinuous)
        self._next_segment += 1
        self._skipped = 0
        self._is_cut = False
        self._is_independent &= chunk.is_independent
        self._open_segment = segment
        return segment

    def _close_all(self) -> None:
        """Close the open segment; a stream may end before its targets could be chosen."""
        if self._targets is None and self._chooser.chunks:
            self._list_first_chunks(self._chooser.choose())
        self._close_segment()

    def _close_segment(self) -> None:
        segment, self._open_segment = self._open_segment, None
        if segment is None:
            return
        files = self._files
        data = files[segment.name] = b"".join([files[part.name] for part in segment.parts])
        # From now on the parts are views of the segment, not a second copy.
        view, at = memoryview(data), 0
        for part in segment.parts:
            end = at + len(files[part.name])
            files[part.name] = view[at:end]
            at = end
        self._complete.append(segment)
        self._size += segment.size
        self._drop_old_segments(1000 * (self._targets or HlsTargets()).segment)
        _ = self.viewers

    def _drop_old_segments(self, target: int) -> None:
        """Drop old segments, first from the playlist and later from memory; `target` is in ms."""
        listed, unlisted = self._complete, self._unlisted
        length = sum(segment.duration for segment in listed)
        while len(listed) > 1 and (
            length - listed[0].duration >= LISTED_TARGETS * target
            or len(listed) > MAX_LISTED_SEGMENTS
            or self._size > MAX_WINDOW_BYTES
        ):
            segment = listed.pop(0)
            length -= segment.duration
            self._discontinuities += segment.is_discontinuous
            unlisted.append(segment)
            while unlisted and self._size > MAX_WINDOW_BYTES:
                self._drop(unlisted.popleft())
        length = sum(segment.duration for segment in unlisted)
        while unlisted and (
            length - unlisted[0].duration >= UNLISTED_TARGETS * target
            or len(unlisted) > MAX_LISTED_SEGMENTS
        ):
            length -= unlisted[0].duration
            self._drop(unlisted.popleft())

    def _drop(self, segment: HlsSegment) -> None:
        self._size -= segment.size
        for part in segment.parts:
            del self._files[part.name]
        del self._files[segment.name]
        following = (self._unlisted or self._complete)[0]
        if following.map_name != segment.map_name:
            del self._files[segment.map_name]

    def _notify(self) -> None:
        self._templates.clear()
        self._playlists.clear()
        change, self._change = self._change, asyncio.Event()
        change.set()

    async def _wait_until(self, is_there: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not is_there() and not self.is_ended:
                await self._change.wait()

    def _is_listed(self, number: int, part: int | None) -> bool:
        last = self._next_number
        if part is not None and number == last - 1 and self._complete:
            # A part after the last one of a segment is the first part of the next segment.
            if part < len(self._complete[-1].parts):
                return True
            number, part = last, 0
        if number == last and part is not None and self._open_segment is not None:
            return part < len(self._open_segment.parts)
        return number < last

    def _describe(self, folder: str, targets: HlsTargets) -> HlsPlaylist:
        return HlsPlaylist(
            folder,
            targets,
            self._complete,
            self._open_segment,
            self._discontinuities,
            self._is_independent,
            "" if self.is_ended else self._hint,
        )


def _starts_segment(
    segment: HlsSegment, chunk: MediaChunk, duration: int, targets: HlsTargets
) -> bool:
    """Return whether a chunk starts a new segment; its part would have this duration."""
    if chunk.init is not segment.init:
        return True
    if chunk.is_independent and (
        segment.duration >= MIN_SEGMENT_MS or not segment.parts[0].is_independent
    ):
        return True
    last = segment.parts[-1]
    if last.duration < MIN_PART_SHARE * targets.part and not last.is_independent:
        # Only the last part of a segment may be so short.
        return True
    is_long = segment.duration + duration > 1000 * targets.segment + ROUNDING_MS
    return is_long or len(segment.parts) >= MAX_SEGMENT_PARTS or segment.size >= MAX_SEGMENT_BYTES
