"""The delivery of messages: what one turn of the delivery loop changes, in one unit of work."""

from collections.abc import Collection, Sequence
from http import HTTPStatus

import msgspec

from homeroom.base.clock import MINUTE, Moment
from homeroom.base.ids import EndpointId, LaneId, SchoolId
from homeroom.base.values import Value
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import (
    DEAD_REASON,
    MAX_AGE_SECONDS,
    AttemptOutcome,
    AttemptResult,
    Delivery,
    DeliveryState,
    StoredMessage,
    find_retry_seconds,
)
from homeroom.domain.endpoints import (
    STANDARD_PATIENCE_SECONDS,
    Endpoint,
    EndpointFormat,
    EndpointState,
    name_lane,
    wants,
)
from homeroom.store.deliveries import MAX_ASSIGNED, EndedDelivery, LaneChange, NewDelivery
from homeroom.store.records import MessageCounts
from homeroom.store.unit_of_work import UnitOfWork

MAX_WORK = 200
"""Schools that one look for work returns."""
SPREAD = 0.618034
"""Multiples of it, without their whole part, are far from each other."""


class Finished(Value, frozen=True):
    """An attempt that has ended."""

    delivery: Delivery
    failures: int
    """Failed attempts of this delivery before."""
    result: AttemptResult


class Head(Value, frozen=True):
    """A delivery that is to be attempted now."""

    delivery: Delivery
    endpoint: Endpoint
    failures: int


class Turn(msgspec.Struct, frozen=True):
    """The result of one turn: what to attempt now, and when the next turn is due."""

    heads: Sequence[Head]
    has_more: bool
    """Whether more messages wait for their positions."""
    next_due: tuple[Moment, Moment] | None
    """By the clock of the server, and by the real one."""


def claim(uow: UnitOfWork, school: SchoolId, owner: str, seconds: int, real_now: Moment) -> bool:
    """Lease the outbox of a school for some seconds; return False while another server has it."""
    return uow.outbox_leases.claim(school, owner, real_now + seconds, real_now)


def renew(uow: UnitOfWork, school: SchoolId, owner: str, until: Moment) -> bool:
    """Extend a lease; return False if another server has taken it."""
    return uow.outbox_leases.renew(school, owner, until)


def release(uow: UnitOfWork, school: SchoolId, owner: str) -> None:
    """End the lease of a school, if this server has it."""
    uow.outbox_leases.renew(school, owner, 0)


def release_all(uow: UnitOfWork, owner: str = "") -> None:
    """End all leases of a server, or of all servers whose names begin so."""
    uow.outbox_leases.release_all(owner)


def get_counts(uow: UnitOfWork) -> MessageCounts:
    """Return the backlog of messages, of all schools."""
    waiting, failing, oldest = uow.backlog.count()
    age = max(uow.now - oldest, 0) if oldest is not None else 0
    return MessageCounts(waiting, failing, age)


def find_work(uow: UnitOfWork, real_now: Moment) -> list[SchoolId]:
    """Return schools whose messages no server delivers at the moment."""
    return uow.outbox_leases.find_work(uow.now, real_now, MAX_WORK)


def take_turn(
    uow: UnitOfWork,
    school: SchoolId,
    owner: str,
    real_now: Moment,
    finished: Collection[Finished],
    busy: Collection[LaneId],
    limit: int,
    *,
    has_new: bool,
) -> Turn:
    """Save what attempts came to, queue new messages, and return what to attempt now.

    `busy` are the lanes with an attempt on its way, `limit` how many more there may be. New
    messages are looked for if there may be some (`has_new`): the look is slow after a backlog.
    Raises `LeaseLostError` if another server has the lease: then nothing is saved, and that
    server makes the attempts once more.
    """
    last = uow.outbox_leases.check_lease(school, owner)
    endpoints = {each.id: each for each in uow.endpoints.list_of_school(school)}
    # An endpoint that was removed during an attempt took its deliveries with it.
    present = [each for each in finished if each.delivery.endpoint in endpoints]
    _save_results(uow, present, endpoints, real_now)
    count = _queue_new(uow, school, endpoints, last) if has_new else 0
    heads = []
    if limit > 0:
        heads = uow.deliveries.list_heads(school, uow.now, real_now, busy, limit)
    taken = {*busy, *(head.delivery.lane for head in heads)}
    return Turn(
        [Head(head.delivery, endpoints[head.delivery.endpoint], head.failures) for head in heads],
        count == MAX_ASSIGNED,
        uow.deliveries.find_next_due(school, taken),
    )


