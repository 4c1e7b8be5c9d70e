"""The job loop, as other parts see it: in this process, or in the main process of the server."""

from typing import Protocol


class JobLoop(Protocol):
    """The loop that runs the jobs of the queue, in this process or in another one."""

    @property
    def failures(self) -> int:
        """Runs of jobs that failed, since the start."""

    def idle_seconds(self) -> float:
        """Return the seconds since the loop last looked for a job, or started one."""

    def behind_seconds(self) -> float:
        """Return the seconds since no job was due."""
