"""Endpoints that are stuck, and when their people were warned."""

from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, func, or_, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.domain.endpoints import EndpointFormat, EndpointState
from homeroom.store.deliveries import HEAD
from homeroom.store.engine import Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import deliveries, endpoints, lanes, messages


class StuckEndpoint(NamedTuple):
    """An endpoint with queues whose first message is not acknowledged."""

    id: EndpointId
    school: SchoolId
    url: str
    format: EndpointFormat
    addresses: tuple[str, ...]
    last_success_at: Moment
    """Or when it was activated."""
    queues: int
    oldest_at: Moment
    """When the oldest of those messages was written."""
    outcome: str
    """How the last attempt in one of the queues ended."""


_may_alarm = or_(
    endpoints.c.alarmed_at.is_(None),
    endpoints.c.alarmed_at <= bindparam("before"),
    # The clock was set back; those of two servers may differ by seconds.
    endpoints.c.alarmed_at > bindparam("future"),
)
_LIST_STUCK = Statement(
    select(
        endpoints.c.id,
        endpoints.c.school_id,
        endpoints.c.url,
        endpoints.c.format,
        endpoints.c.alert_addresses,
        func.coalesce(
            endpoints.c.last_success_at, endpoints.c.activated_at, endpoints.c.created_at
        ),
        func.count(),
        func.min(messages.c.created_at),
        func.max(lanes.c.last_outcome),
    )
    .select_from(
        lanes.join(endpoints, endpoints.c.id == lanes.c.endpoint_id)
        .join(deliveries, deliveries.c.id == HEAD)
        .join(messages, messages.c.id == deliveries.c.message_id)
    )
    .where(
        lanes.c.failures > 0,
        endpoints.c.state == EndpointState.ACTIVE.value,
        messages.c.created_at <= bindparam("stuck_since"),
        _may_alarm,
    )
    .group_by(endpoints.c.id)
    .order_by(endpoints.c.id)
    .limit(bindparam("limit"))
)
_CLAIM = Statement(
    update(endpoints)
    .where(endpoints.c.id == bindparam("endpoint"), _may_alarm)
    .values(alarmed_at=bindparam("now"))
)


class EndpointAlarms:
    """Repository of the alarms of endpoints."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_stuck(
        self, now: Moment, stuck_since: Moment, before: Moment, limit: int
    ) -> list[StuckEndpoint]:
        """Return endpoints with a failing queue whose first message is as old as a moment.

        Without those whose people were warned after another moment, `before`.
        """
        values = {"stuck_since": stuck_since, "limit": limit, **_bound_alarms(now, before)}
        return [
            StuckEndpoint(
                EndpointId(row[0]),
                SchoolId(row[1]),
                row[2],
                EndpointFormat(row[3]),
                tuple(msgspec.json.decode(row[4])),
                *row[5:],
            )
            for row in self._tx.fetch_all(_LIST_STUCK, values)
        ]

    def claim(self, endpoint: EndpointId, now: Moment, before: Moment) -> bool:
        """Save that the people of an endpoint are warned now; False if another server did so."""
        values = {"endpoint": endpoint, "now": now, **_bound_alarms(now, before)}
        return self._tx.execute(_CLAIM, values) > 0


def _bound_alarms(now: Moment, before: Moment) -> dict[str, Moment]:
    return {"before": before, "future": now + (now - before)}
