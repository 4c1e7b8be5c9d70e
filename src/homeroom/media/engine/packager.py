"""Packages packets as fragmented MP4 for HLS and recordings, without decoding or changing them."""

import heapq
from collections.abc import Callable
from operator import itemgetter
from typing import Final

from homeroom.base.values import Value
from homeroom.media.engine import codecs
from homeroom.media.engine.codecs import AudioConfig, VideoConfig
from homeroom.media.engine.init_segment import (
    AUDIO_TRACK,
    KEY,
    NOT_KEY,
    VIDEO_TRACK,
    InitSegment,
    make_init_segment,
)
from homeroom.media.engine.packets import AUDIO, VIDEO, Packet, UnsupportedMediaError, composition
from homeroom.media.engine.track_buffer import (
    AUDIO_RUN,
    MAX_CHUNK_BYTES,
    VIDEO_RUN,
    TrackBuffer,
    encode_chunk,
)

PART_TARGET_MS: Final = 235
"""Usual maximum of a chunk; a longer one has a frame that is longer than the one before."""
MIN_PART_SHARE: Final = 0.85
"""Minimum of a chunk as a share of its maximum: 200 ms, 5 frames at 25 per second, 12 at 60.

It is that of parts in RFC 8216bis, 4.4.4.9. Chunks are shorter only before a keyframe that can
start a segment, and at limits."""
MIN_SEGMENT_MS: Final = 900
"""Minimum length of a segment; a publisher's keyframe "every second" can come after 980 ms."""
MAX_LAG_MS: Final = 1_000
"""Maximum milliseconds beyond a part's maximum for which the chunks after it make up."""
STOPPED_MS: Final = 1_500
"""Audio that is this far behind video has stopped, and does not lag."""
MAX_LAST_FRAME_MS: Final = 210
"""Maximum assumed length of the last frame of a session."""
UNDECIDED_MS: Final = 400
"""After this much media the packager decides that no further track will come."""
UNSTARTED_MS: Final = 5_000
"""The same for a track that has a header, but no frame."""
UNDECIDED_FRAMES: Final = 500
"""The same limit in frames, for a clock that stands still."""
MAX_INITS: Final = 500
"""Maximum header changes in one publish session; each one starts a new recording."""
MAX_DRIFT_MS: Final = 60
"""Maximum drift of audio from the publisher's clock before it is moved there."""
FIRST_GUESS_MS: Final = 40
"""Assumed length of a last frame when no other frame gives a length."""


class MediaChunk(Value, frozen=True, eq=False):
    """One movie fragment: frames of every track."""

    data: bytes
    """The boxes moof and mdat."""
    duration: int
    """Milliseconds; all chunks add up to the length of the media. It can be 0 if a publisher
    sends video and audio far apart."""
    is_independent: bool
    """Whether a player can start with it: it starts with a keyframe, or has no video."""
    init: InitSegment


