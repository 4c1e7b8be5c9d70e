"""The main process of a server: what exists once, however many processes serve HTTP."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from starlette.routing import BaseRoute

from homeroom.admin.scraping import MetricsScraper
from homeroom.domain.streams import BrowserPublishError, StreamFacts
from homeroom.jobs.job_loop import JobLoop
from homeroom.player.teacher_page import WhipIngest
from homeroom.store.records import Job
from homeroom.workers.channel import ProcedureTable
from homeroom.workers.procedures import (
    GET_STATUS,
    RUN_JOBS,
    START_SESSION,
    STOP_SESSION,
    MainStatus,
    Offer,
    OfferResult,
)
from homeroom.workers.shared_state import LocalState, SharedState, add_state_procedures


class MainProcess(Protocol):
    """What a process that serves HTTP needs of the main process, which may be itself."""

    @property
    def job_loop(self) -> JobLoop:
        """The loop that runs the jobs of the queue."""

    @property
    def state(self) -> SharedState:
        """The state that all processes share."""

    @property
    def whip(self) -> WhipIngest:
        """The gateway for browsers that go live."""

    @property
    def hook_routes(self) -> Sequence[BaseRoute]:
        """The route to which a media engine reports."""

    def facts(self, name: str) -> StreamFacts | None:
        """Return the latest facts of a running stream, or None."""

    def video_works(self) -> bool:
        """Tell whether classes can be recorded now."""

    def engine_problem(self) -> str:
        """Return why our own media engine is unavailable, or an empty text."""

    def clock_problem(self) -> str:
        """Return why the clock is in doubt, or an empty text."""

    def message_problem(self) -> str:
        """Return why no messages are sent, or an empty text."""

    async def run_jobs(self, jobs: Collection[Job]) -> bool:
        """Run some leased jobs ahead of all others; return whether all ended in time."""

    async def scrape(self, own: MetricsScraper) -> bytes:
        """Return the metrics of the whole server; `own` has those of this process."""


class LocalMain(MainProcess, Protocol):
    """The main process, seen from within."""

    @property
    def state(self) -> LocalState:
        """The state that all processes share."""

    def list_facts(self) -> Mapping[str, StreamFacts]:
        """Return the latest facts of all running streams, by name."""


def describe_status(main: LocalMain) -> MainStatus:
    """Return the state of the main process now."""
    return MainStatus(
        main.list_facts(),
        main.video_works(),
        main.engine_problem(),
        main.clock_problem(),
        main.message_problem(),
        main.job_loop.idle_seconds(),
        main.job_loop.behind_seconds(),
    )


def add_main_procedures(table: ProcedureTable, main: LocalMain) -> None:
    """Let the main process answer what its worker processes ask."""

    async def get_status(_request: None) -> MainStatus:
        return describe_status(main)

    async def start_session(offer: Offer) -> OfferResult:
        try:
            session, answer = await main.whip.start_session(offer.push_url, offer.sdp)
        except BrowserPublishError as error:
            return OfferResult(refusal=error.code, detail=str(error))
        return OfferResult(session, answer)

    table.add(GET_STATUS, get_status)
    table.add(RUN_JOBS, main.run_jobs)
    table.add(START_SESSION, start_session)
    table.add(STOP_SESSION, main.whip.stop_session)
    add_state_procedures(table, main.state)
