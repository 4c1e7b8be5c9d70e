"""The sweeper: deletes data, every hour, whose retention time is over."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

from homeroom.async_store import AsyncStore
from homeroom.base.clock import HOUR
from homeroom.base.ids import SchoolId
from homeroom.store.unit_of_work import UnitOfWork

log = logging.getLogger("homeroom.jobs.sweeper")

SWEEP_INTERVAL_SECONDS = float(HOUR)
"""Retention times are in days, so an hour more does not matter."""


class Sweep(NamedTuple):
    """One sort of data with a retention time."""

    find_overdue: Callable[[UnitOfWork], Collection[SchoolId]]
    """Return the schools that have data past their retention time."""
    sweep_some: Callable[[UnitOfWork, SchoolId], int]
    """Delete a batch of such data of one school and return its size; 0 when all is deleted."""


class Sweeper:
    """Runs the sweeps at the start, every hour, and when it is woken."""

    def __init__(self, store: AsyncStore, sweeps: Sequence[Sweep]) -> None:
        self._store = store
        self._sweeps = sweeps
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
                async with asyncio.timeout(SWEEP_INTERVAL_SECONDS):
                    await self._nudged.wait()

    async def sweep(self) -> None:
        """Run every sweep once; a failure does not stop the others."""
        for sweep in self._sweeps:
            try:
                schools = await self._store.read(sweep.find_overdue)
            except Exception:
                log.exception("a sweep failed; trying again in an hour")
                continue
            for school in schools:
                await self._sweep_school(sweep, school)

    async def _sweep_school(self, sweep: Sweep, school: SchoolId) -> None:
        try:
            while await self._store.write(lambda uow: sweep.sweep_some(uow, school), school):
                pass
        except Exception:
            log.exception("the sweep of a school failed", extra={"sid": school})
