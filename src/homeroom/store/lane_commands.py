"""Commands of an operator on the queues of an endpoint: skip, and try again."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy import update as update_rows

from homeroom.base.clock import Moment
from homeroom.base.ids import DeliveryId, EndpointId, LaneId
from homeroom.domain.deliveries import DeliveryState
from homeroom.store.deliveries import HEAD
from homeroom.store.engine import Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import deliveries, lanes

_SKIP_ALL = Statement(
    update_rows(deliveries)
    .where(deliveries.c.endpoint_id == bindparam("endpoint"), deliveries.c.lane_id.is_not(None))
    .values(
        lane_id=None,
        state=DeliveryState.SKIPPED.value,
        reason=bindparam("new_reason"),
        ended_at=bindparam("now"),
    )
)
_DELETE_LANES = Statement(delete(lanes).where(lanes.c.endpoint_id == bindparam("endpoint")))
_MAKE_DUE = Statement(
    update_rows(lanes)
    .where(lanes.c.endpoint_id == bindparam("endpoint"))
    .values(due_at=0, due_real_at=0)
)
_LIST_FAILING = Statement(
    select(HEAD, lanes.c.id).where(
        lanes.c.endpoint_id == bindparam("endpoint"), lanes.c.failures > 0
    )
)


class LaneCommands:
    """Repository of the lanes of an endpoint; lock the outbox of the school first."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def skip_all(self, endpoint: EndpointId, now: Moment, reason: str) -> None:
        """Skip all that waits at an endpoint."""
        values = {"endpoint": endpoint, "now": now, "new_reason": reason}
        self._tx.execute(_SKIP_ALL, values)
        self._tx.execute(_DELETE_LANES, {"endpoint": endpoint})

    def make_due(self, endpoint: EndpointId) -> None:
        """Let all lanes of an endpoint be attempted now."""
        self._tx.execute(_MAKE_DUE, {"endpoint": endpoint})

    def list_failing_heads(self, endpoint: EndpointId) -> list[tuple[DeliveryId, LaneId]]:
        """Return the first delivery of each lane whose last attempt failed."""
        rows = self._tx.fetch_all(_LIST_FAILING, {"endpoint": endpoint})
        return [(DeliveryId(delivery), LaneId(lane)) for delivery, lane in rows]
