"""Chooses the targets that the playlists of a stream may never change (RFC 8216bis, 6.2.1)."""

from statistics import median_high
from typing import Final

from homeroom.base.values import Value
from homeroom.media.engine.packager import MIN_SEGMENT_MS, PART_TARGET_MS, MediaChunk

MAX_FIRST_MS: Final = 10_400
"""Maximum milliseconds until the targets are chosen, with or without a second keyframe.

The default keyframe interval of OBS is shorter: 250 frames."""
MAX_FIRST_BYTES: Final = 16_000_000
MAX_FIRST_CHUNKS: Final = 200
"""The same limit in bytes and chunks."""
DEFAULT_TARGET_SECONDS: Final = 2
"""Target duration if keyframes are further apart than that, or there is no video yet."""
JITTER_MS: Final = 60
"""Later keyframes may be further apart than the first two by this much."""
SLACK_PERCENT: Final = 104
"""Part target in percent of the usual chunk, if that is longer than the usual target."""


class HlsTargets(Value, frozen=True):
    """The targets, which all playlists of a stream state alike."""

    segment: int = 1
    """Target duration in seconds."""
    part: int = PART_TARGET_MS
    """Part target in milliseconds."""


class TargetChooser:
    """Keeps the first chunks of a stream until they show how far apart its keyframes are."""

    def __init__(self) -> None:
        self.chunks: list[MediaChunk] = []
        self._length = 0
        self._size = 0
        self._interval: int | None = None
        """Milliseconds since the first keyframe, or None before it."""

    def add(self, chunk: MediaChunk) -> HlsTargets | None:
        """Keep a chunk, and return the targets if they can be chosen."""
        if self.chunks and self.chunks[-1].init is not chunk.init:
            self._interval = None
        interval = self._interval
        self.chunks.append(chunk)
        self._length += chunk.duration
        self._size += len(chunk.data)
        if interval is not None:
            self._interval = interval + chunk.duration
        elif chunk.is_independent:
            self._interval = chunk.duration
        if chunk.is_independent and interval is not None and interval >= MIN_SEGMENT_MS:
            return self._choose(interval)
        is_long = self._length > MAX_FIRST_MS or len(self.chunks) >= MAX_FIRST_CHUNKS
        return self.choose() if is_long or self._size > MAX_FIRST_BYTES else None

    def choose(self) -> HlsTargets:
        """Return the targets of a stream that shows no keyframe interval."""
        return self._choose(self._length)

    def choose_without_keyframes(self) -> HlsTargets:
        """Return the targets of a stream that will show no second keyframe."""
        return self._choose(MAX_FIRST_MS + 1)

    def _choose(self, interval: int) -> HlsTargets:
        if not any(chunk.init.has_video for chunk in self.chunks):
            # Video can still come, and then segments start with its keyframes.
            interval = max(interval, 1000 * DEFAULT_TARGET_SECONDS)
        if interval > MAX_FIRST_MS:
            interval = 1000 * DEFAULT_TARGET_SECONDS
        segment = max((interval + JITTER_MS + 500) // 1000, 1)
        part = PART_TARGET_MS
        usual = median_high(chunk.duration for chunk in self.chunks)
        if usual > part:
            # No whole number of frames is near the usual target, so parts are longer.
            part = min(usual * SLACK_PERCENT // 100 + 1, 1000 * segment)
        return HlsTargets(segment, part)
