"""Measures a publish session: bit rates, keyframes, missing tracks, drops, and its problems."""

import logging
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, Final

from homeroom.base.stream_problems import REMEDIES, DropReason, StreamProblem
from homeroom.media.engine.aac import SoundCheck
from homeroom.media.engine.avc import PictureCheck
from homeroom.media.engine.packets import VIDEO, Packet
from homeroom.media.engine.recorder import Recorder

log = logging.getLogger("homeroom.media.stream")

SLOW_KEYFRAME_MS: Final = 2_100
"""Keyframe interval that is a problem; 60 frames at 29.97 per second are still below."""
MAX_KEYFRAME_MS: Final = 20_000
"""After this time without a keyframe none is expected any more, as with intra refresh."""
MISSING_MS: Final = 1_000
"""A track is missing if the other one, or real time, advances by this without a frame of it."""
MISSING_STEPS: Final = 2.5
"""A track with slow frames is missing after so many of its steps."""
STALL_MS: Final = 500
"""A connection has stalled if no track went on for so long after the latest frame of another."""
MAX_STEP_MS: Final = 1_600
"""Maximum step of slow frames; a longer one is a gap."""
MIN_RATE_MS: Final = 500
"""Media time that a rate needs at least."""
SAMPLES: Final = 5
"""Samples that the rates compare; they are half a second apart."""
DROPS_SECONDS: Final = 5.0
"""Time without a drop after which a problem of drops is over."""
LOSSES: Final = frozenset(
    {StreamProblem.KEYFRAMES_MISSING, StreamProblem.HEADERS_MISSING, StreamProblem.FRAMES_DAMAGED}
)
"""Problems for which frames are dropped."""


class TrackMeter:
    """Counts the frames of one track. Every frame passes here, so `add` must stay cheap."""

    __slots__ = (
        "arrived_at",
        "bytes",
        "first_time",
        "frames",
        "is_announced",
        "other_time",
        "samples",
        "step",
        "time",
    )

    def __init__(self) -> None:
        self.is_announced = False
        """Whether metadata or a header announced it."""
        self.bytes = 0
        self.frames = 0
        self.first_time = 0
        self.time = 0
        """Media time of the latest frame, in milliseconds."""
        self.arrived_at = 0.0
        self.other_time = 0
        """Media time of the other track when the latest frame came."""
        self.step = 0
        """Recent longest step between two frames, in milliseconds; it decays."""
        self.samples = deque([(0, 0, 0)], maxlen=SAMPLES)
        """Time, bytes and frames at the recent samples."""

    def add(self, size: int, time: int, now: float, other: "TrackMeter") -> None:
        """Count a frame."""
        if self.frames:
            if 1000 * (now - self.arrived_at) > MISSING_MS:
                other.restart_after_stall(self, time, now)
            step = time - self.time
            longest = self.step - (self.step >> 4)
            self.step = step if longest < step < MAX_STEP_MS else longest
        else:
            self.first_time = time
        self.bytes += size
        self.frames += 1
        self.time = time
        self.arrived_at = now
        self.other_time = other.time

    @property
    def limit(self) -> float:
        """Return the milliseconds without a frame after which the track is missing."""
        if self.frames == 1:  # it may be one of slides
            return MAX_STEP_MS
        return max(MISSING_MS, MISSING_STEPS * self.step)

    def is_missing(self, now: float, begun_at: float, other: "TrackMeter") -> bool:
        """Return whether no frame comes, although it was announced or there were some."""
        if not (self.is_announced or self.frames):
            return False
        ahead = other.time - max(self.other_time, other.first_time)
        if ahead > self.limit:
            return True
        since = max(self.arrived_at, begun_at)
        if not self._has_stalled_with(other, since):
            return 1000 * (now - since) > self.limit
        # The connection has stalled: both tracks are missing from the same moment on, so that no
        # viewer reads for an instant that one of them continues.
        return 1000 * (now - max(since, other.arrived_at)) > max(self.limit, other.limit)

    def restart_after_stall(self, other: "TrackMeter", time: int, now: float) -> None:
        """Expect the next frame of this track from now on, if the other one ends their stall."""
        last = max(self.arrived_at, other.arrived_at)
        if 1000 * (now - last) > other.limit and self._has_stalled_with(other, self.arrived_at):
            self.arrived_at = now
            self.other_time = time

    def _has_stalled_with(self, other: "TrackMeter", since: float) -> bool:
        """Return whether the other track went on no longer than until our next frame was due."""
        return 1000 * (other.arrived_at - since) < max(STALL_MS, self.step)

    def sample(self) -> None:
        """Store the present numbers, for the rates."""
        self.samples.append((self.time, self.bytes, self.frames))

    def rates(self) -> tuple[int, float] | None:
        """Return kilobits and frames per second, None if no frames came lately."""
        time, size, frames = self.samples[0]
        passed = self.time - (time if frames else self.first_time)
        if passed < MIN_RATE_MS:
            return None
        return (
            round((self.bytes - size) * 8 / passed),
            round(1000 * (self.frames - max(frames, 1)) / passed, 1),
        )


