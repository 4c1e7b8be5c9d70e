"""The work of the delivery loop: leases, turns and attempts of one server."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock, Moment, SteadyClock
from homeroom.base.ids import EndpointId, LaneId, SchoolId
from homeroom.domain.deliveries import AttemptOutcome, AttemptResult
from homeroom.messages.sender import Sender
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import deliveries
from homeroom.usecases.deliveries import Finished, Head, Turn

LEASE_SECONDS: Final = 60
"""Real seconds for which the outbox of a school belongs to this server; longer than any attempt."""
MAX_IN_FLIGHT: Final = 100
"""Attempts of a school at the same time."""
IDLE_SECONDS: Final = 30.0
"""Time without work after which the task of a school ends."""

TakeFault = Callable[[EndpointId], AttemptOutcome | None]
"""Returns the outcome that the sandbox wants for the next attempt at an endpoint, if any."""


def take_no_fault(_endpoint: EndpointId) -> None:
    """Let every attempt reach its receiver."""


class OutboxWork:
    """The units of work and the attempts that the outboxes of schools need."""

    def __init__(
        self,
        store: AsyncStore,
        clock: Clock,
        real: SteadyClock,
        make_sender: Callable[[], Awaitable[Sender]],
        owner: str,
        take_fault: TakeFault = take_no_fault,
    ) -> None:
        """Take the parts; the sender is made for the first attempt. `owner` names this server."""
        self._store = store
        self._clock = clock
        self._real = real
        self._make_sender = make_sender
        self._owner = owner
        self._take_fault = take_fault
        self._sender: Sender | None = None
        self._sender_lock = asyncio.Lock()
        self.outcomes: Counter[str] = Counter()
        """Attempts by outcome, since the start."""

    async def find_schools(self) -> set[SchoolId]:
        """Return schools whose messages no server delivers at the moment."""

        def find(uow: UnitOfWork) -> list[SchoolId]:
            return deliveries.find_work(uow, self._real.now())

        return set(await self._store.read(find))

    async def claim(self, school: SchoolId) -> bool:
        """Lease the outbox of a school."""
        real_now = self._real.now()
        return await self._store.write(
            lambda uow: deliveries.claim(uow, school, self._owner, LEASE_SECONDS, real_now)
        )

    async def renew(self, school: SchoolId) -> bool:
        """Extend the lease of a school; return False if another server has it."""
        until = self._real.now() + LEASE_SECONDS
        return await self._store.write(
            lambda uow: deliveries.renew(uow, school, self._owner, until)
        )

    async def release(self, school: SchoolId) -> None:
        """End the lease of a school, so that any server can take it."""
        await self._store.write(lambda uow: deliveries.release(uow, school, self._owner))

    async def take_turn(
        self,
        school: SchoolId,
        finished: Collection[Finished],
        busy: Collection[LaneId],
        limit: int,
        *,
        has_new: bool,
    ) -> Turn:
        """Save results, and return what to attempt next, at most `limit` deliveries."""
        real_now = self._real.now()
        return await self._store.write(
            lambda uow: deliveries.take_turn(
                uow, school, self._owner, real_now, finished, busy, limit, has_new=has_new
            )
        )

    async def attempt(self, head: Head, may_send: Callable[[], bool]) -> AttemptResult | None:
        """Make one attempt; returns None if the lease ended before."""
        fault = self._take_fault(head.endpoint.id)
        if fault is not None:
            result: AttemptResult | None = AttemptResult(fault)
        else:
            sender = await self._get_sender()
            result = await sender.send(
                head.endpoint,
                head.delivery.message,
                is_resend=head.delivery.is_resend,
                may_send=may_send,
            )
        if result is not None:
            self.outcomes[result.outcome.value] += 1
        return result

    def steady(self) -> float:
        """Return the seconds by which the ends of leases are watched."""
        return self._real.steady()

    def seconds_until(self, due: tuple[Moment, Moment] | None) -> float:
        """Return the seconds until the next lane is due, by either clock."""
        if due is None:
            return IDLE_SECONDS
        by_clock = due[0] - self._clock.now()
        return max(0.0, min(by_clock, due[1] - self._real.now(), IDLE_SECONDS))

    async def _get_sender(self) -> Sender:
        async with self._sender_lock:
            if self._sender is None:
                self._sender = await self._make_sender()
            return self._sender

    async def close(self) -> None:
        """End all leases, and close the connections."""
        with suppress(Exception):
            await self._store.write(lambda uow: deliveries.release_all(uow, self._owner))
        if self._sender is not None:
            await self._sender.close()
