"""The dispatcher: runs one action for a school, in the same way for every wire.

A wire authenticates the school, finds the route and hands over the fields of the request; what it
gets back is a `PartnerResponse`, which it encodes in its own envelope. Forms, signatures and
envelopes are not known here.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock
from homeroom.base.errors import HomeroomError
from homeroom.base.ids import SchoolId
from homeroom.contract.action import ParamErrnos
from homeroom.contract.errno import BY_NUMBER, Errno, Outcome
from homeroom.contract.messages.schedule import OpSource
from homeroom.contract.params import (
    EmptyListError,
    IncompleteGroupError,
    MissingParamError,
    ParamError,
    ParamListError,
    Params,
)
from homeroom.contract.results import Result
from homeroom.domain.events import Actor
from homeroom.domain.refusal import OverloadedError, Refusal
from homeroom.domain.webcasts import Hosts
from homeroom.partner.duplicates import Duplicates, fingerprint
from homeroom.partner.faults import drop_unsaved, warn_in_entries
from homeroom.partner.locks import KeyedLocks
from homeroom.partner.rate_limits import RateLimits
from homeroom.partner.response import (
    PartnerResponse,
    make_refusal_response,
    summarize_reasons,
)
from homeroom.partner.routes import ActionRoute, CallContext, LockRule
from homeroom.partner.turns import SchoolTurns
from homeroom.store.engine import ContendedError
from homeroom.store.records import Job, Lease
from homeroom.store.storage import Storage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.faults import Fault, FaultQueue

log = logging.getLogger("homeroom.partner")

MAX_QUICK_CHARS = 16 * 1024
"""Characters of parameters that are read on the event loop; lists can be a mebibyte."""


WORKED = (Outcome.DONE, Outcome.WARNING)
"""Outcomes of a call or an entry that did something."""


class DroppedConnectionError(HomeroomError):
    """A fault asks that the connection ends without a response."""

    def __init__(self, *, has_worked: bool) -> None:
        super().__init__()
        self.has_worked = has_worked
        """The action was run, and the caller will not learn it."""


class Dispatcher:
    """Runs actions: parameters, duplicate guard, locks, faults, unit of work, warnings."""

    def __init__(
        self,
        store: AsyncStore,
        clock: Clock,
        deps: Dependencies,
        hosts: Hosts,
        storage: Storage,
        *,
        turns: SchoolTurns,
        duplicates: Duplicates,
        rate_limits: RateLimits,
        faults: FaultQueue | None,
        lease_jobs: Callable[[], Lease],
        run_jobs: Callable[[Collection[Job]], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._deps = deps
        self._hosts = hosts
        self._storage = storage
        self._duplicates = duplicates
        self._rate_limits = rate_limits
        self._faults = faults
        self._lease_jobs = lease_jobs
        self._run_jobs = run_jobs
        self._locks = KeyedLocks()
        self.turns = turns

    async def dispatch(
        self, route: ActionRoute[Any, Any, Any], school: SchoolId, fields: Mapping[str, object]
    ) -> PartnerResponse:
        """Run an action for an authenticated school.

        `fields` are the parameters as they travel: texts of a form or values of JSON, without
        credentials. Raises `Refusal` when nothing was run, `OverloadedError` when the caller should
        send the same again later, `DroppedConnectionError` when a fault asks for it.
        """
        await self._check_rate(route, school)
        if is_large(fields):
            params = await asyncio.to_thread(_read_params, route, fields)
        else:
            params = _read_params(route, fields)
        if not route.refuses_duplicates:
            return await self._lock_and_run(route, school, params)
        key = fingerprint(route.action.name, fields)
        if await self._duplicates.check(school, key, self._clock.now()):
            raise Refusal(Errno.REPEATED_TOO_SOON, "the same parameters came within 5 seconds")
        has_worked = False
        try:
            response = await self._lock_and_run(route, school, params)
            has_worked = _has_worked(response)
        except (DroppedConnectionError, asyncio.CancelledError) as error:
            # The work of a client that went away may be committed.
            has_worked = not isinstance(error, DroppedConnectionError) or error.has_worked
            raise
        finally:
            if not has_worked:
                self._duplicates.discard(school, key)
        return response

    async def check_before_file(
        self, route: ActionRoute[Any, Any, Any], school: SchoolId, fields: Mapping[str, object]
    ) -> None:
        """Refuse a large upload by the fields that come before its file; raises `Refusal`."""
        if route.check_before_file is None:
            return
        check, params = route.check_before_file, _read_params(route, fields)
        async with self._turn(school):
            await self._store.read(lambda uow: check(uow, school, params))

    async def _check_rate(self, route: ActionRoute[Any, Any, Any], school: SchoolId) -> None:
        """Count a call of an action that is limited; refuse it above the limit."""
        limit = route.max_per_minute
        if limit is not None and not await self._rate_limits.count_call(
            school, route.action.name, limit, self._clock.now()
        ):
            raise Refusal(Errno.TOO_MANY_REQUESTS, f"at most {limit} calls in 60 seconds")

    async def _lock_and_run(
        self, route: ActionRoute[Any, Any, Any], school: SchoolId, params: Params
    ) -> PartnerResponse:
        acquired, busy = await self._locks.acquire(
            _list_lock_keys(route.locks, school, params, acquires=True),
            _list_lock_keys(route.locks, school, params, acquires=False),
        )
        try:
            for lock in route.locks if busy else ():
                if lock.errno is not None and busy.intersection(lock.keys(school, params)):
                    raise Refusal(lock.errno, "another request about it is unfinished after 1 s")
            fault = None
            if self._faults is not None:
                fault = await self._faults.take_next(school, route.action.name)
            if fault is None:
                return await self._execute(route, school, params, busy)
            return await self._execute_with_fault(fault, route, school, params, busy)
        finally:
            self._locks.release(acquired)

    async def _execute_with_fault(
        self,
        fault: Fault,
        route: ActionRoute[Any, Any, Any],
        school: SchoolId,
        params: Params,
        busy: frozenset[str],
    ) -> PartnerResponse:
        if not fault.in_entries:
            params = drop_unsaved(params, fault.errno)
        if not fault.after_commit:
            await asyncio.sleep(fault.delay_ms / 1000)
        response = PartnerResponse()
        if fault.keeps_work:
            response = await self._execute(route, school, params, busy, fault)
        if fault.after_commit:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.drop:
            raise DroppedConnectionError(has_worked=fault.keeps_work)
        if fault.errno is None or fault.in_entries:
            return warn_in_entries(response, fault)
        reason = f"fault {fault.id} asked for it"
        if fault.errno.outcome is not Outcome.WARNING:
            return PartnerResponse(errno=fault.errno, reason=reason)
        if response.errno.outcome in (Outcome.REFUSED, Outcome.FAULT):
            # Nothing was saved that the warning could be about.
            return response
        return PartnerResponse(fault.errno, response.result, reason)

    async def _execute(
        self,
        route: ActionRoute[Any, Any, Any],
        school: SchoolId,
        params: Params,
        busy: frozenset[str],
        fault: Fault | None = None,
    ) -> PartnerResponse:
        """Run the handler in one unit of work, and return its result with the first warning."""
        unit = _HandlerUnit(
            route, school, params, busy, self._deps, self._hosts, self._lease_jobs, fault
        )
        try:
            await self._reserve(route, school, params)
            if route.prepare is not None and route.prepares_quickly:
                unit.prepared = route.prepare(self._storage, params)
            elif route.prepare is not None:
                unit.prepared = await asyncio.to_thread(route.prepare, self._storage, params)
            response, due_jobs = await self._run_unit(unit)
        except Refusal as refusal:
            await self._make_changes(unit.kept_changes, school)
            return self._refusal_response(route, refusal)
        except OverloadedError:
            await self._make_changes(unit.kept_changes, school)
            raise
        except ContendedError:
            errno = next((lock.errno for lock in route.locks if lock.errno), None)
            if errno is None:
                raise
            return PartnerResponse(
                errno=errno, reason="another server is at it, unfinished after 1 s"
            )
        if due_jobs:
            await self._finish_jobs(due_jobs)
        return response

    async def _reserve(
        self, route: ActionRoute[Any, Any, Any], school: SchoolId, params: Params
    ) -> None:
        if route.reserve is not None:
            reserve = route.reserve
            async with self._turn(school):
                await self._store.write(lambda uow: reserve(uow, school, params), school)

    @asynccontextmanager
    async def _turn(self, school: SchoolId) -> AsyncIterator[None]:
        """Wait for the school's turn, and count the time of the block as its work."""
        await self.turns.wait(school)
        started = time.perf_counter()
        try:
            yield
        finally:
            self.turns.finish(school, time.perf_counter() - started)

    async def _run_unit(self, unit: "_HandlerUnit") -> tuple[PartnerResponse, list[Job]]:
        """Run a unit of work when it is the school's turn."""
        await self.turns.wait(unit.school)
        try:
            if unit.route.read_only:
                return await self._store.read(unit.run)
            scope = unit.route.scope(unit.params) if unit.route.scope is not None else None
            return await self._store.write(unit.run, unit.school, scope=scope)
        finally:
            self.turns.finish(unit.school, unit.seconds)

    async def _make_changes(
        self, changes: Collection[Callable[[UnitOfWork], None]], school: SchoolId
    ) -> None:
        """Make the changes that stand although their unit was refused and rolled back."""
        if not changes:
            return

        def unit(uow: UnitOfWork) -> None:
            for change in changes:
                change(uow)

        await self._store.write(unit, school)

    async def _finish_jobs(self, jobs: Collection[Job]) -> None:
        """Run the jobs that the response promises; the commit stands even when they fail."""
        try:
            await self._run_jobs(jobs)
        except Exception:
            log.exception("jobs due at once were left to the job loop")

    def _refusal_response(
        self, route: ActionRoute[Any, Any, Any], refusal: Refusal
    ) -> PartnerResponse:
        if refusal.errno not in route.action.errnos:
            facts = {"action": route.action.name, "errno": refusal.errno.number}
            log.error("undeclared errno", extra=facts)
        if refusal.about is None or route.describe_existing is None:
            return make_refusal_response(refusal)
        existing = route.describe_existing(self._hosts, refusal.about)
        return PartnerResponse(refusal.errno, existing, refusal.reason)


