"""A server of several processes: worker processes that serve HTTP, and the main one."""

import json
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx
import pytest

from homeroom.base.clock import SystemClock
from homeroom.contract.action import APIPath
from tests.support.engine import until
from tests.support.postgres import Postgres
from tests.support.process import Process
from tests.support.wire import Partner

pytestmark = pytest.mark.e2e

WORKERS: Final = 2
MANY: Final = 24
"""Connections of which both processes get some, in all runs but one of millions."""
STATES: Final = {"01": "established", "0A": "listening"}


def start(postgres: Postgres, data: Path, *options: str) -> Process:
    return Process(
        "--demo", "--workers", str(WORKERS), *options, data=data, database=postgres.fresh()
    )


@pytest.fixture(scope="module")
def server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    running = start(postgres, tmp_path_factory.mktemp("workers"))
    yield running
    running.stop()


@pytest.fixture
def silent_server(postgres: Postgres, tmp_path: Path) -> Iterator[Process]:
    """Run a server without media, for a test that ends it."""
    running = start(postgres, tmp_path, "--media", "none")
    yield running
    running.kill()


def read_proc(path: str) -> str:
    """Return a file of the kernel about a process, empty if the process is gone."""
    try:
        return Path(f"/proc/{path}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def list_children(server: Process) -> set[int]:
    """Return the ids of its worker processes."""
    pid = server.process.pid
    threads = [task.name for task in Path(f"/proc/{pid}/task").iterdir()]
    children = " ".join(read_proc(f"{pid}/task/{thread}/children") for thread in threads).split()
    return {int(child) for child in children if "worker_process" in read_proc(f"{child}/cmdline")}


def count_sockets(server: Process, state: str) -> Counter[int]:
    """Return how many sockets of the public port each worker process has in a state."""
    port = httpx.URL(server.url).port
    inodes = set()
    for line in read_proc("net/tcp").splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port and STATES.get(fields[3]) == state:
            inodes.add(f"socket:[{fields[9]}]")
    counts: Counter[int] = Counter()
    for pid in list_children(server):
        with suppress(FileNotFoundError):
            for descriptor in list(Path(f"/proc/{pid}/fd").iterdir()):
                with suppress(FileNotFoundError):  # closed in this instant
                    counts[pid] += str(descriptor.readlink()) in inodes
    return counts


def is_gone(pid: int) -> bool:
    state = read_proc(f"{pid}/stat").rpartition(")")[2].split()
    return not state or state[0] == "Z"


def get(server: Process, path: str) -> httpx.Response:
    """Send a request on a connection of its own."""
    token = server.token
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.get(f"{server.url}{path}", headers=headers, trust_env=False, timeout=10)


def read_metric(server: Process, name: str) -> float:
    lines = get(server, "/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def partner_of(server: Process) -> Partner:
    return Partner(server.url, server.sid, server.secret, SystemClock())


def test_connections_are_spread_over_all_processes(server: Process) -> None:
    clients = [httpx.Client(base_url=server.url, trust_env=False) for _ in range(MANY)]
    try:
        assert {client.get("/healthz").status_code for client in clients} == {200}
        counts = count_sockets(server, "established")
        assert len(counts) == WORKERS
        assert min(counts.values()) > 0
        assert sum(counts.values()) >= MANY
    finally:
        for client in clients:
            client.close()


def test_every_process_is_ready_and_the_metrics_are_of_all(server: Process) -> None:
    server.wait_until_ready()
    assert [get(server, "/readyz").json()["status"] for _ in range(MANY)] == ["ready"] * MANY
    name = 'homeroom_calls_total{action="addCourse"'
    before = read_metric(server, name)
    for number in range(MANY):
        api = partner_of(server)  # on a connection of its own
        assert api.call("addCourse", courseName=f"Course {number}").errno == 1
        api.close()
    assert [read_metric(server, name) - before for _ in range(4)] == [MANY] * 4
    assert read_metric(server, "homeroom_workers ") == WORKERS
    assert read_metric(server, "homeroom_media_up ") == 1


def test_a_class_on_the_air_is_so_at_every_process(server: Process) -> None:
    def list_viewers(lesson: int) -> list[dict[str, int]]:
        """Return what a process knows of the running streams of a class."""
        stream = get(server, f"/admin/v1/classes/{lesson}/stream").json()
        return [push["viewers"] for push in stream["pushes"]]

    lessons = [row["classId"] for row in get(server, "/admin/v1/classes").json()["data"]]
    until(lambda: any(any(list_viewers(lesson)) for lesson in lessons))
    (on_air,) = [lesson for lesson in lessons if list_viewers(lesson)]
    until(lambda: all(any(list_viewers(on_air)) for _ in range(MANY)))


def test_a_media_engine_elsewhere_may_report_to_any_process(server: Process) -> None:
    hooks = json.loads(server.cli("media", "hooks", "--json"))["hooks_url"]
    assert hooks.startswith(server.url)
    client = {"X-Forwarded-For": "192.0.2.7"}
    for _ in range(MANY // 4):
        answer = httpx.post(hooks, json={"action": "on_connect"})
        assert (answer.status_code, answer.json()) == (200, {"code": 0})
        refused = httpx.post(f"{hooks}x", json={"action": "on_connect"}, headers=client)
        assert refused.status_code == 403
    until(lambda: "hook_refused" in server.log)
    (line, *_) = [line for line in server.log.splitlines() if "hook_refused" in line]
    assert '"address":"192.0.2.7"' in line


def test_a_process_that_is_killed_is_replaced_and_the_others_do_not_notice(
    server: Process,
) -> None:
    before = list_children(server)
    (victim, *_) = sorted(before)
    has_ended = threading.Event()
    began = threading.Barrier(9)

    def call_until_ended(number: int) -> tuple[int, int]:
        """Call on one connection after another; return the answers and the lost connections."""
        answered = lost = 0
        while not has_ended.is_set():
            api = partner_of(server)
            try:
                for turn in range(5):
                    reply = api.call("addCourse", courseName=f"Course {number} {turn}")
                    assert reply.errno == 1, reply
                    answered += 1
                    if answered == 1:
                        began.wait(20)
            except httpx.TransportError:
                lost += 1
            finally:
                api.close()
        return answered, lost

    with ThreadPoolExecutor(8) as threads:
        results = [threads.submit(call_until_ended, number) for number in range(8)]
        began.wait(20)
        os.kill(victim, signal.SIGKILL)
        try:
            until(lambda: is_gone(victim))
            until(lambda: len(+count_sockets(server, "listening")) == WORKERS)
        finally:
            has_ended.set()
        counts = [result.result(30) for result in results]
    assert all(answered > 1 for answered, _ in counts)
    # A client loses the connection that it had to the dead process, and no other.
    assert all(lost <= 1 for _, lost in counts)
    assert victim not in list_children(server)
    assert before - {victim} < list_children(server)
    assert server.log.count("worker_exited") == 1


def test_requests_during_the_stop_are_answered_or_find_no_server(silent_server: Process) -> None:
    server = silent_server
    workers = list_children(server)
    url = httpx.URL(server.url)
    form = b"SID=1"
    head = (
        f"POST {APIPath.COURSE.value}?action=addCourse HTTP/1.1\r\nHost: {url.host}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(form)}\r\n\r\n"
    ).encode()
    slow = [socket.create_connection((url.host, url.port or 80)) for _ in range(MANY)]
    for raw in slow:
        raw.settimeout(15)
        raw.sendall(head + form[:2])
    began = threading.Barrier(5)

    def call_until_refused(number: int) -> set[tuple[int, int, str]]:
        replies = set()
        api = partner_of(server)
        try:
            for turn in range(100_000):
                reply = api.call("addCourse", courseName=f"Course {number} {turn}")
                replies.add((reply.status, reply.errno, reply.reason))
                if turn == 1:
                    began.wait(20)
        except httpx.ConnectError:
            return replies
        finally:
            api.close()
        return replies

    with ThreadPoolExecutor(4) as threads:
        results = [threads.submit(call_until_refused, number) for number in range(4)]
        began.wait(20)
        # Each process has accepted its connections when all are counted.
        until(lambda: sum(count_sockets(server, "established").values()) >= MANY + 4)
        server.process.terminate()
        until(lambda: server.log.count("Shutting down") >= WORKERS)
        for raw in slow:
            raw.sendall(form[2:])
        answers = {raw.recv(4096).partition(b"\r\n")[0] for raw in slow}
        replies = set().union(*(result.result(30) for result in results))
    for raw in slow:
        raw.close()
    assert answers <= {b"HTTP/1.1 200 OK", b"HTTP/1.1 503 Service Unavailable"}
    assert replies == {(200, 1, ""), (503, 114, "the server is shutting down")}
    assert server.process.wait(10) == 0
    assert all(is_gone(pid) for pid in workers)
    assert "Traceback" not in server.log


def test_worker_processes_end_with_the_main_process(silent_server: Process) -> None:
    workers = list_children(silent_server)
    assert len(workers) == WORKERS
    silent_server.process.kill()
    until(lambda: all(is_gone(pid) for pid in workers))
