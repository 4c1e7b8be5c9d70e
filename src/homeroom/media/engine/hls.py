"""HLS of one stream: a window of segments and parts in memory, and its playlist.

One playlist serves plain and low-latency players (RFC 8216bis).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from homeroom.base.clock import SystemClock
from homeroom.base.errors import HomeroomError
from homeroom.media.engine.init_segment import InitSegment
from homeroom.media.engine.packager import MediaChunk

MIN_SEGMENT_MS: Final = 900
"""Minimum length of a segment; a publisher's keyframe "every second" can come after 980 ms."""
MAX_SEGMENT_MS: Final = 20_000
MAX_SEGMENT_BYTES: Final = 16_000_000
MAX_SEGMENT_PARTS: Final = 200
"""Limits in milliseconds, bytes and parts after which a segment ends without a keyframe."""
PART_TARGET_MS: Final = 235
"""Usual maximum of a part; parts of 200 ms are 85 % of it, the minimum that the RFC allows."""
LISTED_SEGMENTS: Final = 6
UNLISTED_SEGMENTS: Final = 3
"""Segments that have left the playlist and are still served, for players with an older one."""
SEGMENTS_WITH_PARTS: Final = 4
"""Segments whose parts are listed, including the open one."""
MAX_AHEAD_MS: Final = 3_000
"""Maximum distance of a requested part into the future."""
MAX_WINDOW_BYTES: Final = 64_000_000
MAX_CACHED_PLAYLISTS: Final = 8
"""Cached playlists, one for each query of the players."""
FIRST_SEGMENT_SECONDS: Final = 15.0
"""Waiting time for the first segment: longer than the default keyframe interval of OBS."""
VIEWER_TIMEOUT_SECONDS: Final = 10.0
"""A player without a playlist request for this long no longer counts as a viewer."""
QUERY_PLACEHOLDER: Final = "\0"
"""Stands for the query in a playlist template."""


class TooFarAheadError(HomeroomError):
    """A player requested a part that is too far in the future."""


@dataclass(frozen=True, slots=True)
class HlsPart:
    """One chunk of a segment, as the playlist lists it."""

    name: str
    duration: int
    """Milliseconds."""
    is_independent: bool


