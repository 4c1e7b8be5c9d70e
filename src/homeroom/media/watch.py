"""Keeps an eye on the engine: ends pushes that may no longer be, and knows what runs."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from homeroom.async_store import AsyncStore
from homeroom.domain.streams import StreamFacts
from homeroom.media.control import Control, Running, Streams
from homeroom.media.engine.http_client import NoResponseError
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import streams
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.metrics import MediaNumbers

log = logging.getLogger("homeroom.media")

GUARD_SECONDS = 0.4
"""A push ends within a second of what forbids it."""
LOOK_SECONDS = 1.0
TROUBLE_SECONDS = 5.0
"""A database that is down is not asked, and complained of, all the time."""
STARTING_SECONDS = 0.1
"""How often an engine that does not answer is asked."""


class Watch:
    """What the API knows of one engine, and does about it."""

    def __init__(
        self,
        store: AsyncStore,
        deps: Dependencies,
        control: Control,
        engine: str,
        told: Callable[[MediaNumbers], None],
    ) -> None:
        """Take the way to the engine, its id where it is our own, and who is told its numbers."""
        self._store = store
        self._deps = deps
        self._control = control
        self._engine = engine
        self._told = told
        self._numbers = MediaNumbers()
        self._running: Mapping[str, Running] = {}
        self._missing: set[str] = set()
        self._strangers: set[str] = set()
        self._unwanted: dict[str, str] = {}
        """Clients that are being thrown out, and what was last logged of that."""

    def facts(self, name: str) -> StreamFacts | None:
        """Return what was last known of a stream that runs."""
        running = self._running.get(name)
        return None if running is None else running.facts

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._again(self._guard, lambda: GUARD_SECONDS))
            both.create_task(
                self._again(
                    self._look, lambda: LOOK_SECONDS if self._control.is_up else STARTING_SECONDS
                )
            )

    async def _again(self, turn: Callable[[], Awaitable[None]], pause: Callable[[], float]) -> None:
        while True:
            try:
                await turn()
            except Exception:
                log.exception("a look at the media engine failed; trying again")
                await asyncio.sleep(TROUBLE_SECONDS)
            await asyncio.sleep(pause())

    async def _guard(self) -> None:
        """End the pushes that are no longer allowed."""
        if not self._control.is_up:
            return
        found = await self._store.read(
            lambda uow: streams.find_revoked_sessions(uow, self._deps, self._engine)
        )
        for push in found:
            await self._kick(push.client_id, push.reason)

    async def _kick(self, client_id: str, reason: str) -> None:
        """End a push, which is tried again until it has ended, and logged once."""
        is_new = self._unwanted.get(client_id) != reason
        self._unwanted[client_id] = reason
        if is_new:
            log.info("a push is ended", extra={"client": client_id, "reason": reason})
        try:
            await self._control.kick(client_id)
        except NoResponseError as failure:
            if is_new:
                why = {"client": client_id, "why": str(failure)}
                log.warning("the media engine does not end a push", extra=why)

    async def _look(self) -> None:
        """Ask the engine what runs, and take that over."""
        # First the engine: a database that is down must not make it look dead.
        try:
            seen = await self._control.streams()
        except NoResponseError as failure:
            if self._numbers.is_up:
                log.warning("the media engine does not answer", extra={"why": str(failure)})
            self._running = {}
            self._tell(replace(self._numbers, is_up=False, publishers=0, viewers={}))
        else:
            self._running = {one.name: one for one in seen.running}
            self._tell(_numbers(seen))
            here = {one.client_id for one in seen.running}
            self._unwanted = {one: why for one, why in self._unwanted.items() if one in here}
            known = await self._store.read(self._known)
            await self._settle(seen, known)
            await self._put_out(here - known.keys())

    def _known(self, uow: UnitOfWork) -> dict[str, str | None]:
        return {
            one.client_id: one.problem for one in streams.list_running_sessions(uow, self._engine)
        }

    async def _settle(self, seen: Streams, known: Mapping[str, str | None]) -> None:
        """End the rows of pushes that the engine no longer has, and keep what went wrong."""
        told = {one.client_id: one.facts.recording_error for one in seen.running}
        missing = known.keys() - told.keys()
        # Who was let in since we asked is missing once; who is missing twice has gone.
        gone = missing & self._missing
        self._missing = missing
        problems = {
            one: why for one, why in told.items() if why is not None and why != known.get(one, why)
        }
        if gone or problems:
            await self._store.write(
                lambda uow: streams.record_engine_state(uow, self._engine, gone, problems)
            )

    async def _put_out(self, strangers: set[str]) -> None:
        """End pushes of our own engine that no row stands for: their school was reset."""
        if not self._engine:
            return
        # As above: who has ended since we asked is a stranger once.
        for client_id in strangers & self._strangers:
            await self._kick(client_id, "nobody knows of it any more")
        self._strangers = strangers

    def _tell(self, numbers: MediaNumbers) -> None:
        self._numbers = numbers
        self._told(numbers)


def _numbers(seen: Streams) -> MediaNumbers:
    viewers: Counter[str] = Counter()
    for one in seen.running:
        viewers.update(one.facts.viewers)
    own = seen.totals
    if own is None:
        return MediaNumbers(is_up=True, publishers=len(seen.running), viewers=viewers)
    return MediaNumbers(
        is_up=True,
        publishers=len(seen.running),
        viewers=viewers,
        bytes_in=own.bytes_in,
        bytes_out=own.bytes_out,
        slow_key_frames=own.slow_key_frames,
        recording_failures=own.recording_failures,
        spooled=own.spooled,
    )