def _has_worked(response: PartnerResponse) -> bool:
    """Tell whether a call did something; of a batch, whether one of its entries did.

    Only such a call makes an equal one a duplicate (READINGS Q58).
    """
    if response.errno.outcome not in WORKED:
        return False
    entries = response.entries
    return entries is None or any(BY_NUMBER[entry.errno].outcome in WORKED for entry in entries)


def is_large(fields: Mapping[str, object]) -> bool:
    """Tell whether reading the parameters may take longer than some milliseconds."""
    return sum(len(value) for value in fields.values() if isinstance(value, str)) > MAX_QUICK_CHARS


def _read_params(route: ActionRoute[Any, Any, Any], fields: Mapping[str, object]) -> Params:
    errnos = route.action.param_errnos
    try:
        params: Params = route.reader.read(fields)
    except ParamError as error:
        errno = _choose_errno(errnos, error)
        if errno is not errnos.missing and errnos.missing_comes_first:
            missing = route.reader.find_missing(fields)
            if missing is not None:
                raise Refusal(errnos.missing, f"{missing}: is missing or empty") from None
        raise Refusal(errno, str(error)) from None
    return params


def _choose_errno(errnos: ParamErrnos, error: ParamError) -> Errno:
    match error:
        case EmptyListError():
            return errnos.empty_list
        case ParamListError():
            return errnos.no_list
        case MissingParamError():
            return errnos.missing
        case IncompleteGroupError():
            return Errno.BAD_PARAMS
        case _:
            return errnos.wrong


