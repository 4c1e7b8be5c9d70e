"""Writes the media playlist of a stream, whole or as a delta update (RFC 8216bis)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from homeroom.base.values import Value
from homeroom.media.engine.hls_targets import HlsTargets
from homeroom.media.engine.init_segment import InitSegment

QUERY_PLACEHOLDER: Final = "\0"
"""Stands for the query in a playlist template."""
HOLD_BACK_PARTS: Final = 3
"""Parts between the end of the playlist and the place where a player should start."""
SKIP_TARGETS: Final = 6
"""Target durations at the end of the playlist that a delta update never skips."""
PART_TARGETS: Final = 3
"""Target durations at the end of the playlist whose parts are listed."""


class HlsPart(Value, frozen=True):
    """One chunk of a segment, as the playlist lists it."""

    name: str
    duration: int
    """Milliseconds."""
    is_independent: bool


class HlsSegment(msgspec.Struct, eq=False):
    """A segment with its parts so far."""

    number: int
    init: InitSegment
    map_name: str
    started_at: float
    """Seconds since 1970."""
    is_discontinuous: bool
    """Whether there is a discontinuity before it."""
    parts: list[HlsPart] = []
    duration: int = 0
    """Milliseconds."""
    size: int = 0
    date: str = ""
    """Its start, as the playlist has it."""

    def __post_init__(self) -> None:
        """Write the date once, and not in each playlist."""
        start = datetime.fromtimestamp(self.started_at, UTC)
        self.date = start.isoformat(timespec="milliseconds")

    @property
    def name(self) -> str:
        """Return the name of its file."""
        return f"s{self.number}.m4s"


class HlsPlaylist(Value, frozen=True):
    """The facts of one version of a playlist."""

    folder: str
    """Folder of the files, beside the playlist."""
    targets: HlsTargets
    complete: Sequence[HlsSegment]
    open_segment: HlsSegment | None
    discontinuities: int
    """Number of the first segment's discontinuity."""
    is_independent: bool
    """Whether all segments of the stream so far start with a keyframe."""
    hint: str
    """Name of the next part, or empty at the end of the stream."""

    def write(self, *, is_delta: bool = False) -> str:
        """Return the text; a delta update leaves out what a player has for long."""
        skipped = self._count_before(SKIP_TARGETS) if is_delta and self.hint else 0
        lines = [*self._write_head()]
        if skipped:
            lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}")
        listed = [*self.complete]
        if self.open_segment is not None:
            listed.append(self.open_segment)
        with_parts = self._count_before(PART_TARGETS)
        map_name = listed[skipped - 1].map_name if skipped else ""
        for place, segment in enumerate(listed[skipped:], skipped):
            lines += self._write_segment(segment, map_name, has_parts=place >= with_parts)
            map_name = segment.map_name
        if self.hint:
            lines.append(f"#EXT-X-PRELOAD-HINT:TYPE=PART,{self._uri(self.hint)}")
        else:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    def _write_head(self) -> Iterator[str]:
        segment, part = self.targets.segment, self.targets.part / 1000
        first = self.complete[0]
        yield "#EXTM3U"
        yield "#EXT-X-VERSION:9"
        yield f"#EXT-X-TARGETDURATION:{segment}"
        yield (
            f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={SKIP_TARGETS * segment}.0,"
            f"PART-HOLD-BACK={HOLD_BACK_PARTS * part:.3f}"
        )
        yield f"#EXT-X-PART-INF:PART-TARGET={part:.3f}"
        yield f"#EXT-X-MEDIA-SEQUENCE:{first.number}"
        yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{self.discontinuities}"
        if self.is_independent:
            yield "#EXT-X-INDEPENDENT-SEGMENTS"

    def _write_segment(
        self, segment: HlsSegment, map_name: str, *, has_parts: bool
    ) -> Iterator[str]:
        if segment.is_discontinuous:
            yield "#EXT-X-DISCONTINUITY"
        if segment.map_name != map_name:
            yield f"#EXT-X-MAP:{self._uri(segment.map_name)}"
        yield f"#EXT-X-PROGRAM-DATE-TIME:{segment.date}"
        if has_parts:
            for part in segment.parts:
                independent = ",INDEPENDENT=YES" if part.is_independent else ""
                yield (
                    f"#EXT-X-PART:DURATION={part.duration / 1000:.3f},{self._uri(part.name)}"
                    f"{independent}"
                )
        if segment is not self.open_segment:
            yield f"#EXTINF:{segment.duration / 1000:.3f},"
            yield f"{self.folder}/{segment.name}{QUERY_PLACEHOLDER}"

    def _uri(self, name: str) -> str:
        return f'URI="{self.folder}/{name}{QUERY_PLACEHOLDER}"'

    def _count_before(self, targets: int) -> int:
        """Return how many segments end so many target durations before the last one's end."""
        left = sum(segment.duration for segment in self.complete)
        for count, segment in enumerate(self.complete):
            left -= segment.duration
            if left < 1000 * targets * self.targets.segment:
                return count
        return 0
