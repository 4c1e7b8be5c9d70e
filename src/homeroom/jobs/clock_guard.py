"""The clock guard: pauses the sweeps while the clock of the machine cannot be trusted."""

import asyncio
import logging
from contextlib import suppress

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Moment, SteadyClock
from homeroom.domain.clock_check import (
    ClockState,
    describe_clock,
    judge_at_start,
    judge_running,
)
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import clock, storages

log = logging.getLogger("homeroom.jobs.clock_guard")

SAVE_SECONDS = 60.0
"""Interval at which the moment and the storage's last sight are saved."""
RECHECK_SECONDS = 2.0
"""Interval at which an operator's acceptance is looked for while the clock is in doubt."""
LAST_SAVE_SECONDS = 2.0
"""Longest wait for the database when the server stops."""


class ClockGuard:
    """Compares the clock with the time that passes, and at the start with the last moment written.

    Only a trusted clock is saved: a start with a wrong clock leaves nothing behind, and when the
    clock is right again so is the guard.
    """

    def __init__(self, store: AsyncStore, real: SteadyClock, *, is_on: bool = True) -> None:
        """Create a guard of the machine's clock; the sandbox turns it off."""
        self._store = store
        self._real = real
        self._is_on = is_on
        self._written_at: Moment | None = None
        self._accepted_at: Moment | None = None
        self._trusted: tuple[Moment, float] | None = None
        """A moment that was right, and the steady clock at that moment; None at the start."""
        self._logged = ClockState.TRUSTED

    async def start(self) -> None:
        """Read the last saved moment, and check for the first time."""

        def read(uow: UnitOfWork) -> tuple[Moment | None, Moment | None]:
            return clock.get_written_at(uow), clock.get_accepted_at(uow)

        if self._is_on:
            self._written_at, self._accepted_at = await self._store.read(read)
        await self.check()

    async def run(self) -> None:
        """Check and save until cancelled."""
        while True:
            state = self.get_state()
            await asyncio.sleep(SAVE_SECONDS if state is ClockState.TRUSTED else RECHECK_SECONDS)
            try:
                await self.check()
            except Exception:
                log.exception("the clock was not checked; trying again")

    async def stop(self) -> None:
        """Save the last moment, if the database answers."""
        with suppress(Exception):
            async with asyncio.timeout(LAST_SAVE_SECONDS):
                await self.check()

    async def check(self) -> None:
        """Take over what an operator accepted, save a trusted moment, and log a change."""
        accepted_at = await self._store.read(clock.get_accepted_at)
        if accepted_at is not None and accepted_at != self._accepted_at:
            # The moment of the command, not ours: of two servers one may still be wrong.
            self._accepted_at = self._written_at = accepted_at
            self._trusted = (accepted_at, self._real.steady())
        state = self.get_state()
        moment = self._real.now() if self._is_on and state is ClockState.TRUSTED else None
        await self._store.write(lambda uow: _save(uow, moment))
        self._log(state)

    def get_state(self) -> ClockState:
        """Return whether the clock can be trusted now."""
        return self._judge()[0]

    def is_pausing(self) -> bool:
        """Tell whether nothing may be deleted by age now."""
        return self.get_state().pauses_sweeps

    def describe_problem(self) -> str:
        """Return a sentence for the operator, empty while the clock is trusted."""
        return describe_clock(*self._judge())

    def _judge(self) -> tuple[ClockState, float]:
        """Return the state, and by how many seconds the clock is after what is expected."""
        if not self._is_on:
            return ClockState.TRUSTED, 0
        now, steady = self._real.now(), self._real.steady()
        if self._trusted is None:
            state = judge_at_start(now, self._written_at)
            if state is ClockState.TRUSTED:
                self._trusted = (now, steady)
            return state, now - (self._written_at or now)
        moment, steady_then = self._trusted
        expected = moment + steady - steady_then
        return judge_running(now, expected), now - expected

    def _log(self, state: ClockState) -> None:
        if state is self._logged:
            return
        self._logged = state
        if state is ClockState.TRUSTED:
            log.info("clock_trusted_again")
        else:
            event = "sweeps_paused" if state.pauses_sweeps else "clock_behind"
            log.error(event, extra={"reason": self.describe_problem()})


def _save(uow: UnitOfWork, moment: Moment | None) -> None:
    storages.mark_seen(uow)
    if moment is not None:
        clock.save_written_at(uow, moment)
