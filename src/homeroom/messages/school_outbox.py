"""The outbox of one school: its lease, its turns, and the attempts on their way."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

from homeroom.base.clock import Moment
from homeroom.base.ids import LaneId, SchoolId
from homeroom.messages.outbox_work import (
    IDLE_SECONDS,
    LEASE_SECONDS,
    MAX_IN_FLIGHT,
    OutboxWork,
)
from homeroom.store.outbox_leases import LeaseLostError
from homeroom.usecases.deliveries import Finished, Head

log = logging.getLogger("homeroom.messages")

RENEW_SECONDS: Final = LEASE_SECONDS / 3
LEASE_MARGIN_SECONDS: Final = 5.0
"""Time before the end of a lease from which on nothing is sent, and what is on its way is cut."""
RETRY_SECONDS: Final = 1.0
"""Pause after the database failed."""

T = TypeVar("T")


class SchoolOutbox:
    """The outbox of one school while this server delivers it."""

    def __init__(
        self,
        work: OutboxWork,
        school: SchoolId,
        former: asyncio.Task[None] | None = None,
    ) -> None:
        """Start the task; it begins when a former one has given its lease back."""
        self._work = work
        self._former = former
        self._school = school
        self._in_flight: dict[LaneId, asyncio.Task[None]] = {}
        self._finished: dict[LaneId, Finished] = {}
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._has_new = True
        """Whether there may be messages without a position."""
        self._has_waiting = False
        """Whether lanes with a delivery that is due may wait for a free place."""
        self._worked_at = time.monotonic()
        self._lease_end = 0.0
        """By the clock that no setting moves, and that counts while the machine sleeps."""
        self.is_over = False
        """True from the moment on at which it takes no more nudges."""
        self.task = asyncio.create_task(self._run())

    def nudge(self) -> None:
        """Take another turn now."""
        self._idle.clear()
        self._has_new = True
        self._changed.set()

    async def wait_idle(self) -> None:
        """Wait until nothing is due and nothing is on its way, or the task has ended."""
        idle = asyncio.create_task(self._idle.wait())
        await asyncio.wait({idle, self.task}, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()

    def _may_send(self) -> bool:
        return self._work.steady() < self._lease_end - LEASE_MARGIN_SECONDS

    async def _run(self) -> None:
        keeper = None
        try:
            if self._former is not None:
                await asyncio.wait({self._former})
                self._former = None
            if not await self._retry(self._claim):
                return  # another server delivers them; a look finds what it leaves
            keeper = asyncio.create_task(self._keep_lease())
            await self._take_turns()
        except LeaseLostError:
            log.warning("outbox_lease_lost", extra={"sid": self._school})
        finally:
            self.is_over = True
            if keeper is not None:
                keeper.cancel()
            await self._cut()
            await self._save_last()

    async def _save_last(self) -> None:
        """Save the results that came before the end, and give the lease back."""
        with suppress(Exception):
            if self._finished:
                await self._work.take_turn(
                    self._school, self._finished.values(), (), limit=0, has_new=False
                )
            await self._work.release(self._school)

    async def _claim(self) -> bool:
        begun = self._work.steady()
        is_ours = await self._work.claim(self._school)
        self._lease_end = begun + LEASE_SECONDS
        return is_ours

    async def _take_turns(self) -> None:
        while not self.is_over:
            self._changed.clear()
            finished = dict(self._finished)
            busy = self._in_flight.keys() - finished.keys()
            has_new = self._can_queue()
            if has_new:
                self._has_new = False
            places = MAX_IN_FLIGHT - len(busy)
            try:
                turn = await self._work.take_turn(
                    self._school, finished.values(), busy, places, has_new=has_new
                )
            except LeaseLostError:
                raise
            except Exception:
                # Nothing was saved: no lane continues before its result is saved.
                log.exception("a turn of deliveries failed; trying again")
                self._has_new = True
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._has_new = self._has_new or turn.has_more
            self._has_waiting = len(turn.heads) == places
            for lane in finished:
                del self._finished[lane], self._in_flight[lane]
            for head in turn.heads:
                task = asyncio.create_task(self._attempt(head))
                self._in_flight[head.delivery.lane] = task
            if finished or turn.heads or turn.has_more:
                self._worked_at = time.monotonic()
            if not self._can_queue():
                await self._wait(turn.next_due)

    def _can_queue(self) -> bool:
        """Return whether to queue new messages now: what waits already is older, and goes first."""
        return self._has_new and not self._has_waiting

    async def _wait(self, next_due: tuple[Moment, Moment] | None) -> None:
        """Wait for a result, a nudge, or the next lane that is due; rest after a time without."""
        due = self._work.seconds_until(next_due)
        if len(self._in_flight) >= MAX_IN_FLIGHT:
            due = IDLE_SECONDS
        # A nudge that came during the turn asks for another one.
        if not self._in_flight and due > 0 and not self._changed.is_set():
            self._idle.set()
            # Decided without a pause, so that no nudge is lost.
            has_rested = time.monotonic() - self._worked_at > IDLE_SECONDS
            self.is_over = due >= IDLE_SECONDS and has_rested
            if self.is_over:
                return
        with suppress(TimeoutError):
            async with asyncio.timeout(due):
                await self._changed.wait()

    async def _attempt(self, head: Head) -> None:
        lane = head.delivery.lane
        result = None
        try:
            if self._may_send():
                result = await self._work.attempt(head, self._may_send)
        except Exception:
            # As where the secret of the school cannot be read: the lane must not stay busy.
            log.exception("an attempt could not be made; trying again")
        if result is None:
            # The lease is renewed soon, or ends; the database is back soon.
            await asyncio.sleep(RETRY_SECONDS)
            del self._in_flight[lane]
        else:
            self._finished[lane] = Finished(head.delivery, head.failures, result)
        self._changed.set()

    async def _keep_lease(self) -> None:
        """Renew the lease; where that fails, cut what is on its way before the lease ends."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            begun = self._work.steady()
            remaining = self._lease_end - LEASE_MARGIN_SECONDS - begun
            try:
                # After the machine slept the lease may still be there: no other server wanted it.
                async with asyncio.timeout(max(remaining, RETRY_SECONDS)):
                    is_ours = await self._retry(lambda: self._work.renew(self._school))
            except TimeoutError:
                is_ours = False
            if not is_ours:
                log.warning("outbox_lease_lost", extra={"sid": self._school})
                self.task.cancel()
                return
            self._lease_end = begun + LEASE_SECONDS

    async def _retry(self, change: Callable[[], Awaitable[T]]) -> T:
        """Call a function until the database answers."""
        while True:
            try:
                return await change()
            except Exception:
                log.exception("a lease of messages could not be changed; trying again")
                await asyncio.sleep(RETRY_SECONDS)

    async def _cut(self) -> None:
        """Close the connections of all attempts on their way."""
        tasks = list(self._in_flight.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