class StreamMeter:
    """Measures one publish session; `add` takes each frame, before any is dropped."""

    def __init__(
        self, stream: str, pictures: PictureCheck, sounds: SoundCheck, begun_at: float
    ) -> None:
        self.video = TrackMeter()
        self.audio = TrackMeter()
        self.keyframe_ms: int | None = None
        """Milliseconds between the last two keyframes."""
        self.longest_keyframe_ms: int | None = None
        self._stream = stream
        self._pictures = pictures
        self._sounds = sounds
        self._begun_at = begun_at
        self._keyframe_at: int | None = None
        self._false_keyframes = (0, 0)
        """Number of false keyframes at the last two keyframes."""
        self._drops: Counter[DropReason] = Counter()
        self._dropped_at: dict[DropReason, float] = {}
        self._active: frozenset[StreamProblem] = frozenset()
        self._logged: set[tuple[StreamProblem, bool]] = set()

    def announce(self, kind: int) -> None:
        """Expect a track, which metadata or a header announces."""
        (self.video if kind == VIDEO else self.audio).is_announced = True

    def add(self, packet: Packet, time: int, now: float) -> None:
        """Count a frame, with its media time in milliseconds."""
        if packet.kind == VIDEO:
            self.video.add(len(packet.body), time, now, self.audio)
        else:
            self.audio.add(len(packet.body), time, now, self.video)

    def add_keyframe(self, time: int) -> bool:
        """Measure the distance of a keyframe from the last one; return whether it is too long."""
        last, self._keyframe_at = self._keyframe_at, time
        self._false_keyframes = (self._false_keyframes[1], self._pictures.false_keyframes)
        if last is None:
            return False
        self.keyframe_ms = time - last
        self.longest_keyframe_ms = max(self.longest_keyframe_ms or 0, self.keyframe_ms)
        return self.keyframe_ms > SLOW_KEYFRAME_MS

    @property
    def dropped(self) -> Counter[DropReason]:
        """Return the number of dropped frames, by reason."""
        return self._pictures.dropped + self._sounds.dropped

    def watch(self, now: float) -> None:
        """Take samples and log new problems, every half a second."""
        self.video.sample()
        self.audio.sample()
        problems = frozenset(self.problems(now))
        for problem in problems - self._active:
            self._log(problem, is_over=False)
        for problem in self._active - problems:
            self._log(problem, is_over=True)
        self._active = problems

    def problems(self, now: float) -> Iterator[StreamProblem]:
        """Return the present problems of the stream."""
        self._note_drops(now)
        if self.video.is_missing(now, self._begun_at, self.audio):
            yield StreamProblem.PICTURE_MISSING
        if self.audio.is_missing(now, self._begun_at, self.video):
            yield StreamProblem.SOUND_MISSING
        if any(
            not check.has_header and track.time - track.first_time > MISSING_MS
            for check, track in ((self._pictures, self.video), (self._sounds, self.audio))
        ):
            yield StreamProblem.HEADERS_MISSING
        yield from self._find_keyframe_problem()
        if now - self._dropped_at.get(DropReason.DAMAGED, -DROPS_SECONDS) < DROPS_SECONDS:
            yield StreamProblem.FRAMES_DAMAGED

    def report(self, now: float, recorder: Recorder) -> dict[str, Any]:
        """Return the facts for the API of the engine."""
        video, audio = self.video.rates(), self.audio.rates()
        problems = list(self.problems(now))
        state, error = recorder.state, recorder.error
        if error is not None:
            problems.append(StreamProblem.RECORDING_FAILED)
        elif state == "on" and any(now - at < DROPS_SECONDS for at in self._dropped_at.values()):
            state = "partial"
            losses = (REMEDIES[problem] for problem in problems if problem in LOSSES)
            error = next((f"a part is not recorded: {remedy}" for remedy in losses), None)
        return {
            "key_frame_ms": self.keyframe_ms,
            "longest_key_frame_ms": self.longest_keyframe_ms,
            "video_kbps": video[0] if video is not None else None,
            "audio_kbps": audio[0] if audio is not None else None,
            "frame_rate": video[1] if video is not None else None,
            "dropped_frames": dict(self.dropped),
            "problems": problems,
            "recording": state,
            "recording_error": error,
        }

    @property
    def _keyframe_wait(self) -> int:
        """Return the milliseconds without a keyframe: until now, or before the latest one."""
        begin = self.video.first_time if self._keyframe_at is None else self._keyframe_at
        return max(self.video.time - begin, self.keyframe_ms or 0)

    def _find_keyframe_problem(self) -> Iterator[StreamProblem]:
        """Return the problem of keyframes: none comes, or they are too far apart."""
        wait = self._keyframe_wait
        if wait <= SLOW_KEYFRAME_MS or not self._pictures.has_header:
            return
        has_false = self._pictures.false_keyframes > self._false_keyframes[0]
        if self._keyframe_at is None or has_false or wait > MAX_KEYFRAME_MS:
            yield StreamProblem.KEYFRAMES_MISSING
        else:
            yield StreamProblem.KEYFRAMES_TOO_RARE

    def _note_drops(self, now: float) -> None:
        dropped = self.dropped
        for reason in dropped - self._drops:
            self._dropped_at[reason] = now
        self._drops = dropped

    def _log(self, problem: StreamProblem, *, is_over: bool) -> None:
        """Log the start or the end of a problem, once per push."""
        if (problem, is_over) in self._logged:
            return
        self._logged.add((problem, is_over))
        about = {"stream": self._stream, "problem": problem, "key_frame_ms": self._keyframe_wait}
        if is_over:
            log.warning("stream_problem_over", extra=about)
        else:
            log.warning("stream_problem: %s", REMEDIES[problem], extra=about)
