"""Sweeps away, every hour, what schools have kept for longer than they want to; knows no nouns."""

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
"""Seconds: things are kept for days."""


class Sweep(NamedTuple):
    """Something that schools keep for a time only."""

    find_overdue: Callable[[UnitOfWork], Collection[SchoolId]]
    """Says which schools have kept some of it for too long."""
    sweep_some: Callable[[UnitOfWork, SchoolId], int]
    """Sweeps some of a school's away and says how many, until there are none."""


class Sweeper:
    """Sweeps at its start, every hour, and when the clock was moved."""

    def __init__(self, store: AsyncStore, sweeps: Sequence[Sweep]) -> None:
        self._store = store
        self._sweeps = sweeps
        self._nudged = asyncio.Event()

    def wake(self) -> None:
        """Sweep now: the clock was moved."""
        self._nudged.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._nudged.clear()
            await self.sweep()
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_INTERVAL_SECONDS):
                    await self._nudged.wait()

    async def sweep(self) -> None:
        """Sweep everything once; what fails keeps nothing else waiting."""
        for one in self._sweeps:
            try:
                schools = await self._store.read(one.find_overdue)
            except Exception:
                log.exception("a sweep failed; trying again in an hour")
                continue
            for school in schools:
                await self._sweep_school(one, school)

    async def _sweep_school(self, one: Sweep, school: SchoolId) -> None:
        try:
            while await self._store.write(lambda uow: one.sweep_some(uow, school), school):
                pass
        except Exception:
            log.exception("the sweep of a school failed", extra={"sid": school})