def _list_lock_keys(
    locks: Iterable[LockRule[Any]], school: SchoolId, params: Params, *, acquires: bool
) -> list[str]:
    return [key for lock in locks if lock.acquires == acquires for key in lock.keys(school, params)]


class _HandlerUnit(msgspec.Struct):
    """The unit of work of one call: its handler, and what it leaves behind if it fails."""

    route: ActionRoute[Any, Any, Any]
    school: SchoolId
    params: Params
    busy_keys: frozenset[str]
    deps: Dependencies
    hosts: Hosts
    lease_jobs: Callable[[], Lease]
    fault: Fault | None = None
    prepared: object = None
    kept_changes: Collection[Callable[[UnitOfWork], None]] = ()
    """Changes that stand although the unit was refused."""
    seconds: float = 0.0
    """Time that the handler took; its share, where others took the same time."""

    def run(self, uow: UnitOfWork) -> tuple[PartnerResponse, list[Job]]:
        """Run the handler; returns the response, and the jobs that are due before it."""
        started = time.perf_counter()
        self.kept_changes = uow.kept_changes
        uow.lease_jobs = self.lease_jobs
        uow.actor = Actor(OpSource.CONSOLE if self.route.action.is_v2 else OpSource.V1)
        context = CallContext(
            uow, self.school, self.deps, self.hosts, self.prepared, self.busy_keys, self.fault
        )
        try:
            result = self.route.handler(context, self.params)
        finally:
            self.seconds = (time.perf_counter() - started) / uow.units_at_once
        return _make_response(self.route, result, uow.warnings, context), uow.due_jobs


def _make_response(
    route: ActionRoute[Any, Any, Any],
    result: Result,
    warnings: list[Errno],
    context: CallContext[Any],
) -> PartnerResponse:
    """Return the response of a call that is done, with the first of its warnings."""
    for errno in route.action.warning_errnos if warnings else ():
        if errno in warnings:
            return PartnerResponse(errno, result, summarize_reasons((errno.en, *context.reasons)))
    reason = summarize_reasons(context.reasons) if context.reasons else ""
    return PartnerResponse(Errno.DONE, result, reason)
