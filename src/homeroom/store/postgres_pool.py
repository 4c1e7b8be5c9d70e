"""The connections to PostgreSQL that the threads of an engine share."""

import threading
from collections.abc import Callable
from time import monotonic

from homeroom.store.engine import PoolUse, StoreError, UnavailableError
from homeroom.store.outages import OutageCause
from homeroom.store.postgres_connection import PostgresTransaction

LIMIT_SECONDS = 10.0
"""Seconds for which a pool keeps to the connections that it has, after it got no more."""
_WAKE_SECONDS = 1.0
"""Longest wait before a thread looks again whether the pool may grow."""


class ConnectionPool:
    """A few connections, opened when they are needed.

    Where the server allows fewer connections than the pool may have, the threads share those that
    there are, and a connection stays free for reads where there is more than one.
    """

    def __init__(self, open_connection: Callable[[bool], PostgresTransaction], size: int) -> None:
        self._open_connection = open_connection
        self._size = size
        self._changed = threading.Condition()
        self._idle: list[PostgresTransaction] = []
        self._open: set[PostgresTransaction] = set()
        self._outdated: set[PostgresTransaction] = set()
        """Open connections that are closed when their transaction has ended."""
        self._opening = 0
        self._writing = 0
        self._limit = size
        self._limit_ends = 0.0
        self._is_closed = False

    def acquire(self, *, reads: bool, deadline: float) -> PostgresTransaction:
        """Return a connection, for a thread alone; wait for one until a monotonic time.

        Raises `UnavailableError` if none is free and none can be opened.
        """
        while True:
            with self._changed:
                self._wait_for_turn(reads=reads, deadline=deadline)
                if not reads:
                    self._writing += 1
                if self._idle:
                    return self._idle.pop()
                self._opening += 1
                is_first = not self._open
            try:
                tx = self._open_connection(is_first)
            except BaseException as failure:
                with self._changed:
                    self._end_turn(reads=reads)
                    self._opening -= 1
                    if not self._open or not isinstance(failure, StoreError):
                        raise
                    # Use those there are. If they are broken too, they are dropped when used.
                    self._limit = len(self._open)
                    self._limit_ends = monotonic() + LIMIT_SECONDS
                continue
            with self._changed:
                self._opening -= 1
                self._open.add(tx)
                if self._is_closed:
                    self._outdated.add(tx)
            return tx

    def release(self, tx: PostgresTransaction, *, reads: bool) -> None:
        """Take back a connection; close it unless it is whole and up to date."""
        is_whole = tx.is_idle
        with self._changed:
            is_kept = is_whole and tx not in self._outdated
            if is_kept:
                self._idle.append(tx)
        if not is_kept:
            tx.close()
        with self._changed:
            if not is_kept:
                self._open.discard(tx)
                self._outdated.discard(tx)
            self._end_turn(reads=reads)

    def get_use(self) -> PoolUse:
        """Return how many connections work now, and how many there may be."""
        with self._changed:
            return PoolUse(len(self._open) + self._opening - len(self._idle), self._limit)

    @property
    def is_busy(self) -> bool:
        """Whether a unit that writes has to wait for a connection."""
        with self._changed:
            return self._writing >= self._max_writing()

    def renew(self) -> None:
        """Let no later transaction use a connection of now: their server has gone."""
        with self._changed:
            idle, self._idle = self._idle, []
            self._open.difference_update(idle)
            self._outdated = self._open.copy()
            self._changed.notify_all()
        for tx in idle:
            tx.close()

    def close(self) -> None:
        """Close the idle connections now, the others when their transactions have ended."""
        with self._changed:
            self._is_closed = True
        self.renew()

    def _wait_for_turn(self, *, reads: bool, deadline: float) -> None:
        while True:
            now = monotonic()
            if self._is_closed:
                raise UnavailableError(OutageCause.SHUTTING_DOWN)
            if now >= deadline:
                raise UnavailableError(OutageCause.NO_FREE_CONNECTION)
            if now >= self._limit_ends:
                self._limit = self._size
            may_begin = reads or self._writing < self._max_writing()
            may_open = len(self._open) + self._opening < self._limit
            if may_begin and (self._idle or may_open):
                return
            self._changed.wait(min(deadline - now, _WAKE_SECONDS))

    def _max_writing(self) -> int:
        """Return how many units may write at once: a fifth of the connections is kept for reads."""
        return max(1, self._limit - max(1, self._limit // 5))

    def _end_turn(self, *, reads: bool) -> None:
        if not reads:
            self._writing -= 1
        self._changed.notify_all()
