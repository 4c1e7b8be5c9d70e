"""Streams: who may push and pull, what runs, what was recorded, and where it all goes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from homeroom.base.clock import DAY, Moment
from homeroom.base.ids import LessonId
from homeroom.domain.clips import Clip, NewClip
from homeroom.domain.refusal import OperatorError
from homeroom.domain.streams import (
    APP,
    PublishSession,
    PublishTarget,
    StreamKind,
    check_pull,
    check_push,
    get_pull_signature,
    parse_signature,
    parse_stream_name,
    stream_name,
)
from homeroom.domain.webcasts import Hosts, StreamAddresses, build_pull_addresses
from homeroom.store.publish_sessions import NewPublishSession
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import teaching
from homeroom.usecases.dependencies import Dependencies

KEPT = 30 * DAY
"""Seconds for which a push is kept from its start; no class is open for that long."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who pushes or pulls, and by which address."""

    client_id: str
    """What the media engine calls it."""
    ip: str
    app: str
    stream: str
    param: str


@dataclass(frozen=True, slots=True)
class Unwelcome:
    """A push that may no longer run, and why."""

    id: int
    client_id: str
    reason: str


def start_push(uow: UnitOfWork, deps: Dependencies, peer: Peer, engine: str) -> None:
    """Let a push in at an engine; raises `OperatorError`."""
    held, kind = _found(uow, peer)
    proof = parse_signature(peer.param)
    check_push(held, kind, proof, deps.push_key, uow.now)
    new = NewPublishSession(held.lesson.id, kind, engine, peer.client_id, proof.query, peer.ip)
    uow.publish_sessions.add(new, uow.now)


def end_push(uow: UnitOfWork, client_id: str) -> None:
    """Write that a client's push has ended, and forget those of long ago."""
    uow.publish_sessions.end(client_id, uow.now)
    uow.publish_sessions.purge(uow.now - KEPT)


def may_play(uow: UnitOfWork, deps: Dependencies, peer: Peer) -> None:
    """Let a pull in; raises `OperatorError`."""
    held, kind = _found(uow, peer)
    check_pull(held.lesson, kind, parse_signature(peer.param), deps.pull_key, uow.now)


def unwelcome(uow: UnitOfWork, deps: Dependencies, engine: str) -> list[Unwelcome]:
    """Return the pushes that run at an engine and would not be let in now."""
    found = []
    for push, held in uow.publish_sessions.list_running_with_streams(engine):
        try:
            check_push(held, push.kind, parse_signature(push.param), deps.push_key, uow.now)
        except OperatorError as reason:
            found.append(Unwelcome(push.id, push.client_id, str(reason)))
    return found


def settle(
    uow: UnitOfWork, engine: str, gone: Collection[str], problems: Mapping[str, str]
) -> None:
    """Take over what an engine says: which clients have gone, and whose recordings went wrong."""
    changed = []
    for push in uow.publish_sessions.list_running(engine):
        ended_at = uow.now if push.client_id in gone else None
        settled = replace(
            push, ended_at=ended_at, problem=problems.get(push.client_id, push.problem)
        )
        if settled != push:
            changed.append(settled)
    uow.publish_sessions.save_ends(changed)


def is_recorded(uow: UnitOfWork, stream: str, file_id: str) -> bool:
    """Tell whether a clip was written already; raises `OperatorError` where it could not be."""
    if uow.clips.find_by_file_id(file_id) is not None:
        return True
    _keyed(uow, stream)
    return False


def recorded(uow: UnitOfWork, stream: str, file: NewClip) -> Clip:
    """Write the clip that was recorded of a stream, once; of a deleted class, too.

    Raises `OperatorError` where no class has such a stream.
    """
    known = uow.clips.find_by_file_id(file.file_id)
    if known is not None:
        return known
    held, _kind = _keyed(uow, stream)
    return uow.clips.add(held.lesson.id, file, uow.now)


# --- what an operator sees -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a class: where it is pushed and pulled."""

    name: str
    push: str
    pull: StreamAddresses | None
    """None where no pull address was ever bound."""


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of a class; none where it is not recorded, or nothing carries streams."""

    lesson: LessonId
    opens_at: Moment
    closes_at: Moment
    room: Stream | None
    scene: Stream | None
    teach: str
    """The page of its teacher; a secret as a push address is."""
    pushes: list[PublishSession]
    """The newest first."""


def streams(uow: UnitOfWork, deps: Dependencies, hosts: Hosts, lesson: LessonId) -> Streams:
    """Return the streams of a class; raises `OperatorError` where there is none."""
    held = uow.publish_sessions.get_stream(lesson)
    if held is None:
        raise OperatorError(f"no class has the id {lesson}")
    return Streams(
        lesson,
        held.lesson.lifecycle.opens_at,
        held.lesson.lifecycle.closes_at,
        room=_stream(held, StreamKind.CLASS, deps, hosts),
        scene=_stream(held, StreamKind.SCENE, deps, hosts),
        teach=teaching.address(held, deps, hosts),
        pushes=uow.publish_sessions.list_of_lesson(lesson),
    )


def renew_key(uow: UnitOfWork, lesson: LessonId) -> None:
    """Make the push addresses of a class worthless; the next ones are signed with another key."""
    if uow.lessons.get(lesson) is None:
        raise OperatorError(f"no class has the id {lesson}")
    uow.publish_sessions.renew_key(lesson)


def _stream(
    held: PublishTarget, kind: StreamKind, deps: Dependencies, hosts: Hosts
) -> Stream | None:
    push = teaching.pushed_to(held, kind, deps, hosts)
    if push is None:
        return None
    name = stream_name(held.lesson.key, kind)
    bound = get_pull_signature(held.lesson, kind, deps.pull_key)
    return Stream(
        name,
        push=push,
        pull=None if bound is None else build_pull_addresses(name, bound, hosts),
    )


def _found(uow: UnitOfWork, peer: Peer) -> tuple[PublishTarget, StreamKind]:
    if peer.app != APP:
        raise OperatorError(f"the application is called {APP}")
    return _keyed(uow, peer.stream)


def _keyed(uow: UnitOfWork, stream: str) -> tuple[PublishTarget, StreamKind]:
    key, kind = parse_stream_name(stream)
    held = uow.publish_sessions.find_stream_by_key(key)
    if held is None:
        raise OperatorError("no class has a stream of this name")
    return held, kind
