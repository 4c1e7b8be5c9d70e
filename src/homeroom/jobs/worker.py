"""The worker: one loop that sleeps until a job is due, and backs off from those that fail."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock, Moment
from homeroom.domain.job_kinds import JobKind
from homeroom.store.job_queue import Job

log = logging.getLogger("homeroom.jobs")

JobHandler = Callable[[Job], Awaitable[None]]
LEASE_SECONDS = 60
BATCH_SIZE = 50
MAX_SLEEP_SECONDS = 5.0
"""Seconds: another server, or an operator's command, may have put a job in."""
BACKOFF_SECONDS = (1, 5, 30, 120, 600)


class Worker:
    """Runs jobs; a job is gone from the database only when its handler has returned."""

    def __init__(
        self, store: AsyncStore, clock: Clock, real: Clock, handlers: Mapping[JobKind, JobHandler]
    ) -> None:
        """Take the clock jobs are due by, the real one for leases, and who does what."""
        self._store = store
        self._clock = clock
        self._real = real
        self._handlers = handlers
        self._nudged = asyncio.Event()
        self._lock = asyncio.Lock()
        self.failures = 0
        self._turned_at = time.monotonic()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._turned_at = time.monotonic()
            try:
                await self.run_due()
                due = await self._next_due()
            except Exception:
                log.exception("the job loop failed; trying again")
                due = None
            wait = (
                MAX_SLEEP_SECONDS
                if due is None
                else min(due - self._clock.now(), MAX_SLEEP_SECONDS)
            )
            self._nudged.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(wait, 0.2)):
                    await self._nudged.wait()

    def idle_seconds(self) -> float:
        """Return how long ago the loop began its last turn."""
        return time.monotonic() - self._turned_at

    def wake(self) -> None:
        """Look for jobs now."""
        self._nudged.set()

    async def run_due(self) -> int:
        """Run all that is due now, in order; returns how many were run."""
        ran = 0
        async with self._lock:
            while jobs := await self._claim():
                for job in jobs:
                    await self._run(job)
                ran += len(jobs)
        return ran

    async def _next_due(self) -> Moment | None:
        real_now = self._real.now()
        return await self._store.read(lambda uow: uow.jobs.next_due(real_now))

    async def _claim(self) -> list[Job]:
        now, real_now = self._clock.now(), self._real.now()
        # A look first: it costs the writer nothing, and mostly there is nothing to do.
        due = await self._next_due()
        if due is None or due > now:
            return []
        return await self._store.write(
            lambda uow: uow.jobs.claim(now, real_now, LEASE_SECONDS, BATCH_SIZE)
        )

    async def _run(self, job: Job) -> None:
        try:
            await self._handlers[job.kind](job)
        except Exception as failure:
            self.failures += 1
            log.exception("job failed", extra={"job": job.id, "kind": job.kind.value})
            delay = BACKOFF_SECONDS[min(job.attempts, len(BACKOFF_SECONDS) - 1)]
            error = f"{type(failure).__name__}: {failure}"
            await self._store.write(lambda uow: uow.jobs.retry(job.id, uow.now + delay, error))
        else:
            await self._store.write(lambda uow: uow.jobs.delete(job.id))
