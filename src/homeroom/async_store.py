"""The asynchronous side of the store: coroutines wait for units of work in its threads."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeVar

from homeroom.base.ids import SchoolId
from homeroom.store.announcements import CHAT_CHANNEL, MESSAGE_CHANNEL
from homeroom.store.engine import ContendedError, UnavailableError, UnitScope
from homeroom.store.outages import OutageCause
from homeroom.store.unit_of_work import Store, UnitOfWork

log = logging.getLogger("homeroom.store")

RECOVERY_SECONDS = 1.0
"""Seconds without another failure after which a commit ends an outage.

On a disk with little space, some units still fail while others are committed.
"""

T = TypeVar("T")
Completion = tuple[asyncio.Future[Any], Any, BaseException | None]


class AsyncStore:
    """The store for one event loop."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._loop = asyncio.get_running_loop()
        self._finished: deque[Completion] = deque()
        self._is_scheduled = False
        self.outage: OutageCause | None = None
        """Cause of the last outage that a unit met, until the database works again."""
        self.outage_at = 0.0
        """When a unit met it, in monotonic seconds."""

    async def write(
        self,
        use_case: Callable[[UnitOfWork], T],
        school: SchoolId | None = None,
        *,
        scope: UnitScope | None = None,
        urgent: bool = False,
    ) -> T:
        """Do a unit of work; returns when it is committed."""
        future: asyncio.Future[T] = self._loop.create_future()

        def unit(uow: UnitOfWork) -> T:
            if future.cancelled():
                # Its caller has been answered: what is tried again must not be done twice.
                raise UnavailableError(OutageCause.TIMEOUT)
            return use_case(uow)

        self.store.submit_write(
            unit, self._reply(future), school=school, scope=scope, urgent=urgent
        )
        result = await future
        if self.outage is not None:
            self._check_recovery(self.outage)
        return result

    async def read(self, use_case: Callable[[UnitOfWork], T]) -> T:
        """Read on a snapshot."""
        future: asyncio.Future[T] = self._loop.create_future()
        self.store.submit_read(use_case, self._reply(future))
        return await future

    def _reply(self, future: asyncio.Future[Any]) -> Callable[[Any, BaseException | None], None]:
        def reply(result: Any, failure: BaseException | None) -> None:  # noqa: ANN401  the unit's own result
            # A whole group finishes together: one call wakes the loop for all of it.
            self._finished.append((future, result, failure))
            if not self._is_scheduled:
                self._is_scheduled = True
                # A closed loop has no coroutine that waits.
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._deliver)

        return reply

    def _deliver(self) -> None:
        self._is_scheduled = False
        while self._finished:
            future, result, failure = self._finished.popleft()
            if future.cancelled():
                continue
            if isinstance(failure, UnavailableError):
                self._report_outage(failure)
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

    def _report_outage(self, error: UnavailableError) -> None:
        """Log the first error of an outage; all units fail alike until it ends."""
        if isinstance(error, ContendedError) or error.cause is OutageCause.SHUTTING_DOWN:
            return
        if error.cause is not self.outage:
            log.error("store_unavailable", extra={"reason": str(error)})
        self.outage, self.outage_at = error.cause, time.monotonic()

    def _check_recovery(self, outage: OutageCause) -> None:
        if time.monotonic() - self.outage_at > RECOVERY_SECONDS:
            log.warning("store_recovered", extra={"after": outage.sentence})
            self.outage = None


def hear_chats(
    database: str | None, hear: Callable[[str], None]
) -> AbstractAsyncContextManager[None]:
    """Call a function with each announcement of new chat entries until the block ends."""
    return _hear(database, CHAT_CHANNEL, hear)


def hear_messages(
    database: str | None, hear: Callable[[str], None]
) -> AbstractAsyncContextManager[None]:
    """Call a function with the id of each school that has new messages until the block ends."""
    return _hear(database, MESSAGE_CHANNEL, hear)


@asynccontextmanager
async def _hear(
    database: str | None, channel: str, hear: Callable[[str], None]
) -> AsyncIterator[None]:
    """Call a function with each announcement on a channel.

    `database` is the address of PostgreSQL. SQLite has one server, which knows its own news.
    """
    if database is None:
        yield
        return
    from homeroom.store.postgres_listener import (  # noqa: PLC0415  SQLite needs no driver of PostgreSQL
        PostgresListener,
    )

    loop = asyncio.get_running_loop()

    def deliver(announcement: str) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(hear, announcement)

    listener = PostgresListener(database, channel, deliver)
    try:
        yield
    finally:
        listener.close()
