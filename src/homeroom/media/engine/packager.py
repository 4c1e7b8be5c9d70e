"""Makes fragmented MP4 of packets, for HLS and recordings: never decoded, never changed."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from homeroom.media.engine import boxes, codecs
from homeroom.media.engine.boxes import box, full_box
from homeroom.media.engine.codecs import AudioConfig, VideoConfig
from homeroom.media.engine.packets import SCRIPT, VIDEO, Packet, UnsupportedMediaError

MAX_PART_MS: Final = 210
"""Milliseconds of pictures in a chunk at most: 5 frames at 25 a second, 6 at 30, 12 at 60.

A chunk is longer only where its last frame lasts longer than the one before it.
"""
MAX_AUDIO_MS: Final = 250
"""Milliseconds of sound in a chunk at most: where there are slow pictures, it does not wait."""
UNDECIDED_MS: Final = 400
"""Milliseconds of media after which the tracks there are count as all that will come."""
UNDECIDED_FRAMES: Final = 100
"""Frames after which it is the same, for a clock that stands still."""
MAX_CHUNK_BYTES: Final = 4_000_000
MAX_CHUNK_FRAMES: Final = 1_000
"""Bytes and frames of one track after which a chunk ends, however short."""
MAX_INITS: Final = 500
"""How often one push may begin with other headers; each time makes a recording of its own."""
MAX_DRIFT_MS: Final = 60
"""Milliseconds sound may stray from the publisher's clock before it is put where that says."""
MOVIE_SCALE: Final = 1000
VIDEO_SCALE: Final = 1000
"""Ticks a second of the video track: the publisher's own milliseconds, so nothing is rounded."""
FIRST_GUESS_MS: Final = 40
"""Milliseconds of a frame that nothing came after, where no other says how long one is."""
MAX_FRAME_TICKS: Final = 0xFFFF_FFFF
"""Ticks of one frame."""

VIDEO_TRACK: Final = 1
AUDIO_TRACK: Final = 2
KEY: Final = 0x0200_0000
"""Flags of a frame that depends on no other."""
NOT_KEY: Final = 0x0101_0000
VIDEO_RUN: Final = 0x0100_0F01
"""Version 1 (signed composition offsets); offset, then duration, size, flags, composition."""
AUDIO_RUN: Final = 0x0000_0301
"""Offset, then duration and size."""

_MOOF = struct.Struct(">I4s I4sII")
_TRAF = struct.Struct(">I4s I4sII I4sIQ I4sIIi")
_BASE_IS_MOOF: Final = 0x02_0000
_VERSION_1: Final = 0x0100_0000


@dataclass(frozen=True, slots=True, eq=False)
class InitSegment:
    """What a player reads before the chunks that refer to it."""

    data: bytes
    """The boxes ftyp and moov."""
    codecs: str
    """As RFC 6381 has them: "avc1.64001f,mp4a.40.2"."""
    width: int
    """Pixels; 0 where there is no video, or its header does not say."""
    height: int
    has_video: bool
    sound: bytes = b""
    """The header of the sound, where there is any."""
    has_sets: bool = False
    """Whether its first picture carries parameter sets itself, which some players then need."""

    def can_follow(self, before: "InitSegment") -> bool:
        """Return whether it can go on in the same file: with another picture, no more."""
        return self.has_sets and before.has_sets and self.sound == before.sound


@dataclass(frozen=True, slots=True, eq=False)
class MediaChunk:
    """Some frames of every track."""

    data: bytes
    """The boxes moof and mdat."""
    duration: int
    """Milliseconds; those of all chunks add up to the length of the media. It can be 0, where a
    publisher sends picture and sound far apart."""
    is_independent: bool
    """Whether a player can begin with it: its first picture is a key frame, or there are none."""
    init: InitSegment


