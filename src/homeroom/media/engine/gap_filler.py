"""Fills the place of a missing track for viewers: players hold one track up for the other.

Silence takes the place of the sound, the last keyframe that of the picture. Only viewers get
fillers; recordings have the published frames and nothing else.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from homeroom.media.engine.codecs import AudioConfig, parse_audio_config
from homeroom.media.engine.fanout import GopCache
from homeroom.media.engine.packets import AUDIO, FRAME, VIDEO, Packet, set_composition
from homeroom.media.engine.silence import encode_silence

MISSING_MS: Final = 1_000
"""A track is missing if the other one has advanced by this much without a frame of it."""
SECOND_PICTURE_MS: Final = 2_500
"""The same for the second picture of a stream, whose frame rate is not known yet."""
SLOW_PICTURES: Final = 2.5
"""Pictures at a low frame rate are missing after this many times their usual distance."""
MAX_PACE_MS: Final = 5_000
"""Maximum distance of two frames that belongs to a frame rate, and not to a gap."""
MAX_COUNTED_MS: Final = 500
"""Maximum step that counts as progress: after a pause of both tracks neither is missing."""
MAX_FILL_MS: Final = 60_000
"""Maximum time that is filled at once."""
MIN_PICTURE_MS: Final = 200
MAX_PICTURE_MS: Final = 1_000
"""Limits of the distance between two pictures that fill a gap."""
FILL_BYTES_PER_MS: Final = 300
"""Bit rate of repeated keyframes, about that of a usual stream."""
MAX_REPLAY_BYTES: Final = 1_000_000
"""Maximum size of a GOP that viewers get once more after a gap."""


class _Track(ABC):
    """A track of the publisher as viewers get it; times are those of the viewers, in ms."""

    def __init__(self) -> None:
        self.header: Packet | None = None
        self.time: int | None = None
        """Time of the latest published frame."""
        self.behind = 0
        """Progress of the other track since then."""
        self.lead = 0
        """How far its frames are ahead of the other track's, in the order of arrival."""
        self.is_filling = False
        """Whether viewers get fillers, or have not left them yet."""
        self.is_out_of_sync = False
        """Whether viewers cannot decode the published frames: they have decoded others since."""
        self._pace = 0.0
        """Usual distance of two frames; 0 before the second one."""
        self._end = 0.0
        """Time of the next filler."""

    @property
    def limit(self) -> float:
        """Return the progress of the other track after which this one is missing."""
        return MISSING_MS

    def advance(self, time: int, other: "_Track") -> int:
        """Set the time of a published frame; returns the progress that counts."""
        step = 0 if self.time is None else time - self.time
        counted = step
        if not 0 <= step <= MAX_COUNTED_MS:
            counted = min(max(step, 0), max(MAX_COUNTED_MS, round(self._pace)))
        if 0 < step <= MAX_PACE_MS:
            self._pace += (step - self._pace) / 8 if self._pace else step
        self.time = time
        self.behind = 0
        if other.time is not None and other.behind <= MISSING_MS:
            self.lead = time - other.time
        return counted

    @abstractmethod
    def add_header(self, header: Packet) -> Sequence[Packet]:
        """Set the header; returns the packets for viewers."""

    @abstractmethod
    def fill(self, now: int) -> Sequence[Packet]:
        """Return fillers up to the present, which is the time of the other track."""

    @abstractmethod
    def resume(self, packet: Packet) -> Sequence[Packet]:
        """Return the packets for viewers for a published frame after fillers."""


class _Sound(_Track):
    """The sound, and silence in its place."""

    _frame_ms = 0.0
    _silence: bytes | None = None
    """Body of a silent packet; None if the codec has no simple one."""

    def add_header(self, header: Packet) -> Sequence[Packet]:
        """Set the header; returns the packets for viewers."""
        self.header = header
        if self.is_filling:
            self._set_silence(parse_audio_config(header.body[2:]), header)
        return (header,)

    def fill(self, now: int) -> Sequence[Packet]:
        """Return silence up to the present, which is the time of the picture."""
        if not self.is_filling and self.header is not None:
            self.is_filling = True
            self._set_silence(parse_audio_config(self.header.body[2:]), self.header)
            self._end = now - self.behind if self.time is None else self.time + self._frame_ms
        # A frame less: sound that is back has its place.
        return self._fill(now + self.lead - self._frame_ms)

    def resume(self, packet: Packet) -> Sequence[Packet]:
        """Return the packets for viewers for a published frame after silence."""
        if packet.time < self._end - self._frame_ms / 2:
            return ()  # viewers have silence there
        self.is_filling = False
        return (*self._fill(packet.time - self._frame_ms / 2), packet)

    def _fill(self, until: float) -> list[Packet]:
        self._end = max(self._end, until - MAX_FILL_MS)
        packets: list[Packet] = []
        while self._silence is not None and self._end < until:
            packets.append(Packet(AUDIO, round(self._end), self._silence))
            self._end += self._frame_ms
        return packets

    def _set_silence(self, config: AudioConfig, header: Packet) -> None:
        self._frame_ms = 1000 * config.frame / config.rate
        silence = encode_silence(config)
        self._silence = None if silence is None else header.body[:1] + bytes((FRAME,)) + silence