def _queue_new(
    uow: UnitOfWork, school: SchoolId, endpoints: dict[EndpointId, Endpoint], last: int
) -> int:
    """Give new messages their positions, and queue them at each endpoint that wants them."""
    new = uow.deliveries.list_new(school)
    if not new:
        return 0
    uow.deliveries.set_positions(school, [message.id for message in new], last + 1)
    queued = [
        NewDelivery(
            endpoint.id,
            message.id,
            name_lane(endpoint, message.stream, message.id),
            last + 1 + place,
        )
        for place, message in enumerate(new)
        for endpoint in endpoints.values()
        if wants(endpoint, MessageKind(message.kind), message.id)
    ]
    if queued:
        uow.deliveries.add(school, queued)
    return len(new)


def _save_results(
    uow: UnitOfWork,
    finished: Collection[Finished],
    endpoints: dict[EndpointId, Endpoint],
    real_now: Moment,
) -> None:
    if not finished:
        return
    uow.deliveries.add_attempts([(each.delivery, each.result) for each in finished], uow.now)
    ended: list[EndedDelivery] = []
    lanes: set[LaneId] = set()
    acknowledging: set[EndpointId] = set()
    for each in finished:
        endpoint = endpoints[each.delivery.endpoint]
        if each.result.outcome is AttemptOutcome.ACKNOWLEDGED:
            ended.append(EndedDelivery(each.delivery.id, DeliveryState.ACKNOWLEDGED, None))
            acknowledging.add(endpoint.id)
        elif uow.now - each.delivery.message.created_at >= MAX_AGE_SECONDS:
            ended.append(EndedDelivery(each.delivery.id, DeliveryState.DEAD, DEAD_REASON))
        else:
            _plan_retry(uow, each, endpoint, real_now)
            continue
        lanes.add(each.delivery.lane)
    if ended:
        uow.deliveries.end(ended, lanes, uow.now)
    for endpoint_id in acknowledging:
        _note_success(uow, endpoints[endpoint_id])


def _note_success(uow: UnitOfWork, endpoint: Endpoint) -> None:
    """Save the time of a success, once a minute at most."""
    last = endpoint.last_success_at
    if last is None or abs(uow.now - last) >= MINUTE:
        uow.endpoints.note_success(endpoint.id, uow.now)


def _plan_retry(uow: UnitOfWork, attempt: Finished, endpoint: Endpoint, real_now: Moment) -> None:
    failures = attempt.failures + 1
    # Spreads the retries of messages that failed together.
    spread = attempt.delivery.id * SPREAD % 1
    seconds = find_retry_seconds(endpoint.format, failures, attempt.result.retry_after, spread)
    change = LaneChange(
        attempt.delivery.lane,
        failures,
        uow.now + seconds,
        real_now + seconds,
        attempt.result.outcome.value,
    )
    uow.deliveries.delay(change)
    if attempt.result.status == HTTPStatus.GONE:
        reason = "the receiver answered 410 Gone"
    elif not attempt.delivery.is_resend and _has_lost_patience(
        endpoint, attempt.delivery.message, uow.now
    ):
        reason = "no message was acknowledged for five days"
    else:
        return
    uow.endpoints.set_state(endpoint.id, EndpointState.DISABLED, reason)


def _has_lost_patience(endpoint: Endpoint, message: StoredMessage, now: Moment) -> bool:
    """Return whether an endpoint of the format `standard` failed for five days (Q89).

    One that had nothing to send for so long has not failed.
    """
    last_success_at = endpoint.last_success_at or endpoint.activated_at
    if endpoint.format is not EndpointFormat.STANDARD or last_success_at is None:
        return False
    return now - max(last_success_at, message.created_at) > STANDARD_PATIENCE_SECONDS
