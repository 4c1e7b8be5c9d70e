"""A server on a disk of its own, which becomes full or read-only under it."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from homeroom.base.clock import SystemClock
from tests.support.process import Process, run
from tests.support.small_disk import CannotMountError, filled, mounted_memory, remount
from tests.support.wire import Partner

pytestmark = pytest.mark.e2e

SIZE = "6m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a small disk; only root can mount one."""
    with ExitStack() as opened:
        try:
            disk = opened.enter_context(mounted_memory(tmp_path / "disk", SIZE))
        except CannotMountError as failure:
            pytest.xfail(f"{failure}; tests/interfaces has the same on any machine")
        yield disk


@pytest.fixture
def server(disk: Path) -> Iterator[Process]:
    running = Process("--demo", "--media", "none", data=disk / "data")
    yield running
    running.kill()


@pytest.fixture
def api(server: Process) -> Iterator[Partner]:
    partner = Partner(server.url, server.sid, server.secret, SystemClock())
    yield partner
    partner.close()


def readiness(server: Process) -> tuple[int, list[str]]:
    answer = httpx.get(f"{server.url}/readyz", trust_env=False)
    return answer.status_code, answer.json()["reasons"]


def wait_until_ready(server: Process) -> None:
    until = time.monotonic() + 10
    while readiness(server)[0] != 200:
        assert time.monotonic() < until, readiness(server)
        time.sleep(0.05)


def call_until_refused(api: Partner) -> tuple[int, int, str]:
    """Call until there is no room in what the database has already taken of the disk."""
    for number in range(2000):
        reply = api.call("addCourse", courseName=f"Course {number}")
        if reply.status != 200:
            return reply.status, reply.errno, reply.reason
        assert reply.errno == 1
    raise AssertionError("the disk does not get full")


def test_a_full_disk_is_named_and_left_behind(disk: Path, server: Process, api: Partner) -> None:
    """Case O1."""
    with filled(disk):
        assert call_until_refused(api) == (503, 114, "the disk is full")
        assert readiness(server) == (503, ["the disk is full"])
        metrics = httpx.get(f"{server.url}/metrics", trust_env=False).text
        assert "\nhomeroom_disk_free_bytes 0.0\n" in metrics
        assert 'homeroom_heartbeats_total{outcome="disk_full"}' in metrics

    wait_until_ready(server)
    assert api.call("addCourse", courseName="Course").errno == 1
    assert server.stop() == 0
    assert "Traceback" not in server.log
    assert server.log.count("store_unavailable") == 1


def test_the_doctor_fails_on_a_full_disk(disk: Path, server: Process, api: Partner) -> None:
    """Case O1."""
    with filled(disk):
        call_until_refused(api)
        done = run("doctor", "--data", str(server.data))
    assert done.returncode == 1
    assert "fail  disk space" in done.stdout
    assert "the disk is full" in done.stdout


def test_a_read_only_disk_is_one_sentence(disk: Path, server: Process) -> None:
    server.stop()
    remount(disk, "ro")
    done = run("serve", "--port", "0", "--media", "none", "--data", str(server.data))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "read-only" in line.lower()
    done = run("doctor", "--data", str(server.data))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "fail  data folder" in done.stdout


@pytest.mark.parametrize("command", [("serve", "--port", "0", "--media", "none"), ("migrate",)])
def test_a_start_on_a_full_disk_ends_in_one_sentence(disk: Path, command: tuple[str, ...]) -> None:
    """Case O17."""
    (disk / "data").mkdir(mode=0o700)
    with filled(disk):
        done = run(*command, "--data", str(disk / "data"))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "full" in line or os.strerror(28) in line
    assert "sqlalche" not in line