class _Picture(_Track):
    """The picture, and its last keyframe in its place."""

    def __init__(self, cache: GopCache) -> None:
        super().__init__()
        self._cache = cache
        self._key: Packet | None = None
        """Last keyframe."""
        self._gop: list[Packet] = []
        """Published pictures from the last keyframe to the gap; empty if they are too many."""
        self._latest = 0
        """Time of the latest picture that viewers have."""
        self._new_header: Packet | None = None
        """Header that viewers get with the next keyframe."""

    @property
    def limit(self) -> float:
        """Return the progress of the sound after which the picture is missing."""
        if self._key is not None and not self._pace:
            return SECOND_PICTURE_MS
        return max(MISSING_MS, SLOW_PICTURES * self._pace)

    def add_header(self, header: Packet) -> Sequence[Packet]:
        """Set the header; returns the packets for viewers."""
        if self.is_out_of_sync:
            # It belongs to the next keyframe, and not to the one that fills the gap.
            if self.header is None or self._key is None or header.body != self.header.body:
                self._new_header = header
            return ()
        self.header = header
        return (header,)

    def set_keyframe(self, packet: Packet) -> None:
        """Set the picture that fills the next gap."""
        self._key = packet

    def fill(self, now: int) -> Sequence[Packet]:
        """Return a picture if one is due at the present, which is the time of the sound."""
        until = now + self.lead
        if not self.is_out_of_sync:
            self._begin(until)
        key = self._key
        if key is None or until < self._end:
            return ()
        # One is enough for any time: it stands until the next.
        interval = min(max(MIN_PICTURE_MS, len(key.body) // FILL_BYTES_PER_MS), MAX_PICTURE_MS)
        self._latest, self._end = until, until + interval
        return (Packet(VIDEO, until, key.body, is_keyframe=True),)

    def resume(self, packet: Packet) -> Sequence[Packet]:
        """Return the packets for viewers for a published picture after others."""
        packets: list[Packet] = []
        if self.is_out_of_sync:
            if packet.is_keyframe:
                packets = self._announce(packet.time)
            elif self._gop and self._new_header is None:
                packets = self._replay(packet.time)
            else:
                return ()
            self.is_out_of_sync, self._gop = False, []
        if packet.time > self._latest:
            self.is_filling = False
        else:
            packet.time = self._latest + 1
        self._latest = packet.time
        return (*packets, packet)

    def _begin(self, until: int) -> None:
        self.is_filling = self.is_out_of_sync = True
        self._latest = max(self._latest, self.time or 0)
        self._end = max(until, self._latest + 1)
        pictures = [packet for packet in self._cache.gop if packet.kind == VIDEO]
        is_small = sum(len(packet.body) for packet in pictures) <= MAX_REPLAY_BYTES
        self._gop = pictures if is_small else []
        if self._key is None:
            # There was no picture yet: viewers start with the sound alone.
            self._cache.withdraw(VIDEO)
            self._new_header = self.header

    def _announce(self, time: int) -> list[Packet]:
        """Return the header of a keyframe, if viewers do not have it."""
        header, self._new_header = self._new_header, None
        if header is None:
            return []
        self.header = header
        header.time = time
        return [header]

    def _replay(self, time: int) -> list[Packet]:
        """Return the pictures before the gap once more, in as many milliseconds.

        After them a decoder can go on with the published pictures, which may have no keyframe for
        a long time.
        """
        first = max(self._latest + 1, time - len(self._gop))
        packets = [
            Packet(VIDEO, at, set_composition(picture.body, 0), is_keyframe=picture.is_keyframe)
            for at, picture in enumerate(self._gop, first)
        ]
        self._latest = packets[-1].time
        return packets


class GapFiller:
    """Adds fillers for viewers to the packets of one publish session."""

    def __init__(self, cache: GopCache) -> None:
        """Set the cache of the viewers; it has no picture while viewers are not promised one."""
        self.missing: set[int] = set()
        """AUDIO or VIDEO: an announced track that does not come while the other one does."""
        self._sound = _Sound()
        self._picture = _Picture(cache)

    def add(self, packet: Packet) -> Sequence[Packet]:
        """Return the packets for viewers of a header or a frame; usually it is just this one."""
        track: _Track = self._picture
        other: _Track = self._sound
        if packet.kind == AUDIO:
            track, other = other, track
        if packet.is_header:
            return track.add_header(packet)
        progress = track.advance(packet.time, other)
        packets: Sequence[Packet] = (packet,)
        if track.is_filling:
            self.missing.discard(packet.kind)
            packets = track.resume(packet)
        if packet.is_keyframe:
            self._picture.set_keyframe(packet)
        if other.header is not None:
            other.behind += progress
            if other.behind > MISSING_MS and other.behind > other.limit:
                self.missing.add(AUDIO + VIDEO - packet.kind)
                packets = (*other.fill(packet.time), *packets)
            elif other.is_out_of_sync:
                packets = (*other.fill(packet.time), *packets)
        return packets
