"""The disk, on threads of its own: however slow it is, no stream waits for it."""

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

log = logging.getLogger("homeroom.media.disk")

MAX_PENDING_BYTES = 256_000_000
"""Bytes that may wait to be written, of all recordings together."""

Task = Callable[[], None]


class DiskWriter:
    """Does what it is given, in order: writing at once, and what must last in its own time.

    What is written outlives this process. To outlive the machine it must reach the disk, which can
    take a second; other recordings must not wait for that to be written.
    """

    def __init__(self) -> None:
        self._submitted = 0
        self._written = 0
        self._write_thread = _TaskThread("writing")
        self._sync_thread = _TaskThread("lasting")

    @property
    def is_full(self) -> bool:
        """Tell whether so much waits already that no more should be given."""
        return self._submitted - self._written > MAX_PENDING_BYTES

    def write(self, task: Task, size: int = 0) -> None:
        """Have some bytes written; the failures of a task are its own business."""
        self._submitted += size

        def counted() -> None:
            try:
                task()
            finally:
                self._written += size

        self._write_thread.submit(counted)

    def sync(self, task: Task) -> None:
        """Have something done that waits for the disk, when all that was given is written."""
        self._write_thread.submit(lambda: self._sync_thread.submit(task))

    def close(self, seconds: float) -> bool:
        """Finish what was given; tells whether that was done in time."""
        deadline = time.monotonic() + seconds
        return all(
            one.close(deadline - time.monotonic())
            for one in (self._write_thread, self._sync_thread)
        )


class _TaskThread:
    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> None:
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
