"""The main process of a server, as its worker processes see it: over a channel."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from time import monotonic

from starlette.routing import BaseRoute

from homeroom.admin.scraping import MetricsScraper
from homeroom.domain.streams import BrowserPublishError, PublishRefusal, StreamFacts
from homeroom.jobs.worker import RUN_NOW_SECONDS
from homeroom.media.gateway_process import RESPONSE_TIMEOUT_SECONDS, GatewayProcess
from homeroom.store.records import Job
from homeroom.workers.channel import Channel, ChannelError, ProcedureTable
from homeroom.workers.procedures import (
    RUN_JOBS,
    SCRAPE,
    SET_STATUS,
    START_SESSION,
    STOP_SESSION,
    MainStatus,
    Offer,
)
from homeroom.workers.shared_state import RemoteState

EXTRA_SECONDS = 2.0
"""Seconds that a call may take beyond the deadline that the main process keeps to."""
SCRAPE_SECONDS = 8.0


class RemoteMain:
    """The main process; what it says of itself is less than a second old."""

    def __init__(
        self,
        channel: Channel,
        table: ProcedureTable,
        status: MainStatus,
        hook_routes: Sequence[BaseRoute],
        push_base: str,
        *,
        is_sandbox: bool,
    ) -> None:
        """Begin with a status; the table receives those that follow."""
        self.state = RemoteState(channel, is_sandbox=is_sandbox)
        self._channel = channel
        self._status = status
        self._received_at = monotonic()
        self.hook_routes = hook_routes
        self.job_loop = RemoteJobLoop(self)
        self.whip = RemoteGateway(channel, push_base)
        table.add(SET_STATUS, self._set_status)

    async def _set_status(self, status: MainStatus) -> None:
        self._status = status
        self._received_at = monotonic()

    @property
    def status(self) -> MainStatus:
        """The last status."""
        return self._status

    @property
    def status_age(self) -> float:
        """Seconds since the last status came."""
        return monotonic() - self._received_at

    def facts(self, name: str) -> StreamFacts | None:
        """Return the latest facts of a running stream, or None."""
        return self._status.facts.get(name)

    def video_works(self) -> bool:
        """Tell whether classes can be recorded now."""
        return self._status.is_video_up

    def engine_problem(self) -> str:
        """Return why our own media engine is unavailable, or an empty text."""
        return self._status.engine_problem

    def clock_problem(self) -> str:
        """Return why the clock is in doubt, or an empty text."""
        return self._status.clock_problem

    def message_problem(self) -> str:
        """Return why no messages are sent, or an empty text."""
        return self._status.message_problem

    async def run_jobs(self, jobs: Collection[Job]) -> bool:
        """Run some leased jobs ahead of all others; return whether all ended in time."""
        return await self._channel.call(RUN_JOBS, list(jobs), RUN_NOW_SECONDS + EXTRA_SECONDS)

    async def scrape(self, own: MetricsScraper) -> bytes:
        """Return the metrics of all processes; those of this one if the main process is gone."""
        try:
            return await self._channel.call(SCRAPE, None, SCRAPE_SECONDS)
        except ChannelError:
            return await own.scrape()


class RemoteJobLoop:
    """The job loop of the main process."""

    failures = 0
    """Failed runs are counted where they run."""

    def __init__(self, main: RemoteMain) -> None:
        self._main = main

    def idle_seconds(self) -> float:
        """Return the seconds since the loop last looked for a job; they grow if it is silent."""
        return self._main.status.idle_seconds + self._main.status_age

    def behind_seconds(self) -> float:
        """Return the seconds since no job was due."""
        return self._main.status.behind_seconds + self._main.status_age


class RemoteGateway:
    """The gateway for browsers, which the main process starts and ends."""

    is_installed = GatewayProcess.is_installed

    def __init__(self, channel: Channel, push_base: str) -> None:
        self._channel = channel
        self.push_base = push_base

    async def start_session(self, push_url: str, offer: str) -> tuple[str, str]:
        """Publish what is offered; returns session and answer, raises `BrowserPublishError`."""
        seconds = RESPONSE_TIMEOUT_SECONDS + EXTRA_SECONDS
        try:
            result = await self._channel.call(START_SESSION, Offer(push_url, offer), seconds)
        except ChannelError as error:
            raise BrowserPublishError(PublishRefusal.FAILED, str(error)) from error
        if result.refusal is not None:
            raise BrowserPublishError(result.refusal, result.detail)
        return result.session, result.answer

    async def stop_session(self, session: str) -> None:
        """End a session; an unknown session is ignored."""
        with suppress(ChannelError):  # the sessions end with the main process
            seconds = RESPONSE_TIMEOUT_SECONDS + EXTRA_SECONDS
            await self._channel.call(STOP_SESSION, session, seconds)
