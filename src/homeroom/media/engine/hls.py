"""HLS of one stream: a window of segments and their parts in memory, and the playlist of them.

By RFC 8216bis: one playlist serves plain players and those that play with low latency.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from homeroom.base.clock import SystemClock
from homeroom.media.engine.packager import InitSegment, MediaChunk

MIN_SEGMENT_MS: Final = 900
"""Length from which a segment may end: a publisher's "every second" is sometimes 980 ms."""
MAX_SEGMENT_MS: Final = 20_000
MAX_SEGMENT_BYTES: Final = 16_000_000
MAX_SEGMENT_PARTS: Final = 200
"""Milliseconds, bytes and parts after which a segment ends though no key frame has come."""
PART_TARGET_MS: Final = 235
"""The longest that a part is as a rule; those of 200 ms are 85 % of it, which is the least."""
LISTED_SEGMENTS: Final = 6
UNLISTED_SEGMENTS: Final = 3
"""Segments that are no longer listed and still served, to those who read the list a while ago."""
SEGMENTS_WITH_PARTS: Final = 4
"""Segments whose parts are listed, the one that grows included."""
MAX_AHEAD_MS: Final = 3_000
"""Milliseconds, in parts, by which a part that is asked for may lie ahead."""
MAX_WINDOW_BYTES: Final = 64_000_000
MAX_CACHED_PLAYLISTS: Final = 8
"""Playlists kept ready, one for each query that players come with."""
FIRST_SEGMENT_SECONDS: Final = 15.0
"""Seconds that a player may wait for the first segment: longer than between OBS's key frames."""
VIEWER_TIMEOUT_SECONDS: Final = 10.0
"""Seconds after which one who has asked for no playlist again is no viewer any more."""
QUERY_PLACEHOLDER: Final = "\0"
"""Where the query goes in a playlist that is ready but for it."""


class TooFarAheadError(Exception):
    """A part is asked for that lies too far ahead."""


@dataclass(frozen=True, slots=True)
class HlsPart:
    """One chunk of a segment, as listed."""

    name: str
    duration: int
    """Milliseconds."""
    is_independent: bool


@dataclass(slots=True, eq=False)
class HlsSegment:
    """What a player loads at once, and what of it has come so far."""

    number: int
    init: InitSegment
    map_name: str
    started_at: float
    """Seconds since 1970."""
    is_discontinuous: bool
    """Whether it does not go on where the segment before it ended."""
    parts: list[HlsPart] = field(default_factory=list)
    duration: int = 0
    """Milliseconds."""
    size: int = 0

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return f"s{self.number}.m4s"


