"""Streams: who may push and pull, what runs, what was recorded, and where it all goes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from homeroom.base.clock import DAY, Moment
from homeroom.base.ids import LessonId
from homeroom.domain.clips import Clip, NewClip
from homeroom.domain.refusal import Declined
from homeroom.domain.streams import (
    APP,
    Push,
    Streamed,
    StreamKind,
    check_pull,
    check_push,
    closes_at,
    name_of,
    opens_at,
    pulled,
    read_name,
    read_proof,
)
from homeroom.domain.webcasts import Addresses, Hosts, pull_addresses
from homeroom.store.pushes import NewPush
from homeroom.store.work import Work
from homeroom.usecases import teaching
from homeroom.usecases.means import Means

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


def start_push(work: Work, means: Means, peer: Peer, engine: str) -> None:
    """Let a push in at an engine; raises `Declined`."""
    held, kind = _found(work, peer)
    proof = read_proof(peer.param)
    check_push(held, kind, proof, means.push_key, work.now)
    new = NewPush(held.lesson.id, kind, engine, peer.client_id, proof.query, peer.ip)
    work.pushes.add(new, work.now)


def end_push(work: Work, client_id: str) -> None:
    """Write that a client's push has ended, and forget those of long ago."""
    work.pushes.end(client_id, work.now)
    work.pushes.forget(work.now - KEPT)


def may_play(work: Work, means: Means, peer: Peer) -> None:
    """Let a pull in; raises `Declined`."""
    held, kind = _found(work, peer)
    check_pull(held.lesson, kind, read_proof(peer.param), means.pull_key, work.now)


def unwelcome(work: Work, means: Means, engine: str) -> list[Unwelcome]:
    """Return the pushes that run at an engine and would not be let in now."""
    found = []
    for push, held in work.pushes.running_with_lessons(engine):
        try:
            check_push(held, push.kind, read_proof(push.param), means.push_key, work.now)
        except Declined as reason:
            found.append(Unwelcome(push.id, push.client_id, str(reason)))
    return found


def settle(work: Work, engine: str, gone: Collection[str], problems: Mapping[str, str]) -> None:
    """Take over what an engine says: which clients have gone, and whose recordings went wrong."""
    changed = []
    for push in work.pushes.running(engine):
        ended_at = work.now if push.client_id in gone else None
        settled = replace(
            push, ended_at=ended_at, problem=problems.get(push.client_id, push.problem)
        )
        if settled != push:
            changed.append(settled)
    work.pushes.settle(changed)


def is_recorded(work: Work, stream: str, file_id: str) -> bool:
    """Tell whether a clip was written already; raises `Declined` where it could not be."""
    if work.clips.named(file_id) is not None:
        return True
    _keyed(work, stream)
    return False


def recorded(work: Work, stream: str, file: NewClip) -> Clip:
    """Write the clip that was recorded of a stream, once; of a deleted class, too.

    Raises `Declined` where no class has such a stream.
    """
    known = work.clips.named(file.file_id)
    if known is not None:
        return known
    held, _kind = _keyed(work, stream)
    return work.clips.add(held.lesson.id, file, work.now)


# --- what an operator sees -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a class: where it is pushed and pulled."""

    name: str
    push: str
    pull: Addresses | None
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
    pushes: list[Push]
    """The newest first."""


def streams(work: Work, means: Means, hosts: Hosts, lesson: LessonId) -> Streams:
    """Return the streams of a class; raises `Declined` where there is none."""
    held = work.pushes.get(lesson)
    if held is None:
        raise Declined(f"no class has the id {lesson}")
    return Streams(
        lesson,
        opens_at(held.lesson),
        closes_at(held.lesson),
        room=_stream(held, StreamKind.CLASS, means, hosts),
        scene=_stream(held, StreamKind.SCENE, means, hosts),
        teach=teaching.address(held, means, hosts),
        pushes=work.pushes.of_lesson(lesson),
    )


def renew_key(work: Work, lesson: LessonId) -> None:
    """Make the push addresses of a class worthless; the next ones are signed with another key."""
    if work.lessons.get(lesson) is None:
        raise Declined(f"no class has the id {lesson}")
    work.pushes.renew_key(lesson)


def _stream(held: Streamed, kind: StreamKind, means: Means, hosts: Hosts) -> Stream | None:
    push = teaching.pushed_to(held, kind, means, hosts)
    if push is None:
        return None
    name = name_of(held.lesson.key, kind)
    bound = pulled(held.lesson, kind, means.pull_key)
    return Stream(
        name,
        push=push,
        pull=None if bound is None else pull_addresses(name, bound, hosts),
    )


def _found(work: Work, peer: Peer) -> tuple[Streamed, StreamKind]:
    if peer.app != APP:
        raise Declined(f"the application is called {APP}")
    return _keyed(work, peer.stream)


def _keyed(work: Work, stream: str) -> tuple[Streamed, StreamKind]:
    key, kind = read_name(stream)
    held = work.pushes.keyed(key)
    if held is None:
        raise Declined("no class has a stream of this name")
    return held, kind
