"""HLS of one stream: a window of segments and their parts in memory, and the playlist of them.

By RFC 8216bis: one playlist serves plain players and those that play with low latency.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from homeroom.base.clock import SystemClock
from homeroom.media.engine.packager import Chunk, Init

SEGMENT_MS: Final = 900
"""Length from which a segment may end: a publisher's "every second" is sometimes 980 ms."""
LONGEST_MS: Final = 20_000
LARGEST: Final = 16_000_000
MOST_PARTS: Final = 200
"""Milliseconds, bytes and parts after which a segment ends though no key frame has come."""
PART_TARGET_MS: Final = 235
"""The longest that a part is as a rule; those of 200 ms are 85 % of it, which is the least."""
LISTED: Final = 6
SERVED_ON: Final = 3
"""Segments that are no longer listed and still served, to those who read the list a while ago."""
WITH_PARTS: Final = 4
"""Segments whose parts are listed, the one that grows included."""
AHEAD_MS: Final = 3_000
"""Milliseconds, in parts, by which a part that is asked for may lie ahead."""
MOST_BYTES: Final = 64_000_000
MOST_TEXTS: Final = 8
"""Playlists kept ready, one for each query that players come with."""
BEGINNING: Final = 15.0
"""Seconds that a player may wait for the first segment: longer than between OBS's key frames."""
WATCHING: Final = 10.0
"""Seconds after which one who has asked for no playlist again is no viewer any more."""
QUERY: Final = "\0"
"""Where the query goes in a playlist that is ready but for it."""


class Absurd(Exception):
    """A part is asked for that lies too far ahead."""


@dataclass(frozen=True, slots=True)
class Part:
    """One chunk of a segment, as listed."""

    name: str
    duration: int
    """Milliseconds."""
    is_independent: bool


@dataclass(slots=True, eq=False)
class Segment:
    """What a player loads at once, and what of it has come so far."""

    number: int
    init: Init
    map_name: str
    begun_at: float
    """Seconds since 1970."""
    is_discontinuous: bool
    """Whether it does not go on where the segment before it ended."""
    parts: list[Part] = field(default_factory=list)
    duration: int = 0
    """Milliseconds."""
    size: int = 0

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return f"s{self.number}.m4s"


