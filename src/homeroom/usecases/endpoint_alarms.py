"""Alarms: the people of an endpoint are warned, every hour, while it is stuck (READINGS Q91)."""

from typing import Final

from homeroom.base.clock import DAY, HOUR, MINUTE, Moment
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.base.values import Value
from homeroom.domain.deliveries import MAX_AGE_SECONDS
from homeroom.domain.endpoints import STANDARD_PATIENCE_SECONDS, EndpointFormat
from homeroom.store.endpoint_alarms import StuckEndpoint
from homeroom.store.unit_of_work import UnitOfWork

STUCK_SECONDS: Final = MINUTE
"""Age of a message that was attempted and not acknowledged, from which its endpoint is stuck."""
INTERVAL_SECONDS: Final = HOUR
"""Time between two alarms of an endpoint."""
WARNING_SECONDS: Final = DAY
"""Time before an endpoint is disabled, or a message dead, from which the alarm says so."""
MAX_ALARMS: Final = 50
"""Alarms of one unit of work; the others follow in the next."""


class EndpointAlarm(Value, frozen=True):
    """A warning to the people of an endpoint."""

    endpoint: EndpointId
    school: SchoolId
    url: str
    addresses: tuple[str, ...]
    queues: int
    oldest_seconds: int
    """Age of the oldest message that waits in a failing queue."""
    outcome: str
    warning: str
    """What happens within a day, or an empty text."""


def raise_due(uow: UnitOfWork) -> list[EndpointAlarm]:
    """Return the alarms that are due; they are saved, so that no other server raises them."""
    before = uow.now - INTERVAL_SECONDS
    stuck = uow.endpoint_alarms.list_stuck(uow.now, uow.now - STUCK_SECONDS, before, MAX_ALARMS)
    return [
        EndpointAlarm(
            each.id,
            each.school,
            each.url.partition("?")[0],
            each.addresses,
            each.queues,
            uow.now - each.oldest_at,
            each.outcome,
            _warn(each, uow.now),
        )
        for each in stuck
        if uow.endpoint_alarms.claim(each.id, uow.now, before)
    ]


def _warn(stuck: StuckEndpoint, now: Moment) -> str:
    if stuck.format is EndpointFormat.STANDARD:
        # One that had nothing to send for days has not failed.
        failing_since = max(stuck.last_success_at, stuck.oldest_at)
        end, what = failing_since + STANDARD_PATIENCE_SECONDS, "the endpoint is disabled"
    else:
        end, what = stuck.oldest_at + MAX_AGE_SECONDS, "the oldest message is given up"
    return f"{what} within a day" if end - now <= WARNING_SECONDS else ""