class HlsWindow:
    """The window of one stream."""

    def __init__(self) -> None:
        self.is_ended = False
        self.bytes_out = 0
        self._clock = SystemClock()
        # Numbers go on over a restart of the engine, so that neither players nor caches take
        # what is new for what they have.
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
        """Take what comes next."""
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
        """End the segment that grows; what comes next comes from another push."""
        self._close_segment()
        self._is_cut = bool(self._complete)
        self.is_ended = False
        self._notify()

    def end(self) -> None:
        """Tell players that nothing more will come."""
        self._close_segment()
        self.is_ended = True
        self._notify()

    def playlist(self, folder: str, query: str) -> bytes | None:
        """Return the playlist for who comes with a query, once there is a whole segment.

        The files stand in a folder beside it.
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
        """Return an init, a segment or a part, if it is there."""
        return self._files.get(name)

    def is_hinted(self, name: str) -> bool:
        """Tell whether it is the part that players were told comes next."""
        return name == self._hint and not self.is_ended

    async def wait_for_first_segment(self) -> None:
        """Wait for the first segment; it may fail to come."""
        try:
            await self._wait_until(lambda: bool(self._complete), FIRST_SEGMENT_SECONDS)
        except TimeoutError:
            return

    async def wait_for_position(self, number: int, part: int | None) -> None:
        """Wait until a segment, or a part of it, is listed; raises `Absurd`, `TimeoutError`."""
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
        """Wait for the part that is hinted at; raises `TimeoutError`."""
        await self._wait_until(lambda: name in self._files, 3 * self._target)

    def record_viewer(self, viewer: str, now: float) -> None:
        """Take note of who asks for the playlist, at seconds by the loop's clock."""
        self._last_request_at[viewer] = now

    @property
    def viewers(self) -> int:
        """Return about how many players follow the playlist."""
        since = asyncio.get_running_loop().time() - VIEWER_TIMEOUT_SECONDS
        self._last_request_at = {who: at for who, at in self._last_request_at.items() if at > since}
        return len(self._last_request_at)

    @property
    def _hint(self) -> str:
        # Parts are counted through, so the next one's name is known before its segment is.
        return f"p{self._next_part}.m4s"

    @property
    def _next_number(self) -> int:
        return self._next_segment if self._open_segment is None else self._open_segment.number

    @property
    def _listed(self) -> list[HlsSegment]:
        listed = self._complete[-LISTED_SEGMENTS:]
        return listed if self._open_segment is None else [*listed, self._open_segment]

    @property
    def _part_target(self) -> int:
        parts = (part.duration for one in self._listed[-SEGMENTS_WITH_PARTS:] for part in one.parts)
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
        # From here on the parts are pieces of the segment, instead of a second copy.
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
            # A part behind the last one of a segment is the first one of the next.
            if part < len(self._complete[-1].parts):
                return True
            number, part = last, 0
        if number == last and part is not None and self._open_segment is not None:
            return part < len(self._open_segment.parts)
        return number < last

    def _write_playlist(self, folder: str) -> str:
        listed = self._listed
        target = self._part_target / 1000
        gone = sum(one.is_discontinuous for one in self._complete[:-LISTED_SEGMENTS])
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            f"#EXT-X-TARGETDURATION:{self._target}",
            f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={3 * target:.3f}",
            f"#EXT-X-PART-INF:PART-TARGET={target:.3f}",
            f"#EXT-X-MEDIA-SEQUENCE:{listed[0].number}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self._discontinuities + gone}",
        ]
        if all(one.parts[0].is_independent for one in listed):
            lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
        map_name = ""
        for one in listed:
            if one.is_discontinuous:
                lines.append("#EXT-X-DISCONTINUITY")
            if one.map_name != map_name:
                map_name = one.map_name
                lines.append(f'#EXT-X-MAP:URI="{folder}/{map_name}{QUERY_PLACEHOLDER}"')
            began = datetime.fromtimestamp(one.started_at, UTC).isoformat(timespec="milliseconds")
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{began}")
            if one in listed[-SEGMENTS_WITH_PARTS:]:
                lines += [
                    f"#EXT-X-PART:DURATION={part.duration / 1000:.3f},"
                    f'URI="{folder}/{part.name}{QUERY_PLACEHOLDER}"'
                    f"{',INDEPENDENT=YES' if part.is_independent else ''}"
                    for part in one.parts
                ]
            if one is not self._open_segment:
                lines += [
                    f"#EXTINF:{one.duration / 1000:.3f},",
                    f"{folder}/{one.name}{QUERY_PLACEHOLDER}",
                ]
        lines.append(
            "#EXT-X-ENDLIST"
            if self.is_ended
            else f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{folder}/{self._hint}{QUERY_PLACEHOLDER}"'
        )
        return "\n".join(lines) + "\n"


def _starts_segment(segment: HlsSegment, chunk: MediaChunk) -> bool:
    """Tell whether a segment ends before a chunk."""
    if chunk.init is not segment.init:
        return True
    if chunk.is_independent and segment.duration >= MIN_SEGMENT_MS:
        return True
    is_long = segment.duration >= MAX_SEGMENT_MS or len(segment.parts) >= MAX_SEGMENT_PARTS
    return is_long or segment.size >= MAX_SEGMENT_BYTES
