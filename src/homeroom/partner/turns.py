"""Turns: schools share the store, so that the calls of a busy one do not delay those of another.

A call waits here, and not in the queue of the store, where it would delay everybody. A school
whose calls come one by one never waits. A busy school runs a few calls at a time, and while other
schools call too it rests between them for longer than they took: so most calls of another school
find the store free.

The queue has an end. A call that finds it full, or has waited too long, is refused (READINGS Q102).
"""

import asyncio
import os
from collections import OrderedDict, deque
from typing import Final

import msgspec

from homeroom.base.ids import SchoolId
from homeroom.domain.refusal import OverloadedError

MAX_WAITING: Final = 2000
"""Calls that wait, of all schools."""
MAX_WAITING_PER_SCHOOL: Final = 500
MAX_WAIT_SECONDS: Final = 5.0
RETRY_AFTER_SECONDS: Final = 2
ACTIVE_SECONDS: Final = 1.0
"""A school counts as active for this long after a call."""
MAX_RUNNING: Final = 64
"""Calls of a school in the store, while no other school is active: one group commit of SQLite."""
ALONE_SECONDS: Final = 0.05
"""Work of a school in the store, while no other school is active."""
SHARED_SECONDS: Final = 0.004
"""Work of a school in the store, while another school is active."""
MAX_SHARED_RUNNING: Final = 8
LONG_SECONDS: Final = 0.002
"""Mean work from which the calls of a school are long: it rests also when none of them waits."""
OVERHEAD_SECONDS: Final = 0.0004
"""Work for a call outside of its unit: parsing, the commit, the response."""
REST_FACTOR: Final = 2.0
"""Rest after a call of a busy school, as a multiple of its work."""
MAX_REST_SECONDS: Final = 0.25
WEIGHT: Final = 0.2
"""Weight of a new value in the mean duration."""


class QueueFullError(OverloadedError):
    """Too many calls wait, or a call has waited too long."""

    def __init__(self, reason: str) -> None:
        super().__init__(RETRY_AFTER_SECONDS, reason)


class _SchoolQueue(msgspec.Struct, eq=False):
    running: int = 0
    waiting: deque[asyncio.Future[None]] = msgspec.field(default_factory=deque)
    seen_at: float = 0.0
    mean_seconds: float = OVERHEAD_SECONDS
    """Mean work for a call."""
    rest_until: float = 0.0
    timer: asyncio.TimerHandle | None = None


class SchoolTurns:
    """Queues of calls by school, for one event loop."""

    def __init__(
        self, parallel_units: int = 1, *, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        """Take the number of units of work that the store runs at the same time."""
        self._min_running = 2 * parallel_units
        # Units that run at the same time share the processors, here or those of the database.
        self._speed = min(parallel_units, os.cpu_count() or 1)
        self._loop = loop or asyncio.get_running_loop()
        self._schools: OrderedDict[SchoolId, _SchoolQueue] = OrderedDict()
        """Active schools, the least recent first."""
        self._backlogged: set[SchoolId] = set()
        """Schools with calls that wait."""
        self.waiting = 0
        self.refused = 0

    async def wait(self, school: SchoolId) -> None:
        """Wait until a call of a school may run; raises `QueueFullError`.

        The caller calls `finish` afterwards.
        """
        queue = self._enter(school)
        if not queue.waiting and self._can_start(queue):
            queue.running += 1
            return
        if self.waiting >= MAX_WAITING or len(queue.waiting) >= MAX_WAITING_PER_SCHOOL:
            self.refused += 1
            raise QueueFullError("too many calls wait; try again later")
        turn = self._loop.create_future()
        queue.waiting.append(turn)
        self.waiting += 1
        self._backlogged.add(school)
        self._start_waiting(school, queue)
        try:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await turn
        except BaseException as failure:
            self._withdraw(school, queue, turn)
            if isinstance(failure, TimeoutError):
                self.refused += 1
                reason = f"the call waited {MAX_WAIT_SECONDS:.0f} s for its turn; try again later"
                raise QueueFullError(reason) from None
            raise

    def finish(self, school: SchoolId, unit_seconds: float) -> None:
        """End the turn of a call, whose unit of work took so many seconds."""
        queue = self._schools[school]
        seconds = unit_seconds + OVERHEAD_SECONDS
        # A unit that runs alone is in the way of others for as long as it takes.
        busy_seconds = seconds / min(self._speed, queue.running)
        queue.running -= 1
        queue.mean_seconds += WEIGHT * (seconds / self._speed - queue.mean_seconds)
        if len(self._schools) > 1 and (queue.waiting or queue.mean_seconds > LONG_SECONDS):
            now = self._loop.time()
            rest = REST_FACTOR * busy_seconds * max(1, len(self._backlogged))
            queue.rest_until = min(max(queue.rest_until, now) + rest, now + MAX_REST_SECONDS)
        if queue.waiting:
            self._start_waiting(school, queue)

    def _enter(self, school: SchoolId) -> _SchoolQueue:
        """Return the queue of a school, which is active from now on."""
        now = self._loop.time()
        queue = self._schools.get(school)
        if queue is None:
            queue = self._schools[school] = _SchoolQueue()
        else:
            self._schools.move_to_end(school)
        queue.seen_at = now
        while (least := next(iter(self._schools.items())))[1].seen_at < now - ACTIVE_SECONDS:
            other, idle = least
            if idle.running or idle.waiting:
                idle.seen_at = now
                self._schools.move_to_end(other)
            else:
                del self._schools[other]
        return queue

    def _can_start(self, queue: _SchoolQueue) -> bool:
        if len(self._schools) == 1:
            limit = min(MAX_RUNNING, int(ALONE_SECONDS / queue.mean_seconds))
            return queue.running < max(self._min_running, limit)
        limit = min(MAX_SHARED_RUNNING, int(SHARED_SECONDS / queue.mean_seconds))
        limit = max(1, limit // max(1, len(self._backlogged)))
        return queue.running < limit and queue.rest_until <= self._loop.time()

    def _start_waiting(self, school: SchoolId, queue: _SchoolQueue) -> None:
        """Start the calls of a school whose turn it is, or set a timer for the end of its rest."""
        while queue.waiting and self._can_start(queue):
            turn = queue.waiting.popleft()
            self.waiting -= 1
            if not turn.cancelled():
                queue.running += 1
                turn.set_result(None)
        if not queue.waiting:
            self._backlogged.discard(school)
        elif queue.timer is None and queue.rest_until > self._loop.time():
            queue.timer = self._loop.call_at(queue.rest_until, self._end_rest, school, queue)

    def _end_rest(self, school: SchoolId, queue: _SchoolQueue) -> None:
        queue.timer = None
        self._start_waiting(school, queue)

    def _withdraw(
        self, school: SchoolId, queue: _SchoolQueue, turn: "asyncio.Future[None]"
    ) -> None:
        """Remove a call that waits no longer; give its turn to the next one if it has it."""
        if not turn.cancelled():
            queue.running -= 1
        elif turn in queue.waiting:
            queue.waiting.remove(turn)
            self.waiting -= 1
        self._start_waiting(school, queue)
