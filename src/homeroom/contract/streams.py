"""Read-back of a class's streams: where they are pushed and pulled, and how they are doing."""

from typing import Annotated

from msgspec import Meta

from homeroom.base.stream_problems import DropReason, StreamProblem
from homeroom.contract.results import LiveInfo
from homeroom.contract.rows import IdNumber, ReadBackRow, Timestamp, describe_choice

KeyFrames = Annotated[
    int | None,
    Meta(description="Milliseconds between the last two key frames; over 2000 delays HLS."),
]
Viewers = Annotated[dict[str, int], Meta(description="How many watch, by protocol.")]
Recording = Annotated[
    str | None,
    Meta(
        description="on, off, partial, or failed; partial: a part of the stream is dropped, and "
        "recordingError or droppedFrames says why; null: the media engine does not report it."
    ),
]
NOT_OURS = "null: an external media engine does not measure it"
NO_STREAM = "the class is not recorded or was deleted, or `media` is none"


class StreamProblemRow(ReadBackRow, frozen=True, kw_only=True):
    """A problem of a push at this moment."""

    code: Annotated[str, describe_choice("The kind of the problem.", *StreamProblem)]
    remedy: Annotated[str, Meta(description="What to change, in English.")]


class PushRow(ReadBackRow, frozen=True, kw_only=True):
    """A push that runs."""

    kind: Annotated[
        str, describe_choice("What it shows: the class, or its scene.", "class", "scene")
    ]
    started_at: Timestamp
    ip: Annotated[str, Meta(description="From where it is pushed.")]
    key_frame_ms: KeyFrames
    longest_key_frame_ms: Annotated[
        int | None,
        Meta(description=f"The longest such time of this push; {NOT_OURS}, or it has no second."),
    ]
    video_kbps: Annotated[
        int | None,
        Meta(description=f"Kilobits per second in the last two; {NOT_OURS}, or no picture comes."),
    ]
    audio_kbps: Annotated[
        int | None,
        Meta(description=f"Kilobits per second in the last two; {NOT_OURS}, or no sound comes."),
    ]
    frame_rate: Annotated[
        float | None,
        Meta(description=f"Pictures per second in the last two; {NOT_OURS}, or no picture comes."),
    ]
    dropped_frames: Annotated[
        dict[str, int] | None,
        Meta(
            description=f"How many frames were dropped, by reason: {', '.join(DropReason)}; "
            f"{NOT_OURS}."
        ),
    ]
    problems: Annotated[
        list[StreamProblemRow] | None, Meta(description=f"What is wrong now; {NOT_OURS}.")
    ]
    viewers: Viewers
    recording: Recording
    recording_error: Annotated[str | None, Meta(description="Why the recording failed.")]


class StreamRow(ReadBackRow, frozen=True, kw_only=True):
    """The streams of a class."""

    class_id: IdNumber
    push_url: Annotated[str | None, Meta(description=f"null: {NO_STREAM}.")]
    teach_url: Annotated[
        str, Meta(description="The page of its teacher, who can go live there; a secret.")
    ]
    scene_push_url: Annotated[str | None, Meta(description="null: as above, or there is no scene.")]
    opens_at: Annotated[Timestamp, Meta(description="It is pushed and pulled from here on.")]
    closes_at: Annotated[Timestamp, Meta(description="It is pushed and pulled until then.")]
    pull: Annotated[
        LiveInfo | None,
        Meta(description=f"null: {NO_STREAM}, or it was never recorded and live at once."),
    ]
    scene_pull: LiveInfo | None
    pushes: Annotated[list[PushRow], Meta(description="Those that run.")]
    last_problem: Annotated[
        str | None,
        Meta(description="What last went wrong with a recording, in the last 20 pushes."),
    ]