class _TrackBuffer:
    """The frames of one track that are not delivered yet; times are in ticks of its own clock."""

    __slots__ = (
        "at",
        "begin",
        "entries",
        "fields",
        "frame_ticks",
        "kind",
        "number",
        "payload",
        "pending",
        "size",
    )

    def __init__(self, number: int, kind: int, usual: int) -> None:
        self.number = number
        self.kind = kind
        """Version and flags of its runs."""
        self.frame_ticks = usual
        """How long the last complete frame was, or a guess."""
        self.at = -1
        """When the held frame begins. How long it is, is not known before the next."""
        self.pending: memoryview | None = None
        self.fields: tuple[int, ...] = ()
        """What stands in the run about the held frame, after its duration."""
        self.begin = 0
        """When the first complete frame begins."""
        self.entries: list[int] = []
        self.payload: list[memoryview] = []
        self.size = 0

    @property
    def is_full(self) -> bool:
        """Tell whether so much is complete that it must be delivered, whatever its times say."""
        return self.size > MAX_CHUNK_BYTES or len(self.payload) >= MAX_CHUNK_FRAMES

    def hold(self, at: int, payload: memoryview, fields: tuple[int, ...]) -> None:
        """Take the next frame, once the one before is complete."""
        self.at = at
        self.pending = payload
        self.fields = fields

    def complete(self, until: int) -> None:
        """Say when the held frame ends."""
        if self.pending is None:
            return
        if not self.payload:
            self.begin = self.at
        self.frame_ticks = until - self.at
        self.entries.append(min(self.frame_ticks, MAX_FRAME_TICKS))
        self.entries += self.fields
        self.payload.append(self.pending)
        self.size += len(self.pending)
        self.pending = None

    def description_size(self) -> int:
        """Return the bytes that describe the complete frames."""
        return _TRAF.size + 4 * len(self.entries)

    def describe(self, offset: int) -> tuple[bytes, bytes]:
        """Return the description of the complete frames, whose payload lies at this offset."""
        size = 4 * len(self.entries)
        head = _TRAF.pack(
            *(_TRAF.size + size, b"traf"),
            *(16, b"tfhd", _BASE_IS_MOOF, self.number),
            *(20, b"tfdt", _VERSION_1, self.begin),
            *(20 + size, b"trun", self.kind, len(self.payload), offset),
        )
        return head, struct.pack(f">{len(self.entries)}I", *self.entries)

    def clear(self) -> None:
        """Forget the complete frames."""
        self.entries = []
        self.payload = []
        self.size = 0


