"""The main process as a worker process sees it, over a real pair of sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Final
from unittest.mock import create_autospec

import pytest

from homeroom.admin.scraping import MetricsScraper
from homeroom.base.ids import JobId
from homeroom.base.stream_problems import DropReason, StreamProblem
from homeroom.domain.streams import (
    BrowserPublishError,
    PublishRefusal,
    StreamFacts,
    StreamFigures,
)
from homeroom.store.records import Job
from homeroom.workers.channel import ChannelGroup, ProcedureTable, open_channel
from homeroom.workers.main_process import add_main_procedures, describe_status
from homeroom.workers.procedures import GET_STATUS, SET_STATUS
from homeroom.workers.remote_main import RemoteMain
from homeroom.workers.shared_state import LocalState

FACTS: Final = StreamFacts(
    1000,
    {"flv": 2},
    "on",
    None,
    (StreamProblem.SOUND_MISSING,),
    StreamFigures(2500, None, 25.0, 1040, {next(iter(DropReason)): 3}),
)


@dataclass
class JobLoopStub:
    """A job loop that has been behind for five minutes."""

    failures: int = 2

    def idle_seconds(self) -> float:
        return 3.0

    def behind_seconds(self) -> float:
        return 301.0


@dataclass
class GatewayStub:
    """A gateway that refuses an empty offer."""

    push_base: str = "rtmp://127.0.0.1"
    is_installed: bool = True
    stopped: list[str] = field(default_factory=list)

    async def start_session(self, push_url: str, offer: str) -> tuple[str, str]:
        if not offer:
            raise BrowserPublishError(PublishRefusal.OFFER, "the offer is empty")
        return f"session of {push_url}", f"answer to {offer}"

    async def stop_session(self, session: str) -> None:
        self.stopped.append(session)


@dataclass
class MainStub:
    """The parts that exist once, as far as worker processes see them."""

    job_loop: JobLoopStub = field(default_factory=JobLoopStub)
    whip: GatewayStub = field(default_factory=GatewayStub)
    hook_routes: tuple[()] = ()
    running: dict[str, StreamFacts] = field(default_factory=dict)
    problem: str = ""
    state: LocalState = field(default_factory=lambda: LocalState(is_sandbox=True))

    def facts(self, name: str) -> StreamFacts | None:
        return self.running.get(name)

    def list_facts(self) -> Mapping[str, StreamFacts]:
        return self.running

    def video_works(self) -> bool:
        return not self.problem

    def engine_problem(self) -> str:
        return self.problem

    def clock_problem(self) -> str:
        return "the clock is in doubt"

    def message_problem(self) -> str:
        return "no messages are sent"

    async def run_jobs(self, jobs: Collection[Job]) -> bool:
        return sum(job.id for job in jobs) > 3

    async def scrape(self, own: object) -> bytes:
        raise NotImplementedError


@asynccontextmanager
async def seen_over_a_channel(main: MainStub) -> AsyncIterator[tuple[RemoteMain, ChannelGroup]]:
    one, other = socket.socketpair()
    procedures, table = ProcedureTable(), ProcedureTable()
    add_main_procedures(procedures, main)
    group = ChannelGroup()
    server = await open_channel(one, procedures)
    group.add(server)
    channel = await open_channel(other, table)
    status = await channel.call(GET_STATUS, None)
    try:
        async with asyncio.timeout(10):
            yield RemoteMain(channel, table, status, [], "rtmp://here", is_sandbox=True), group
    finally:
        for side in (server, channel):
            side.close()
            await side.wait_closed()


def test_its_state_is_known_at_once_and_follows() -> None:
    async def test() -> None:
        main = MainStub(problem="the media engine does not run")
        async with seen_over_a_channel(main) as (remote, group):
            assert remote.facts("stream") is None
            assert not remote.video_works()
            assert remote.engine_problem() == "the media engine does not run"
            assert remote.clock_problem() == "the clock is in doubt"
            assert remote.message_problem() == "no messages are sent"
            assert remote.job_loop.behind_seconds() >= 301
            main.running["stream"] = FACTS
            main.problem = ""
            group.broadcast(SET_STATUS, describe_status(main))
            # Messages are handled in their order, so this answer comes after the status.
            await remote.run_jobs([])
            assert remote.facts("stream") == FACTS
            assert remote.video_works()
            assert remote.engine_problem() == ""

    asyncio.run(test())


def test_a_silent_main_process_counts_as_a_job_loop_that_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test() -> None:
        async with seen_over_a_channel(MainStub()) as (remote, _):
            now = monotonic()
            monkeypatch.setattr("homeroom.workers.remote_main.monotonic", lambda: now + 100)
            assert remote.job_loop.idle_seconds() == pytest.approx(103, abs=5)

    asyncio.run(test())


def test_jobs_run_there() -> None:
    async def test() -> None:
        main = MainStub()
        async with seen_over_a_channel(main) as (remote, _):
            jobs = [
                Job(JobId(number), "erase_file", "{}", 1_700_000_000, 0) for number in (1, 2, 4)
            ]
            assert await remote.run_jobs(jobs[:2]) is False
            assert await remote.run_jobs({jobs[2]}) is True
            assert remote.job_loop.failures == 0

    asyncio.run(test())


def test_a_browser_goes_live_there_or_is_refused_for_the_same_reason() -> None:
    async def test() -> None:
        main = MainStub()
        async with seen_over_a_channel(main) as (remote, _):
            session = await remote.whip.start_session("rtmp://x", "sdp")
            assert session == ("session of rtmp://x", "answer to sdp")
            with pytest.raises(BrowserPublishError, match="the offer is empty") as refused:
                await remote.whip.start_session("rtmp://x", "")
            assert refused.value.code is PublishRefusal.OFFER
            await remote.whip.stop_session("session")
            assert main.whip.stopped == ["session"]
            assert remote.whip.push_base == "rtmp://here"

    asyncio.run(test())


def test_without_it_a_browser_is_refused_and_the_metrics_are_of_one_process() -> None:
    async def test() -> None:
        async with seen_over_a_channel(MainStub()) as (remote, group):
            channel = next(iter(group))
            channel.close()
            await channel.wait_closed()
            with pytest.raises(BrowserPublishError) as refused:
                await remote.whip.start_session("rtmp://x", "sdp")
            assert refused.value.code is PublishRefusal.FAILED
            await remote.whip.stop_session("session")
            own = create_autospec(MetricsScraper)
            own.scrape.return_value = b"own"
            assert await remote.scrape(own) == b"own"

    asyncio.run(test())
