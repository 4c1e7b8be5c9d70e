"""Streams of a class: names, signatures of addresses, and the rules of push and pull."""

from collections.abc import Mapping
from enum import StrEnum

from homeroom.base.clock import Moment
from homeroom.base.errors import HomeroomError
from homeroom.base.keys import hmac_hex, secrets_equal
from homeroom.base.stream_problems import DropReason, StreamProblem
from homeroom.base.text import strip_pasted
from homeroom.base.values import Value
from homeroom.domain.extensions import MAX_EXTENSION_SECONDS
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import OperatorError
from homeroom.domain.stream_signatures import StreamSignature, compute_signature, sign_stream

APP = "live"
"""The application in every address, as RTMP calls the first part of a path."""
PAGE_MARK = "via=page"
"""In the query of a push address: the teacher's page pushes, and not an encoder."""
_SCENE = "-scene"


class StreamKind(StrEnum):
    """The kind of a stream; a class that records its scene has both."""

    CLASS = "class"
    """The classroom."""
    SCENE = "scene"
    """The camera of the teacher."""


def stream_name(key: str, kind: StreamKind) -> str:
    """Return the name of a stream: the key of its class, with an ending for the scene."""
    return f"{key}{_SCENE}" if kind is StreamKind.SCENE else key


def parse_stream_name(name: str) -> tuple[str, StreamKind]:
    """Return the key of the class and the kind of a stream from the stream's name.

    An engine may pass on the name as somebody pasted it: with blanks and slashes around it.
    """
    name = clean_address_part(name)
    key = name.removesuffix(_SCENE)
    return key, StreamKind.CLASS if key == name else StreamKind.SCENE


def clean_address_part(text: str) -> str:
    """Return the name of an application or a stream without blanks and slashes around it."""
    return "/".join(part for part in map(strip_pasted, text.split("/")) if part)


# --- permissions ---------------------------------------------------------------------------------


class PublishTarget(Value, frozen=True):
    """A class with the facts that decide whether its streams may be published."""

    lesson: Lesson
    key_generation: int
    """Number of renewals of its push key."""
    teacher_is_cancelled: bool
    school_is_suspended: bool

    def derive_push_key(self, key: str) -> str:
        """Return the key of the push addresses; it changes with the teacher and the generation."""
        return hmac_hex(key, f"{self.lesson.id}:{self.lesson.teacher}:{self.key_generation}")


def has_stream(lesson: Lesson, kind: StreamKind) -> bool:
    """Tell whether a class has a stream of this kind, at any time."""
    recording = lesson.recording
    is_enabled = recording.scene if kind is StreamKind.SCENE else True
    return lesson.deleted_at is None and recording.record and is_enabled


def sign_push(target: PublishTarget, kind: StreamKind, push_key: str) -> StreamSignature:
    """Sign the push address of a stream; it expires when the class closes."""
    lesson = target.lesson
    return sign_stream(
        stream_name(lesson.key, kind), lesson.lifecycle.closes_at, target.derive_push_key(push_key)
    )


def get_pull_signature(lesson: Lesson, kind: StreamKind, pull_key: str) -> StreamSignature | None:
    """Return the signature of a stream's pull addresses; None if the class never bound one."""
    if kind is StreamKind.CLASS or lesson.stream is None:
        return lesson.stream
    return sign_stream(stream_name(lesson.key, kind), lesson.stream.expires_at, pull_key)


def sign_page_pull(lesson: Lesson, kind: StreamKind, pull_key: str) -> StreamSignature:
    """Sign pull addresses for the pages; they expire when the class closes."""
    return sign_stream(stream_name(lesson.key, kind), lesson.lifecycle.closes_at, pull_key)


def check_push(
    target: PublishTarget, kind: StreamKind, signature: StreamSignature, push_key: str, now: Moment
) -> None:
    """Check a push; raise `OperatorError` with a reason for the person who set it up."""
    name = stream_name(target.lesson.key, kind)
    expected = compute_signature(target.derive_push_key(push_key), name, signature.expires_hex)
    if not secrets_equal(signature.signature, expected):
        raise OperatorError(
            "the signature is wrong: the address is mistyped, or was given out before the class"
            " got another teacher or another key; `homeroom stream` prints the right one"
        )
    # Signed before the class was extended, an address is good until the new end all the same.
    grace = 0 if target.lesson.is_over(now) else MAX_EXTENSION_SECONDS
    if signature.expires_at + grace <= now:
        raise OperatorError("the address has expired; `homeroom stream` prints another one")
    if target.teacher_is_cancelled:
        raise OperatorError("the account of the teacher was cancelled")
    if target.school_is_suspended:
        raise OperatorError("the school is suspended")
    _check_open(target.lesson, kind, now)


