"""Pauses in long work of a thread, in which the other threads get Python's lock at once."""

import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

MAX_WORK_SECONDS: Final = 0.002
"""Python itself hands its lock over after 5 ms, and a call needs it several times."""
PAUSE_SECONDS: Final = 0.0001
"""Long enough for a thread that waits to wake up and take the lock."""


def pause_between(items: Iterable[T]) -> Iterator[T]:
    """Return items one by one, with a pause whenever the work on them has taken some time.

    Only for threads that a single request waits for, never for an event loop.
    """
    began = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - began > MAX_WORK_SECONDS:
            time.sleep(PAUSE_SECONDS)
            began = time.perf_counter()
