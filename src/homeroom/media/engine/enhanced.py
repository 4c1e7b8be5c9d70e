"""Enhanced RTMP: messages with a FourCC, and messages of several tracks.

Everything after this module sees classic bodies of H.264 and AAC only.
"""

from collections.abc import Callable
from typing import Final

from homeroom.base.values import Value
from homeroom.media.engine.packets import AAC, AVC, FRAME, SEQUENCE_HEADER, UnsupportedMediaError

SEQUENCE_START: Final = 0
CODED_FRAMES: Final = 1
CODED_FRAMES_X: Final = 3
"""Video without a composition time."""
MODIFIER: Final = 7
"""Packet type of a modifier (ModEx): it is skipped, and the real packet type follows."""
MAX_MODIFIERS: Final = 8
"""Maximum modifiers of a message; the specification has one."""
COMMAND_FRAME: Final = 5
"""Frame type of a video command, which has no payload."""
ONE_TRACK, MANY_TRACKS, MANY_CODECS = range(3)
NOT_MULTITRACK: Final = -1
MAX_TRACKS: Final = 256
"""Maximum tracks of a message: a track id has eight bits."""

NO_TRACK: Final = 256
"""More than every track id: nothing was taken yet."""
CLASSIC_TRACK: Final = -1
"""Stands for packets without a track id; they are the first track."""
DEFAULT_TRACK: Final = 0
"""Id of the track with the highest priority."""

VIDEO_NAMES: Final = {
    b"avc1": "H.264",
    b"hvc1": "HEVC",
    b"hev1": "HEVC",
    b"vvc1": "VVC",
    b"av01": "AV1",
    b"vp08": "VP8",
    b"vp09": "VP9",
}
AUDIO_NAMES: Final = {
    b"mp4a": "AAC",
    b"Opus": "Opus",
    b"ac-3": "AC-3",
    b"ec-3": "E-AC-3",
    b"fLaC": "FLAC",
    b".mp3": "MP3",
}


class MessageForm(Value, frozen=True):
    """Differences between video and audio messages."""

    fourcc: bytes
    """The codec that is taken."""
    multitrack: int
    """Packet type that starts a message of several tracks."""
    frames: frozenset[int]
    """Packet types with a frame."""
    refuse: Callable[[bytes], UnsupportedMediaError]
    write: Callable[[int, int, bytes], bytes]
    """Returns the classic body, from the first byte, the packet type and the payload."""


class TrackSelector:
    """Takes the first track of one kind, and turns its packets into classic ones.

    The first track is the one with the lowest id among those whose headers come before any frame.
    Packets without a track id come before all others.
    """

    def __init__(self, form: MessageForm) -> None:
        self._form = form
        self._has_frame = False
        self.track = NO_TRACK
        """The track that is taken."""

    def select(self, track: int, *, is_header: bool) -> bool:
        """Return whether a packet of a track is taken; its codec must be one that is taken."""
        if self._is_candidate(track, is_header=is_header):
            self.track = track
        if track != self.track:
            return False
        self._has_frame |= not is_header
        return True

    def normalize(self, body: bytes) -> bytes | None:
        """Return the packet of the first track in an extended message, as a classic body.

        None without one: another track, a packet type without a frame, an unknown one, or a
        message that is cut short. Raises `UnsupportedMediaError` for another codec.
        """
        try:
            return self._normalize(body)
        except IndexError:
            return None

    def _normalize(self, body: bytes) -> bytes | None:
        if body[0] >> 4 & 7 == COMMAND_FRAME:
            return None
        kind, at = body[0] & 0x0F, 1
        for _ in range(MAX_MODIFIERS):
            if kind != MODIFIER:
                break
            size, at = body[at] + 1, at + 1
            if size == 256:  # noqa: PLR2004  then the size has two bytes of its own
                size, at = int.from_bytes(body[at : at + 2]) + 1, at + 2
            at += size
            kind, at = body[at] & 0x0F, at + 1
        mode = NOT_MULTITRACK
        if kind == self._form.multitrack:
            mode, kind, at = body[at] >> 4, body[at] & 0x0F, at + 1
        is_header = kind == SEQUENCE_START
        if not is_header and kind not in self._form.frames:
            return None
        for track, fourcc, begin, end in sorted(_read_tracks(body, at, mode)):
            if self._accept(track, fourcc, is_header=is_header):
                return self._form.write(body[0], kind, body[begin:end])
        return None

    def _accept(self, track: int, fourcc: bytes, *, is_header: bool) -> bool:
        """Return whether a packet is taken; raises `UnsupportedMediaError` for another codec."""
        is_candidate = self._is_candidate(track, is_header=is_header)
        if len(fourcc) < 4 or (track != self.track and not is_candidate):  # noqa: PLR2004  a FourCC
            return False
        if fourcc != self._form.fourcc:
            if is_header and track > DEFAULT_TRACK and track != self.track:
                # The headers of all tracks come before their frames: a better track may follow.
                return False
            raise self._form.refuse(fourcc)
        return self.select(track, is_header=is_header)

    def _is_candidate(self, track: int, *, is_header: bool) -> bool:
        if self.track == NO_TRACK:
            return True
        return is_header and not self._has_frame and track < self.track


