"""Parses the messages of a publish session into packets."""

from typing import Final

from homeroom.media.engine.enhanced import (
    AUDIO_FORM,
    CLASSIC_TRACK,
    COMMAND_FRAME,
    VIDEO_FORM,
    TrackSelector,
    refuse_audio,
    refuse_video,
)
from homeroom.media.engine.packets import (
    AAC,
    AUDIO,
    AVC,
    FRAME,
    KEYFRAME,
    MAX_COMPOSITION_MS,
    SEQUENCE_HEADER,
    VIDEO,
    Packet,
    composition,
    set_composition,
)

EXTENDED: Final = 0x80
"""Bit in the first byte of video: an extended header (enhanced RTMP)."""
EXTENDED_AUDIO: Final = 9
"""Codec number of audio with an extended header."""
AUDIO_CODECS: Final = {
    0: "PCM",
    1: "ADPCM",
    2: "MP3",
    3: "PCM",
    4: "Nellymoser",
    5: "Nellymoser",
    6: "Nellymoser",
    7: "G.711",
    8: "G.711",
    11: "Speex",
    13: "Opus",
    14: "MP3",
}
VIDEO_CODECS: Final = {
    2: "H.263",
    3: "Screen Video",
    4: "VP6",
    5: "VP6",
    6: "Screen Video",
    12: "HEVC (H.265)",
    13: "AV1",
}


class PacketParser:
    """Parses the audio and video messages of one publish session; takes the first track of each."""

    def __init__(self) -> None:
        self._audio = TrackSelector(AUDIO_FORM)
        self._video = TrackSelector(VIDEO_FORM)

    def parse(self, kind: int, time: int, body: bytes) -> Packet | None:
        """Return a message as a packet, or None if it has no frame or header of the first track.

        Raises `UnsupportedMediaError`.
        """
        if not body:
            return None
        if kind == AUDIO:
            return self._parse_audio(time, body)
        if kind == VIDEO:
            return self._parse_video(time, body)
        return Packet(kind, time, body)

    def _parse_audio(self, time: int, body: bytes) -> Packet | None:
        codec = body[0] >> 4
        track = CLASSIC_TRACK
        if codec == EXTENDED_AUDIO:
            classic = self._audio.normalize(body)
            if classic is None:
                return None
            body, track = classic, self._audio.track
        elif codec != AAC:
            raise refuse_audio(AUDIO_CODECS.get(codec, f"codec {codec}"))
        if len(body) <= 2 or body[1] > FRAME:  # noqa: PLR2004  codec byte and packet type, no payload
            return None
        is_header = body[1] == SEQUENCE_HEADER
        if self._audio.track != track and not self._audio.select(track, is_header=is_header):
            return None
        return Packet(AUDIO, time, body, is_header=is_header)

    def _parse_video(self, time: int, body: bytes) -> Packet | None:
        first, track = body[0], CLASSIC_TRACK
        if first & EXTENDED:
            classic = self._video.normalize(body)
            if classic is None:
                return None
            body, track = classic, self._video.track
            first = body[0]
        elif first & 0x0F != AVC:
            codec = first & 0x0F
            raise refuse_video(VIDEO_CODECS.get(codec, f"codec {codec}"))
        # Another packet type is an end of sequence without data; ffmpeg sends one at the end.
        if len(body) <= 5 or body[1] > FRAME or first >> 4 == COMMAND_FRAME:  # noqa: PLR2004  codec, type and composition time
            return None
        is_header = body[1] == SEQUENCE_HEADER
        if self._video.track != track and not self._video.select(track, is_header=is_header):
            return None
        if not is_header and abs(composition(body)) > MAX_COMPOSITION_MS:
            body = set_composition(body, 0)
        return Packet(VIDEO, time, body, is_header, not is_header and first >> 4 == KEYFRAME)
