"""The main process of a server: what exists once, however many processes serve HTTP."""

from collections.abc import Collection, Sequence
from typing import Protocol

from starlette.routing import BaseRoute

from homeroom.base.ids import JobId
from homeroom.domain.streams import StreamFacts
from homeroom.jobs.job_loop import JobLoop
from homeroom.player.teacher_page import WhipIngest


class MainProcess(Protocol):
    """What a process that serves HTTP needs of the main process, which may be itself."""

    @property
    def job_loop(self) -> JobLoop:
        """The loop that runs the jobs of the queue."""

    @property
    def whip(self) -> WhipIngest:
        """The gateway for browsers that go live."""

    @property
    def hook_routes(self) -> Sequence[BaseRoute]:
        """The route to which a media engine reports."""

    def facts(self, name: str) -> StreamFacts | None:
        """Return the latest facts of a running stream, or None."""

    def engine_problem(self) -> str:
        """Return why our own media engine is unavailable, or an empty text."""

    def clock_problem(self) -> str:
        """Return why the clock is in doubt, or an empty text."""

    async def run_jobs(self, ids: Collection[JobId]) -> bool:
        """Run some jobs ahead of all others; return whether all ended in time."""

    def wake_sweeper(self) -> None:
        """Sweep now, because the clock was moved."""
