"""The supervisor and a process that stands in for the engine: its start, its ends, its places."""

import asyncio
import fcntl
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from homeroom.base import restarts
from homeroom.media import supervisor
from homeroom.media.engine.settings import EngineSettings
from homeroom.media.supervisor import ID_NAME, LOCK_NAME, Supervisor, engine_id

PATIENCE: Final = 20
# Notes what it received, does something, and notes its end.
STAND_IN: Final = """
import json, os, signal, socket, sys, time
notes, received = sys.argv[1], sys.stdin.readline()
def note(**facts):
    with open(notes, "a") as file:
        file.write(json.dumps({{"pid": os.getpid(), **facts}}) + "\\n")
fds = json.loads(received)
ports = [socket.socket(fileno=fds[name]).getsockname()[1] for name in ("rtmp_fd", "http_fd")]
note(received=fds, ports=ports, leads=os.getsid(0) == os.getpid())
{then}
note(ended=True)
"""
OBEYS: Final = "sys.stdin.read()"
DIES: Final = "os.kill(os.getpid(), signal.SIGKILL)"
HANGS: Final = "time.sleep(60)"
DIES_ONCE: Final = f"open(notes).read().count('received') == 1 and {DIES}; {OBEYS}"


class Place:
    """A folder, two sockets, and what stand-ins have noted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "media"
        self.notes = folder / "notes"
        self.sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.ports = [listener.getsockname()[1] for listener in self.sockets]
        self.settings = EngineSettings(
            rtmp_fd=self.sockets[0].fileno(),
            http_fd=self.sockets[1].fileno(),
            hooks_url="http://127.0.0.1:1/media/hooks?secret=s",
            api_secret="s",
            recordings=str(folder / "recordings"),
            spool=str(folder / "spool"),
        )
        self.silent = 0.0

    def read_notes(self, name: str) -> list[object]:
        """Return what stand-ins have noted under a name, in order."""
        text = self.notes.read_text() if self.notes.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        lines = [json.loads(line) for line in whole.splitlines()]
        return [line[name] for line in lines if name in line]

    @asynccontextmanager
    async def run_supervisor(self, then: str) -> AsyncIterator[Supervisor]:
        """Supervise a stand-in until the block ends."""
        command = (sys.executable, "-c", STAND_IN.format(then=then), str(self.notes))
        watched = Supervisor(self.settings, self.folder, lambda: self.silent, command)
        async with asyncio.timeout(PATIENCE):
            running = asyncio.create_task(watched.run())
            try:
                yield watched
            finally:
                watched.end()
                await running


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110  it is another process that makes it so
        await asyncio.sleep(0.01)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    here = Place(tmp_path)
    yield here
    for listener in here.sockets:
        listener.close()


def run_scene(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(scene())


def test_it_is_told_its_settings_and_gets_the_sockets(place: Place) -> None:
    async def scene() -> None:
        async with place.run_supervisor(OBEYS) as watched:
            await until(lambda: bool(place.read_notes("received")))
            assert place.read_notes("pid") == [watched.pid]

    run_scene(scene)

    assert place.read_notes("received") == [json.loads(json.dumps(_facts(place.settings)))]
    assert place.read_notes("ports") == [place.ports]
    assert place.read_notes("leads") == [True], "a Ctrl-C would reach it"


def _facts(settings: EngineSettings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


def test_the_end_of_its_input_ends_it_in_order(place: Place) -> None:
    async def scene() -> None:
        async with place.run_supervisor(OBEYS) as watched:
            await until(lambda: bool(place.read_notes("received")))
        assert watched.pid is None
        assert watched.restarts == 0

    run_scene(scene)

    assert place.read_notes("ended") == [True]


def test_one_that_dies_is_started_again_with_the_same_ports(place: Place) -> None:
    async def scene() -> None:
        async with place.run_supervisor(DIES_ONCE) as watched:
            await until(lambda: len(place.read_notes("received")) == 2)
            assert watched.restarts == 1

    run_scene(scene)

    assert place.read_notes("ports") == [place.ports, place.ports]
    assert place.read_notes("ended") == [True]


def test_one_that_keeps_dying_is_given_more_time(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(restarts, "BACKOFF_SECONDS", (0.01, 0.02, 0.03))

    async def scene() -> None:
        async with place.run_supervisor(DIES) as watched:
            await until(lambda: watched.restarts >= 5)

    run_scene(scene)

    records = [vars(record) for record in caplog.records]
    delays = [facts["delay"] for facts in records if "delay" in facts]
    assert delays[:5] == [0.01, 0.02, 0.03, 0.03, 0.03]
    assert {facts["ended_with"] for facts in records if "delay" in facts} == {"code -9"}


def test_one_that_was_well_for_long_is_started_again_at_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "BACKOFF_SECONDS", (0.01, PATIENCE))
    monkeypatch.setattr(restarts, "STABLE_SECONDS", 0.0)

    async def scene() -> None:
        async with place.run_supervisor(DIES) as watched:
            await until(lambda: watched.restarts >= 3)

    run_scene(scene)


def test_one_that_does_not_end_is_killed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "SHUTDOWN_SECONDS", 0.2)

    async def scene() -> None:
        async with place.run_supervisor(HANGS) as watched:
            await until(lambda: bool(place.read_notes("received")))
        assert watched.pid is None

    run_scene(scene)

    assert place.read_notes("ended") == []


def test_one_that_does_not_answer_is_killed_and_started_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "MAX_SILENT_SECONDS", 0.3)
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 0.05)
    place.silent = 60.0

    async def scene() -> None:
        async with place.run_supervisor(OBEYS):
            await until(lambda: len(place.read_notes("received")) >= 2)
            place.silent = 0.0

    run_scene(scene)

    first, second, *_ = place.read_notes("pid")
    assert first != second


def test_one_that_has_just_started_has_time_to_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 0.02)
    # The last one has been silent for long.
    place.silent = 60.0

    async def scene() -> None:
        async with place.run_supervisor(OBEYS) as watched:
            await until(lambda: bool(place.read_notes("received")))
            assert watched.restarts == 0

    run_scene(scene)

    assert place.read_notes("ended") == [True]


def test_it_waits_for_the_engine_of_a_server_that_was_killed(place: Place) -> None:
    place.folder.mkdir()

    async def scene() -> None:
        with (place.folder / LOCK_NAME).open("a") as of_the_old_one:
            fcntl.flock(of_the_old_one, fcntl.LOCK_EX)
            async with place.run_supervisor(OBEYS) as watched:
                await asyncio.sleep(0.3)
                assert watched.pid is None
                assert f"works on {place.folder}; " in watched.waiting_reason
                of_the_old_one.close()
                await until(lambda: bool(place.read_notes("received")))
                assert watched.waiting_reason == ""

    run_scene(scene)


def test_a_folder_names_its_engine_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case S9: a power cut does not change the id."""
    synced: list[str] = []
    sync = os.fsync

    def note(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)
        sync(file)

    monkeypatch.setattr(os, "fsync", note)

    name = engine_id(tmp_path / "media")

    assert re.fullmatch("[0-9a-f]{8}", name)
    assert engine_id(tmp_path / "media") == name
    assert engine_id(tmp_path / "another") != name
    assert synced[:2] == [f"{ID_NAME}.{os.getpid()}", "media"]
    assert [file.name for file in (tmp_path / "media").iterdir()] == [ID_NAME]


def test_an_engine_keeps_others_away_as_long_as_it_lives(place: Place) -> None:
    async def scene() -> None:
        async with place.run_supervisor(OBEYS):
            await until(lambda: bool(place.read_notes("received")))
            with (place.folder / LOCK_NAME).open("a") as lock, pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    run_scene(scene)

    with (place.folder / LOCK_NAME).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_program_that_is_not_there_is_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "BACKOFF_SECONDS", (0.01,))

    async def scene() -> None:
        watched = Supervisor(place.settings, place.folder, lambda: 0.0, ("/no/such/program",))
        running = asyncio.create_task(watched.run())
        await until(lambda: watched.restarts >= 2)
        watched.end()
        await running

    run_scene(scene)
