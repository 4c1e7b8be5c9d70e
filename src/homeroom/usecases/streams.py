"""Streams: checks of push and pull, publish sessions, recorded clips and addresses."""

from collections.abc import Collection, Mapping

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId
from homeroom.base.values import Value, replace
from homeroom.domain.clips import Clip, NewClip
from homeroom.domain.refusal import OperatorError
from homeroom.domain.stream_signatures import parse_signature
from homeroom.domain.streams import (
    APP,
    PAGE_MARK,
    PublishSession,
    PublishTarget,
    StreamKind,
    check_pull,
    check_push,
    clean_address_part,
    get_pull_signature,
    parse_stream_name,
    stream_name,
)
from homeroom.domain.webcasts import Hosts, StreamAddresses, build_pull_addresses
from homeroom.store.publish_sessions import NewPublishSession
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import clips, recording_messages, teaching
from homeroom.usecases.dependencies import Dependencies


class StreamClient(Value, frozen=True):
    """A client that pushes or pulls, and its address."""

    client_id: str
    """Its id in the media engine."""
    ip: str
    app: str
    stream: str
    param: str


class RevokedSession(Value, frozen=True):
    """A publish session that may no longer run, and the reason."""

    id: int
    client_id: str
    reason: str


def start_push(
    uow: UnitOfWork, deps: Dependencies, client: StreamClient, engine: str, push_url: str = ""
) -> None:
    """Check a push and add its publish session; raises `OperatorError`.

    `push_url` is the base URL for pushing streams: its host is sent with the start of a recording.
    """
    target, kind = _find_by_client(uow, client)
    signature = parse_signature(client.param)
    check_push(target, kind, signature, deps.push_key, uow.now)
    mark = f"&{PAGE_MARK}" if PAGE_MARK in client.param.split("&") else ""
    new = NewPublishSession(
        target.lesson.id, kind, engine, client.client_id, f"{signature.query}{mark}", client.ip
    )
    uow.publish_sessions.add(new, uow.now)
    recording_messages.send_start(uow, target.lesson, push_url)


def end_push(uow: UnitOfWork, client_id: str) -> None:
    """End the publish session of a client."""
    uow.publish_sessions.end(client_id, uow.now)


def check_play(uow: UnitOfWork, deps: Dependencies, client: StreamClient) -> None:
    """Check a pull; raises `OperatorError`."""
    target, kind = _find_by_client(uow, client)
    check_pull(target.lesson, kind, parse_signature(client.param), deps.pull_key, uow.now)


def find_revoked_sessions(uow: UnitOfWork, deps: Dependencies, engine: str) -> list[RevokedSession]:
    """Return the sessions that run at an engine and would be refused now."""
    revoked = []
    for session, target in uow.publish_sessions.list_running_with_streams(engine):
        try:
            check_push(target, session.kind, parse_signature(session.param), deps.push_key, uow.now)
        except OperatorError as reason:
            revoked.append(RevokedSession(session.id, session.client_id, str(reason)))
    return revoked


def list_running_sessions(uow: UnitOfWork, engine: str) -> list[PublishSession]:
    """Return the publish sessions that run at an engine."""
    return uow.publish_sessions.list_running(engine)


def list_encoders(uow: UnitOfWork, engine: str) -> dict[str, PublishTarget]:
    """Return the classes that are pushed to an engine, by stream name, but those from a page.

    A teacher who goes live on the page is present by the page.
    """
    return {
        stream_name(target.lesson.key, session.kind): target
        for session, target in uow.publish_sessions.list_running_with_streams(engine)
        if session.kind is StreamKind.CLASS and not session.is_from_page
    }


def get_publish_targets(uow: UnitOfWork, lessons: Collection[LessonId]) -> list[PublishTarget]:
    """Return the publish targets of several classes."""
    return uow.publish_sessions.get_streams(lessons)


