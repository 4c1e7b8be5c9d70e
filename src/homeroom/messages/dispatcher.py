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
from typing import Final

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock, SteadyClock
from homeroom.base.ids import SchoolId
from homeroom.messages.outbox_work import OutboxWork, TakeFault, take_no_fault
from homeroom.messages.school_outbox import SchoolOutbox
from homeroom.messages.sender import Sender

log = logging.getLogger("homeroom.messages")

POLL_SECONDS: Final = 5.0
"""Longest time between two looks for work that another server or a command left."""
MAX_IDLE_SECONDS: Final = 60.0
"""Time without a look after which the loop is stuck."""
NUDGE_SECONDS: Final = 0.05
"""Time in which commits are collected for one turn: a turn costs about as much as a call."""


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
        self._work = OutboxWork(store, clock, real, make_sender, owner, take_fault)
        self._loop = asyncio.get_running_loop()
        self._outboxes: dict[SchoolId, SchoolOutbox] = {}
        self._nudged: set[SchoolId] = set()
        self._is_stopping = False
        self._looked_at = time.monotonic()

    @property
    def outcomes(self) -> Counter[str]:
        """Attempts by outcome, since the start."""
        return self._work.outcomes

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

    def describe_problem(self) -> str:
        """Return that the loop is stuck, or an empty text."""
        idle = time.monotonic() - self._looked_at
        if idle <= MAX_IDLE_SECONDS:
            return ""
        return f"the loop that sends messages has not turned for {idle:.0f} s"

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
        schools = await self._work.find_schools()
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
                self._outboxes[school] = SchoolOutbox(self._work, school)
            elif box.is_over:
                self._outboxes[school] = SchoolOutbox(self._work, school, box.task)
            else:
                box.nudge()

    async def _stop(self) -> None:
        self._is_stopping = True
        tasks = [box.task for box in self._outboxes.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._work.close()
