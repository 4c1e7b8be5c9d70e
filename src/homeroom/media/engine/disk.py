"""The disk, on threads of its own: however slow it is, no stream waits for it."""

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

log = logging.getLogger("homeroom.media.disk")

MOST_WAITING = 256_000_000
"""Bytes that may wait to be written, of all recordings together."""

Task = Callable[[], None]


class Disk:
    """Does what it is given, in order: writing at once, and what must last in its own time.

    What is written outlives this process. To outlive the machine it must reach the disk, which can
    take a second; other recordings must not wait for that to be written.
    """

    def __init__(self) -> None:
        self._given = 0
        self._written = 0
        self._quick = _Thread("writing")
        self._slow = _Thread("lasting")

    @property
    def is_full(self) -> bool:
        """Tell whether so much waits already that no more should be given."""
        return self._given - self._written > MOST_WAITING

    def write(self, task: Task, size: int = 0) -> None:
        """Have some bytes written; the failures of a task are its own business."""
        self._given += size

        def counted() -> None:
            try:
                task()
            finally:
                self._written += size

        self._quick.do(counted)

    def settle(self, task: Task) -> None:
        """Have something done that waits for the disk, when all that was given is written."""
        self._quick.do(lambda: self._slow.do(task))

    def close(self, seconds: float) -> bool:
        """Finish what was given; tells whether that was done in time."""
        deadline = time.monotonic() + seconds
        return all(one.close(deadline - time.monotonic()) for one in (self._quick, self._slow))


class _Thread:
    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def do(self, task: Task) -> None:
        self._tasks.put(task)

    def close(self, seconds: float) -> bool:
        self._tasks.put(None)
        self._thread.join(max(seconds, 0))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception:
                log.exception("the disk failed at something")