class Packager:
    """Gathers packets of one push and delivers chunks; times begin at 0 with the push."""

    def __init__(self, deliver: Callable[[MediaChunk], None]) -> None:
        self._deliver = deliver
        self._hints: dict[int, bool | None] = {AUDIO_TRACK: None, VIDEO_TRACK: None}
        self._video_config: VideoConfig | None = None
        self._audio_config: AudioConfig | None = None
        self._video = _TrackBuffer(VIDEO_TRACK, VIDEO_RUN, FIRST_GUESS_MS)
        self._audio = _TrackBuffer(AUDIO_TRACK, AUDIO_RUN, 0)
        self._has_keyframe = False
        """Whether there was a key frame; what comes before it shows nothing."""
        self._undecided: list[tuple[Packet, int]] | None = []
        """Frames that wait until it is known which tracks there are."""
        self._init: InitSegment | None = None
        self._inits = 0
        self._clock = -1
        """Milliseconds at which the next chunk begins; negative before the first frame."""
        self._number = 0

    def hint(self, audio: bool, video: bool) -> None:  # noqa: FBT001  a fact, not a mode
        """Say which tracks the publisher's metadata promises."""
        self._hints = {AUDIO_TRACK: audio, VIDEO_TRACK: video}

    def add(self, packet: Packet, time: int) -> None:
        """Take a header or a frame; `time` is milliseconds since the push began.

        Raises `Unsupported` for a header that cannot be read.
        """
        if packet.kind == SCRIPT:
            return
        if packet.is_header:
            self._add_header(packet)
        elif self._is_decodable(packet):
            if self._undecided is None:
                self._add_frame(packet, time)
            else:
                self._hold_undecided(packet, time, self._undecided)

    def end(self) -> None:
        """Deliver what is held back, the last frame included."""
        if self._undecided:
            self._release_undecided()
        self._flush_all()

    def _add_header(self, packet: Packet) -> None:
        """Take a header; another than before begins with a new `Init`."""
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
            self._audio = _TrackBuffer(AUDIO_TRACK, AUDIO_RUN, sound.frame)

    def _change_tracks(self, is_change: bool) -> None:  # noqa: FBT001  a fact, not a mode
        """Deliver all that belongs to the tracks as they were."""
        self._inits += 1
        if self._inits > MAX_INITS:
            raise UnsupportedMediaError("the headers of picture and sound change all the time")
        if is_change and self._undecided:
            self._release_undecided()
        if self._undecided is None:
            self._flush_all()
        self._init = None

    def _is_decodable(self, packet: Packet) -> bool:
        """Return whether a frame can be decoded: nothing can before the header and a key frame."""
        if packet.kind != VIDEO:
            return self._audio_config is not None
        if packet.is_keyframe and self._video_config is not None:
            self._has_keyframe = True
        return self._has_keyframe

    def _hold_undecided(
        self, packet: Packet, time: int, undecided: list[tuple[Packet, int]]
    ) -> None:
        """Keep a frame until it is known which tracks there are."""
        undecided.append((packet, time))
        tracks = {VIDEO_TRACK: self._video_config, AUDIO_TRACK: self._audio_config}
        if (
            all(track or self._hints[number] is False for number, track in tracks.items())
            or time - undecided[0][1] >= UNDECIDED_MS
            or len(undecided) >= UNDECIDED_FRAMES
            or sum(len(waiting.body) for waiting, _ in undecided) > MAX_CHUNK_BYTES
        ):
            self._release_undecided()

    def _release_undecided(self) -> None:
        waiting, self._undecided = self._undecided or [], None
        for packet, time in waiting:
            self._add_frame(packet, time)

    def _add_frame(self, packet: Packet, time: int) -> None:
        if self._clock < 0:
            self._clock = max(time, 0)
        if packet.kind == VIDEO:
            self._add_video(packet, time)
        else:
            self._add_audio(packet, time)

    def _add_video(self, packet: Packet, time: int) -> None:
        track, body = self._video, packet.body
        # Players want decoding times that grow; the composition offset keeps the picture in place.
        at = max(time, track.at + 1)
        track.complete(at)
        if track.entries and (
            packet.is_keyframe
            or at + track.frame_ticks - self._clock > MAX_PART_MS
            or track.is_full
        ):
            self._cut_chunk(at)
        composition = (body[2] << 16 | body[3] << 8 | body[4]) - ((body[2] & 0x80) << 17)
        composition += time - at
        payload = memoryview(body)[5:]
        flags = KEY if packet.is_keyframe else NOT_KEY
        track.hold(at, payload, (len(payload), flags, composition & 0xFFFF_FFFF))

    def _add_audio(self, packet: Packet, time: int) -> None:
        track, sound = self._audio, self._audio_config
        assert sound is not None  # noqa: S101  `_take` asked
        # Milliseconds are too coarse for sound: a frame begins exactly where the last one ended,
        # unless the publisher left something out or its clock and its samples part ways.
        at = track.at + sound.frame
        by_clock = time * sound.rate // 1000
        if track.at < 0:
            at = max(by_clock, 0)
        elif abs(by_clock - at) * 1000 > MAX_DRIFT_MS * sound.rate:
            at = max(by_clock, track.at + 1)
        track.complete(at)
        if track.entries and (
            (at - track.begin + sound.frame) * 1000 > MAX_AUDIO_MS * sound.rate or track.is_full
        ):
            self._cut_chunk(at * 1000 // sound.rate)
        payload = memoryview(packet.body)[2:]
        track.hold(at, payload, (len(payload),))

    def _flush_all(self) -> None:
        """Complete the last frames, as long as the ones before them, and deliver all."""
        ends = [0]
        video, audio, sound = self._video, self._audio, self._audio_config
        if video.pending is not None:
            end = video.at + min(video.frame_ticks, MAX_PART_MS)
            video.complete(end)
            ends.append(end)
        if audio.pending is not None and sound is not None:
            end = audio.at + sound.frame
            audio.complete(end)
            ends.append(end * 1000 // sound.rate)
        self._cut_chunk(max(ends))

    def _cut_chunk(self, until: int) -> None:
        """Deliver the frames that are complete; the next chunk begins at `until`, in ms."""
        tracks = [track for track in (self._video, self._audio) if track.entries]
        if not tracks:
            return
        first = [*self._video.payload, self._video.pending][0]
        init = self._init = self._init or _make_init(self._video_config, self._audio_config, first)
        duration = max(until - self._clock, 0)
        self._clock += duration
        # The third number about the first picture is its flags.
        is_independent = not init.has_video or self._video.entries[2:3] == [KEY]
        self._number += 1
        self._deliver(
            MediaChunk(_encode_chunk(self._number, tracks), duration, is_independent, init)
        )


def _encode_chunk(number: int, tracks: list[_TrackBuffer]) -> bytes:
    """Return moof and mdat of the complete frames of these tracks, which forget them."""
    size = _MOOF.size + sum(track.description_size() for track in tracks)
    offset = size + boxes.HEAD.size
    parts: list[bytes | memoryview] = [_MOOF.pack(size, b"moof", 16, b"mfhd", 0, number)]
    for track in tracks:
        parts += track.describe(offset)
        offset += track.size
    parts.append(boxes.HEAD.pack(offset - size, b"mdat"))
    for track in tracks:
        parts += track.payload
        track.clear()
    return b"".join(parts)


def _make_init(
    picture: VideoConfig | None, sound: AudioConfig | None, first: memoryview | None
) -> InitSegment:
    """Describe the tracks, and whether the first picture of them does so too."""
    tracks, extends, names = [], [], []
    if picture is not None:
        shape = (picture.width, picture.height)
        media = (full_box(b"vmhd", 0, 1, bytes(8)), picture.sample_entry())
        tracks.append(_trak(VIDEO_TRACK, VIDEO_SCALE, b"vide", media, shape))
        extends.append(_trex(VIDEO_TRACK, NOT_KEY))
        names.append(picture.codec)
    if sound is not None:
        media = (full_box(b"smhd", 0, 0, bytes(4)), sound.sample_entry())
        tracks.append(_trak(AUDIO_TRACK, sound.rate, b"soun", media, (0, 0)))
        extends.append(_trex(AUDIO_TRACK, KEY))
        names.append(sound.codec)
    movie = boxes.mvhd(MOVIE_SCALE, 0, AUDIO_TRACK + 1)
    data = box(b"ftyp", b"iso5", struct.pack(">I", 512), b"iso5iso6mp41")
    data += box(b"moov", movie, *tracks, box(b"mvex", *extends))
    width, height = (picture.width, picture.height) if picture else (0, 0)
    config = b"" if sound is None else sound.config
    has_sets = picture is not None and first is not None and picture.has_parameter_sets(first)
    return InitSegment(data, ",".join(names), width, height, picture is not None, config, has_sets)


def _trex(number: int, flags: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">5I", number, 1, 0, 0, flags))


def _trak(
    number: int, scale: int, kind: bytes, media: tuple[bytes, bytes], shape: tuple[int, int]
) -> bytes:
    """Return the description of a track without frames; media is its header and sample entry."""
    header, entry = media
    loudness = 0x100 if kind == b"soun" else 0
    rest = struct.pack(">12xHxx", loudness) + boxes.MATRIX
    rest += struct.pack(">II", shape[0] << 16, shape[1] << 16)
    here = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    no_frames = struct.pack(">I", 0)
    table = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, no_frames),
        full_box(b"stsc", 0, 0, no_frames),
        full_box(b"stsz", 0, 0, no_frames, no_frames),
        full_box(b"stco", 0, 0, no_frames),
    )
    handler = full_box(b"hdlr", 0, 0, struct.pack(">4x4s12xx", kind))
    inner = box(b"mdia", boxes.mdhd(scale, 0), handler, box(b"minf", header, here, table))
    return box(b"trak", boxes.tkhd(number, 0, rest), inner)
