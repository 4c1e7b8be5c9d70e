"""Handlers of the read-back of endpoints and messages."""

from typing import Any

import msgspec

from homeroom.admin.request import ReadBackRequest, not_found_error, to_switch
from homeroom.base.ids import EndpointId, MessageId, SchoolId
from homeroom.contract.messages.kinds import MessageKind
from homeroom.contract.operator_messages import (
    AttemptRow,
    DeliveryRow,
    EndpointRow,
    OutboxMessageDetails,
    OutboxMessageRow,
    OutboxMessagesQuery,
)
from homeroom.domain.deliveries import DeliveryState, MessageFilter
from homeroom.domain.endpoints import Endpoint
from homeroom.domain.refusal import OperatorError
from homeroom.messages.rendering import name_message
from homeroom.store.paging import CursorMismatchError, Page, PageKey, PageRequest
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import endpoints, messages
from homeroom.usecases.messages import ListedMessage

ENDPOINT_ORDER = "endpoints"
MESSAGE_ORDER = "newest messages"


def list_endpoints(request: ReadBackRequest) -> Page[EndpointRow]:
    """Return a page of the endpoints."""
    after = _read_after(request.page, ENDPOINT_ORDER) or 0
    rows = [
        to_endpoint_row(each)
        for each in endpoints.list_endpoints(request.uow, request.scope)
        if each.id > after
    ]
    limit = request.page.limit
    return Page(rows[:limit], _find_next(rows, limit), ENDPOINT_ORDER)


def get_endpoint(request: ReadBackRequest) -> EndpointRow:
    """Return one endpoint."""
    return to_endpoint_row(find_endpoint(request.uow, EndpointId(request.path_id), request.scope))


def list_messages(request: ReadBackRequest) -> Page[OutboxMessageRow]:
    """Return a page of the messages."""
    query = request.query
    assert isinstance(query, OutboxMessagesQuery)  # noqa: S101  the type of this read-back
    before = _read_after(request.page, MESSAGE_ORDER)
    page = messages.list_messages(
        request.uow,
        MessageFilter(
            limit=request.page.limit,
            before=MessageId(before) if before is not None else None,
            school=request.scope,
            kind=MessageKind(query.kind) if query.kind is not None else None,
            lesson=query.class_id,
            endpoint=query.endpoint_id,
            state=DeliveryState(query.state) if query.state is not None else None,
        ),
    )
    rows = [OutboxMessageRow(**_to_message_fields(each)) for each in page.rows]
    after = (rows[-1].message_id,) if page.has_more else None
    return Page(rows, after, MESSAGE_ORDER)


def get_message(request: ReadBackRequest) -> OutboxMessageDetails:
    """Return one message with its attempts."""
    message = find_message(request.uow, MessageId(request.path_id), request.scope)
    return OutboxMessageDetails(
        **_to_message_fields(message),
        body=msgspec.json.decode(message.logged.message.body),
        deliveries=[
            DeliveryRow(
                endpoint_id=each.endpoint,
                state=each.state.value,
                reason=each.reason,
                is_resend=to_switch(each.is_resend),
                ended_time=each.ended_at,
            )
            for each in message.deliveries
        ],
        attempts=[
            AttemptRow(
                endpoint_id=each.endpoint,
                time=each.at,
                outcome=each.outcome,
                status=each.status,
                milliseconds=each.duration_ms,
                answer=each.answer,
                is_resend=to_switch(each.is_resend),
            )
            for each in messages.list_attempts(request.uow, message.logged.message.id)
        ],
    )


def find_endpoint(uow: UnitOfWork, number: EndpointId, scope: SchoolId | None) -> Endpoint:
    """Return an endpoint that a token sees; raises `HTTPError` 404 without it."""
    try:
        endpoint = endpoints.get(uow, number)
    except OperatorError:
        endpoint = None
    if endpoint is None or scope not in (None, endpoint.school):
        raise not_found_error("endpoint", "endpointId", number)
    return endpoint


def find_message(uow: UnitOfWork, number: MessageId, scope: SchoolId | None) -> ListedMessage:
    """Return a message that a token sees; raises `HTTPError` 404 without it."""
    try:
        message = messages.get(uow, number)
    except OperatorError:
        message = None
    if message is None or scope not in (None, message.logged.message.school):
        raise not_found_error("message", "messageId", number)
    return message


def to_endpoint_row(endpoint: Endpoint) -> EndpointRow:
    """Return an endpoint as it is on the wire, without its secrets."""
    return EndpointRow(
        endpoint_id=endpoint.id,
        sid=endpoint.school,
        url=endpoint.url,
        new_url=endpoint.new_url,
        format=endpoint.format.value,
        ordering=endpoint.ordering.value,
        kinds=list(endpoint.kinds) if endpoint.kinds is not None else None,
        state=endpoint.state.value,
        reason=endpoint.state_reason,
        created_time=endpoint.created_at,
        activated_time=endpoint.activated_at,
        last_success_time=endpoint.last_success_at,
    )


def _to_message_fields(entry: ListedMessage) -> dict[str, Any]:
    stored = entry.logged.message
    return {
        "message_id": stored.id,
        "name": name_message(stored),
        "sid": stored.school,
        "kind": stored.kind.value,
        "stream": stored.stream,
        "course_id": entry.logged.course,
        "class_id": entry.logged.lesson,
        "is_simulated": to_switch(stored.is_simulated),
        "created_time": stored.created_at,
        "states": messages.describe_states(entry.deliveries),
    }


def _read_after(page: PageRequest, order: str) -> int | None:
    """Return the id to continue after; raises `CursorMismatchError` for one of another list."""
    if page.after is None:
        return None
    if page.order != order or len(page.after) != 1:
        raise CursorMismatchError
    return page.after[0]


def _find_next(rows: list[EndpointRow], limit: int) -> PageKey | None:
    return (rows[limit - 1].endpoint_id,) if len(rows) > limit else None
