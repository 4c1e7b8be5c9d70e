"""Messages with their deliveries and attempts, as an integrator or an operator reads them."""

from typing import NamedTuple

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Text, bindparam, exists, or_, select

from homeroom.base.clock import Moment
from homeroom.base.ids import EndpointId, LessonId, MessageId, SchoolId
from homeroom.base.values import Value
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import DeliveryState, MessageDelivery, MessageFilter, StoredMessage
from homeroom.store.engine import Row, SQLValue, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import attempts, deliveries, messages

MAX_ATTEMPTS = 1000
"""Attempts that one list returns with its messages."""
MAX_DELIVERIES = 20_000
"""Deliveries that one list returns with its messages."""


class QueuedMessage(NamedTuple):
    """A message in the queues of an endpoint."""

    id: MessageId
    kind: str
    stream: str
    position: int | None
    """None: it is new, and in no queue yet."""
    created_at: Moment
    is_waiting: bool
    """Whether it waits at the endpoint."""


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


_select = select(
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
_LIST = Statement(
    _select.where(
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
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "before": messages.c.id < bindparam("before"),
    "school": messages.c.school_id == bindparam("school"),
    "kind": messages.c.kind == bindparam("kind"),
    "lesson": messages.c.lesson_id == bindparam("lesson"),
}
_DELIVERY_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "endpoint": deliveries.c.endpoint_id == bindparam("endpoint"),
    "state": deliveries.c.state == bindparam("state"),
}
_NEWEST: dict[frozenset[str], Statement] = {}
"""The statement for each combination of filters, compiled once."""
_GET = Statement(_select.where(messages.c.id == bindparam("message")))
_ids = ListParameter("ids")
_LIST_DELIVERIES = Statement(
    select(
        deliveries.c.message_id,
        deliveries.c.endpoint_id,
        deliveries.c.state,
        deliveries.c.reason,
        deliveries.c.is_resend,
        deliveries.c.ended_at,
    )
    .where(_ids.contains(deliveries.c.message_id))
    # By the message first: PostgreSQL would walk through all deliveries in order of their ids.
    .order_by(deliveries.c.message_id, deliveries.c.id)
    .limit(MAX_DELIVERIES)
)
# By its state, and not with EXISTS or by the lane: PostgreSQL would read all that waits.
_waiting = (
    select(deliveries.c.id)
    .where(
        deliveries.c.message_id == messages.c.id,
        deliveries.c.endpoint_id == bindparam("endpoint"),
        deliveries.c.state == bindparam("waiting", DeliveryState.WAITING.value, type_=Text()),
    )
    .limit(1)
    .scalar_subquery()
)
_LIST_SLICE = Statement(
    select(
        messages.c.id,
        messages.c.kind,
        messages.c.stream,
        messages.c.position,
        messages.c.created_at,
        _waiting,
    )
    .where(
        messages.c.school_id == bindparam("school"),
        messages.c.id > bindparam("after"),
        messages.c.id <= bindparam("until"),
    )
    .order_by(messages.c.id)
    .limit(bindparam("limit"))
)
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

    def list_newest(self, query: MessageFilter) -> list[LoggedMessage]:
        """Return messages from the newest one on."""
        values = {name: value for name, value in _to_values(query).items() if value is not None}
        names = frozenset(values)
        statement = _NEWEST.get(names)
        if statement is None:
            statement = _NEWEST[names] = _build_newest(names)
        rows = self._tx.fetch_all(statement, {**values, "row_limit": query.limit})
        return [_read_message(row) for row in rows]

    def get(self, message: MessageId) -> LoggedMessage | None:
        """Return a message, or None."""
        rows = self._tx.fetch_all(_GET, {"message": message})
        return _read_message(rows[0]) if rows else None

    def list_deliveries(self, ids: list[MessageId]) -> list[MessageDelivery]:
        """Return the deliveries of some messages in order, at most 20,000."""
        rows = self._tx.fetch_all(_LIST_DELIVERIES, {"ids": msgspec.json.encode(ids).decode()})
        return [
            MessageDelivery(
                MessageId(row[0]),
                EndpointId(row[1]),
                DeliveryState(row[2]),
                row[3],
                is_resend=bool(row[4]),
                ended_at=row[5],
            )
            for row in rows
        ]

    def list_slice(
        self,
        school: SchoolId,
        endpoint: EndpointId,
        after: MessageId,
        until: MessageId,
        limit: int,
    ) -> list[QueuedMessage]:
        """Return messages of a school after one and up to another, as an endpoint has them."""
        values = {
            "school": school,
            "endpoint": endpoint,
            "after": after,
            "until": until,
            "limit": limit,
        }
        rows = self._tx.fetch_all(_LIST_SLICE, values)
        return [
            QueuedMessage(number, kind, stream, position, created_at, waiting is not None)
            for number, kind, stream, position, created_at, waiting in rows
        ]

    def list_attempts(self, ids: list[MessageId]) -> list[LoggedAttempt]:
        """Return the attempts to deliver some messages in order, at most 1,000."""
        rows = self._tx.fetch_all(_LIST_ATTEMPTS, {"ids": msgspec.json.encode(ids).decode()})
        return [_read_attempt(row) for row in rows]


def _to_values(query: MessageFilter) -> dict[str, SQLValue]:
    return {
        "before": query.before,
        "school": query.school,
        "kind": query.kind.value if query.kind is not None else None,
        "lesson": query.lesson,
        "endpoint": query.endpoint,
        "state": query.state.value if query.state is not None else None,
    }


def _build_newest(names: frozenset[str]) -> Statement:
    conditions = [_CONDITIONS[name] for name in sorted(names & _CONDITIONS.keys())]
    of_delivery = [
        _DELIVERY_CONDITIONS[name] for name in sorted(names & _DELIVERY_CONDITIONS.keys())
    ]
    if of_delivery:
        conditions.append(exists().where(deliveries.c.message_id == messages.c.id, *of_delivery))
    return Statement(
        _select.where(*conditions).order_by(messages.c.id.desc()).limit(bindparam("row_limit"))
    )


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
