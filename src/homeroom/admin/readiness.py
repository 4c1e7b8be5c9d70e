"""Readiness: whether a call could be served now, and why not."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence

from homeroom.async_store import AsyncStore
from homeroom.base.text import format_count
from homeroom.base.values import Value
from homeroom.jobs.job_loop import JobLoop
from homeroom.store.engine import UnavailableError
from homeroom.store.outages import OutageCause
from homeroom.store.records import JobCounts
from homeroom.usecases import heartbeat, jobs
from homeroom.web.draining import Draining
from homeroom.web.metrics import Metrics

log = logging.getLogger("homeroom.admin.health")

PROBE_TIMEOUT_SECONDS = 2.0
"""Seconds the database may take to answer a probe."""
CHECK_INTERVAL_SECONDS = 1.0
"""Time from one check of the database to the next, however many probes come."""
MAX_AGE_SECONDS = 1.5
"""Age up to which probes get the last result; the next check begins before, so few have to wait."""
MAX_IDLE_SECONDS = 60.0
"""Seconds after which the loop that does jobs counts as stuck; it turns every five."""
MAX_OVERDUE_SECONDS = 300
"""Seconds after which a job that is due should have begun."""
LASTING_CAUSES = frozenset(
    {
        OutageCause.DISK_FULL,
        OutageCause.DISK_FAILED,
        OutageCause.FOLDER_READ_ONLY,
        OutageCause.READ_ONLY,
        OutageCause.DAMAGED,
        OutageCause.OUT_OF_MEMORY,
    }
)
"""Causes that concern the server when a call has met them, even if a heartbeat has not."""
DEFECT = "the database failed; see the log of the server"


class Readiness(Value, frozen=True):
    """The answer to a probe: why calls cannot be served, and what an operator should look at."""

    reasons: list[str]
    warnings: list[str]


class _StoreCheck(Value, frozen=True):
    """The result of one look at the database."""

    began_at: float
    """In monotonic seconds."""
    reasons: list[str]
    counts: JobCounts | None


class ReadinessCheck:
    """Tries what a call does, at most once a second however often it is asked."""

    def __init__(
        self,
        store: AsyncStore,
        job_loop: JobLoop,
        metrics: Metrics,
        draining: Draining,
        problems: Sequence[Callable[[], str]],
        clock_problem: Callable[[], str],
        server: int,
    ) -> None:
        """Take also what says which parts are out of order, and why the clock is in doubt."""
        self._store = store
        self._job_loop = job_loop
        self._metrics = metrics
        self._draining = draining
        self._problems = problems
        self._clock_problem = clock_problem
        self._server = server
        self._last: _StoreCheck | None = None
        self._checking: asyncio.Task[_StoreCheck] | None = None
        self._beating: asyncio.Task[Exception | None] | None = None
        self._beat_began_at = 0.0

    async def check(self) -> Readiness:
        """Return whether calls can be served; what is said of the database is a second old."""
        if self._draining.is_active:
            return Readiness([OutageCause.SHUTTING_DOWN.sentence], [])
        store = await self._get_store_check()
        problems = [problem() for problem in self._problems]
        reasons = [*store.reasons, self._check_job_loop(store.counts), *problems]
        warnings = []
        if store.counts is not None and store.counts.set_aside:
            # Another server would find the same jobs, and all others are run.
            count = format_count(store.counts.set_aside, "job is set aside", "jobs are set aside")
            warnings.append(f"{count}; homeroom doctor says which and why")
        if problem := self._clock_problem():
            warnings.append(problem)
        return Readiness(_without_repeats(reasons), warnings)

    def forget(self) -> None:
        """Let the next probe look at the database, however soon it comes: for tests."""
        self._last = self._checking = self._beating = None

    async def _get_store_check(self) -> _StoreCheck:
        now, last = time.monotonic(), self._last
        if last is None or now - last.began_at >= CHECK_INTERVAL_SECONDS:
            if self._checking is None or self._checking.done():
                self._checking = asyncio.create_task(self._check_store())
            if last is None or now - last.began_at >= MAX_AGE_SECONDS:
                return await asyncio.shield(self._checking)
        return last

    async def _check_store(self) -> _StoreCheck:
        began_at = time.monotonic()
        reasons = [await self._check_write()]
        counts: JobCounts | None = None
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                counts = await self._store.read(jobs.get_counts)
        except Exception as failure:  # noqa: BLE001  whatever it is, it is a reason
            reasons.append(self._describe(failure))
        if self._store.outage in LASTING_CAUSES:
            reasons.append(self._store.outage.sentence)
        self._last = _StoreCheck(began_at, _without_repeats(reasons), counts)
        return self._last

    async def _check_write(self) -> str:
        """Write a heartbeat; one that got no answer in time is not followed by another."""
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat())
            self._beat_began_at = time.monotonic()
        left = self._beat_began_at + PROBE_TIMEOUT_SECONDS - time.monotonic()
        await asyncio.wait({self._beating}, timeout=max(left, 0.0))
        failure = self._beating.result() if self._beating.done() else TimeoutError()
        return self._describe(failure) if failure is not None else ""

    async def _beat(self) -> Exception | None:
        label = "ok"
        failure: Exception | None = None
        try:
            # A queue is no outage: a probe that waits in it would end the server when it is busy.
            await self._store.write(lambda uow: heartbeat.beat(uow, self._server), urgent=True)
        except UnavailableError as error:
            label, failure = error.cause.value, error
        except Exception as error:  # noqa: BLE001  whatever it is, it is a reason
            label, failure = "failed", error
        self._metrics.store.count_heartbeat(label, time.monotonic() - self._beat_began_at)
        return failure

    def _describe(self, failure: Exception) -> str:
        if isinstance(failure, UnavailableError):
            return failure.reason
        if isinstance(failure, TimeoutError):
            cause = self._store.store.engine.blocked_by or OutageCause.TIMEOUT
            return cause.sentence
        log.error("readiness_check_failed", exc_info=failure)
        return DEFECT

    def _check_job_loop(self, counts: JobCounts | None) -> str:
        idle = self._job_loop.idle_seconds()
        if idle > MAX_IDLE_SECONDS:
            return f"the loop that does jobs has not turned for {idle:.0f} s"
        # A clock that was moved makes a job old at once.
        overdue = min(counts.oldest_due_seconds if counts else 0, self._job_loop.behind_seconds())
        if overdue > MAX_OVERDUE_SECONDS:
            return f"the oldest job has been due for {overdue:.0f} s"
        return ""


def _without_repeats(reasons: Iterable[str]) -> list[str]:
    return [reason for reason in dict.fromkeys(reasons) if reason]
