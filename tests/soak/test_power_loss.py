"""Power loss on SQLite: what was acknowledged is on the disk, whatever was not synced is lost."""

import random
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from homeroom.base.clock import SystemClock
from tests.soak.disk import SYNCS, Disk, read_calls, strace
from tests.soak.kills import Client, Held, Kills, opened_sqlite, read_contents
from tests.support.pictures import png
from tests.support.process import COMMAND, Process
from tests.support.wire import Partner

SEED: Final = 11
RECORDED_SECONDS: Final = 300
TRACED: Final = ("homeroom.db", "homeroom.db-wal", "homeroom.db-journal")
needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="there is no strace on this machine"
)

Acks = list[tuple[float, Held]]


@needs_strace
@pytest.mark.e2e
def test_a_power_loss_at_any_sync_of_60_steps_loses_nothing(tmp_path: Path) -> None:
    survive(tmp_path, 60)


@needs_strace
@pytest.mark.soak
def test_a_power_loss_at_any_sync_of_1000_steps_loses_nothing(tmp_path: Path) -> None:
    survive(tmp_path, 1_000)


class History:
    """Some clients' calls to a recorded server, with the time of each acknowledgement."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        kills = Kills(folder, SEED)
        for client in kills.clients:
            kills.put_clips(client)
        assert kills.server.stop() == 0
        self.clients = kills.clients
        self.sid, self.secret = kills.sid, kills.secret
        self.disk = Disk(folder, is_ignored)
        self.acknowledged: list[Acks] = [[(0.0, client.held)] for client in self.clients]
        self.covers: list[tuple[float, int]] = []
        """Courses with a picture, and when each was acknowledged."""
        self.server = Process("--sandbox", data=folder, command=(*strace(log), *COMMAND))

    def run(self, steps: int) -> None:
        """Make calls until so many are acknowledged; then kill the server."""
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._work, args=(client, acks, stop))
            for client, acks in zip(self.clients, self.acknowledged, strict=True)
        ]
        threads.append(threading.Thread(target=self._upload, args=(stop,)))
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + RECORDED_SECONDS
        while self._count() < steps and time.monotonic() < deadline:
            stop.wait(0.02)
        self.server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        assert self._count() >= steps, self.server.log

    def _count(self) -> int:
        return sum(len(acks) - 1 for acks in self.acknowledged) + len(self.covers)

    def _partner(self) -> Partner:
        return Partner(self.server.url, self.sid, self.secret, SystemClock())

    def _work(self, client: Client, acks: Acks, stop: threading.Event) -> None:
        with self._partner() as api:
            client.work(api, stop, lambda: acks.append((time.time(), client.held)))

    def _upload(self, stop: threading.Event) -> None:
        number = 0
        with self._partner() as api:
            while not stop.is_set():
                number += 1
                try:
                    reply = api.upload("addCourse", png(), courseName=f"covered {number}")
                except httpx.TransportError:
                    return
                assert reply.errno == 1, reply.body
                self.covers.append((time.time(), int(reply.data)))


def is_ignored(path: Path) -> bool:
    """Tell whether a file need not survive: locks, logs, shared memory of SQLite."""
    return path.name not in TRACED and path.suffix not in {".mp4", ".png", ".partial"}


def survive(folder: Path, steps: int) -> None:
    log = folder / "strace.log"
    history = History(folder / "data", log)
    history.run(steps)
    choice = random.Random(SEED)
    cuts = 0
    for until, disk in cuts_of(history.disk, log):
        for survivors in (None, choice):
            state = folder / "state"
            disk.write_to(state, survivors)
            check(history, state, until)
            shutil.rmtree(state)
        cuts += 1
    assert cuts >= steps / 4  # several calls share a commit
    print(f"{steps} steps, {cuts} sync points, 2 states each")  # noqa: T201  what -s is for


def cuts_of(disk: Disk, log: Path) -> Iterator[tuple[float, Disk]]:
    """Yield the disk before each sync but the first, with the moment when that sync returned.

    Until then a power loss may leave what the sync before it made durable.
    """
    has_synced = False
    for call in read_calls(log):
        if call.name in SYNCS and has_synced:
            yield call.at, disk
        has_synced |= disk.apply(call)
    yield float("inf"), disk


def check(history: History, state: Path, until: float) -> None:
    """Compare a disk with what was acknowledged to the clients before a moment."""
    with opened_sqlite(state / "homeroom.db") as query:
        for client, acks in zip(history.clients, history.acknowledged, strict=True):
            last = sum(at <= until for at, _ in acks) - 1
            possible = [held for _, held in acks[last : last + 2]]
            if client.unsure is not None and last == len(acks) - 1:
                possible.append(client.unsure)
            assert read_contents(query, client) in possible
            assert not acks[last][1].deleted & {path.stem for path in state.glob("clips/*/*.mp4")}
        covered = dict(query("SELECT id, cover FROM courses WHERE cover IS NOT NULL AND id > ?", 0))
        assert {course for at, course in history.covers if at <= until} <= covered.keys()
        for cover in covered.values():
            assert (state / cover).read_bytes() == png()
        kept = "SELECT path, size FROM clips WHERE deleted_at IS NULL AND id > ?"
        for path, size in query(kept, 0):
            assert (state / path).stat().st_size == size