def check_pull(
    lesson: Lesson, kind: StreamKind, signature: StreamSignature, pull_key: str, now: Moment
) -> None:
    """Check a pull; raise `OperatorError` with a reason for the person who set it up."""
    bound_signature = get_pull_signature(lesson, kind, pull_key)
    # A bound address stays valid after the key changes; any other needs the current key.
    expected = compute_signature(pull_key, stream_name(lesson.key, kind), signature.expires_hex)
    is_bound = bound_signature is not None and secrets_equal(signature.query, bound_signature.query)
    if not is_bound and not secrets_equal(signature.signature, expected):
        raise OperatorError("the signature is wrong")
    if signature.expires_at <= now:
        raise OperatorError("the address has expired")
    _check_open(lesson, kind, now)


def _check_open(lesson: Lesson, kind: StreamKind, now: Moment) -> None:
    if lesson.deleted_at is not None:
        raise OperatorError("the class was deleted")
    if not lesson.recording.record:
        raise OperatorError("the class is not recorded: record is off")
    if not has_stream(lesson, kind):
        raise OperatorError("the class has no scene: recordScene is off")
    if now < lesson.lifecycle.opens_at:
        raise OperatorError("the class opens 20 minutes before its start")
    if lesson.is_over(now):
        raise OperatorError(
            "the class is over: it closed 20 minutes past its end, or was ended early"
        )


# --- facts about streams -------------------------------------------------------------------------


class PublishSession(Value, frozen=True):
    """A push that was allowed, from its start to its end."""

    id: int
    kind: StreamKind
    client_id: str
    """The id that the media engine gave the publisher."""
    param: str
    """The signature in its address, and the mark of a push from the teacher's page."""
    ip: str
    started_at: Moment
    ended_at: Moment | None
    problem: str | None
    """The error of its recording, if there was one."""

    @property
    def is_from_page(self) -> bool:
        """Whether the teacher's page pushes, and not an encoder."""
        return PAGE_MARK in self.param.split("&")


class StreamFigures(Value, frozen=True):
    """Figures of a running stream that only our own engine measures."""

    video_kbps: int | None
    """Kilobits per second over the last two seconds; None without a picture."""
    audio_kbps: int | None
    frame_rate: float | None
    """Pictures per second, over the last two seconds."""
    longest_key_frame_ms: int | None
    """Milliseconds of the longest distance of two keyframes in this push."""
    dropped_frames: Mapping[DropReason, int]
    """Number of dropped frames, by reason."""


class StreamFacts(Value, frozen=True):
    """Facts about a running stream, from the media engine."""

    key_frame_ms: int | None
    """Milliseconds between its last two keyframes; None if not known."""
    viewers: Mapping[str, int]
    """Number of viewers, by protocol."""
    recording: str | None
    """on, off, partial or failed; None if not known."""
    recording_error: str | None
    problems: tuple[StreamProblem, ...] = ()
    """Problems at present; none from an engine that is not our own."""
    figures: StreamFigures | None = None
    """None if the engine is not our own."""

    @property
    def has_frames(self) -> bool:
        """Whether sound or picture has come in; of another engine only the push is known."""
        figures = self.figures
        return figures is None or bool(
            figures.video_kbps or figures.audio_kbps or self.key_frame_ms is not None
        )


class PublishRefusal(StrEnum):
    """The reason why a browser may not go live; the teacher's page has a text for most."""

    NOT_INSTALLED = "not_installed"
    """The server runs without `homeroom[browser]`."""
    OFFER = "offer"
    """The offer of the browser cannot be used."""
    BUSY = "busy"
    """The class is published from elsewhere, or the server has no capacity left."""
    FAILED = "failed"
    EARLY = "early"
    """The class is not open yet."""
    OVER = "over"
    NO_STREAM = "no_stream"
    """The class is not recorded, or the server carries no streams."""


class BrowserPublishError(HomeroomError):
    """A browser cannot go live; the message says why."""

    def __init__(self, code: PublishRefusal, message: str) -> None:
        super().__init__(message)
        self.code = code
