"""Keyed locks: requests that change the same thing run one after another."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

LOCK_WAIT_SECONDS = 1.0
"""A request that has waited this long for a lock is refused (READINGS Q50)."""


class KeyedLocks:
    """Locks by key, for the tasks of one event loop."""

    def __init__(self) -> None:
        self._released: dict[str, asyncio.Event] = {}
        """For each key that is locked, the event of its release."""

    @asynccontextmanager
    async def acquire(
        self, acquire: Iterable[str], watch: Iterable[str]
    ) -> AsyncIterator[frozenset[str]]:
        """Wait until keys are free, lock those to acquire, and yield the keys that stayed locked.

        The watched keys are waited for and not locked. The wait for all keys together ends after
        `LOCK_WAIT_SECONDS`. Keys are taken in sorted order, so that two requests cannot deadlock.
        """
        deadline = asyncio.get_running_loop().time() + LOCK_WAIT_SECONDS
        busy: set[str] = set()
        acquired: list[str] = []
        to_acquire = frozenset(acquire)
        try:
            for key in sorted({*to_acquire, *watch}):
                if not await self._wait_until_free(key, deadline):
                    busy.add(key)
                elif key in to_acquire:
                    self._released[key] = asyncio.Event()
                    acquired.append(key)
            yield frozenset(busy)
        finally:
            for key in acquired:
                self._released.pop(key).set()

    async def _wait_until_free(self, key: str, deadline: float) -> bool:
        while (event := self._released.get(key)) is not None:
            try:
                async with asyncio.timeout_at(deadline):
                    await event.wait()
            except TimeoutError:
                return False
        return True
