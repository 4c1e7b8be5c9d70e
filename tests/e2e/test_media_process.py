"""The media engine beside a real server: what is printed, what happens when either of them dies."""

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from homeroom.media.supervisor import LOCK_NAME
from tests.support.operator import run_json
from tests.support.process import Process, run

pytestmark = pytest.mark.e2e

PATIENCE: Final = 30
EXTERNAL: Final = {
    "HOMEROOM_MEDIA": "external",
    "HOMEROOM_RTMP_URL": "rtmp://pull.example.org",
    "HOMEROOM_MEDIA_URL": "https://pull.example.org/",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    running = Process("--sandbox", data=tmp_path / "data")
    running.wait_until_ready()
    yield running
    running.kill()


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def engines(server: Process) -> list[int]:
    """Return the ids of the engines it has started, as its log has them."""
    return [int(pid) for pid in re.findall(r"engine_process_started\",\"pid\":(\d+)", server.log)]


def lives(pid: int) -> bool:
    """Tell whether a process runs, and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def ready(server: Process) -> httpx.Response:
    return httpx.get(f"{server.url}/readyz", trust_env=False, timeout=10)


def metric(server: Process, name: str) -> float:
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    found = re.search(rf"^homeroom_media_{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def checks(server: Process) -> dict[str, Any]:
    done = run("doctor", "--json", *server.where, env=server.env)
    return {one["check"]: one for one in json.loads(done.stdout)}


def answers(address: str) -> bool:
    """Return whether a server accepts connections at an address and answers to bytes."""
    where = urlsplit(address)
    said = b"\3" + bytes(1536) if where.scheme == "rtmp" else b"GET / HTTP/1.0\r\n\r\n"
    try:
        with socket.create_connection((str(where.hostname), where.port or 0), PATIENCE) as sock:
            sock.settimeout(PATIENCE)
            sock.sendall(said)
            return bool(sock.recv(1))
    except OSError:
        return False


def test_the_addresses_that_are_printed_are_served(server: Process) -> None:
    rtmp, http = server.pull_urls

    assert server.push_url == rtmp
    assert rtmp.endswith("/live")
    assert http.endswith("/live")
    assert answers(rtmp)
    assert answers(http)
    found = checks(server)
    assert found["server"]["state"] == found["reports"]["state"] == "ok"
    assert found["recordings"]["said"].endswith("GB free")
    assert metric(server, "up") == 1


def test_an_engine_that_is_killed_comes_back_at_its_ports(server: Process) -> None:
    rtmp, http = server.pull_urls
    (first,) = engines(server)

    os.kill(first, signal.SIGKILL)

    # No client is refused in between: the server keeps the ports open.
    assert answers(http)
    assert answers(rtmp)
    until(lambda: len(engines(server)) == 2, "it is not started again")
    server.wait_until_ready()
    until(lambda: metric(server, "restarts_total") == 1, "nobody counts it")
    assert server.stop() == 0


def test_an_engine_that_hangs_is_told_of(server: Process) -> None:
    (pid,) = engines(server)
    os.kill(pid, signal.SIGSTOP)

    until(lambda: ready(server).status_code == 503, "it is not missed")

    assert ready(server).json()["reasons"] == ["the media engine does not answer"]
    found = checks(server)["server"]
    assert found["state"] == "fail"
    assert "the media engine does not answer" in found["said"]
    assert metric(server, "up") == 0
    os.kill(pid, signal.SIGCONT)
    server.wait_until_ready()
    assert engines(server) == [pid]


def test_the_engine_ends_before_its_server_and_in_order(server: Process) -> None:
    (pid,) = engines(server)
    began = time.monotonic()

    assert server.stop() == 0

    assert time.monotonic() - began < 5
    assert not lives(pid)
    # Its last words come while the server still takes requests.
    assert server.log.index("engine_stopped") < server.log.index("Shutting down")


def test_the_engine_of_a_server_that_is_killed_ends_by_itself(server: Process) -> None:
    (pid,) = engines(server)

    server.kill()

    until(lambda: not lives(pid), "it goes on without a server")


def test_a_killed_server_is_followed_by_another_at_the_same_ports(
    server: Process,
) -> None:
    (old,) = engines(server)
    ports = [str(urlsplit(address).port) for address in server.pull_urls]
    # It hangs, and holds the ports, for a moment longer than its server lives.
    os.kill(old, signal.SIGSTOP)
    server.process.kill()
    server.process.wait(PATIENCE)
    assert is_locked(server.data)
    waking = subprocess.Popen(["/bin/sh", "-c", f"sleep 1; kill -CONT {old}"])

    again = Process(
        *("--rtmp-port", ports[0], "--media-port", ports[1]), data=server.data, env=server.env
    )

    again.wait_until_ready()
    assert not lives(old)
    assert all(answers(address) for address in again.pull_urls)
    assert again.stop() == 0
    assert waking.wait(PATIENCE) == 0
    assert not is_locked(server.data)


def is_locked(data: Path) -> bool:
    """Tell whether an engine lives that works on a data folder."""
    with (data / "media" / LOCK_NAME).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.parametrize("option", ["--rtmp-port", "--media-port"])
def test_a_port_that_is_taken_is_one_line_that_names_the_option(
    tmp_path: Path, option: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = {"--port": "0", "--rtmp-port": "0", "--media-port": "0", option: port}
        typed = [word for pair in ports.items() for word in pair]

        done = run("serve", *typed, "--data", str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"homeroom: cannot listen at 127.0.0.1 port {port}: Address already in use"
        f" ({option} takes another)"
    )


def test_a_part_that_fails_is_told_of_at_once_and_ends_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "media" / LOCK_NAME).mkdir(parents=True)
    running = Process(data=tmp_path)

    until(lambda: "media_task_failed" in running.log, "it is told")

    assert "Is a directory" in running.log
    assert httpx.get(f"{running.url}/healthz", trust_env=False).status_code == 200
    assert running.stop() == 0


def test_without_media_there_is_no_engine(tmp_path: Path) -> None:
    running = Process("--media", "none", data=tmp_path)
    hooked = httpx.post(f"{running.url}/media/hooks", trust_env=False)
    is_ready = ready(running)
    running.stop()

    assert hooked.status_code == 404
    assert is_ready.status_code == 200
    assert engines(running) == []
    assert "push" not in running.output


def test_an_external_engine_is_told_where_to_report(tmp_path: Path) -> None:
    running = Process(data=tmp_path, env=EXTERNAL)
    hooks = run_json(running, "media", "hooks")["hooks_url"]
    hook = {"action": "on_connect", "client_id": "1"}
    answer = httpx.post(hooks, json=hook, trust_env=False)
    secret = parse_qs(urlsplit(hooks).query)["secret"][0]
    is_ready = ready(running)
    running.stop()

    assert (answer.status_code, answer.json()["code"]) == (200, 0)
    assert is_ready.status_code == 200
    assert engines(running) == []
    assert secret not in running.output + running.log
    assert " media hooks" in running.output
    assert running.push_url == "rtmp://pull.example.org/live"
    assert running.pull_urls == ("rtmp://pull.example.org/live", "https://pull.example.org/live")


def test_an_external_engine_needs_addresses(tmp_path: Path) -> None:
    done = run("serve", "--media", "external", "--data", str(tmp_path))

    assert done.returncode == 1
    assert done.stderr == (
        "homeroom: settings: media external needs rtmp_url and media_url, where it is pulled from\n"
    )


def test_public_addresses_are_made_of_the_public_host(tmp_path: Path) -> None:
    env = {"HOMEROOM_PUSH_URL": "rtmp://ingest.example.org/"}
    running = Process("--public-url", "https://classes.example.org/", data=tmp_path, env=env)
    rtmp, http = running.pull_urls
    running.stop()

    assert running.push_url == "rtmp://ingest.example.org/live"
    assert re.fullmatch(r"rtmp://classes\.example\.org:\d+/live", rtmp)
    assert re.fullmatch(r"http://classes\.example\.org:\d+/live", http)


def test_an_engine_reaches_a_server_that_listens_everywhere(tmp_path: Path) -> None:
    running = Process("--host", "0.0.0.0", data=tmp_path)  # noqa: S104  that is the point
    running.wait_until_ready()

    assert running.stop() == 0
