"""The inbox of the sandbox: every message with its attempts, and messages on request (Q101)."""

import asyncio
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.requests import Request

from homeroom.async_store import AsyncStore
from homeroom.base.ids import ActivityId, CourseId, LessonId, SchoolId, UserId
from homeroom.contract.messages.kinds import KINDS, MessageKind
from homeroom.domain.refusal import OperatorError
from homeroom.messages.rendering import name_message
from homeroom.sandbox.bodies import EmitRequest, read_json
from homeroom.usecases import message_requests
from homeroom.usecases.message_requests import InboxEntry, MessageRequest
from homeroom.web.problems import HTTPError

MAX_WAIT_SECONDS: Final = 30
MAX_MESSAGES: Final = 500
DEFAULT_MESSAGES: Final = 100
LOOK_SECONDS: Final = 0.05
"""Time between two looks for a message that somebody waits for."""


async def list_messages(store: AsyncStore, request: Request) -> list[dict[str, Any]]:
    """Return the messages that a query asks for; with `wait`, wait for the first one."""
    query = request.query_params
    school = SchoolId(_read_number(query.get("sid", "0"), "sid"))
    after = _read_number(query.get("after", "0"), "after")
    lesson = _read_number(query.get("class", "0"), "class")
    limit = _read_number(query.get("limit", str(DEFAULT_MESSAGES)), "limit")
    wait = _read_number(query.get("wait", "0"), "wait")
    kind = _parse_kind(query["kind"]) if query.get("kind") else None
    if not 1 <= limit <= MAX_MESSAGES:
        raise _bad_request(f"limit must be 1 to {MAX_MESSAGES}")
    if wait > MAX_WAIT_SECONDS:
        raise _bad_request(f"wait must be 0 to {MAX_WAIT_SECONDS} seconds")
    until = time.monotonic() + wait
    while True:
        entries = await store.read(
            lambda uow: message_requests.list_inbox(
                uow, school, after, kind, LessonId(lesson) if lesson else None, limit
            )
        )
        if entries or time.monotonic() >= until:
            return [_to_row(entry) for entry in entries]
        await asyncio.sleep(LOOK_SECONDS)


async def emit_message(store: AsyncStore, request: Request) -> dict[str, Any]:
    """Send the message of a request through the outbox, and return it."""
    body = await read_json(request, EmitRequest)
    message_request = MessageRequest(
        kind=_parse_kind(body.kind),
        school=SchoolId(body.sid),
        lesson=LessonId(body.class_id) if body.class_id is not None else None,
        course=CourseId(body.course_id) if body.course_id is not None else None,
        activity=ActivityId(body.activity_id) if body.activity_id is not None else None,
        person=UserId(body.uid) if body.uid is not None else None,
        fields=body.fields,
    )
    try:
        await store.write(
            lambda uow: message_requests.emit(uow, message_request), message_request.school
        )
    except OperatorError as error:
        raise _bad_request(str(error)) from None
    return {"sid": body.sid, "kind": message_request.kind.value}


def _parse_kind(text: str) -> MessageKind:
    try:
        return message_requests.parse_kind(text)
    except OperatorError as error:
        raise _bad_request(str(error)) from None


def _to_row(entry: InboxEntry) -> dict[str, Any]:
    message = entry.logged.message
    return {
        "id": message.id,
        "_id": name_message(message),
        "sid": message.school,
        "kind": message.kind.value,
        "cmd": KINDS[message.kind].command,
        "stream": message.stream,
        "courseId": entry.logged.course,
        "classId": entry.logged.lesson,
        "simulated": message.is_simulated,
        "at": message.created_at,
        "body": msgspec.json.decode(message.body),
        "attempts": _to_attempts(entry),
    }


def _to_attempts(entry: InboxEntry) -> Sequence[dict[str, Any]]:
    return [
        {
            "endpoint": attempt.endpoint,
            "at": attempt.at,
            "outcome": attempt.outcome,
            "status": attempt.status,
            "milliseconds": attempt.duration_ms,
            "answer": attempt.answer,
            "resend": attempt.is_resend,
        }
        for attempt in entry.attempts
    ]


def _read_number(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > len(str(2**62)):
        raise _bad_request(f"{name} must be a whole number, 0 or more")
    return int(text)


def _bad_request(detail: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, detail)
