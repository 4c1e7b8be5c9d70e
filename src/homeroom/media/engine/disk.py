"""Disk writes on their own threads, so that no stream waits for a slow disk."""

import logging
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

log = logging.getLogger("homeroom.media.disk")

MAX_PENDING_BYTES = 256_000_000
"""Maximum unwritten bytes of all recordings together."""
PAUSE_SECONDS = 0.05
"""Pause of a thread that has run all tasks. Those of the pause run together: to wake a thread costs
as much as to write a chunk. A crash can lose the chunks of the pause."""

Task = Callable[[], None]


class DiskWriter:
    """Runs write tasks and fsync tasks in order, on two threads.

    Written data survives the end of this process. To survive a power cut it needs an fsync, which
    can take a second. Writes of other recordings must not wait for it.
    """

    def __init__(self) -> None:
        self._submitted = 0
        self._written = 0
        self._write_thread = _TaskThread("writing")
        self._sync_thread = _TaskThread("lasting")

    @property
    def is_full(self) -> bool:
        """Return whether too much data is pending (back-pressure)."""
        return self._submitted - self._written > MAX_PENDING_BYTES

    def write(self, task: Task, size: int = 0) -> None:
        """Queue a write task of `size` bytes; the task handles its own failures."""
        self._submitted += size

        def counted() -> None:
            try:
                task()
            finally:
                self._written += size

        self._write_thread.submit(counted)

    def sync(self, task: Task) -> None:
        """Queue a slow task, such as an fsync, after all tasks that were queued before."""
        self._write_thread.submit(lambda: self._sync_thread.submit(task))

    def close(self, seconds: float) -> bool:
        """Finish all tasks; returns whether they ended within `seconds`."""
        deadline = time.monotonic() + seconds
        return all(
            thread.close(deadline - time.monotonic())
            for thread in (self._write_thread, self._sync_thread)
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
                log.exception("disk_task_failed")
            if self._tasks.empty():
                time.sleep(PAUSE_SECONDS)
