"""The backlog of messages, of all schools: bounded counts, as it may be of millions."""

from typing import Final

from sqlalchemy import func, select

from homeroom.base.clock import Moment
from homeroom.domain.endpoints import EndpointState
from homeroom.store.deliveries import HEAD
from homeroom.store.engine import Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import deliveries, endpoints, lanes, messages

MAX_COUNTED: Final = 100_000
"""Deliveries that wait are counted up to this number."""
_COUNT_WAITING = Statement(
    select(func.count()).select_from(
        select(deliveries.c.lane_id)
        .where(deliveries.c.lane_id.is_not(None))
        .limit(MAX_COUNTED)
        .subquery()
    )
)
_COUNT_LANES = Statement(
    select(
        func.count().filter(lanes.c.failures > 0),
        func.min(messages.c.created_at).filter(endpoints.c.state == EndpointState.ACTIVE.value),
    ).select_from(
        lanes.join(endpoints, endpoints.c.id == lanes.c.endpoint_id)
        .join(deliveries, deliveries.c.id == HEAD)
        .join(messages, messages.c.id == deliveries.c.message_id)
    )
)


class Backlog:
    """Repository of the backlog of messages."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def count(self) -> tuple[int, int, Moment | None]:
        """Return how many deliveries wait, up to a limit, and how many lanes fail.

        Also when the oldest message that waits at an active endpoint was written.
        """
        waiting = self._tx.fetch_all(_COUNT_WAITING, {})[0][0]
        failing, oldest = self._tx.fetch_all(_COUNT_LANES, {})[0]
        return int(waiting), int(failing), oldest
