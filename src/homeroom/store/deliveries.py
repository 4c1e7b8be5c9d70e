"""Deliveries: the messages that wait at endpoints, in queues.

A unit that changes a lane or a delivery locks the outbox of the school first, so that the commands
of an operator and the server that delivers run one after the other (ADR 0033).
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ClauseElement, and_, bindparam, delete, exists, func, insert, or_, select
from sqlalchemy import update as update_rows

from homeroom.base.clock import Moment
from homeroom.base.ids import DeliveryId, EndpointId, LaneId, MessageId, SchoolId
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import (
    AttemptResult,
    Delivery,
    DeliveryState,
    StoredMessage,
)
from homeroom.domain.endpoints import EndpointState
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import attempts, deliveries, endpoints, lanes, messages, outboxes

MAX_ASSIGNED = 2000
"""Messages that get their positions in one unit of work."""


class NewMessage(NamedTuple):
    """A message without a position."""

    id: MessageId
    kind: str
    stream: str


class NewDelivery(NamedTuple):
    """A delivery to add, with the name of its lane."""

    endpoint: EndpointId
    message: MessageId
    lane: str
    position: int


class LaneChange(NamedTuple):
    """The state of a lane after a failed attempt."""

    lane: LaneId
    failures: int
    due_at: Moment
    due_real_at: Moment
    outcome: str


class EndedDelivery(NamedTuple):
    """A delivery that waits no more."""

    delivery: DeliveryId
    state: DeliveryState
    reason: str | None


class LaneHead(NamedTuple):
    """The first delivery of a lane, and how often it failed."""

    delivery: Delivery
    failures: int


_LIST_NEW = Statement(
    select(messages.c.id, messages.c.kind, messages.c.stream)
    .where(messages.c.school_id == bindparam("school"), messages.c.position.is_(None))
    .order_by(messages.c.id)
    .limit(MAX_ASSIGNED)
)
_positions = ListParameter("positions")
# As a join: a subquery for each row would read the whole list for each.
_assigned = (
    select(_positions.integer(0).label("id"), _positions.integer(1).label("position"))
    .select_from(_positions.source)
    .subquery()
)
_SET_POSITIONS = Statement(
    update_rows(messages)
    .where(messages.c.id == _assigned.c.id)
    .values(position=_assigned.c.position)
)
_SET_LAST = Statement(
    update_rows(outboxes)
    .where(outboxes.c.school_id == bindparam("school"))
    .values(last_position=bindparam("last"))
)
_new = ListParameter("new")


def _add_lanes(insert_into: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    columns = ["endpoint_id", "school_id", "name", "failures", "due_at", "due_real_at"]
    rows = (
        select(
            _new.integer(0),
            bindparam("school", type_=lanes.c.school_id.type),
            _new.text(1),
            *(_new.integer(2) for _ in range(3)),
        )
        .select_from(_new.source)
        # Without a WHERE, SQLite would read the ON of ON CONFLICT as the condition of a join.
        .where(_new.integer(0) > 0)
    )
    new: ClauseElement = insert_into(lanes).from_select(columns, rows).on_conflict_do_nothing()
    return new


_ADD_LANES = Statement(_add_lanes)
_ADD_DELIVERIES = Statement(
    insert(deliveries).from_select(
        ["endpoint_id", "message_id", "lane_id", "position", "is_resend", "state"],
        select(
            _new.integer(0),
            _new.integer(1),
            lanes.c.id,
            _new.integer(3),
            _new.integer(4),
            bindparam("waiting", DeliveryState.WAITING.value, type_=deliveries.c.state.type),
        )
        .select_from(
            _new.source.join(
                lanes, and_(lanes.c.endpoint_id == _new.integer(0), lanes.c.name == _new.text(2))
            )
        )
        .order_by(_new.integer(3), _new.integer(0)),
    )
)
_busy = ListParameter("busy")
_first = deliveries.alias("first")
HEAD = (
    select(_first.c.id)
    .where(_first.c.lane_id == lanes.c.id)
    .order_by(_first.c.position, _first.c.id)
    .limit(1)
    .scalar_subquery()
)
"""The first delivery of a lane."""
_LIST_HEADS = Statement(
    select(
        deliveries.c.id,
        deliveries.c.endpoint_id,
        lanes.c.id,
        deliveries.c.is_resend,
        lanes.c.failures,
        messages.c.id,
        messages.c.kind,
        messages.c.stream,
        messages.c.body,
        messages.c.file_path,
        messages.c.is_simulated,
        messages.c.created_at,
    )
    .select_from(
        lanes.join(endpoints, endpoints.c.id == lanes.c.endpoint_id)
        .join(deliveries, deliveries.c.id == HEAD)
        .join(messages, messages.c.id == deliveries.c.message_id)
    )
    .where(
        lanes.c.school_id == bindparam("school"),
        endpoints.c.state == EndpointState.ACTIVE.value,
        or_(lanes.c.due_at <= bindparam("now"), lanes.c.due_real_at <= bindparam("real_now")),
        lanes.c.id.not_in(select(_busy.integer()).select_from(_busy.source)),
    )
    # The oldest message first: no lane waits without end behind busy ones.
    .order_by(deliveries.c.position, deliveries.c.id)
    .limit(bindparam("limit"))
)
_NEXT_DUE = Statement(
    select(func.min(lanes.c.due_at), func.min(lanes.c.due_real_at))
    .select_from(lanes.join(endpoints, endpoints.c.id == lanes.c.endpoint_id))
    .where(
        lanes.c.school_id == bindparam("school"),
        endpoints.c.state == EndpointState.ACTIVE.value,
        lanes.c.id.not_in(select(_busy.integer()).select_from(_busy.source)),
    )
)
_ended = ListParameter("ended")
_endings = (
    select(
        _ended.integer(0).label("id"),
        _ended.text(1).label("state"),
        _ended.text(2).label("reason"),
    )
    .select_from(_ended.source)
    .subquery()
)
_END = Statement(
    update_rows(deliveries)
    .where(deliveries.c.id == _endings.c.id)
    .values(
        lane_id=None,
        ended_at=bindparam("now"),
        state=_endings.c.state,
        reason=_endings.c.reason,
    )
)
_attempts = ListParameter("attempts")
_ADD_ATTEMPTS = Statement(
    insert(attempts).from_select(
        [
            "endpoint_id",
            "delivery_id",
            "at",
            "outcome",
            "status",
            "duration_ms",
            "answer",
            "safe_key",
        ],
        select(
            _attempts.integer(0),
            _attempts.integer(1),
            bindparam("now", type_=attempts.c.at.type),
            _attempts.text(2),
            _attempts.integer(3),
            _attempts.integer(4),
            _attempts.text(5),
            _attempts.text(6),
        )
        .select_from(_attempts.source)
        .order_by(_attempts.integer(1)),
    )
)
_lane_ids = ListParameter("lane_ids")
_RESET_LANES = Statement(
    update_rows(lanes)
    .where(_lane_ids.contains(lanes.c.id), lanes.c.failures > 0)
    .values(failures=0, due_at=0, due_real_at=0, last_outcome=None)
)
_DELETE_EMPTY = Statement(
    delete(lanes).where(
        _lane_ids.contains(lanes.c.id), ~exists().where(deliveries.c.lane_id == lanes.c.id)
    )
)
_DELAY = Statement(
    update_rows(lanes)
    .where(lanes.c.id == bindparam("lane"))
    .values(
        failures=bindparam("new_failures"),
        due_at=bindparam("new_due"),
        due_real_at=bindparam("new_due_real"),
        last_outcome=bindparam("outcome"),
    )
)


class Deliveries:
    """Repository of deliveries."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    # --- positions and lanes ----------------------------------------------------------------------

    def list_new(self, school: SchoolId) -> list[NewMessage]:
        """Return the messages without a position in order of their ids, at most 2,000."""
        return [NewMessage(*row) for row in self._tx.fetch_all(_LIST_NEW, {"school": school})]

    def set_positions(self, school: SchoolId, ids: Iterable[MessageId], first: int) -> None:
        """Give messages the positions that follow."""
        pairs = list(zip(ids, range(first, first + 2**31)))  # noqa: B905  the ids end first
        self._tx.execute(_SET_POSITIONS, {"positions": _encode(pairs)})
        self._tx.execute(_SET_LAST, {"school": school, "last": pairs[-1][1]})

    def add(
        self, school: SchoolId, new: Collection[NewDelivery], *, is_resend: bool = False
    ) -> None:
        """Add deliveries at the end of their lanes."""
        names = sorted({(each.endpoint, each.lane) for each in new})
        self._tx.execute(
            _ADD_LANES, {"school": school, "new": _encode([[*name, 0] for name in names])}
        )
        rows = [[*each, int(is_resend)] for each in new]
        self._tx.execute(_ADD_DELIVERIES, {"new": _encode(rows)})

    def list_heads(
        self,
        school: SchoolId,
        now: Moment,
        real_now: Moment,
        busy: Collection[LaneId],
        limit: int,
    ) -> list[LaneHead]:
        """Return the first deliveries of lanes that are due and not busy."""
        values = {
            "school": school,
            "now": now,
            "real_now": real_now,
            "busy": _encode(sorted(busy)),
            "limit": limit,
        }
        return [
            LaneHead(
                Delivery(
                    DeliveryId(row[0]),
                    EndpointId(row[1]),
                    LaneId(row[2]),
                    StoredMessage(
                        MessageId(row[5]),
                        school,
                        MessageKind(row[6]),
                        row[7],
                        row[8],
                        row[9],
                        is_simulated=bool(row[10]),
                        created_at=row[11],
                    ),
                    is_resend=bool(row[3]),
                ),
                row[4],
            )
            for row in self._tx.fetch_all(_LIST_HEADS, values)
        ]

    def find_next_due(
        self, school: SchoolId, busy: Collection[LaneId]
    ) -> tuple[Moment, Moment] | None:
        """Return when the next lane is due, by the clock of the server and by the real one."""
        values = {"school": school, "busy": _encode(sorted(busy))}
        due_at, due_real_at = self._tx.fetch_all(_NEXT_DUE, values)[0]
        return (due_at, due_real_at) if due_at is not None else None

    # --- results ----------------------------------------------------------------------------------

    def add_attempts(
        self, results: Collection[tuple[Delivery, AttemptResult]], now: Moment
    ) -> None:
        """Add attempts to the log of deliveries."""
        rows = [
            [
                delivery.endpoint,
                delivery.id,
                result.outcome.value,
                result.status,
                result.duration_ms,
                result.answer,
                result.safe_key,
            ]
            for delivery, result in results
        ]
        self._tx.execute(_ADD_ATTEMPTS, {"attempts": _encode(rows), "now": now})

    def end(
        self, ended: Collection[EndedDelivery], lanes_of: Collection[LaneId], now: Moment
    ) -> None:
        """End deliveries; their lanes continue at once, and empty ones are deleted."""
        rows = [[each.delivery, each.state.value, each.reason] for each in ended]
        self._tx.execute(_END, {"ended": _encode(rows), "now": now})
        ids = _encode(sorted(lanes_of))
        self._tx.execute(_RESET_LANES, {"lane_ids": ids})
        self._tx.execute(_DELETE_EMPTY, {"lane_ids": ids})

    def delay(self, change: LaneChange) -> None:
        """Save when a lane is tried again after a failed attempt."""
        values = {
            "lane": change.lane,
            "new_failures": change.failures,
            "new_due": change.due_at,
            "new_due_real": change.due_real_at,
            "outcome": change.outcome,
        }
        self._tx.execute(_DELAY, values)


def _encode(rows: Collection[Any]) -> str:
    return msgspec.json.encode(rows).decode()