@dataclass(slots=True, eq=False)
class HlsSegment:
    """A segment with its parts so far."""

    number: int
    init: InitSegment
    map_name: str
    started_at: float
    """Seconds since 1970."""
    is_discontinuous: bool
    """Whether there is a discontinuity before it."""
    parts: list[HlsPart] = field(default_factory=list)
    duration: int = 0
    """Milliseconds."""
    size: int = 0

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return f"s{self.number}.m4s"


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
        self._target = 1
        self._complete: list[HlsSegment] = []
        self._open_segment: HlsSegment | None = None
        self._is_cut = False
        self._discontinuities = 0
        self._files: dict[str, bytes | memoryview] = {}
        self._size = 0
        self._change = asyncio.Event()
        self._template = ""
        self._playlists: dict[str, bytes] = {}
        self._last_request_at: dict[str, float] = {}

    def add(self, chunk: MediaChunk) -> None:
        """Add the next chunk."""
        growing = self._open_segment
        if growing is None or _starts_segment(growing, chunk):
            self._close_segment()
            growing = self._start_segment(chunk)
        part = HlsPart(self._hint, chunk.duration, chunk.is_independent)
        self._next_part += 1
        growing.parts.append(part)
        growing.duration += chunk.duration
        growing.size += len(chunk.data)
        self._target = max(self._target, (growing.duration + 500) // 1000)
        self._files[part.name] = chunk.data
        self._notify()

    def discontinue(self) -> None:
        """Close the open segment; the next chunk comes from another publish session."""
        self._close_segment()
        self._is_cut = bool(self._complete)
        self.is_ended = False
        self._notify()

    def end(self) -> None:
        """Mark the end of the stream in the playlist."""
        self._close_segment()
        self.is_ended = True
        self._notify()

    def playlist(self, folder: str, query: str) -> bytes | None:
        """Return the playlist with a query on each URI, or None before the first segment.

        The files are in `folder`, beside the playlist.
        """
        if not self._complete:
            return None
        text = self._playlists.get(query)
        if text is None:
            self._template = self._template or self._write_playlist(folder)
            text = self._template.replace(QUERY_PLACEHOLDER, f"?{query}" if query else "").encode()
            if len(self._playlists) >= MAX_CACHED_PLAYLISTS:
                self._playlists.clear()
            self._playlists[query] = text
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
        if ahead > 1 or (ahead >= 0 and (part or 0) > listed + MAX_AHEAD_MS // self._part_target):
            raise TooFarAheadError("that lies too far ahead")
        await self._wait_until(lambda: self._is_listed(number, part), 3 * self._target)

    async def wait_for_file(self, name: str) -> None:
        """Wait for the part of the preload hint; raises `TimeoutError`."""
        await self._wait_until(lambda: name in self._files, 3 * self._target)

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

    @property
    def _listed(self) -> list[HlsSegment]:
        listed = self._complete[-LISTED_SEGMENTS:]
        return [*listed, self._open_segment] if self._open_segment is not None else listed

    @property
    def _part_target(self) -> int:
        parts = (
            part.duration
            for segment in self._listed[-SEGMENTS_WITH_PARTS:]
            for part in segment.parts
        )
        return max(PART_TARGET_MS, *parts)

    def _start_segment(self, chunk: MediaChunk) -> HlsSegment:
        now = self._clock.exact() - chunk.duration / 1000
        before = self._complete[-1] if self._complete else None
        is_discontinuous = before is not None and (self._is_cut or before.init is not chunk.init)
        if before is not None and not is_discontinuous:
            now = before.started_at + before.duration / 1000
        if before is not None and before.init is chunk.init:
            map_name = before.map_name
        else:
            map_name = f"i{self._next_segment}.mp4"
            self._files[map_name] = chunk.init.data
        segment = HlsSegment(self._next_segment, chunk.init, map_name, now, is_discontinuous)
        self._next_segment += 1
        self._is_cut = False
        self._open_segment = segment
        return segment

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
        while len(self._complete) > LISTED_SEGMENTS + UNLISTED_SEGMENTS or (
            self._size > MAX_WINDOW_BYTES and len(self._complete) > 1
        ):
            self._drop(self._complete.pop(0))
        _ = self.viewers

    def _drop(self, segment: HlsSegment) -> None:
        self._size -= segment.size
        self._discontinuities += segment.is_discontinuous
        for part in segment.parts:
            del self._files[part.name]
        del self._files[segment.name]
        if self._complete[0].map_name != segment.map_name:
            del self._files[segment.map_name]

    def _notify(self) -> None:
        self._template = ""
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

    def _write_playlist(self, folder: str) -> str:
        listed = self._listed
        target = self._part_target / 1000
        gone = sum(segment.is_discontinuous for segment in self._complete[:-LISTED_SEGMENTS])
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            f"#EXT-X-TARGETDURATION:{self._target}",
            f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={3 * target:.3f}",
            f"#EXT-X-PART-INF:PART-TARGET={target:.3f}",
            f"#EXT-X-MEDIA-SEQUENCE:{listed[0].number}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._discontinuities + gone}",
        ]
        if all(segment.parts[0].is_independent for segment in listed):
            lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
        map_name = ""
        for segment in listed:
            if segment.is_discontinuous:
                lines.append("#EXT-X-DISCONTINUITY")
            if segment.map_name != map_name:
                map_name = segment.map_name
                lines.append(f'#EXT-X-MAP:URI="{folder}/{map_name}{QUERY_PLACEHOLDER}"')
            began = datetime.fromtimestamp(segment.started_at, UTC).isoformat(
                timespec="milliseconds"
            )
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{began}")
            if segment in listed[-SEGMENTS_WITH_PARTS:]:
                lines += [
                    f"#EXT-X-PART:DURATION={part.duration / 1000:.3f},"
                    f'URI="{folder}/{part.name}{QUERY_PLACEHOLDER}"'
                    f"{',INDEPENDENT=YES' if part.is_independent else ''}"
                    for part in segment.parts
                ]
            if segment is not self._open_segment:
                lines += [
                    f"#EXTINF:{segment.duration / 1000:.3f},",
                    f"{folder}/{segment.name}{QUERY_PLACEHOLDER}",
                ]
        lines.append(
            "#EXT-X-ENDLIST"
            if self.is_ended
            else f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{folder}/{self._hint}{QUERY_PLACEHOLDER}"'
        )
        return "\n".join(lines) + "\n"


def _starts_segment(segment: HlsSegment, chunk: MediaChunk) -> bool:
    """Return whether a chunk starts a new segment."""
    if chunk.init is not segment.init:
        return True
    if chunk.is_independent and segment.duration >= MIN_SEGMENT_MS:
        return True
    is_long = segment.duration >= MAX_SEGMENT_MS or len(segment.parts) >= MAX_SEGMENT_PARTS
    return is_long or segment.size >= MAX_SEGMENT_BYTES
