"""The cache of the schools that call: their secrets, plans and maintenance windows."""

import asyncio
import time
from functools import partial

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId
from homeroom.base.values import Value
from homeroom.domain.schools import School
from homeroom.usecases import schools

CACHE_SECONDS = 0.05
"""How long a school is cached: a change by the operator counts after that."""
REFRESH_SECONDS = 0.015
"""A school whose entry expires within this time is read again."""
MAX_CACHED = 10_000


class CachedSchool(Value, frozen=True):
    """The facts that decide about a signature, and until when they may be used."""

    school: School | None
    blocked_until: Moment | None
    """End of a maintenance window that blocks calls."""
    stale_at: float
    """On the monotonic clock."""


class SchoolCache:
    """Schools by their SID, for a moment."""

    def __init__(self, store: AsyncStore) -> None:
        self._store = store
        self._cache: dict[SchoolId, CachedSchool] = {}
        self._reads: dict[SchoolId, asyncio.Task[CachedSchool]] = {}
        """Reads on their way, which calls at the same time share."""

    async def find(self, sid: SchoolId) -> CachedSchool:
        """Return a school, from the cache if it is there."""
        return self._find_fresh(sid) or await self._read(sid)

    def forget(self) -> None:
        """Empty the cache, after something in this process changed a school."""
        self._cache.clear()
        self._reads.clear()

    def _find_fresh(self, sid: SchoolId) -> CachedSchool | None:
        """Return a school from the cache, if it may still be used.

        It is read again a little before that ends, so that a busy school never waits for it.
        """
        cached = self._cache.get(sid)
        if cached is None:
            return None
        left = cached.stale_at - time.monotonic()
        if left < REFRESH_SECONDS and sid not in self._reads:
            self._start_read(sid)
        return cached if left > 0 else None

    async def _read(self, sid: SchoolId) -> CachedSchool:
        """Return a school from the database; calls at the same time share one read."""
        if sid not in self._reads:
            self._start_read(sid)
        return await asyncio.shield(self._reads[sid])

    def _start_read(self, sid: SchoolId) -> None:
        self._reads[sid] = asyncio.create_task(self._query(sid))
        self._reads[sid].add_done_callback(partial(self._end_read, sid))

    def _end_read(self, sid: SchoolId, reading: asyncio.Task[CachedSchool]) -> None:
        has_failed = reading.cancelled() or reading.exception() is not None
        if self._reads.get(sid) is not reading:
            return  # the school was changed during the read
        del self._reads[sid]
        if has_failed:
            return
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
        self._cache[sid] = reading.result()

    async def _query(self, sid: SchoolId) -> CachedSchool:
        stale_at = time.monotonic() + CACHE_SECONDS
        school, blocked_until = await self._store.read(partial(schools.find_caller, school=sid))
        return CachedSchool(school, blocked_until, stale_at)
