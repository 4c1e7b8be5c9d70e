"""Messages as an operator sees them: where each one is, and sending it again (Q92, Q93)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import EndpointId, MessageId, SchoolId
from homeroom.base.values import Value
from homeroom.contract.messages.kinds import MessageKind
from homeroom.domain.deliveries import DeliveryState, MessageDelivery, MessageFilter
from homeroom.domain.endpoints import (
    RESEND_LANE,
    Endpoint,
    EndpointState,
    may_send_again,
    name_resend_lane,
    subscribes_to,
)
from homeroom.domain.refusal import OperatorError
from homeroom.store.deliveries import NewDelivery
from homeroom.store.message_log import LoggedAttempt, LoggedMessage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import endpoints

MAX_LISTED: Final = 1000
"""Messages of one list."""
SLICE: Final = 2000
"""Messages that one unit of work looks at to send them again."""


class ListedMessage(msgspec.Struct, frozen=True):
    """A message with its state at each endpoint."""

    logged: LoggedMessage
    deliveries: Sequence[MessageDelivery]


class MessagePage(msgspec.Struct, frozen=True):
    """Messages of a list; `has_more` says whether there are older ones."""

    rows: Sequence[ListedMessage]
    has_more: bool


class Redelivery(Value, frozen=True):
    """The part of a redelivery that is done, and where the next one begins."""

    school: SchoolId
    endpoint: EndpointId
    since: Moment
    after: MessageId
    until: MessageId
    """The newest message at the beginning: later ones are sent anyway."""
    count: int
    has_more: bool


def list_messages(uow: UnitOfWork, query: MessageFilter) -> MessagePage:
    """Return messages from the newest one on, with their states."""
    if not 1 <= query.limit <= MAX_LISTED:
        raise OperatorError(f"a list has 1 to {MAX_LISTED} messages")
    logged = uow.message_log.list_newest(msgspec.structs.replace(query, limit=query.limit + 1))
    has_more = len(logged) > query.limit
    logged = logged[: query.limit]
    states: defaultdict[MessageId, list[MessageDelivery]] = defaultdict(list)
    if logged:
        for delivery in uow.message_log.list_deliveries([each.message.id for each in logged]):
            states[delivery.message].append(delivery)
    rows = [ListedMessage(each, states[each.message.id]) for each in logged]
    return MessagePage(rows, has_more)


def get(uow: UnitOfWork, message: MessageId) -> ListedMessage:
    """Return a message with its states; raise `OperatorError` if there is none of this id."""
    return ListedMessage(_get(uow, message), uow.message_log.list_deliveries([message]))


def list_attempts(uow: UnitOfWork, message: MessageId) -> list[LoggedAttempt]:
    """Return the attempts to deliver a message that are kept, in order, at most 1,000."""
    return uow.message_log.list_attempts([message])


def resend(uow: UnitOfWork, message_id: MessageId, endpoint_id: EndpointId) -> Endpoint:
    """Send a message again to an endpoint, at once and beside its queues (Q93).

    Raises `OperatorError` if the endpoint does not get this message, or if it waits there.
    """
    endpoint = _lock(uow, endpoint_id)
    message = _get(uow, message_id).message
    if message.school != endpoint.school:
        raise OperatorError(f"endpoint {endpoint_id} is not of school {message.school}")
    if not subscribes_to(endpoint, message.kind):
        raise OperatorError(f"endpoint {endpoint_id} gets no messages of the kind {message.kind}")
    if not may_send_again(endpoint, message.kind, message_id, message.created_at):
        raise OperatorError(
            f"message {message_id} is from before the activation of endpoint {endpoint_id}"
        )
    before = MessageId(message_id - 1)
    (queued,) = uow.message_log.list_slice(endpoint.school, endpoint_id, before, message_id, 1)
    if queued.position is None or queued.is_waiting:
        raise OperatorError(f"message {message_id} waits at endpoint {endpoint_id} already")
    _queue(
        uow,
        endpoint,
        [NewDelivery(endpoint_id, message_id, f"{RESEND_LANE}{message_id}", queued.position)],
    )
    return endpoint


def begin_redelivery(uow: UnitOfWork, endpoint_id: EndpointId, since: Moment) -> Redelivery:
    """Begin to send an endpoint again what was written from a moment on.

    `continue_redelivery` does the work, once or more. Raises `OperatorError` without such an
    endpoint.
    """
    school = endpoints.get(uow, endpoint_id).school
    newest = MessageId(uow.endpoints.find_newest_message(school))
    # From the beginning: the clock of a sandbox goes back, so that no id divides the times.
    return Redelivery(school, endpoint_id, since, MessageId(0), newest, count=0, has_more=True)


def continue_redelivery(uow: UnitOfWork, state: Redelivery) -> Redelivery:
    """Queue the next messages of a redelivery, at most 2,000; what waits already is left alone.

    They are sent beside the queues of the endpoint, and in order among themselves.
    """
    endpoint = _lock(uow, state.endpoint)
    rows = uow.message_log.list_slice(endpoint.school, endpoint.id, state.after, state.until, SLICE)
    queued = [
        NewDelivery(
            endpoint.id, each.id, name_resend_lane(endpoint, each.stream, each.id), each.position
        )
        for each in rows
        if each.position is not None
        and not each.is_waiting
        and each.created_at >= state.since
        and may_send_again(endpoint, MessageKind(each.kind), each.id, each.created_at)
    ]
    if queued:
        _queue(uow, endpoint, queued)
    return msgspec.structs.replace(
        state,
        after=rows[-1].id if rows else state.until,
        count=state.count + len(queued),
        has_more=len(rows) == SLICE,
    )


def describe_states(deliveries: Iterable[MessageDelivery]) -> dict[str, str]:
    """Return the state at each endpoint, of the last delivery to it."""
    return {str(each.endpoint): each.state.value for each in deliveries}


def parse_state(text: str) -> DeliveryState:
    """Return the state of a name; raise `OperatorError` for another text."""
    try:
        return DeliveryState(text)
    except ValueError:
        raise OperatorError(f"a message is {', '.join(DeliveryState)}") from None


def _get(uow: UnitOfWork, message: MessageId) -> LoggedMessage:
    if (logged := uow.message_log.get(message)) is None:
        raise OperatorError(f"no message has the id {message}")
    return logged


def _lock(uow: UnitOfWork, endpoint_id: EndpointId) -> Endpoint:
    endpoint = endpoints.lock(uow, endpoint_id)
    if endpoint.state is EndpointState.PENDING:
        raise OperatorError(f"endpoint {endpoint_id} has not acknowledged its test message yet")
    return endpoint


def _queue(uow: UnitOfWork, endpoint: Endpoint, queued: Collection[NewDelivery]) -> None:
    uow.deliveries.add(endpoint.school, queued, is_resend=True)
    uow.wake_outbox(endpoint.school)