class Packager:
    """Collects packets of one publish session and delivers chunks; times start at 0."""

    def __init__(self, deliver: Callable[[MediaChunk], None]) -> None:
        self._deliver = deliver
        self._hints: dict[int, bool | None] = {AUDIO: None, VIDEO: None}
        self._video_config: VideoConfig | None = None
        self._audio_config: AudioConfig | None = None
        self._video = TrackBuffer(VIDEO_TRACK, VIDEO_RUN, FIRST_GUESS_MS)
        self._audio = TrackBuffer(AUDIO_TRACK, AUDIO_RUN, 0)
        self._has_keyframe = False
        """Whether there was a keyframe; earlier frames cannot be decoded."""
        self._undecided: list[tuple[Packet, int]] | None = []
        """Frames that wait until the set of tracks is known."""
        self._shift = 0
        """Milliseconds that are added to all times, so that none of the first ones is negative."""
        self._init: InitSegment | None = None
        self._inits = 0
        self._has_target = False
        """Whether the playlists of the stream state a part target already."""
        self._target = PART_TARGET_MS
        self._min_length = MIN_PART_SHARE * PART_TARGET_MS
        self._clock = -1
        """Start of the next chunk in milliseconds; negative before the first frame."""
        self._lead = 0
        """Milliseconds by which video was ahead of audio at the last chunk that video ended."""
        self._lag = 0
        """Milliseconds by which chunks so far were longer than their parts can be."""
        self._since_keyframe = MIN_SEGMENT_MS
        """Milliseconds since the last chunk that starts with a keyframe."""
        self._number = 0

    def set_part_target(self, target: int | None) -> None:
        """Set the maximum of a part in milliseconds, or None before the first playlist."""
        if target is not None:
            self._has_target = True
            self._target = target
            self._min_length = MIN_PART_SHARE * target

    def hint(self, audio: bool, video: bool) -> None:  # noqa: FBT001  a fact, not a mode
        """Set the tracks that the publisher's metadata announces."""
        self._hints = {AUDIO: audio, VIDEO: video}

    def detach(self, deliver: Callable[[MediaChunk], None], *, has_video: bool) -> None:
        """Separate a copy from its original: it continues from here for another receiver.

        Without video it starts another init segment, until a video header comes.
        """
        self._deliver = deliver
        self._video, self._audio = self._video.copy(), self._audio.copy()
        if self._undecided is not None:
            self._undecided = self._undecided[:]
        if not has_video:
            self._video_config = self._init = None

    def add(self, packet: Packet, time: int) -> None:
        """Add a header or a frame; `time` is milliseconds since the first frame.

        Raises `UnsupportedMediaError` for a header that cannot be parsed.
        """
        if packet.is_header:
            self._add_header(packet)
        elif self._is_decodable(packet):
            if self._undecided is None:
                self._add_frame(packet, time + self._shift)
            else:
                self._hold_undecided(packet, time, self._undecided)

    def end(self) -> None:
        """Deliver all buffered frames, including the last one."""
        if self._undecided:
            self._release_undecided()
        # The last chunk ends with the last frame, however far apart video and audio came.
        self._lead = 0
        self._flush_all()

    def _add_header(self, packet: Packet) -> None:
        """Add a header; a different one starts a new `InitSegment`."""
        if packet.kind == VIDEO:
            config = packet.body[5:]
            if self._video_config is None or config != self._video_config.config:
                picture = codecs.parse_video_config(config)
                self._change_tracks(self._video_config is not None)
                self._video_config = picture
            return
        config = packet.body[2:]
        if self._audio_config is None or config != self._audio_config.config:
            sound = codecs.parse_audio_config(config)
            self._change_tracks(self._audio_config is not None)
            self._audio_config = sound
            self._audio = TrackBuffer(AUDIO_TRACK, AUDIO_RUN, sound.frame)

    def _change_tracks(self, is_change: bool) -> None:  # noqa: FBT001  a fact, not a mode
        """Deliver all frames of the previous tracks."""
        self._inits += 1
        if self._inits > MAX_INITS:
            raise UnsupportedMediaError("the headers of picture and sound change all the time")
        if is_change and self._undecided:
            self._release_undecided()
        if self._undecided is None:
            self._flush_all()
        self._init = None

    def _is_decodable(self, packet: Packet) -> bool:
        """Return whether a frame can be decoded: it needs a header and a keyframe before it."""
        if packet.kind != VIDEO:
            return self._audio_config is not None
        if packet.is_keyframe and self._video_config is not None:
            self._has_keyframe = True
        return self._has_keyframe

    def _hold_undecided(
        self, packet: Packet, time: int, undecided: list[tuple[Packet, int]]
    ) -> None:
        """Buffer a frame until the set of tracks is known."""
        undecided.append((packet, time))
        kinds = {waiting.kind for waiting, _ in undecided}
        headers = {VIDEO: self._video_config, AUDIO: self._audio_config}
        announced = {kind for kind, header in headers.items() if header is not None}
        possible = {kind for kind in headers if self._hints[kind] is not False}
        limit = UNDECIDED_MS if announced <= kinds else UNSTARTED_MS
        if (
            announced | possible <= kinds
            or time - undecided[0][1] >= limit
            or len(undecided) >= UNDECIDED_FRAMES
            or sum(len(waiting.body) for waiting, _ in undecided) > MAX_CHUNK_BYTES
        ):
            self._release_undecided()

    def _release_undecided(self) -> None:
        waiting, self._undecided = self._undecided or [], None
        self._shift = max(0, -min((time for _, time in waiting), default=0))
        # A track that is late in the order of arrival may belong further ahead.
        tracks = [[each for each in waiting if each[0].kind == kind] for kind in (VIDEO, AUDIO)]
        for packet, time in heapq.merge(*tracks, key=itemgetter(1)):
            self._add_frame(packet, time + self._shift)

    def _add_frame(self, packet: Packet, time: int) -> None:
        if self._clock < 0:
            self._clock = max(time, 0)
        if packet.kind == VIDEO:
            self._add_video(packet, time)
        else:
            self._add_audio(packet, time)

    def _add_video(self, packet: Packet, time: int) -> None:
        track, body = self._video, packet.body
        # Players need growing decode times; the composition offset keeps the presentation time.
        at = max(time, track.at + 1)
        if at - track.at > PART_TARGET_MS and self._is_late_keyframe():
            self._cut_chunk(self._audio_end())
        track.complete(at)
        length = at - self._clock
        if (
            length + self._lag >= self._min_length
            or (packet.is_keyframe and self._can_start_segment(length))
            or track.is_full
        ):
            if self._audio.entries and length <= MAX_LAG_MS:
                self._lead += at - self._audio_end()
            self._cut_chunk(at)
        offset = composition(body) + time - at
        payload = memoryview(body)[5:]
        flags = KEY if packet.is_keyframe else NOT_KEY
        track.hold(at, payload, (len(payload), flags, offset & 0xFFFF_FFFF))

    def _can_start_segment(self, length: int) -> bool:
        """Return whether a segment may start with a keyframe that comes after a chunk."""
        is_slow = self._video.frame_ticks > PART_TARGET_MS
        return not is_slow and self._since_keyframe + length >= MIN_SEGMENT_MS

    def _is_late_keyframe(self) -> bool:
        """Return whether the pending long frame is a keyframe that starts a segment only now.

        A frame that is longer than a chunk comes in a later chunk than the audio at its start.
        """
        length = self._audio_end() - self._clock
        is_keyframe = self._video.fields[1:2] == (KEY,)
        return is_keyframe and self._since_keyframe + length >= MIN_SEGMENT_MS

    def _audio_end(self) -> int:
        """Return the end of the complete audio frames on the clock of the chunks."""
        if self._audio_config is None or self._audio.at < 0:
            return self._clock
        return self._audio.at * 1000 // self._audio_config.rate + self._lead

    def _add_audio(self, packet: Packet, time: int) -> None:
        track, sound = self._audio, self._audio_config
        assert sound is not None  # noqa: S101  `_is_decodable` has checked it
        # Milliseconds are too coarse for sound: a frame starts exactly where the last one ended,
        # unless the publisher left a gap or its clock and its samples drift apart.
        at = track.at + sound.frame
        by_clock = time * sound.rate // 1000
        if track.at < 0:
            at = max(by_clock, 0)
        elif abs(by_clock - at) * 1000 > MAX_DRIFT_MS * sound.rate:
            at = max(by_clock, track.at + 1)
        track.complete(at)
        # Audio does not wait for slow video, but up to the last moment: usually video ends a chunk.
        length = at * 1000 // sound.rate + self._lead - self._clock
        if length + self._lag >= self._min_length or track.is_full:
            following = (at + sound.frame) * 1000 // sound.rate + self._lead - self._clock
            if following + self._lag > self._target or track.is_full:
                self._cut_chunk(self._clock + length)
        payload = memoryview(packet.body)[2:]
        track.hold(at, payload, (len(payload),))

    def _flush_all(self) -> None:
        """Complete the last frames with the previous frame length, and deliver all."""
        ends = [0]
        video, audio, sound = self._video, self._audio, self._audio_config
        if video.pending is not None:
            end = video.at + min(video.frame_ticks, MAX_LAST_FRAME_MS)
            video.complete(end)
            ends.append(end)
        if audio.pending is not None and sound is not None:
            end = audio.at + sound.frame
            audio.complete(end)
            ends.append(end * 1000 // sound.rate + self._lead)
        self._cut_chunk(max(ends))

    def _end_audio(self, until: int) -> None:
        """Complete the last frame of audio that has stopped: its end is not the next frame.

        It would come in a chunk, and perhaps in a recording, that begins much later.
        """
        track, sound = self._audio, self._audio_config
        if sound is not None and track.pending and until - self._audio_end() > STOPPED_MS:
            track.complete(track.at + sound.frame)

    def _cut_chunk(self, until: int) -> None:
        """Deliver the complete frames; the next chunk starts at `until`, in milliseconds."""
        self._end_audio(until)
        tracks = [track for track in (self._video, self._audio) if track.entries]
        if not tracks:
            return
        first = [*self._video.payload, self._video.pending][0]
        if self._init is None:
            self._init = make_init_segment(self._video_config, self._audio_config, first)
        init = self._init
        duration = max(until - self._clock, 0)
        self._clock += duration
        # The third field of the first video frame is its flags.
        is_independent = not init.has_video or self._video.entries[2:3] == [KEY]
        self._since_keyframe = duration + (0 if is_independent else self._since_keyframe)
        if self._has_target:
            lag = max(self._lag + duration - self._target, 0)
            self._lag = lag if lag <= MAX_LAG_MS else 0
        self._number += 1
        self._deliver(
            MediaChunk(encode_chunk(self._number, tracks), duration, is_independent, init)
        )
