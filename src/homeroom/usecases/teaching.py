"""The teacher's secret page of a class, for publishing from the browser."""

from homeroom.base.clock import DAY, Moment
from homeroom.base.ids import LessonId
from homeroom.base.keys import hmac_hex, is_public_key, secrets_equal
from homeroom.base.values import Value
from homeroom.domain.events import Actor
from homeroom.domain.refusal import OperatorError
from homeroom.domain.streams import (
    PublishTarget,
    StreamKind,
    has_stream,
    sign_push,
    stream_name,
)
from homeroom.domain.webcasts import Hosts, build_push_address
from homeroom.store.records import PublicLesson
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import operations, viewing
from homeroom.usecases.dependencies import Dependencies

PAGE_RETENTION_SECONDS = 7 * DAY
"""Seconds for which the page of a class that is over shows its clips."""
KEY_LENGTH = 16
PROOF_LENGTH = 32


class TeacherPage(Value, frozen=True):
    """The class of a teacher's page, and its publish target."""

    seen: PublicLesson
    target: PublishTarget
    is_over: bool
    """True: publishing, chatting and ending are refused."""


def sign_token(target: PublishTarget, push_key: str) -> str:
    """Return the token of the teacher's page; it changes with the teacher and the push key."""
    signature = hmac_hex(target.derive_push_key(push_key), "teach")
    return f"{target.lesson.key}{signature[:PROOF_LENGTH]}"


def get_page_url(target: PublishTarget, deps: Dependencies, hosts: Hosts) -> str:
    """Return the address of the teacher's page."""
    return f"{hosts.pages}/teach/{sign_token(target, deps.push_key)}"


def open_page(uow: UnitOfWork, deps: Dependencies, token: str) -> TeacherPage:
    """Return the page of a token; raises `OperatorError` without a reason."""
    key = token[:KEY_LENGTH]
    target = uow.publish_sessions.find_stream_by_key(key) if is_public_key(key) else None
    if target is None or not is_token_valid(token, target, deps, uow.now):
        raise OperatorError("there is no such page")
    return TeacherPage(viewing.get_page_lesson(uow, key), target, target.lesson.is_over(uow.now))


def is_token_valid(token: str, target: PublishTarget, deps: Dependencies, now: Moment) -> bool:
    """Tell whether a token opens the page of a class."""
    return (
        secrets_equal(token, sign_token(target, deps.push_key))
        and target.lesson.deleted_at is None
        and not target.school_is_suspended
        and not target.teacher_is_cancelled
        and now < target.lesson.lifecycle.closes_at + PAGE_RETENTION_SECONDS
    )


def get_push_url(
    target: PublishTarget, kind: StreamKind, deps: Dependencies, hosts: Hosts
) -> str | None:
    """Return the push address of a stream; None if the class has no such stream."""
    if not (hosts.push and has_stream(target.lesson, kind)):
        return None
    name = stream_name(target.lesson.key, kind)
    return build_push_address(name, sign_push(target, kind, deps.push_key), hosts)


def end_lesson(uow: UnitOfWork, deps: Dependencies, token: str) -> LessonId:
    """End the class of a token now; raises `OperatorError`."""
    lesson = open_page(uow, deps, token).target.lesson
    uow.actor = Actor(user=lesson.teacher)
    operations.close_lesson(uow, lesson.id)
    return lesson.id
