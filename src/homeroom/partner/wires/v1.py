"""The partner API's entry: one ASGI application, the same way through it for every action."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock
from homeroom.base.ids import SchoolId
from homeroom.base.text import ascii_only
from homeroom.contract.action import Action, APIPath
from homeroom.contract.catalogue import PLANNED, WITHDRAWN
from homeroom.contract.errno import Errno, Outcome
from homeroom.contract.params import ParamError, ParamListError, Params, ParamsReader
from homeroom.contract.upload import MAX_FILE_BODY_BYTES
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.webcasts import Hosts
from homeroom.partner.answers import Answer, encode, refused
from homeroom.partner.authenticator import Authenticator
from homeroom.partner.duplicates import DuplicateGuard
from homeroom.partner.faults import drop_unsaved
from homeroom.partner.locks import KeyedLocks
from homeroom.partner.routes import ActionRoute, CallContext
from homeroom.partner.table import TABLE
from homeroom.partner.wires.form import (
    MAX_BODY_BYTES,
    BodyTooLargeError,
    Form,
    FormError,
    parse,
    read_body,
)
from homeroom.store.engine import ContendedError
from homeroom.store.files import Files
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.faults import Fault, FaultBook
from homeroom.web.journal import Journal, JournalEntry, masked

log = logging.getLogger("homeroom.partner")

BODY_SECONDS = 30
Scope = dict[str, Any]
Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]


class DroppedConnectionError(Exception):
    """The connection shall end without an answer, as a fault asks."""


@dataclass(slots=True)
class RequestRecord:
    """One request on its way through: what is known of it so far."""

    request_id: str
    action: str = ""
    school: SchoolId | None = None
    form: Form = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observer:
    """Who is told of every answer: metrics and, in the sandbox, the journal."""

    count: Callable[[str, int, float], None]
    """Takes the action, the errno and the seconds it took."""
    journal: Journal | None = None


class PartnerAPI:
    """The partner API as an ASGI application for its two addresses."""

    def __init__(
        self,
        store: AsyncStore,
        authenticator: Authenticator,
        clock: Clock,
        deps: Dependencies,
        hosts: Hosts,
        files: Files,
        *,
        faults: FaultBook | None,
        observer: Observer,
        settle: Callable[[], Awaitable[None]],
    ) -> None:
        """Take the rooms below; `settle` runs the jobs that are due, as an answer promises."""
        self._store = store
        self._authenticator = authenticator
        self._clock = clock
        self._deps = deps
        self._hosts = hosts
        self._files = files
        self._faults = faults
        self._observer = observer
        self._settle = settle
        self._locks = KeyedLocks()
        self.duplicates = DuplicateGuard()
        self._served: dict[tuple[str, str], tuple[ActionRoute[Any], ParamsReader[Any]]] = {
            (row.action.door, row.action.name): (row, row.action.reader()) for row in TABLE
        }
        self._names = frozenset(name for _, name in self._served)
        self._ids = map(f"{deps.keys.public_key()[:8]}-{{}}".format, count(1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        exchange = RequestRecord(next(self._ids))
        status = 200
        try:
            answer = await self._answer(scope, receive, exchange)
        except Refusal as refusal:
            answer = refused(refusal)
        except BodyTooLargeError:
            status, answer = 413, Answer(errno=Errno.BAD_PARAMS, reason="the body is too large")
        except DroppedConnectionError:
            self._record(exchange, None, "dropped by a fault", started)
            await _drop(scope, receive)
            return
        except Exception:
            log.exception("call failed", extra={"request_id": exchange.request_id})
            answer = Answer(errno=Errno.SERVER_FAULT, reason="the server failed; see its log")
        await _send(send, status, answer, exchange.request_id)
        self._record(exchange, answer, answer.reason, started)

    async def _answer(self, scope: Scope, receive: Receive, exchange: RequestRecord) -> Answer:
        """Check size and shape, then who calls, then what for; then do it."""
        try:
            form = await self._form(scope, receive, exchange)
        except FormError as error:
            raise Refusal(Errno.BAD_PARAMS, str(error)) from None
        exchange.form = form
        school = await self._authenticator.authenticate(form)
        exchange.school = school.id
        served, reader = self._find(scope["path"].lstrip("/"), exchange.action)
        asked = _read(served.action, reader, form)
        return await self._do(served, asked, school, exchange)

    async def _form(self, scope: Scope, receive: Receive, exchange: RequestRecord) -> Form:
        headers = dict(scope["headers"])
        query = scope["query_string"].decode("latin-1")
        exchange.action = dict(parse_qsl(query)).get("action", "").strip()
        content_type = headers.get(b"content-type", b"")
        declared = headers.get(b"content-length", b"")
        is_multipart = content_type.lstrip().lower().startswith(b"multipart/")
        may_hold_file = is_multipart and self._may_take_file(exchange.action)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await read_body(
                    receive,
                    int(declared) if declared.isdigit() else None,
                    MAX_FILE_BODY_BYTES if may_hold_file else MAX_BODY_BYTES,
                )
        except TimeoutError:
            raise FormError(f"the body took longer than {BODY_SECONDS} s") from None
        if scope["method"] != "POST":
            raise FormError("use POST")
        form = parse(content_type, body)
        if not exchange.action:
            in_body = form.get("action", "")
            exchange.action = in_body if isinstance(in_body, str) else ""
            if len(body) > MAX_BODY_BYTES and not self._may_take_file(exchange.action or "-"):
                raise BodyTooLargeError
        return form

    def _may_take_file(self, action: str) -> bool:
        """Tell whether an action takes a file; one not named yet may."""
        if not action:
            return True
        return any(row.action.name == action and row.action.takes_file for row in TABLE)

    def _find(self, path: str, action: str) -> tuple[ActionRoute[Any], ParamsReader[Any]]:
        door = f"/{path}"
        found = self._served.get((door, action))
        if found is not None:
            return found
        if action in WITHDRAWN:
            raise Refusal(Errno.NOT_AUTHORISED, f"action {action} was withdrawn from the API")
        if action in PLANNED[APIPath(door)]:
            raise Refusal(Errno.FAILED, f"action {action} is not implemented")
        raise Refusal(Errno.BAD_PARAMS, f"action: there is none named {action[:50]!r} here")

    async def _do(
        self, served: ActionRoute[Any], asked: Params, school: School, exchange: RequestRecord
    ) -> Answer:
        """Do one call: guard, turn, fault, preparation, unit of work."""
        action = served.action
        if served.refuses_duplicates and self.duplicates.is_duplicate(
            school.id, action.name, exchange.form, self._clock.now()
        ):
            raise Refusal(Errno.REPEATED_TOO_SOON, "the same parameters came within 5 seconds")
        async with self._take_turn(served, asked, school.id) as busy:
            for turn in served.locks:
                if turn.errno is not None and busy.intersection(turn.keys(school.id, asked)):
                    raise Refusal(turn.errno, "another request about it is unfinished after 1 s")
            fault = self._faults.take(school.id, action.name) if self._faults else None
            if fault is None:
                return await self._work(served, asked, school.id, busy)
            return await self._work_with(fault, served, asked, school.id, busy)

    def _take_turn(
        self, served: ActionRoute[Any], asked: Params, school: SchoolId
    ) -> AbstractAsyncContextManager[frozenset[str]]:
        hold: list[str] = []
        watch: list[str] = []
        for turn in served.locks:
            (hold if turn.acquires else watch).extend(turn.keys(school, asked))
        return self._locks.acquire(hold, watch)

    async def _work_with(
        self,
        fault: Fault,
        served: ActionRoute[Any],
        asked: Params,
        school: SchoolId,
        busy: frozenset[str],
    ) -> Answer:
        """Do one call with the fault that was asked for."""
        asked = drop_unsaved(asked, fault.errno)
        if not fault.after_commit:
            await asyncio.sleep(fault.delay_ms / 1000)
        answer = Answer()
        if fault.keeps_work:
            answer = await self._work(served, asked, school, busy)
        if fault.after_commit:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.drop:
            raise DroppedConnectionError
        if fault.errno is None:
            return answer
        reason = f"fault {fault.id} asked for it"
        if fault.errno.outcome is not Outcome.WARNING:
            return Answer(errno=fault.errno, reason=reason)
        if answer.errno.outcome in (Outcome.REFUSED, Outcome.FAULT):
            # There is no work that the warning could be said of.
            return answer
        return Answer(answer.data, answer.more_data, fault.errno, reason)

    async def _work(
        self, served: ActionRoute[Any], asked: Params, school: SchoolId, busy: frozenset[str]
    ) -> Answer:
        """Do one call in one unit of work, and name what its number is."""
        try:
            prepared = None
            if served.prepare is not None:
                prepared = await asyncio.to_thread(served.prepare, self._files, asked)

            def unit(uow: UnitOfWork) -> tuple[Answer, Errno | None, bool]:
                call = CallContext(uow, school, self._deps, self._hosts, prepared, busy)
                answer = served.handler(call, asked)
                return answer, _first(served.action.notes, uow.warnings), uow.has_due_jobs

            if served.read_only:
                answer, note, has_due_jobs = await self._store.read(unit)
            else:
                answer, note, has_due_jobs = await self._store.write(
                    unit, school, together=served.concurrent
                )
        except Refusal as refusal:
            return self._named(served, refusal)
        except ContendedError:
            impatient = next((turn.errno for turn in served.locks if turn.errno), None)
            if impatient is None:
                raise
            return Answer(errno=impatient, reason="another server is at it, unfinished after 1 s")
        if has_due_jobs:
            await self._run_due_jobs()
        if note is None:
            return answer
        return Answer(answer.data, answer.more_data, note, note.en)

    async def _run_due_jobs(self) -> None:
        """Run what the answer promises; a failure is no reason to deny what is committed."""
        try:
            await self._settle()
        except Exception:
            log.exception("jobs due at once were left to the job loop")

    def _named(self, served: ActionRoute[Any], refusal: Refusal) -> Answer:
        """Return the answer of a refusal, with what it names."""
        if refusal.errno not in served.action.errnos:
            facts = {"action": served.action.name, "errno": refusal.errno.number}
            log.error("undeclared errno", extra=facts)
        if refusal.about is None or served.describe_existing is None:
            return refused(refusal)
        named = served.describe_existing(self._hosts, refusal.about)
        return Answer(named.data, named.more_data, refusal.errno, refusal.reason)

    def _record(
        self, exchange: RequestRecord, answer: Answer | None, reason: str, started: float
    ) -> None:
        seconds = time.perf_counter() - started
        number = None if answer is None else answer.errno.number
        action = exchange.action if exchange.action in self._names else "unknown"
        self._observer.count(action, number or 0, seconds)
        log.info(
            "call",
            extra={
                "request_id": exchange.request_id,
                "action": exchange.action[:50],
                "sid": exchange.school,
                "errno": number,
                "reason": reason,
                "ms": round(seconds * 1000, 2),
            },
        )
        if self._observer.journal is not None:
            self._observer.journal.write(
                JournalEntry(
                    exchange.request_id,
                    self._clock.now(),
                    exchange.action[:50],
                    exchange.school,
                    masked(exchange.form),
                    number,
                    reason,
                    round(seconds * 1000, 2),
                )
            )


def _read(action: Action[Any], reader: ParamsReader[Any], form: Form) -> Params:
    try:
        asked: Params = reader.read(form)
    except ParamListError as error:
        empty = Errno.LIST_EMPTY if Errno.LIST_EMPTY in action.refuses else Errno.BAD_PARAMS
        raise Refusal(empty, str(error)) from None
    except ParamError as error:
        raise Refusal(Errno.BAD_PARAMS, str(error)) from None
    return asked


def _first(order: Iterable[Errno], noted: list[Errno]) -> Errno | None:
    """Return the note that is given when several hold: the first in the action's own order."""
    return next((errno for errno in order if errno in noted), None)


async def _send(send: Send, status: int, answer: Answer, request_id: str) -> None:
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"x-request-id", request_id.encode()),
    ]
    body = encode(answer)
    headers.append((b"content-length", str(len(body)).encode()))
    if answer.reason:
        headers.append((b"x-homeroom-reason", ascii_only(answer.reason)[:500].encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drop(scope: Scope, receive: Receive) -> None:
    """End the connection without an answer, as a machine that fell over would."""
    scope["extensions"]["homeroom.abort"]()
    # Until it knows that there is nobody left to answer, the server would answer 500 for us.
    while (await receive())["type"] != "http.disconnect":
        pass
