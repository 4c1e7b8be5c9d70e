"""The delivery loop: sends the messages of schools to their endpoints, in order and at least once.

One task for each school that has something to send. It holds the lease of the school's outbox, and
makes one attempt at a time in each lane; the next one begins after the result was committed. So a
receiver may see a message twice in a row, and never an older one after a newer one (Q93).
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final, TypeVar

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock, Moment, SteadyClock
from homeroom.base.ids import EndpointId, LaneId, SchoolId
from homeroom.domain.deliveries import AttemptOutcome, AttemptResult
from homeroom.messages.sender import Sender
from homeroom.store.outbox_leases import LeaseLostError
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import deliveries
from homeroom.usecases.deliveries import Finished, Head, Turn

log = logging.getLogger("homeroom.messages")

LEASE_SECONDS: Final = 60
"""Real seconds for which the outbox of a school belongs to this server; longer than any attempt."""
RENEW_SECONDS: Final = LEASE_SECONDS / 3
LEASE_MARGIN_SECONDS: Final = 5.0
"""Time before the end of a lease from which on nothing is sent, and what is on its way is cut."""
MAX_IN_FLIGHT: Final = 100
"""Attempts of a school at the same time."""
POLL_SECONDS: Final = 5.0
"""Longest time between two looks for work that another server or a command left."""
IDLE_SECONDS: Final = 30.0
"""Time without work after which the task of a school ends."""
NUDGE_SECONDS: Final = 0.02
"""Time in which commits are collected for one turn: a turn costs about as much as a call."""
RETRY_SECONDS: Final = 1.0
"""Pause after the database failed."""

T = TypeVar("T")
TakeFault = Callable[[EndpointId], AttemptOutcome | None]
"""Returns the outcome that the sandbox wants for the next attempt at an endpoint, if any."""


def take_no_fault(_endpoint: EndpointId) -> None:
    """Let every attempt reach its receiver."""


class MessageDispatcher:
    """Starts a task for each school with work, and ends it when there is no work."""

    def __init__(
        self,
        store: AsyncStore,
        clock: Clock,
        real: SteadyClock,
        make_sender: Callable[[], Awaitable[Sender]],
        owner: str,
        take_fault: TakeFault = take_no_fault,
    ) -> None:
        """Create a dispatcher; the sender is made for the first attempt. `owner` names us."""
        self._store = store
        self._clock = clock
        self._real = real
        self._make_sender = make_sender
        self._owner = owner
        self._take_fault = take_fault
        self._sender: Sender | None = None
        self._sender_lock = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._outboxes: dict[SchoolId, _SchoolOutbox] = {}
        self._nudged: set[SchoolId] = set()
        self._is_stopping = False
        self._looked_at = time.monotonic()
        self.outcomes: Counter[str] = Counter()
        """Attempts by outcome, since the start."""

    def nudge(self, schools: Collection[SchoolId]) -> None:
        """Look for new messages of some schools now; may be called in any thread."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._take_nudge, tuple(schools))

    def _take_nudge(self, schools: Collection[SchoolId]) -> None:
        # Messages that are committed together are queued in one turn.
        if not self._nudged:
            self._loop.call_later(NUDGE_SECONDS, self._pass_nudges)
        self._nudged.update(schools)

    def _pass_nudges(self) -> None:
        schools, self._nudged = self._nudged, set()
        if not self._is_stopping:
            self._start(schools)

    def hear(self, announcement: str) -> None:
        """Look for new messages of a school of which another process tells."""
        self._take_nudge([SchoolId(int(announcement))])

    def idle_seconds(self) -> float:
        """Return the seconds since the loop last looked for work."""
        return time.monotonic() - self._looked_at

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                try:
                    await self._look()
                except Exception:
                    log.exception("the look for messages failed; trying again")
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await self._stop()

    async def settle(self, seconds: float) -> bool:
        """Make the attempts that are due now; return whether they ended in some seconds (Q98)."""
        await self._look()
        boxes = list(self._outboxes.values())
        waiting = [asyncio.create_task(box.wait_idle()) for box in boxes]
        if not waiting:
            return True
        ended, late = await asyncio.wait(waiting, timeout=seconds)
        for task in late:
            task.cancel()
        return len(ended) == len(waiting)

    async def _look(self) -> None:
        self._looked_at = time.monotonic()
        schools = set(await self._store.read(self._find_work))
        self._outboxes = {
            school: box for school, box in self._outboxes.items() if not box.task.done()
        }
        # A command may have changed an endpoint of a school that is in hand already.
        in_hand = {school for school, box in self._outboxes.items() if not box.is_over}
        self._start(schools | in_hand)

    def _start(self, schools: Collection[SchoolId]) -> None:
        """Let some schools take a turn, each by the task that it has or by a new one."""
        for school in schools:
            box = self._outboxes.get(school)
            if box is None:
                self._outboxes[school] = _SchoolOutbox(self, school)
            elif box.is_over:
                self._outboxes[school] = _SchoolOutbox(self, school, box.task)
            else:
                box.nudge()

    def _find_work(self, uow: UnitOfWork) -> list[SchoolId]:
        return deliveries.find_work(uow, self._real.now())

    async def _stop(self) -> None:
        self._is_stopping = True
        tasks = [box.task for box in self._outboxes.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(Exception):
            await self._store.write(lambda uow: deliveries.release_all(uow, self._owner))
        if self._sender is not None:
            await self._sender.close()

    # --- for the outboxes ----------------------------------------------------------------------

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
        limit: int = MAX_IN_FLIGHT,
        *,
        has_new: bool,
    ) -> Turn:
        """Save results, and return what to attempt next."""
        real_now, limit = self._real.now(), limit - len(busy)
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


