"""Streams of a class: their names, how their addresses are signed, who may push and pull them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs

from homeroom.base.clock import Moment
from homeroom.base.keys import hmac_hex, md5_hex, secrets_equal
from homeroom.domain.lessons import Lesson, StreamSignature
from homeroom.domain.refusal import OperatorError

APP = "live"
"""The application in every address, as RTMP calls the first part of a path."""
_TIME = re.compile(r"[0-9a-fA-F]{1,12}")
_SCENE = "-scene"


class StreamKind(StrEnum):
    """What a stream of a class shows; a class that records its scene has both."""

    CLASS = "class"
    """The classroom."""
    SCENE = "scene"
    """The camera of the teacher."""


def stream_name(key: str, kind: StreamKind) -> str:
    """Return the name of a stream: the key of its class, with an ending for the scene."""
    return f"{key}{_SCENE}" if kind is StreamKind.SCENE else key


def parse_stream_name(name: str) -> tuple[str, StreamKind]:
    """Return the key of the class that a stream is named after, and what the stream shows."""
    key = name.removesuffix(_SCENE)
    return key, StreamKind.CLASS if key == name else StreamKind.SCENE


# --- signatures --------------------------------------------------------------------------------


def parse_signature(query: str) -> StreamSignature:
    """Return what a query carries; raises `OperatorError`."""
    params = parse_qs(query.removeprefix("?"))
    match params.get("txSecret"), params.get("txTime"):
        case [signature], [expires_hex] if _TIME.fullmatch(expires_hex):
            return StreamSignature(signature, expires_hex)
    raise OperatorError("the address is not signed: txSecret and txTime are missing or malformed")


def compute_signature(key: str, name: str, expires_hex: str) -> str:
    """Return md5(KEY + StreamName + txTime), as the seed's addresses are signed."""
    return md5_hex(f"{key}{name}{expires_hex}")


def sign_stream(name: str, expires_at: Moment, key: str) -> StreamSignature:
    """Sign an address for a stream."""
    expires_hex = f"{expires_at:x}"
    return StreamSignature(compute_signature(key, name, expires_hex), expires_hex)


# --- who may -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PublishTarget:
    """A class, and what else decides whether it may be pushed."""

    lesson: Lesson
    key_generation: int
    """How often its push addresses were made anew."""
    teacher_is_cancelled: bool
    school_is_suspended: bool

    def derive_push_key(self, key: str) -> str:
        """Return the key of its push addresses: another teacher or generation has another one."""
        return hmac_hex(key, f"{self.lesson.id}:{self.lesson.teacher}:{self.key_generation}")


def has_stream(lesson: Lesson, kind: StreamKind) -> bool:
    """Tell whether a class has such a stream at all, whatever the time is."""
    recording = lesson.recording
    is_enabled = recording.scene if kind is StreamKind.SCENE else True
    return lesson.deleted_at is None and recording.record and is_enabled


def sign_push(target: PublishTarget, kind: StreamKind, push_key: str) -> StreamSignature:
    """Sign the push address of a stream; it ends with the class."""
    lesson = target.lesson
    return sign_stream(
        stream_name(lesson.key, kind), lesson.lifecycle.closes_at, target.derive_push_key(push_key)
    )


def get_pull_signature(lesson: Lesson, kind: StreamKind, pull_key: str) -> StreamSignature | None:
    """Return the signature of the pull addresses of a stream; the scene's goes with the class's."""
    if kind is StreamKind.CLASS or lesson.stream is None:
        return lesson.stream
    return sign_stream(stream_name(lesson.key, kind), lesson.stream.expires_at, pull_key)


def sign_page_pull(lesson: Lesson, kind: StreamKind, pull_key: str) -> StreamSignature:
    """Sign pull addresses that end with the class, for the pages to hand out."""
    return sign_stream(stream_name(lesson.key, kind), lesson.lifecycle.closes_at, pull_key)


def check_push(
    target: PublishTarget, kind: StreamKind, signature: StreamSignature, push_key: str, now: Moment
) -> None:
    """Refuse a push, with a reason for whoever set it up; raises `OperatorError`."""
    name = stream_name(target.lesson.key, kind)
    expected = compute_signature(target.derive_push_key(push_key), name, signature.expires_hex)
    if not secrets_equal(signature.signature, expected):
        raise OperatorError(
            "the signature is wrong: the address is mistyped, or was given out before the class"
            " got another teacher or another key; `homeroom stream` prints the right one"
        )
    if signature.expires_at <= now:
        raise OperatorError("the address has expired; `homeroom stream` prints another one")
    if target.teacher_is_cancelled:
        raise OperatorError("the account of the teacher was cancelled")
    if target.school_is_suspended:
        raise OperatorError("the school is suspended")
    _check_open(target.lesson, kind, now)


def check_pull(
    lesson: Lesson, kind: StreamKind, signature: StreamSignature, pull_key: str, now: Moment
) -> None:
    """Refuse a pull, with a reason for whoever set it up; raises `OperatorError`."""
    bound_signature = get_pull_signature(lesson, kind, pull_key)
    # The addresses that were bound are good whatever became of the key; others by the key alone.
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


# --- what is told of them ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PublishSession:
    """A push that was let in."""

    id: int
    kind: StreamKind
    client_id: str
    """The id that the media engine gave the publisher."""
    param: str
    """The signature it was let in by."""
    ip: str
    started_at: Moment
    ended_at: Moment | None
    problem: str | None
    """What went wrong with its recording."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What the media engine says of a running stream."""

    key_frame_ms: int | None
    """Milliseconds between its last two key frames, where that is known."""
    viewers: Mapping[str, int]
    """How many watch, by protocol."""
    recording: str | None
    """on, off or failed; none where it is not known."""
    recording_error: str | None


class BrowserPublishError(Exception):
    """A browser that cannot go live; the message says why."""

    def __init__(self, code: str, message: str) -> None:
        """Take `not_installed`, `offer` (it cannot be taken), `busy` or `failed`."""
        super().__init__(message)
        self.code = code