def _read_tracks(body: bytes, at: int, mode: int) -> list[tuple[int, bytes, int, int]]:
    """Return id, FourCC, begin and end of each track; raises `IndexError` where one is cut short.

    Only tracks that are complete are returned.
    """
    fourcc, after = body[at : at + 4], at + 4
    if mode == NOT_MULTITRACK:
        return [(CLASSIC_TRACK, fourcc, after, len(body))]
    if mode == ONE_TRACK:
        return [(body[after], fourcc, after + 1, len(body))]
    tracks: list[tuple[int, bytes, int, int]] = []
    if mode > MANY_CODECS:
        return tracks
    at = after if mode == MANY_TRACKS else at
    while at < len(body) and len(tracks) < MAX_TRACKS:
        if mode == MANY_CODECS:
            fourcc, at = body[at : at + 4], at + 4
        begin = at + 4
        end = begin + int.from_bytes(body[at + 1 : begin])
        if end > len(body):
            break
        tracks.append((body[at], fourcc, begin, end))
        at = end
    return tracks


def refuse_video(name: str) -> UnsupportedMediaError:
    """Return the refusal of a picture, with what to change."""
    return UnsupportedMediaError(
        f"the picture is {name}; only H.264 is taken: set the video encoder to H.264"
    )


def refuse_audio(name: str) -> UnsupportedMediaError:
    """Return the refusal of sound, with what to change."""
    return UnsupportedMediaError(
        f"the sound is {name}; only AAC is taken: set the audio encoder to AAC"
    )


def _name_codec(names: dict[bytes, str], fourcc: bytes) -> str:
    text = fourcc.decode("ascii", "replace")
    code = "".join(letter if letter.isalnum() or letter in ".-" else "?" for letter in text)
    return f"{names.get(fourcc, 'a codec that is not known here')} ({code})"


def _write_video(first: int, kind: int, payload: bytes) -> bytes:
    head = (first & 0x70) | AVC
    if kind == CODED_FRAMES:
        return bytes((head, FRAME)) + payload
    kind = SEQUENCE_HEADER if kind == SEQUENCE_START else FRAME
    return bytes((head, kind, 0, 0, 0)) + payload


def _write_audio(_first: int, kind: int, payload: bytes) -> bytes:
    # Rate, size and channels are always these for AAC: its own header has the real ones.
    kind = SEQUENCE_HEADER if kind == SEQUENCE_START else FRAME
    return bytes((AAC << 4 | 0x0F, kind)) + payload


VIDEO_FORM: Final = MessageForm(
    fourcc=b"avc1",
    multitrack=6,
    frames=frozenset((CODED_FRAMES, CODED_FRAMES_X)),
    refuse=lambda fourcc: refuse_video(_name_codec(VIDEO_NAMES, fourcc)),
    write=_write_video,
)
AUDIO_FORM: Final = MessageForm(
    fourcc=b"mp4a",
    multitrack=5,
    frames=frozenset((CODED_FRAMES,)),
    refuse=lambda fourcc: refuse_audio(_name_codec(AUDIO_NAMES, fourcc)),
    write=_write_audio,
)
