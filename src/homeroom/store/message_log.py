"""Messages with their deliveries and attempts, as an integrator or an operator reads them."""

import msgspec
from sqlalchemy import BigInteger, Text, bindparam, or_, select

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, MessageId, SchoolId
from homeroom.base.values import Value
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import StoredMessage
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import attempts, deliveries, messages

MAX_ATTEMPTS = 1000
"""Attempts that one list returns with its messages."""


class LoggedMessage(Value, frozen=True):
    """A message, and the class and course that it is about."""

    message: StoredMessage
    course: int | None
    lesson: int | None


class LoggedAttempt(Value, frozen=True):
    """An attempt to deliver a message."""

    message: MessageId
    endpoint: int
    at: Moment
    outcome: str
    status: int | None
    duration_ms: int
    answer: str | None
    safe_key: str | None
    is_resend: bool


_LIST = Statement(
    select(
        messages.c.id,
        messages.c.school_id,
        messages.c.kind,
        messages.c.stream,
        messages.c.body,
        messages.c.file_path,
        messages.c.is_simulated,
        messages.c.created_at,
        messages.c.course_id,
        messages.c.lesson_id,
    )
    .where(
        or_(
            bindparam("school", type_=BigInteger()) == 0,
            messages.c.school_id == bindparam("school"),
        ),
        messages.c.id > bindparam("after"),
        or_(bindparam("kind", type_=Text()) == "", messages.c.kind == bindparam("kind")),
        or_(
            bindparam("lesson", type_=BigInteger()) == 0,
            messages.c.lesson_id == bindparam("lesson"),
        ),
    )
    .order_by(messages.c.id)
    .limit(bindparam("limit"))
)
_ids = ListParameter("ids")
_LIST_ATTEMPTS = Statement(
    select(
        deliveries.c.message_id,
        attempts.c.endpoint_id,
        attempts.c.at,
        attempts.c.outcome,
        attempts.c.status,
        attempts.c.duration_ms,
        attempts.c.answer,
        attempts.c.safe_key,
        deliveries.c.is_resend,
    )
    .select_from(attempts.join(deliveries, deliveries.c.id == attempts.c.delivery_id))
    .where(_ids.contains(deliveries.c.message_id))
    .order_by(attempts.c.id)
    .limit(MAX_ATTEMPTS)
)


class MessageLog:
    """Repository of the log of messages."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_messages(
        self,
        school: SchoolId,
        after: int,
        kind: MessageKind | None,
        lesson: LessonId | None,
        limit: int,
    ) -> list[LoggedMessage]:
        """Return messages of a school, or of all schools for 0, with greater ids, in order."""
        values = {
            "school": school,
            "after": after,
            "kind": kind.value if kind is not None else "",
            "lesson": lesson or 0,
            "limit": limit,
        }
        return [_read_message(row) for row in self._tx.fetch_all(_LIST, values)]

    def list_attempts(self, ids: list[MessageId]) -> list[LoggedAttempt]:
        """Return the attempts to deliver some messages in order, at most 1,000."""
        rows = self._tx.fetch_all(_LIST_ATTEMPTS, {"ids": msgspec.json.encode(ids).decode()})
        return [_read_attempt(row) for row in rows]


def _read_attempt(row: Row) -> LoggedAttempt:
    message, endpoint, at, outcome, status, duration_ms, answer, safe_key, is_resend = row
    return LoggedAttempt(
        message=message,
        endpoint=endpoint,
        at=at,
        outcome=outcome,
        status=status,
        duration_ms=duration_ms,
        answer=answer,
        safe_key=safe_key,
        is_resend=bool(is_resend),
    )


def _read_message(row: Row) -> LoggedMessage:
    message = StoredMessage(
        MessageId(row[0]),
        SchoolId(row[1]),
        MessageKind(row[2]),
        row[3],
        row[4],
        row[5],
        is_simulated=bool(row[6]),
        created_at=row[7],
    )
    return LoggedMessage(message, row[8], row[9])
