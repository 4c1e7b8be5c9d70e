"""Keyed locks: requests that change the same thing run one after another."""

import asyncio
from collections.abc import Iterable

LOCK_WAIT_SECONDS = 1.0
"""A request that has waited this long for a lock is refused (READINGS Q50)."""


class KeyedLocks:
    """Locks by key, for the tasks of one event loop."""

    def __init__(self) -> None:
        self._locked: dict[str, asyncio.Event | None] = {}
        """The keys that are locked; with an event of the release where a request waits for it."""

    async def acquire(
        self, acquire: Iterable[str], watch: Iterable[str]
    ) -> tuple[list[str], frozenset[str]]:
        """Wait until keys are free, and lock those to acquire.

        Returns the keys that are acquired, for `release`, and those that stayed locked by others.
        The watched keys are waited for and not locked. The wait for all keys together ends after
        `LOCK_WAIT_SECONDS`. Keys are taken in sorted order, so that two requests cannot deadlock.
        """
        to_acquire = frozenset(acquire)
        acquired: list[str] = []
        busy: set[str] = set()
        deadline: float | None = None
        try:
            for key in sorted(to_acquire.union(watch)):
                if key in self._locked:
                    if deadline is None:
                        deadline = asyncio.get_running_loop().time() + LOCK_WAIT_SECONDS
                    if not await self._wait_until_free(key, deadline):
                        busy.add(key)
                        continue
                if key in to_acquire:
                    self._locked[key] = None
                    acquired.append(key)
        except BaseException:
            self.release(acquired)
            raise
        return acquired, frozenset(busy)

    def release(self, acquired: Iterable[str]) -> None:
        """Release the keys that a request has acquired."""
        for key in acquired:
            event = self._locked.pop(key)
            if event is not None:
                event.set()

    async def _wait_until_free(self, key: str, deadline: float) -> bool:
        while key in self._locked:
            event = self._locked[key] or asyncio.Event()
            self._locked[key] = event
            try:
                async with asyncio.timeout_at(deadline):
                    await event.wait()
            except TimeoutError:
                return False
        return True