def record_engine_state(
    uow: UnitOfWork, engine: str, gone_clients: Collection[str], problems: Mapping[str, str]
) -> None:
    """Save an engine's report: the clients that left, and the errors of recordings."""
    changed = []
    for session in uow.publish_sessions.list_running(engine):
        ended_at = uow.now if session.client_id in gone_clients else None
        updated = replace(
            session, ended_at=ended_at, problem=problems.get(session.client_id, session.problem)
        )
        if updated != session:
            changed.append(updated)
    uow.publish_sessions.save_ends(changed)


def has_clip(uow: UnitOfWork, stream: str, file_id: str) -> bool:
    """Tell whether a clip exists; raises `OperatorError` if no class has such a stream."""
    if uow.clips.find_by_file_id(file_id) is not None:
        return True
    _find_by_stream(uow, stream)
    return False


def add_recorded_clip(uow: UnitOfWork, stream: str, file: NewClip) -> Clip:
    """Add the recorded clip of a stream once; also to a deleted class.

    Raises `OperatorError` if no class has such a stream.
    """
    existing = uow.clips.find_by_file_id(file.file_id)
    if existing is not None:
        return existing
    target, _kind = _find_by_stream(uow, stream)
    return clips.add_recorded(uow, target.lesson, file)


# --- facts for operators -------------------------------------------------------------------------


class StreamInfo(Value, frozen=True):
    """The push and pull addresses of one stream."""

    name: str
    push_url: str
    pull_urls: StreamAddresses | None
    """None if no pull address was ever bound."""


class LessonStreams(Value, frozen=True):
    """The streams of a class; None if it is not recorded, or the server carries no streams."""

    lesson: LessonId
    opens_at: Moment
    closes_at: Moment
    room: StreamInfo | None
    scene: StreamInfo | None
    teach_url: str
    """The teacher's page; as secret as a push address."""
    sessions: list[PublishSession]
    """The newest first."""


def get_streams(
    uow: UnitOfWork, deps: Dependencies, hosts: Hosts, lesson_id: LessonId
) -> LessonStreams:
    """Return the streams of a class; raises `OperatorError` if there is no such class."""
    target = uow.publish_sessions.get_stream(lesson_id)
    if target is None:
        raise OperatorError(f"no class has the id {lesson_id}")
    return LessonStreams(
        lesson_id,
        target.lesson.lifecycle.opens_at,
        target.lesson.lifecycle.closes_at,
        room=_build_info(target, StreamKind.CLASS, deps, hosts),
        scene=_build_info(target, StreamKind.SCENE, deps, hosts),
        teach_url=teaching.get_page_url(target, deps, hosts),
        sessions=uow.publish_sessions.list_of_lesson(lesson_id),
    )


def renew_key(uow: UnitOfWork, lesson: LessonId) -> None:
    """Renew the push key of a class; its old push addresses become invalid."""
    if uow.lessons.get(lesson) is None:
        raise OperatorError(f"no class has the id {lesson}")
    uow.publish_sessions.renew_key(lesson)


def _build_info(
    target: PublishTarget, kind: StreamKind, deps: Dependencies, hosts: Hosts
) -> StreamInfo | None:
    push_url = teaching.get_push_url(target, kind, deps, hosts)
    if push_url is None:
        return None
    name = stream_name(target.lesson.key, kind)
    signature = get_pull_signature(target.lesson, kind, deps.pull_key)
    return StreamInfo(
        name,
        push_url=push_url,
        pull_urls=build_pull_addresses(name, signature, hosts) if signature is not None else None,
    )


def _find_by_client(uow: UnitOfWork, client: StreamClient) -> tuple[PublishTarget, StreamKind]:
    if clean_address_part(client.app) != APP:
        raise OperatorError(f"the application is called {APP}")
    return _find_by_stream(uow, client.stream)


def _find_by_stream(uow: UnitOfWork, stream: str) -> tuple[PublishTarget, StreamKind]:
    key, kind = parse_stream_name(stream)
    target = uow.publish_sessions.find_stream_by_key(key)
    if target is None:
        raise OperatorError("no class has a stream of this name")
    return target, kind
