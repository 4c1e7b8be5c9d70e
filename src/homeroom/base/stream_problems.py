"""Problems of a running stream: their codes on every interface, and the remedy of each."""

from enum import StrEnum
from typing import Final


class StreamProblem(StrEnum):
    """A problem of a running stream, which the media engine has measured."""

    PICTURE_MISSING = "picture_missing"
    """The program announced or sent a picture, and none comes."""
    SOUND_MISSING = "sound_missing"
    """The program announced or sent sound, and none comes."""
    KEYFRAMES_MISSING = "keyframes_missing"
    """There is no IDR picture, which alone lets a player start."""
    KEYFRAMES_TOO_RARE = "keyframes_too_rare"
    """Keyframes are over two seconds apart."""
    HEADERS_MISSING = "headers_missing"
    """The parameters that a decoder needs are missing: SPS and PPS, or those of AAC."""
    FRAMES_DAMAGED = "frames_damaged"
    """Pictures are dropped because their NAL units cannot be read."""
    RECORDING_FAILED = "recording_failed"
    """The recording cannot be written."""


REMEDIES: Final[dict[StreamProblem, str]] = {
    StreamProblem.PICTURE_MISSING: "the program sends no picture: is the camera or the scene off?",
    StreamProblem.SOUND_MISSING: (
        "the program sends no sound: is the microphone muted or unplugged?"
    ),
    StreamProblem.KEYFRAMES_MISSING: (
        "a viewer who joins now may see no picture: turn open GOP and intra refresh off in the "
        "encoder, and set its keyframe interval to 1 or 2 s"
    ),
    StreamProblem.KEYFRAMES_TOO_RARE: "set the encoder's keyframe interval to 1 or 2 s",
    StreamProblem.HEADERS_MISSING: (
        "the program did not send its codec parameters (SPS and PPS, or those of AAC), so the "
        "track is dropped: stop and start the stream in the program"
    ),
    StreamProblem.FRAMES_DAMAGED: (
        "damaged pictures are dropped: restart the encoder, and try another one if it happens again"
    ),
    StreamProblem.RECORDING_FAILED: "the recording has failed: the server's disk may be full",
}
"""What to change, for each problem, as the log and the read-back say it."""


class DropReason(StrEnum):
    """The reason why the media engine drops a frame."""

    NO_HEADER = "no_header"
    """The parameters of its codec have not come."""
    NO_KEYFRAME = "no_keyframe"
    """No keyframe came before it."""
    DAMAGED = "damaged"
    """Its NAL units cannot be read."""
