"""The pool of worker processes, with programs that stand in for them."""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from prometheus_client import CollectorRegistry

from homeroom.base import restarts
from homeroom.base.settings import Settings
from homeroom.domain.webcasts import Hosts
from homeroom.folder import StartupError
from homeroom.web.ports import bind, share
from homeroom.workers import pool as pools
from homeroom.workers.channel import Channel, ProcedureTable
from homeroom.workers.pool import WorkerPool
from homeroom.workers.settings import WorkerSettings

STAND_IN: Final = """
import asyncio, json, os, signal, socket, sys, time
from homeroom.workers.channel import ProcedureTable, open_channel
from homeroom.workers.procedures import CHECK_ALIVE, REPORT_STARTED
settings = json.loads(sys.stdin.readline())
starts = sys.argv[1]
with open(starts, "a") as file:
    file.write(f"{settings['number']} {os.getpid()}\\n")
number_of_starts = open(starts).read().count("\\n")
async def main():
    async def alive(request):
        if ANSWERS:
            return
        await asyncio.Event().wait()
    table = ProcedureTable()
    table.add(CHECK_ALIVE, alive)
    channel = await open_channel(socket.socket(fileno=settings["channel_fd"]), table)
    listener = socket.socket(fileno=settings["listener_fd"])
    listener.listen()
    await channel.call(REPORT_STARTED, settings["number"])
    THEN
    await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""


class Place:
    """A shared port, and the starts of stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.starts = folder / "starts"
        self.port, _ = bind("127.0.0.1", 0)
        share(self.port)

    def build_pool(self, program: str, workers: int = 1) -> WorkerPool:
        settings = Settings(database="postgresql:///none", workers=workers)
        template = WorkerSettings(
            number=0,
            listener_fd=0,
            channel_fd=0,
            settings=settings,
            hosts=Hosts("http://x", "rtmp://x", "http://x"),
            main_url="http://x",
            push_base="rtmp://x",
        )
        command = (sys.executable, "-c", program, str(self.starts))
        return WorkerPool(template, self.port, ProcedureTable(), CollectorRegistry(), command)

    def connect(self) -> None:
        with socket.create_connection(self.port.getsockname(), timeout=5):
            pass

    def list_starts(self) -> list[tuple[int, int]]:
        """Return number and process id of each start."""
        lines = self.starts.read_text().splitlines()
        pairs = (line.split() for line in lines)
        return [(int(number), int(pid)) for number, pid in pairs]

    async def wait_for_starts(self, count: int) -> None:
        while not self.starts.exists() or len(self.list_starts()) < count:  # noqa: ASYNC110  another process writes
            await asyncio.sleep(0.01)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(restarts, "BACKOFF_SECONDS", (0.01,))
    place = Place(tmp_path)
    yield place
    place.port.close()


def stand_in(then: str = "", *, answers: bool = True) -> str:
    return STAND_IN.replace("ANSWERS", str(answers)).replace("THEN", then or "pass")


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(in_time())


def test_all_have_started_when_it_has_and_end_when_it_ends(place: Place) -> None:
    async def test() -> None:
        pool = place.build_pool(stand_in(), workers=2)
        started: list[Channel] = []
        pool.on_started = started.append
        await pool.start()
        assert set(started) == set(pool.channels)
        assert {number for number, _ in place.list_starts()} == {1, 2}
        assert len(list(pool.channels)) == 2
        place.connect()
        await pool.end()
        assert list(pool.channels) == []
        with pytest.raises(ConnectionRefusedError):
            place.connect()

    run(test)


def test_one_that_ends_before_it_accepts_connections_fails_the_start(place: Place) -> None:
    async def test() -> None:
        pool = place.build_pool("import sys; sys.stdin.readline(); sys.exit(3)")
        with pytest.raises(StartupError, match=r"worker process 1 did not start \(code 3\)"):
            await pool.start()
        await pool.end()

    run(test)


def test_one_that_dies_is_started_again(place: Place) -> None:
    async def test() -> None:
        then = "number_of_starts == 1 and os.kill(os.getpid(), signal.SIGKILL)"
        pool = place.build_pool(stand_in(then))
        await pool.start()
        await place.wait_for_starts(2)
        await pool.end()

    run(test)


def test_one_that_does_not_answer_is_killed_and_started_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "CHECK_SECONDS", 0.01)
    monkeypatch.setattr(pools, "MAX_SILENT_SECONDS", 0.05)

    async def test() -> None:
        pool = place.build_pool(stand_in(answers=False))
        await pool.start()
        await place.wait_for_starts(2)
        await pool.end()

    run(test)


def test_one_that_does_not_end_is_killed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "SHUTDOWN_SECONDS", 0.05)

    async def test() -> None:
        pool = place.build_pool(stand_in("await asyncio.Event().wait()"))
        await pool.start()
        await pool.end()
        with pytest.raises(ConnectionRefusedError):
            place.connect()

    run(test)
