"""The worker: runs the jobs of the queue when they are due, with leases, retries and backoff."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

import msgspec

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock, Moment
from homeroom.base.ids import JobId
from homeroom.domain.jobs import JobPayload
from homeroom.store.engine import SHARED_SCHOOL
from homeroom.store.records import Job, Lease

log = logging.getLogger("homeroom.jobs")

P = TypeVar("P", bound=JobPayload)
LEASE_SECONDS = 60
"""Real seconds for which a claimed job belongs to this server; renewed while the job runs."""
RENEW_SECONDS = LEASE_SECONDS / 3
BATCH_SIZE = 50
"""Jobs claimed at once."""
MAX_SLEEP_SECONDS = 5.0
"""Another server, or a command of the operator, may have added a job."""
MIN_SLEEP_SECONDS = 0.2
BACKOFF_SECONDS = (1, 5, 30, 120, 600)
"""Delay before each retry; the last one repeats."""
RUN_NOW_SECONDS = 10.0
"""Deadline of a response that waits for its own jobs."""


def make_lease(real: Clock, owner: str | None) -> Lease:
    """Return a lease of a server, from now on by its real clock."""
    return Lease(real.now() + LEASE_SECONDS, owner)


class JobHandler(msgspec.Struct, Generic[P], frozen=True):
    """The handler of one kind of job, and the type that its payload is decoded to."""

    payload_type: type[P]
    run: Callable[[P], Awaitable[None]]


class Worker:
    """Runs jobs; the row of a job is deleted only after its handler has returned.

    A job that no handler can take (an unknown kind, or a payload that does not decode) is set
    aside: it stays in the table, runs no more, and does not hold up the other jobs.
    """

    def __init__(
        self,
        store: AsyncStore,
        clock: Clock,
        real: Clock,
        handlers: Mapping[str, JobHandler[Any]],
        renew_seconds: float = RENEW_SECONDS,
        lease_owner: str | None = None,
    ) -> None:
        """Create a worker; jobs are due by `clock`, leases run by the `real` one."""
        self._store = store
        self._clock = clock
        self._real = real
        self._handlers = handlers
        self._renew_seconds = renew_seconds
        self._lease_owner = lease_owner
        self.max_sleep_seconds = MAX_SLEEP_SECONDS
        """Longest time between two looks for due jobs."""
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()
        """Held by the loop, so that a batch runs in order."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures = 0
        self._active_at = time.monotonic()
        self._idle_at = time.monotonic()
        """When no job was due, by the machine's clock: the other one may be moved."""

    async def run(self) -> None:
        """Run jobs until cancelled."""
        while True:
            self._active_at = time.monotonic()
            # Before the look: a job that is added during it must not wait for the next one.
            self._wake.clear()
            try:
                await self.run_due()
                due = await self._next_due()
            except Exception:
                log.exception("the job loop failed; trying again")
                due = None
            else:
                if due is None or due > self._clock.now():
                    self._idle_at = time.monotonic()
            wait = self.max_sleep_seconds
            if due is not None:
                wait = min(due - self._clock.now(), wait)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(wait, MIN_SLEEP_SECONDS)):
                    await self._wake.wait()

    def idle_seconds(self) -> float:
        """Return the seconds since the loop last looked for a job, or started one."""
        return time.monotonic() - self._active_at

    def behind_seconds(self) -> float:
        """Return the seconds since no job was due."""
        return time.monotonic() - self._idle_at

    def wake(self) -> None:
        """Make the loop look for due jobs now."""
        self._wake.set()

    async def run_due(self) -> int:
        """Run all jobs that are due, in order, and return their number."""
        count = 0
        async with self._lock:
            while jobs := await self._claim_due():
                await self._run_leased(jobs, is_loop=True)
                count += len(jobs)
        return count

    async def run_now(
        self, jobs: Collection[Job], deadline_seconds: float = RUN_NOW_SECONDS
    ) -> bool:
        """Run jobs that were leased for it when they were added; return whether all ended in time.

        Jobs that have not ended by the deadline continue in the background.
        """
        task = asyncio.create_task(self._run_leased(jobs))
        # The event loop itself keeps no reference to a task.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        ended, _ = await asyncio.wait({task}, timeout=deadline_seconds)
        if not ended:
            task.add_done_callback(_log_failure)
            return False
        task.result()
        return True

    async def _run_leased(self, jobs: Collection[Job], *, is_loop: bool = False) -> None:
        """Run jobs in order, and renew the leases of those that have not ended."""
        unfinished = {job.id for job in jobs}
        renewal = asyncio.create_task(self._renew(unfinished))
        try:
            for job in jobs:
                if is_loop:
                    self._active_at = time.monotonic()
                await self._run(job)
                unfinished.discard(job.id)
        finally:
            renewal.cancel()

    async def _next_due(self) -> Moment | None:
        real_now = self._real.now()
        return await self._store.read(lambda uow: uow.jobs.next_due(real_now, uow.storage))

    async def _claim_due(self) -> list[Job]:
        now, real_now = self._clock.now(), self._real.now()
        # Read first: that costs the writer nothing, and mostly there is nothing to do.
        due = await self._next_due()
        if due is None or due > now:
            return []
        return await self._store.write(
            lambda uow: uow.jobs.claim_due(
                now, real_now, make_lease(self._real, self._lease_owner), BATCH_SIZE, uow.storage
            )
        )

    async def _renew(self, unfinished: set[JobId]) -> None:
        while True:
            await asyncio.sleep(self._renew_seconds)
            await self._renew_once(list(unfinished))

    async def _renew_once(self, ids: Collection[JobId]) -> None:
        lease = self._real.now() + LEASE_SECONDS
        try:
            await self._store.write(lambda uow: uow.jobs.renew(ids, lease))
        except Exception:
            log.exception("the leases of jobs were not renewed; trying again")

    async def _run(self, job: Job) -> None:
        handler = self._handlers.get(job.kind)
        if handler is None:
            await self._set_aside(job, f"no handler takes jobs of the kind {job.kind}")
            return
        try:
            payload = msgspec.json.decode(job.payload, type=handler.payload_type)
        except msgspec.MsgspecError as error:
            await self._set_aside(job, f"the payload cannot be decoded: {error}")
            return
        try:
            await handler.run(payload)
        except Exception as failure:
            self.failures += 1
            log.exception("job failed", extra={"job": job.id, "kind": job.kind})
            delay = BACKOFF_SECONDS[min(job.attempts, len(BACKOFF_SECONDS) - 1)]
            reason = f"{type(failure).__name__}: {failure}"
            await self._store.write(lambda uow: uow.jobs.retry(job.id, uow.now + delay, reason))
        else:
            await self._store.write(lambda uow: uow.jobs.delete(job.id), scope=SHARED_SCHOOL)

    async def _set_aside(self, job: Job, reason: str) -> None:
        log.error("job set aside", extra={"job": job.id, "kind": job.kind, "reason": reason})
        await self._store.write(lambda uow: uow.jobs.set_aside(job.id, uow.now, reason))


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("jobs due at once were left to the job loop", exc_info=task.exception())
