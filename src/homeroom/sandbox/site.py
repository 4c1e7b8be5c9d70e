"""Endpoints of the sandbox; served only with `--sandbox`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Moment, ShiftedClock
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.domain.refusal import OperatorError
from homeroom.jobs.worker import Worker
from homeroom.sandbox import classroom, faults, messages
from homeroom.sandbox.access import SandboxAccess
from homeroom.sandbox.audit import report_change
from homeroom.sandbox.bodies import (
    ClockRequest,
    EndpointFaultRequest,
    ResetRequest,
    read_fault,
    read_json,
)
from homeroom.sandbox.classroom import read_place
from homeroom.store.engine import ContendedError
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import audit, endpoints, resets, schools
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.audit_entries import build_audit_entry
from homeroom.web.faults import MAX_FAULTS, EndpointFault, Fault, FaultInjector
from homeroom.web.journal import MAX_ENTRIES, Journal
from homeroom.web.operator_access import OperatorAccess
from homeroom.web.problems import HTTPError, json_response
from homeroom.web.security_log import SecurityEvent
from homeroom.web.token_log import report_token

MAX_MOMENT = 32_503_680_000
"""The year 3000. Five years are added to a time, so the end of the calendar is too late."""
DEFAULT_JOURNAL_ENTRIES = 100
NAMES = ("clock", "faults", "reset", "journal", "messages", "classroom")
"""Endpoints below /sandbox."""
MAX_ID = 2**63
MAX_STEPS = 1000
"""Most steps of one request to move the clock."""

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Sandbox:
    """The endpoints of the sandbox, and the parts of the server that they control."""

    store: AsyncStore
    clock: ShiftedClock
    job_loop: Worker
    deps: Dependencies
    injector: FaultInjector
    journal: Journal
    operators: OperatorAccess
    listen_address: str
    """The address at which the server listens."""
    forget: Callable[[SchoolId | None], Awaitable[None]]
    """Resets what depends on the clock; with a school, also clears its duplicate guard."""
    settle: Callable[[], Awaitable[object]]
    """Makes the attempts to deliver messages that are due, and waits until they have ended."""
    play: Callable[[], Awaitable[None]]
    """Plays the events of rehearsed classes that are due."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def routes(self) -> list[Route]:
        """Return the sandbox's routes."""
        return [
            self._route("clock", GET=self._get_clock, POST=self._move_clock),
            self._route(
                "faults", GET=self._list_faults, POST=self._add_fault, DELETE=self._clear_faults
            ),
            self._route("reset", POST=self._reset),
            self._route("journal", GET=self._read_journal),
            self._route("messages", GET=self._list_messages, POST=self._emit_message),
            self._route(
                "classroom",
                GET=self._read_classroom,
                POST=self._add_script,
                DELETE=self._drop_script,
            ),
        ]

    def _route(self, name: str, **endpoints: Endpoint) -> Route:
        access = SandboxAccess(self.operators, self.listen_address)

        async def respond(request: Request) -> Response:
            try:
                await access.authorize(request)
            except HTTPError as error:
                report_refusal(request, error)
                raise
            method = "GET" if request.method == "HEAD" else request.method
            response = await endpoints[method](request)
            if method == "GET":
                report_token(request, SecurityEvent.TOKEN_USED, HTTPStatus(response.status_code))
            return response

        return Route(f"/sandbox/{name}", respond, methods=list(endpoints))

    # --- the clock --------------------------------------------------------------------------------

    async def _get_clock(self, _request: Request) -> Response:
        real, offset = self.clock.real_now(), self.clock.offset
        return json_response({"now": real + offset, "real": real, "offset": offset})

    async def _move_clock(self, request: Request) -> Response:
        body = await read_json(request, ClockRequest)
        async with self.lock:
            moment = self._compute_moment(body)
            await self._play_steps(body)
            await self._move_to(moment)
        await self._record_change(request, now=moment)
        # The real time at which the next job is due has changed.
        self.job_loop.wake()
        return await self._get_clock(request)

    async def _play_steps(self, body: ClockRequest) -> None:
        """Move the clock to all moments before the last one, where it is moved in steps."""
        if body.step is None:
            return
        if body.advance is None or body.step < 1 or not 0 <= body.advance <= MAX_STEPS * body.step:
            detail = f"a step is 1 second or more, and divides advance into {MAX_STEPS} at most"
            raise HTTPError(HTTPStatus.BAD_REQUEST, detail)
        start = self.clock.now()
        for seconds in range(body.step, body.advance, body.step):
            await self._move_to(start + seconds)

    async def _move_to(self, moment: Moment) -> None:
        """Move the clock and do what is due then."""
        # In a thread, because the clock waits until the store has saved its offset.
        await asyncio.to_thread(self.clock.set, moment)
        await self.forget(None)
        await self.job_loop.run_due()
        await self.settle()

    def _compute_moment(self, body: ClockRequest) -> Moment:
        if body.advance is not None and body.now is None:
            moment = self.clock.now() + body.advance
        elif body.now is not None and body.advance is None:
            moment = body.now
        else:
            detail = 'send one of {"advance": seconds} and {"now": seconds since 1970}'
            raise HTTPError(HTTPStatus.BAD_REQUEST, detail)
        if not 0 <= moment <= MAX_MOMENT:
            detail = f"the clock runs from 0 to {MAX_MOMENT}, the year 3000; this would be {moment}"
            raise HTTPError(HTTPStatus.BAD_REQUEST, detail)
        return moment

    # --- faults -----------------------------------------------------------------------------------

    async def _add_fault(self, request: Request) -> Response:
        body = await read_fault(request)
        if len(self.injector.list_all()) >= MAX_FAULTS:
            detail = f"{MAX_FAULTS} faults are pending already; DELETE removes them"
            raise HTTPError(HTTPStatus.CONFLICT, detail)
        added: Fault | EndpointFault
        school: SchoolId | None
        if isinstance(body, EndpointFaultRequest):
            endpoint_fault = faults.build_endpoint_fault(body)
            school = await self._find_school_of(endpoint_fault.endpoint)
            added = self.injector.add_to_endpoint(endpoint_fault)
        else:
            fault = faults.build_fault(body)
            if (school := fault.school) is not None:
                await self._check_school(school)
            added = self.injector.add(fault)
        fields = faults.format_fault(added)
        await self._record_change(request, **fields | {"sid": school})
        return json_response(fields, HTTPStatus.CREATED)

    async def _list_faults(self, _request: Request) -> Response:
        return json_response(
            {"faults": [faults.format_fault(fault) for fault in self.injector.list_all()]}
        )

    async def _clear_faults(self, request: Request) -> Response:
        removed = self.injector.clear()
        await self._record_change(request, removed=removed)
        return json_response({"removed": removed})

    # --- schools ----------------------------------------------------------------------------------

    async def _reset(self, request: Request) -> Response:
        body = await read_json(request, ResetRequest)
        school = SchoolId(body.sid)
        await self._check_school(school)

        def delete_slice(uow: UnitOfWork) -> tuple[resets.ResetCounts, bool]:
            return resets.delete_slice(uow, school)

        change: dict[str, object] = {"sid": school, "to": body.to}
        entry = build_audit_entry(request, change)

        def reset(uow: UnitOfWork) -> resets.ResetCounts:
            if body.to == "demo":
                return resets.reset_to_demo(uow, self.deps, school)
            return resets.empty_school(uow, school)

        if entry is not None:
            await self.store.write(lambda uow: audit.record(uow, entry))
        try:
            # A large school is deleted in slices: a unit that took seconds would stop all others.
            removed, has_more = await self.store.write(delete_slice, school)
            while has_more:
                more, has_more = await self.store.write(delete_slice, school)
                removed += more
            removed += await self.store.write(reset, school)
        except ContendedError:
            detail = "another school is changing accounts of this one; try again"
            raise HTTPError(HTTPStatus.CONFLICT, detail) from None
        await self.forget(school)
        await self.job_loop.run_due()
        report_change(request, change)
        counts = msgspec.structs.asdict(removed)
        return json_response({"sid": school, "to": body.to, "removed": counts})

    async def _record_change(self, request: Request, **change: object) -> None:
        report_change(request, change)
        entry = build_audit_entry(request, change)
        if entry is not None:
            await self.store.write(lambda uow: audit.record(uow, entry))

    async def _check_school(self, school: SchoolId) -> None:
        school_row = None
        if 0 < school < MAX_ID:
            school_row = await self.store.read(lambda uow: schools.find(uow, school))
        if school_row is None:
            raise HTTPError(HTTPStatus.NOT_FOUND, f"no school has the SID {school}")

    async def _find_school_of(self, endpoint: EndpointId) -> SchoolId:
        try:
            return await self.store.read(lambda uow: endpoints.get(uow, endpoint).school)
        except OperatorError as error:
            raise HTTPError(HTTPStatus.NOT_FOUND, str(error)) from None

    # --- messages ---------------------------------------------------------------------------------

    async def _list_messages(self, request: Request) -> Response:
        return json_response({"messages": await messages.list_messages(self.store, request)})

    async def _emit_message(self, request: Request) -> Response:
        sent = await messages.emit_message(self.store, request)
        await self._record_change(request, **sent)
        return json_response(sent, HTTPStatus.CREATED)

    # --- rehearsed classes ------------------------------------------------------------------------

    async def _read_classroom(self, request: Request) -> Response:
        return json_response(await classroom.read_state(self.store, *read_place(request)))

    async def _add_script(self, request: Request) -> Response:
        place, events = await classroom.add_script(self.store, request)
        await self.play()
        await self._record_change(request, sid=place.school, classId=place.lesson, events=events)
        state = await classroom.read_state(self.store, *place)
        return json_response(state, HTTPStatus.CREATED)

    async def _drop_script(self, request: Request) -> Response:
        place = read_place(request)
        dropped = await classroom.drop_script(self.store, *place)
        await self._record_change(request, sid=place.school, classId=place.lesson, dropped=dropped)
        return json_response({"dropped": dropped})

    # --- the journal ------------------------------------------------------------------------------

    async def _read_journal(self, request: Request) -> Response:
        limit = _read_number(request, "limit", DEFAULT_JOURNAL_ENTRIES)
        sid = _read_number(request, "sid", 0)
        if not 1 <= limit <= MAX_ENTRIES:
            raise HTTPError(HTTPStatus.BAD_REQUEST, f"limit must be 1 to {MAX_ENTRIES}")
        entries = self.journal.last(
            limit, SchoolId(sid) if sid else None, request.query_params.get("action")
        )
        requests: list[dict[str, Any]] = [
            {
                "request_id": entry.request_id,
                "at": entry.at,
                "sid": entry.school,
                "claimed_sid": entry.claimed_school,
                "address": entry.address,
                "action": entry.action,
                "fields": entry.fields,
                "errno": entry.errno,
                "reason": entry.reason,
                "milliseconds": entry.milliseconds,
                "ignored": list(entry.ignored),
            }
            for entry in entries
        ]
        return json_response({"requests": requests})


def report_refusal(request: Request, error: HTTPError) -> None:
    """Write a request that may not use the sandbox to the security log."""
    report_token(request, SecurityEvent.SANDBOX_REFUSED, error.status, error.detail)


def _read_number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID))):
        raise HTTPError(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number")
    return int(text)
