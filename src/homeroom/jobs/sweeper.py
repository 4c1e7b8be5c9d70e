"""The sweeper: deletes data, every hour, whose retention time is over."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

from homeroom.async_store import AsyncStore
from homeroom.base.clock import HOUR
from homeroom.base.ids import SchoolId
from homeroom.domain.retention import SweptBatch
from homeroom.store.unit_of_work import UnitOfWork

log = logging.getLogger("homeroom.jobs.sweeper")

SWEEP_INTERVAL_SECONDS = float(HOUR)
"""Retention times are in days, so an hour more does not matter."""
PAUSED_SECONDS = 2.0
"""Interval at which a paused sweeper checks whether it may continue."""
MAX_LOGGED_IDS = 100
"""Ids of deleted rows in one line of the log."""


class Sweep(NamedTuple):
    """One sort of data with a retention time."""

    find_overdue: Callable[[UnitOfWork], Collection[SchoolId]]
    """Return the schools that have data past their retention time."""
    sweep_some: Callable[[UnitOfWork, SchoolId], Sequence[SweptBatch]]
    """Delete some such data of one school and return which; no ids when all is deleted."""


class Sweeper:
    """Runs the sweeps at the start, every hour, and when it is woken.

    While the clock cannot be trusted it deletes nothing: age is all that it goes by.
    """

    def __init__(
        self,
        store: AsyncStore,
        sweeps: Sequence[Sweep],
        is_paused: Callable[[], bool] = lambda: False,
    ) -> None:
        """Create a sweeper; `is_paused` tells whether the clock is in doubt."""
        self._store = store
        self._sweeps = sweeps
        self._is_paused = is_paused
        self._nudged = asyncio.Event()

    def wake(self) -> None:
        """Sweep now, because the clock was moved."""
        self._nudged.set()

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            self._nudged.clear()
            await self.sweep()
            with suppress(TimeoutError):
                seconds = PAUSED_SECONDS if self._is_paused() else SWEEP_INTERVAL_SECONDS
                async with asyncio.timeout(seconds):
                    await self._nudged.wait()

    async def sweep(self) -> None:
        """Run every sweep once; a failure does not stop the others."""
        for sweep in self._sweeps:
            if self._is_paused():
                return
            try:
                schools = await self._store.read(sweep.find_overdue)
            except Exception:
                log.exception("a sweep failed; trying again in an hour")
                continue
            for school in schools:
                await self._sweep_school(sweep, school)

    async def _sweep_school(self, sweep: Sweep, school: SchoolId) -> None:
        try:
            # The clock may jump between two batches.
            while not self._is_paused() and await self._sweep_batch(sweep, school):
                pass
        except Exception:
            log.exception("the sweep of a school failed", extra={"sid": school})

    async def _sweep_batch(self, sweep: Sweep, school: SchoolId) -> bool:
        batches = await self._store.write(lambda uow: sweep.sweep_some(uow, school), school)
        swept = [batch for batch in batches if batch.ids]
        for batch in swept:
            facts = {"sid": school, "sort": batch.sort, "count": len(batch.ids)}
            log.info("sweep_deleted", extra={**facts, "ids": batch.ids[:MAX_LOGGED_IDS]})
        return bool(swept)