class Hls:
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
        self._whole: list[Segment] = []
        self._growing: Segment | None = None
        self._is_cut = False
        self._discontinuities = 0
        self._files: dict[str, bytes | memoryview] = {}
        self._size = 0
        self._change = asyncio.Event()
        self._template = ""
        self._texts: dict[str, bytes] = {}
        self._seen: dict[str, float] = {}

    def add(self, chunk: Chunk) -> None:
        """Take what comes next."""
        growing = self._growing
        if growing is None or _ends(growing, chunk):
            self._close()
            growing = self._begin(chunk)
        part = Part(self._hint, chunk.duration, chunk.is_independent)
        self._next_part += 1
        growing.parts.append(part)
        growing.duration += chunk.duration
        growing.size += len(chunk.data)
        self._target = max(self._target, (growing.duration + 500) // 1000)
        self._files[part.name] = chunk.data
        self._changed()

    def discontinue(self) -> None:
        """End the segment that grows; what comes next comes from another push."""
        self._close()
        self._is_cut = bool(self._whole)
        self.is_ended = False
        self._changed()

    def end(self) -> None:
        """Tell players that nothing more will come."""
        self._close()
        self.is_ended = True
        self._changed()

    def playlist(self, folder: str, query: str) -> bytes | None:
        """Return the playlist for who comes with a query, once there is a whole segment.

        The files stand in a folder beside it.
        """
        if not self._whole:
            return None
        text = self._texts.get(query)
        if text is None:
            self._template = self._template or self._written(folder)
            text = self._template.replace(QUERY, f"?{query}" if query else "").encode()
            if len(self._texts) >= MOST_TEXTS:
                self._texts.clear()
            self._texts[query] = text
        return text

    def file(self, name: str) -> bytes | memoryview | None:
        """Return an init, a segment or a part, if it is there."""
        return self._files.get(name)

    def is_hinted(self, name: str) -> bool:
        """Tell whether it is the part that players were told comes next."""
        return name == self._hint and not self.is_ended

    async def began(self) -> None:
        """Wait for the first segment; it may fail to come."""
        try:
            await self._until(lambda: bool(self._whole), BEGINNING)
        except TimeoutError:
            return

    async def reached(self, number: int, part: int | None) -> None:
        """Wait until a segment, or a part of it, is listed; raises `Absurd`, `TimeoutError`."""
        if self.is_ended:
            return
        ahead = number - self._next_number
        listed = len(self._growing.parts) if self._growing is not None and ahead == 0 else 0
        if ahead > 1 or (ahead >= 0 and (part or 0) > listed + AHEAD_MS // self._part_target):
            raise Absurd("that lies too far ahead")
        await self._until(lambda: self._lists(number, part), 3 * self._target)

    async def arrived(self, name: str) -> None:
        """Wait for the part that is hinted at; raises `TimeoutError`."""
        await self._until(lambda: name in self._files, 3 * self._target)

    def seen(self, who: str, now: float) -> None:
        """Take note of who asks for the playlist, at seconds by the loop's clock."""
        self._seen[who] = now

    @property
    def viewers(self) -> int:
        """Return about how many players follow the playlist."""
        since = asyncio.get_running_loop().time() - WATCHING
        self._seen = {who: at for who, at in self._seen.items() if at > since}
        return len(self._seen)

    @property
    def _hint(self) -> str:
        # Parts are counted through, so the next one's name is known before its segment is.
        return f"p{self._next_part}.m4s"

    @property
    def _next_number(self) -> int:
        return self._next_segment if self._growing is None else self._growing.number

    @property
    def _listed(self) -> list[Segment]:
        listed = self._whole[-LISTED:]
        return listed if self._growing is None else [*listed, self._growing]

    @property
    def _part_target(self) -> int:
        parts = (part.duration for one in self._listed[-WITH_PARTS:] for part in one.parts)
        return max(PART_TARGET_MS, *parts)

    def _begin(self, chunk: Chunk) -> Segment:
        now = self._clock.exact() - chunk.duration / 1000
        before = self._whole[-1] if self._whole else None
        is_discontinuous = before is not None and (self._is_cut or before.init is not chunk.init)
        if before is not None and not is_discontinuous:
            now = before.begun_at + before.duration / 1000
        if before is not None and before.init is chunk.init:
            map_name = before.map_name
        else:
            map_name = f"i{self._next_segment}.mp4"
            self._files[map_name] = chunk.init.data
        segment = Segment(self._next_segment, chunk.init, map_name, now, is_discontinuous)
        self._next_segment += 1
        self._is_cut = False
        self._growing = segment
        return segment

    def _close(self) -> None:
        segment, self._growing = self._growing, None
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
        self._whole.append(segment)
        self._size += segment.size
        while len(self._whole) > LISTED + SERVED_ON or (
            self._size > MOST_BYTES and len(self._whole) > 1
        ):
            self._drop(self._whole.pop(0))
        _ = self.viewers

    def _drop(self, segment: Segment) -> None:
        self._size -= segment.size
        self._discontinuities += segment.is_discontinuous
        for part in segment.parts:
            del self._files[part.name]
        del self._files[segment.name]
        if self._whole[0].map_name != segment.map_name:
            del self._files[segment.map_name]

    def _changed(self) -> None:
        self._template = ""
        self._texts.clear()
        change, self._change = self._change, asyncio.Event()
        change.set()

    async def _until(self, is_there: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not is_there() and not self.is_ended:
                await self._change.wait()

    def _lists(self, number: int, part: int | None) -> bool:
        last = self._next_number
        if part is not None and number == last - 1 and self._whole:
            # A part behind the last one of a segment is the first one of the next.
            if part < len(self._whole[-1].parts):
                return True
            number, part = last, 0
        if number == last and part is not None and self._growing is not None:
            return part < len(self._growing.parts)
        return number < last

    def _written(self, folder: str) -> str:
        listed = self._listed
        target = self._part_target / 1000
        gone = sum(one.is_discontinuous for one in self._whole[:-LISTED])
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
                lines.append(f'#EXT-X-MAP:URI="{folder}/{map_name}{QUERY}"')
            began = datetime.fromtimestamp(one.begun_at, UTC).isoformat(timespec="milliseconds")
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{began}")
            if one in listed[-WITH_PARTS:]:
                lines += [
                    f"#EXT-X-PART:DURATION={part.duration / 1000:.3f},"
                    f'URI="{folder}/{part.name}{QUERY}"'
                    f"{',INDEPENDENT=YES' if part.is_independent else ''}"
                    for part in one.parts
                ]
            if one is not self._growing:
                lines += [f"#EXTINF:{one.duration / 1000:.3f},", f"{folder}/{one.name}{QUERY}"]
        lines.append(
            "#EXT-X-ENDLIST"
            if self.is_ended
            else f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{folder}/{self._hint}{QUERY}"'
        )
        return "\n".join(lines) + "\n"


def _ends(segment: Segment, chunk: Chunk) -> bool:
    """Tell whether a segment ends before a chunk."""
    if chunk.init is not segment.init:
        return True
    if chunk.is_independent and segment.duration >= SEGMENT_MS:
        return True
    is_long = segment.duration >= LONGEST_MS or len(segment.parts) >= MOST_PARTS
    return is_long or segment.size >= LARGEST
