"""A server ends at a signal: at any moment of its start, as process 1, and with calls in flight."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import httpx
import pytest

from homeroom.base.clock import SystemClock
from homeroom.contract.action import APIPath
from tests.support.process import COMMAND, PLAIN, Process
from tests.support.wire import Partner

pytestmark = pytest.mark.e2e

MOMENTS: Final = (0.0, 0.1, 0.3, 0.6, 1.2)
"""Seconds after the start of the process; what has been loaded by then does not matter."""
NO_MEDIA: Final = ("--media", "none", "--port", "0")


def start(data: Path, *before: str) -> subprocess.Popen[bytes]:
    command = [*before, *COMMAND, "serve", *NO_MEDIA, "--data", str(data)]
    return subprocess.Popen(command, env=PLAIN, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def has_handler(pid: int) -> bool:
    """Tell whether a process has a handler of SIGTERM, as the kernel knows it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
    return False


def wait_for_handler(pid: int) -> None:
    until = time.monotonic() + 20
    while not has_handler(pid):
        assert time.monotonic() < until
        time.sleep(0.002)


@pytest.mark.parametrize("delay", MOMENTS)
def test_a_signal_during_the_start_ends_it_with_0(tmp_path: Path, delay: float) -> None:
    """Case O12, as any process; before the first line of ours, Python itself would die of it."""
    data = tmp_path / "data"
    process = start(data)
    wait_for_handler(process.pid)
    # The handler is there long before the server does anything.
    assert not data.exists()
    time.sleep(delay)
    process.terminate()
    output, errors = process.communicate(timeout=15)
    assert process.returncode == 0, (output, errors)
    assert b"Traceback" not in errors


@pytest.mark.parametrize("delay", [0.0, 0.3, 0.7])
def test_process_1_ends_at_a_signal_during_its_start(tmp_path: Path, delay: float) -> None:
    """Case O12."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.xfail("only root can make a namespace of processes")
    data = tmp_path / "data"
    outer = start(data, "unshare", "--pid", "--fork", "--kill-child")
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    until = time.monotonic() + 20
    while not (pids := children.read_text().split()):
        assert time.monotonic() < until
        time.sleep(0.002)
    wait_for_handler(int(pids[0]))
    assert not data.exists()
    time.sleep(delay)
    os.kill(int(pids[0]), signal.SIGTERM)
    output, errors = outer.communicate(timeout=15)
    assert outer.returncode == 0, (output, errors)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    running = Process("--demo", "--sandbox", *NO_MEDIA[:2], data=tmp_path)
    yield running
    running.kill()


def partner_of(server: Process) -> Partner:
    return Partner(server.url, server.sid, server.secret, SystemClock())


def test_a_call_that_takes_too_long_to_wait_for_is_answered(server: Process) -> None:
    fault = {"action": "addCourse", "delay_ms": 60_000}
    httpx.post(f"{server.url}/sandbox/faults", json=fault, trust_env=False).raise_for_status()
    api = partner_of(server)
    with ThreadPoolExecutor(1) as client:
        slow = client.submit(api.call, "addCourse", courseName="Course")
        wait_until_taken(server)
        server.process.terminate()
        reply = slow.result(15)
    assert (reply.status, reply.errno, reply.reason) == (503, 114, "the server is shutting down")
    assert int(reply.headers["retry-after"]) >= 1
    assert server.process.wait(10) == 0
    api.close()


def wait_until_taken(server: Process) -> None:
    """Wait until the fault has met its call."""
    until = time.monotonic() + 10
    while httpx.get(f"{server.url}/sandbox/faults", trust_env=False).json()["faults"]:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_calls_during_the_stop_are_answered_or_find_no_server(server: Process) -> None:
    """No call that was sent gets plain text, or no answer at all."""
    began = threading.Event()

    def call_until_refused() -> list[tuple[int, int, str]]:
        replies = []
        api = partner_of(server)
        try:
            for number in range(100_000):
                reply = api.call("addCourse", courseName=f"Course {number}")
                replies.append((reply.status, reply.errno, reply.reason))
                began.set()
        except httpx.ConnectError:
            return replies
        finally:
            api.close()
        return replies

    with ThreadPoolExecutor(6) as clients:
        results = [clients.submit(call_until_refused) for _ in range(6)]
        assert began.wait(10)
        server.process.terminate()
        replies = [reply for result in results for reply in result.result(30)]
    assert set(replies) == {(200, 1, ""), (503, 114, "the server is shutting down")}
    assert server.process.wait(10) == 0


def test_a_call_whose_body_never_comes_is_answered(server: Process) -> None:
    url = httpx.URL(server.url)
    head = f"POST {APIPath.COURSE.value} HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: 9\r\n\r\n"
    with socket.create_connection((url.host, url.port or 80)) as raw:
        raw.sendall(head.encode())
        # Requests are read in order: when the next one is answered, this one has been taken.
        assert httpx.get(f"{server.url}/healthz", trust_env=False).status_code == 200
        server.process.terminate()
        raw.settimeout(15)
        response = raw.recv(4096)
    assert response.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close" in response
    assert b'"errno":104' in response
    assert server.process.wait(10) == 0


def test_more_signals_change_nothing(server: Process) -> None:
    for _ in range(20):
        server.process.terminate()
        time.sleep(0.02)
        if server.process.poll() is not None:
            break
    assert server.process.wait(10) == 0


def test_a_process_that_stands_still_ends_by_its_deadline() -> None:
    """Nothing that a database does holds up the end."""
    code = (
        "import threading; from homeroom.base.termination import exit_by_deadline;"
        "exit_by_deadline(0.1); threading.Event().wait()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=10, check=False
    )
    assert done.returncode == 0
    assert b"stop_deadline_exceeded" in done.stderr
