"""Turns: requests about one thing wait for each other, but not for long."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

LOCK_WAIT_SECONDS = 1.0
"""READINGS Q50: who has waited this long is told so."""


class KeyedLocks:
    """Keys that one request at a time may hold."""

    def __init__(self) -> None:
        self._held: dict[str, asyncio.Event] = {}

    @asynccontextmanager
    async def acquire(
        self, hold: Iterable[str], watch: Iterable[str]
    ) -> AsyncIterator[frozenset[str]]:
        """Wait for keys, hold some of them meanwhile, and tell which stayed with others."""
        deadline = asyncio.get_running_loop().time() + LOCK_WAIT_SECONDS
        missed: set[str] = set()
        mine: list[str] = []
        wanted = dict.fromkeys(sorted(hold))
        try:
            for key in sorted({*wanted, *watch}):
                if not await self._is_free(key, deadline):
                    missed.add(key)
                elif key in wanted:
                    self._held[key] = asyncio.Event()
                    mine.append(key)
            yield frozenset(missed)
        finally:
            for key in mine:
                self._held.pop(key).set()

    async def _is_free(self, key: str, deadline: float) -> bool:
        while (event := self._held.get(key)) is not None:
            try:
                async with asyncio.timeout_at(deadline):
                    await event.wait()
            except TimeoutError:
                return False
        return True
