"""Maps the timestamps of a publisher to one clock: each track has its own, tied to the other once.

A publisher's clocks wrap, jump, restart and pause, in one track or in both. The steps of a track
are judged by themselves. The other track says how much time has passed meanwhile, so that the
result does not depend on the speed of a push.
"""

from typing import Final

from homeroom.media.engine.packets import VIDEO

WRAP: Final = 1 << 32
HALF: Final = WRAP // 2
MAX_OFFSET_MS: Final = 2_000
"""Maximum distance of the tracks at their start that is an offset and is kept."""
MAX_JUMP_MS: Final = 3_000
"""A step that differs from the passed time by more than this is a jump, not a gap."""
NEAR_MS: Final = 500
"""Steps that differ by less than this have the same cause."""
MAX_APART_MS: Final = 1_000
"""Both tracks stay this close, in the order of arrival, if a jump in both is not the same."""
MAX_REORDERED: Final = 8
"""Frames by which timestamps go back if a publisher sends presentation times."""
MAX_DRIFT_MS: Final = 250
"""After a jump, a track that would be further than this from its place is moved there."""
STEP_MS: Final = 20
"""Assumed step of a track before its second frame."""


class _TrackClock:
    """The clock of one track; times are in milliseconds."""

    __slots__ = ("arrived", "at", "lead", "other", "other_at", "published_at", "shift", "step")

    def __init__(self, published_at: int, at: int) -> None:
        self.published_at = published_at
        """Timestamp of the latest frame, without wraps."""
        self.at = at
        """Mapped time of the latest frame."""
        self.arrived = 0.0
        self.step = STEP_MS
        """Usual step between two frames."""
        self.other: _TrackClock | None = None
        self.other_at = 0
        """Mapped time of the other track when the latest frame of this one came."""
        self.lead = 0
        """How far this track is ahead of the other one in the order of arrival."""
        self.shift = 0
        """Difference between the offsets of both clocks, as it was when they were tied."""

    @property
    def offset(self) -> int:
        """Return the difference between mapped and published time."""
        return self.at - self.published_at

    def tie(self, other: "_TrackClock", lead: int) -> None:
        """Set the relation to the other track, in both of them."""
        shift = self.offset - other.offset
        for track, twin, sign in ((self, other, 1), (other, self, -1)):
            track.other, track.other_at = twin, twin.at
            track.lead, track.shift = sign * lead, sign * shift


class ClockMapper:
    """Maps timestamps that wrap at 32 bits, jump, restart and pause to one clock."""

    def __init__(self) -> None:
        self.last = 0
        """The latest mapped time, in milliseconds."""
        self._tracks: dict[int, _TrackClock] = {}

    def place(self, kind: int, published_at: int, arrived: float) -> int:
        """Return milliseconds since the first frame; `arrived` is the arrival in seconds.

        A track that begins up to `MAX_OFFSET_MS` before the other one has negative times there.
        """
        track = self._tracks.get(kind)
        if track is None:
            track = self._add_track(kind, published_at)
        else:
            step = (published_at - track.published_at + HALF) % WRAP - HALF
            other = track.other
            moved = other.at - track.other_at if other is not None else 0
            if 0 <= step <= NEAR_MS and moved - step <= MAX_JUMP_MS:
                track.at += step
                if step:
                    track.step = step
            else:
                passed = round(1000 * (arrived - track.arrived)) if kind == VIDEO else 0
                track.at += _judge(track, step, moved, passed)
            track.published_at += step
            if other is not None:
                track.other_at = other.at
        track.arrived = arrived
        self.last = max(self.last, track.at)
        return track.at

    def _add_track(self, kind: int, published_at: int) -> _TrackClock:
        first = next(iter(self._tracks.values()), None)
        if first is None:
            track = _TrackClock(published_at, 0)
        else:
            apart = (published_at - first.published_at + HALF) % WRAP - HALF
            # What is further away has a clock of its own, and belongs to the present.
            lead = apart if abs(apart) <= MAX_OFFSET_MS else 0
            track = _TrackClock(first.published_at + apart, first.at + lead)
            track.tie(first, lead)
        self._tracks[kind] = track
        return track


def _judge(track: _TrackClock, step: int, moved: int, passed: int) -> int:
    """Return the mapped step for an unusual one.

    `moved` is the mapped progress of the other track since the latest frame of this one, `passed`
    the time since its arrival.
    """
    other = track.other
    is_alone = other is None or (not moved and track.at - other.at - track.lead > MAX_JUMP_MS)
    # A picture alone may stand for minutes. Otherwise nothing has passed if nothing came.
    expected = max(moved, passed) if is_alone else max(moved, 0)
    if other is not None:
        # The same jump in the other track: the same correction keeps both in sync.
        corrected = step + other.offset + track.shift - track.offset
        distance = track.at + corrected - other.at - track.lead
        if (
            abs(corrected - expected) < abs(step - expected)
            and -NEAR_MS <= corrected <= expected + NEAR_MS
            and abs(distance) <= MAX_APART_MS
        ):
            return corrected
    max_back = min(max(NEAR_MS, MAX_REORDERED * track.step), MAX_JUMP_MS)
    is_gap = -max_back <= step <= expected + MAX_JUMP_MS and moved - step <= MAX_JUMP_MS
    if is_gap or abs(step - moved) <= NEAR_MS:
        if 0 < step <= MAX_JUMP_MS:
            track.step = step
        return step
    at = track.at + track.step
    if other is not None and moved > 0:
        present = other.at + track.lead
        if abs(at - present) > MAX_DRIFT_MS:
            at = max(present, track.at + 1)
    return at - track.at