class _SchoolOutbox:
    """The outbox of one school while this server delivers it."""

    def __init__(
        self,
        dispatcher: MessageDispatcher,
        school: SchoolId,
        former: asyncio.Task[None] | None = None,
    ) -> None:
        """Start the task; it begins when a former one has given its lease back."""
        self._dispatcher = dispatcher
        self._former = former
        self._school = school
        self._in_flight: dict[LaneId, asyncio.Task[None]] = {}
        self._finished: dict[LaneId, Finished] = {}
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._has_new = True
        """Whether there may be messages without a position."""
        self._worked_at = time.monotonic()
        self._lease_end = 0.0
        """By the clock that no setting moves, and that goes on while the machine sleeps."""
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
        return self._dispatcher.steady() < self._lease_end - LEASE_MARGIN_SECONDS

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
                await self._dispatcher.take_turn(
                    self._school, self._finished.values(), (), limit=0, has_new=False
                )
            await self._dispatcher.release(self._school)

    async def _claim(self) -> bool:
        begun = self._dispatcher.steady()
        is_ours = await self._dispatcher.claim(self._school)
        self._lease_end = begun + LEASE_SECONDS
        return is_ours

    async def _take_turns(self) -> None:
        while not self.is_over:
            self._changed.clear()
            finished = dict(self._finished)
            busy = self._in_flight.keys() - finished.keys()
            has_new, self._has_new = self._has_new, False
            try:
                turn = await self._dispatcher.take_turn(
                    self._school, finished.values(), busy, has_new=has_new
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
            for lane in finished:
                del self._finished[lane], self._in_flight[lane]
            for head in turn.heads:
                task = asyncio.create_task(self._attempt(head))
                self._in_flight[head.delivery.lane] = task
            if finished or turn.heads or turn.has_more:
                self._worked_at = time.monotonic()
            if not turn.has_more:
                await self._wait(turn.next_due)

    async def _wait(self, next_due: tuple[Moment, Moment] | None) -> None:
        """Wait for a result, a nudge, or the next lane that is due; rest after a time without."""
        due = self._dispatcher.seconds_until(next_due)
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
                result = await self._dispatcher.attempt(head, self._may_send)
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
            begun = self._dispatcher.steady()
            try:
                async with asyncio.timeout(self._lease_end - LEASE_MARGIN_SECONDS - begun):
                    is_ours = await self._retry(lambda: self._dispatcher.renew(self._school))
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
