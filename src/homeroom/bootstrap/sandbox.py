"""The sandbox of a process, at which its endpoints change the clock, the faults and the schools."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.routing import BaseRoute

from homeroom.base.clock import ShiftedClock
from homeroom.base.ids import SchoolId
from homeroom.bootstrap.core import CoreParts
from homeroom.bootstrap.main_parts import MainParts
from homeroom.sandbox.access import SandboxAccess
from homeroom.sandbox.site import Sandbox
from homeroom.store.records import Token
from homeroom.usecases import operations
from homeroom.web.operator_access import OperatorAccess
from homeroom.workers.sandbox_forwarding import forwarding_routes

SETTLE_SECONDS = 15.0
"""Longest wait of a move of the clock for the attempts that are due then."""


def sandbox_routes(
    core: CoreParts, main: MainParts, follow: Callable[[], Awaitable[None]]
) -> Sequence[BaseRoute]:
    """Return the routes of the sandbox, if it is enabled.

    `follow` lets what serves HTTP follow a change of the clock or of a school.
    """
    clock, faults, journal = core.clock, main.state.faults, main.state.journal
    if not isinstance(clock, ShiftedClock) or faults is None or journal is None:
        return []

    async def forget(school: SchoolId | None) -> None:
        main.wake_sweeper()
        if school is not None:
            main.state.duplicates.forget(school)
            main.state.rate_limits.forget(school)
        await follow()
        if school is None:
            await main.classrooms.run_once()

    return Sandbox(
        core.async_store,
        clock,
        main.job_loop,
        core.deps,
        faults,
        journal,
        build_operator_access(core),
        core.settings.host,
        forget,
        lambda: main.messages.settle(SETTLE_SECONDS),
        main.classrooms.run_once,
    ).routes()


def forwarded_sandbox_routes(core: CoreParts, main_url: str) -> Sequence[BaseRoute]:
    """Return the routes of a worker process, which forward to the main process."""
    if not isinstance(core.clock, ShiftedClock):
        return []
    return forwarding_routes(
        main_url, SandboxAccess(build_operator_access(core), core.settings.host)
    )


def build_operator_access(core: CoreParts) -> OperatorAccess:
    """Return what authorizes operators."""

    async def find_token(token_hash: str) -> Token | None:
        return await core.async_store.read(lambda uow: operations.find_token(uow, token_hash))

    return OperatorAccess(find_token)
