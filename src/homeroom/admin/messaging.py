"""Requests about endpoints and messages that change something: a thin layer over the use cases."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from homeroom.admin.lists_messages import find_endpoint, find_message, to_endpoint_row
from homeroom.admin.operator_requests import AuthorizedRequest, build_route
from homeroom.async_store import AsyncStore
from homeroom.base.ids import ActivityId, CourseId, EndpointId, LessonId, MessageId, UserId
from homeroom.base.keys import KeyGenerator
from homeroom.contract.operator_messages import (
    EmittedRow,
    EndpointWithSecret,
    MoveRequest,
    NewEndpointRequest,
    NewMessageRequest,
    RedeliverRequest,
    RemovedRow,
    ResendRequest,
    ResentRow,
    ResumeRequest,
    SkippedRow,
)
from homeroom.domain.deliveries import AttemptOutcome
from homeroom.domain.endpoints import (
    OPENING_SECONDS,
    Endpoint,
    EndpointFormat,
    EndpointOrdering,
)
from homeroom.domain.tokens import TokenScope
from homeroom.messages.sender import SendTest
from homeroom.usecases import endpoints, message_requests, messages
from homeroom.usecases.message_requests import MessageRequest
from homeroom.web.problems import HTTPError, json_response


@dataclass(frozen=True)
class MessagingRoutes:
    """The requests about endpoints and messages."""

    store: AsyncStore
    keys: KeyGenerator
    send_test: SendTest

    def routes(self) -> list[Route]:
        """Return the routes."""
        path, admin, send = "/endpoints/{endpointId}", TokenScope.ADMIN, TokenScope.MESSAGES
        return [
            build_route(self.store, method, place, scope, handler)
            for method, place, scope, handler in (
                ("POST", "/endpoints", admin, self._create),
                ("DELETE", path, admin, _remove),
                ("POST", f"{path}/move", admin, self._move),
                ("POST", f"{path}/rotate", admin, self._rotate),
                ("POST", f"{path}/test", send, self._test),
                ("POST", f"{path}/pause", send, _pause),
                ("POST", f"{path}/resume", send, _resume),
                ("POST", f"{path}/skip", send, _skip),
                ("POST", "/messages", send, _emit),
                ("POST", "/messages/redeliver", send, _redeliver),
                ("POST", "/messages/{messageId}/resend", send, _resend),
            )
        ]

    async def _create(self, request: AuthorizedRequest) -> Response:
        body = await request.read_body(NewEndpointRequest)
        school = request.check_school(body.sid)
        added = await request.write(
            lambda uow: endpoints.add(
                uow,
                self.keys,
                school,
                body.url,
                EndpointFormat(body.format),
                EndpointOrdering(body.ordering) if body.ordering is not None else None,
                body.kinds,
            ),
            school,
            body,
            refusal=HTTPStatus.BAD_REQUEST,
        )
        try:
            active = await self._activate(request, added)
        except HTTPError:
            await self.store.write(lambda uow: endpoints.remove(uow, added.id), school)
            raise
        return json_response(_with_secret(active), HTTPStatus.CREATED)

    async def _move(self, request: AuthorizedRequest) -> Response:
        body = await request.read_body(MoveRequest)
        endpoint = await _find(request)
        changed = await request.write(
            lambda uow: endpoints.change_url(uow, endpoint.id, body.url), endpoint.school, body
        )
        return json_response(to_endpoint_row(await self._activate(request, changed)))

    async def _test(self, request: AuthorizedRequest) -> Response:
        endpoint = await _find(request)
        return json_response(to_endpoint_row(await self._activate(request, endpoint)))

    async def _rotate(self, request: AuthorizedRequest) -> Response:
        endpoint = await _find(request)
        rotated = await request.write(
            lambda uow: endpoints.rotate(uow, self.keys, endpoint.id), endpoint.school
        )
        return json_response(_with_secret(rotated))

    async def _activate(self, request: AuthorizedRequest, endpoint: Endpoint) -> Endpoint:
        """Send the test message, and activate what has acknowledged it."""
        result = await self.send_test(endpoint)
        if endpoint.start_after_id is None:
            await request.write(
                lambda uow: endpoints.open_endpoint(uow, endpoint.id, result), endpoint.school
            )
            # Until then, another process may not know that the school has a receiver.
            await asyncio.sleep(OPENING_SECONDS)
        elif result.outcome is not AttemptOutcome.ACKNOWLEDGED:
            raise HTTPError(HTTPStatus.CONFLICT, endpoints.describe_failure(endpoint, result))
        return await request.write(
            lambda uow: endpoints.activate(uow, endpoint.id), endpoint.school
        )


async def _pause(request: AuthorizedRequest) -> Response:
    endpoint = await _find(request)
    paused = await request.write(lambda uow: endpoints.pause(uow, endpoint.id), endpoint.school)
    return json_response(to_endpoint_row(paused))


async def _resume(request: AuthorizedRequest) -> Response:
    body = await request.read_body(ResumeRequest, ResumeRequest())
    endpoint = await _find(request)
    resumed = await request.write(
        lambda uow: endpoints.resume(uow, endpoint.id, from_now=body.from_now),
        endpoint.school,
        body,
    )
    return json_response(to_endpoint_row(resumed))


async def _skip(request: AuthorizedRequest) -> Response:
    endpoint = await _find(request)
    count = await request.write(lambda uow: endpoints.skip_head(uow, endpoint.id), endpoint.school)
    return json_response(SkippedRow(endpoint_id=endpoint.id, skipped=count))


async def _remove(request: AuthorizedRequest) -> Response:
    endpoint = await _find(request)
    await request.write(lambda uow: endpoints.remove(uow, endpoint.id), endpoint.school)
    return json_response(RemovedRow(endpoint_id=endpoint.id))


async def _emit(request: AuthorizedRequest) -> Response:
    body = await request.read_body(NewMessageRequest)
    school = request.check_school(body.sid)
    message = MessageRequest(
        kind=body.kind,
        school=school,
        lesson=LessonId(body.class_id) if body.class_id is not None else None,
        course=CourseId(body.course_id) if body.course_id is not None else None,
        activity=ActivityId(body.activity_id) if body.activity_id is not None else None,
        person=UserId(body.uid) if body.uid is not None else None,
        fields=body.fields,
    )
    await request.write(
        lambda uow: message_requests.emit(uow, message),
        school,
        body,
        refusal=HTTPStatus.BAD_REQUEST,
    )
    return json_response(EmittedRow(sid=school, kind=body.kind.value), HTTPStatus.CREATED)


async def _resend(request: AuthorizedRequest) -> Response:
    body = await request.read_body(ResendRequest)
    number = MessageId(request.path_id)
    await request.store.read(lambda uow: find_message(uow, number, request.scope))
    endpoint = await _find(request, body.endpoint_id)
    await request.write(
        lambda uow: messages.resend(uow, number, endpoint.id), endpoint.school, body
    )
    return json_response(ResentRow(endpoint_id=endpoint.id, resent=1))


async def _redeliver(request: AuthorizedRequest) -> Response:
    body = await request.read_body(RedeliverRequest)
    endpoint = await _find(request, body.endpoint_id)
    state = await request.store.read(
        lambda uow: messages.begin_redelivery(uow, endpoint.id, body.since)
    )
    while state.has_more:
        done = state
        state = await request.write(
            lambda uow: messages.continue_redelivery(uow, done),  # noqa: B023  runs before the next
            endpoint.school,
            body,
        )
    return json_response(ResentRow(endpoint_id=endpoint.id, resent=state.count))


async def _find(request: AuthorizedRequest, number: int | None = None) -> Endpoint:
    """Return the endpoint of a number, or else of the path; raises `HTTPError` 404 without it."""
    endpoint = EndpointId(number if number is not None else request.path_id)
    return await request.store.read(lambda uow: find_endpoint(uow, endpoint, request.scope))


def _with_secret(endpoint: Endpoint) -> EndpointWithSecret:
    row = msgspec.structs.asdict(to_endpoint_row(endpoint))
    return EndpointWithSecret(**row, secret=endpoint.secret)
