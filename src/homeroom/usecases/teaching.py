"""Teaching from the browser: the secret page of a class, and what may be done there."""

from dataclasses import dataclass

from homeroom.base.clock import DAY, Moment
from homeroom.base.ids import LessonId
from homeroom.base.keys import hmac_hex, is_public_key, secrets_equal
from homeroom.domain.refusal import OperatorError
from homeroom.domain.streams import (
    PublishTarget,
    StreamKind,
    has_stream,
    sign_push,
    stream_name,
)
from homeroom.domain.webcasts import Hosts, build_push_address
from homeroom.store.page_queries import PublicLesson
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import operations, viewing
from homeroom.usecases.dependencies import Dependencies

SHOWN_AFTER = 7 * DAY
"""Seconds for which the page of a class that is over still shows its clips."""
KEY_LENGTH = 16
PROOF_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Taught:
    """A class as its teacher's page has it."""

    seen: PublicLesson
    held: PublishTarget
    is_over: bool
    """Then nothing may be pushed, said or ended any more."""


def token(held: PublishTarget, push_key: str) -> str:
    """Return what opens the teacher's page: another teacher or another key, another token."""
    proof = hmac_hex(held.derive_push_key(push_key), "teach")
    return f"{held.lesson.key}{proof[:PROOF_LENGTH]}"


def address(held: PublishTarget, deps: Dependencies, hosts: Hosts) -> str:
    """Return the address of the teacher's page."""
    return f"{hosts.pages}/teach/{token(held, deps.push_key)}"


def taught(uow: UnitOfWork, deps: Dependencies, given: str) -> Taught:
    """Return the class that a token opens; raises `OperatorError`, and says nothing of why."""
    key = given[:KEY_LENGTH]
    held = uow.publish_sessions.find_stream_by_key(key) if is_public_key(key) else None
    if held is None or not opens(given, held, deps, uow.now):
        raise OperatorError("there is no such page")
    return Taught(viewing.seen(uow, key), held, held.lesson.is_over(uow.now))


def opens(given: str, held: PublishTarget, deps: Dependencies, now: Moment) -> bool:
    """Tell whether a token opens the page of a class."""
    return (
        secrets_equal(given, token(held, deps.push_key))
        and held.lesson.deleted_at is None
        and not held.school_is_suspended
        and not held.teacher_is_cancelled
        and now < held.lesson.lifecycle.closes_at + SHOWN_AFTER
    )


def pushed_to(
    held: PublishTarget, kind: StreamKind, deps: Dependencies, hosts: Hosts
) -> str | None:
    """Return where a stream of the class is pushed to, none where it has no such stream."""
    if not (hosts.push and has_stream(held.lesson, kind)):
        return None
    name = stream_name(held.lesson.key, kind)
    return build_push_address(name, sign_push(held, kind, deps.push_key), hosts)


def end(uow: UnitOfWork, deps: Dependencies, given: str) -> LessonId:
    """End the class of a token now; raises `OperatorError`."""
    lesson = taught(uow, deps, given).held.lesson.id
    operations.close_lesson(uow, lesson)
    return lesson
