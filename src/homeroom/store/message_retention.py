"""Messages and attempts that are past their retention."""

from collections.abc import Collection
from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, exists, select

from homeroom.base.clock import Moment
from homeroom.base.ids import DeliveryId, LaneId, MessageId, SchoolId
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import attempts, deliveries, endpoints, messages


class WaitingDelivery(NamedTuple):
    """A delivery that still waits, and its lane."""

    message: MessageId
    delivery: DeliveryId
    lane: LaneId


_ids = ListParameter("ids")
_LIST_OLDEST = Statement(
    select(messages.c.id, messages.c.created_at)
    .where(
        messages.c.school_id == bindparam("school"),
        messages.c.id > 0,
        ~exists().where(
            deliveries.c.message_id == messages.c.id, deliveries.c.ended_at > bindparam("since")
        ),
    )
    .order_by(messages.c.id)
    .limit(bindparam("limit"))
)
_LIST_WAITING = Statement(
    select(deliveries.c.message_id, deliveries.c.id, deliveries.c.lane_id)
    .where(_ids.contains(deliveries.c.message_id), deliveries.c.lane_id.is_not(None))
    .order_by(deliveries.c.message_id, deliveries.c.id)
)
_DELETE = (
    Statement(
        delete(attempts).where(
            attempts.c.delivery_id.in_(
                select(deliveries.c.id).where(_ids.contains(deliveries.c.message_id))
            )
        )
    ),
    Statement(delete(deliveries).where(_ids.contains(deliveries.c.message_id))),
    Statement(delete(messages).where(_ids.contains(messages.c.id))),
)
_LIST_OLD_ATTEMPTS = Statement(
    select(attempts.c.id)
    .select_from(attempts.join(endpoints, endpoints.c.id == attempts.c.endpoint_id))
    .where(attempts.c.at < bindparam("before"), endpoints.c.school_id == bindparam("school"))
    .order_by(attempts.c.at)
    .limit(bindparam("limit"))
)
_LIST_SCHOOLS_WITH_OLD_ATTEMPTS = Statement(
    select(endpoints.c.school_id)
    .select_from(attempts.join(endpoints, endpoints.c.id == attempts.c.endpoint_id))
    .where(attempts.c.at < bindparam("before"))
    .distinct()
)
_DELETE_ATTEMPTS = Statement(delete(attempts).where(_ids.contains(attempts.c.id)))


class MessageRetention:
    """Repository of messages and attempts that are past their retention."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_oldest(
        self, school: SchoolId, since: Moment, limit: int
    ) -> list[tuple[MessageId, Moment]]:
        """Return the oldest messages of a school, with the moments at which they were written.

        Without those of which a delivery ended after a moment.
        """
        values = {"school": school, "since": since, "limit": limit}
        rows = self._tx.fetch_all(_LIST_OLDEST, values)
        return [(MessageId(message), created_at) for message, created_at in rows]

    def list_waiting(self, ids: Collection[MessageId]) -> list[WaitingDelivery]:
        """Return the deliveries of some messages that still wait."""
        rows = self._tx.fetch_all(_LIST_WAITING, {"ids": _encode(ids)})
        return [
            WaitingDelivery(MessageId(message), DeliveryId(delivery), LaneId(lane))
            for message, delivery, lane in rows
        ]

    def delete(self, ids: Collection[MessageId]) -> None:
        """Delete messages, with their deliveries and attempts."""
        for statement in _DELETE:
            self._tx.execute(statement, {"ids": _encode(ids)})

    def list_schools_with_old_attempts(self, before: Moment) -> list[SchoolId]:
        """Return the schools with attempts that were made before a moment."""
        rows = self._tx.fetch_all(_LIST_SCHOOLS_WITH_OLD_ATTEMPTS, {"before": before})
        return [SchoolId(row[0]) for row in rows]

    def list_old_attempts(self, school: SchoolId, before: Moment, limit: int) -> list[int]:
        """Return the ids of attempts of a school that were made before a moment."""
        values = {"school": school, "before": before, "limit": limit}
        return [row[0] for row in self._tx.fetch_all(_LIST_OLD_ATTEMPTS, values)]

    def delete_attempts(self, ids: Collection[int]) -> None:
        """Delete attempts."""
        self._tx.execute(_DELETE_ATTEMPTS, {"ids": _encode(ids)})


def _encode(ids: Collection[int]) -> str:
    return msgspec.json.encode(sorted(ids)).decode()
