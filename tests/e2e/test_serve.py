"""`homeroom serve` as a process: its first words, its end, and what keeps it from starting."""

import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from homeroom.base.clock import DAY, SystemClock
from tests.support.process import PLAIN, Process, run
from tests.support.wire import Partner

pytestmark = pytest.mark.e2e

CURL: Final = re.compile(r"^curl (?:.*\\\n)*.*$", re.MULTILINE)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Process]:
    running = Process("--demo", data=tmp_path / "data")
    yield running
    running.kill()


def curls(server: Process) -> list[str]:
    """Return the calls it has printed, as they stand."""
    return CURL.findall(server.output)


def pasted(curl: str) -> Any:  # noqa: ANN401  an answer
    """Paste a call into a shell and return its answer."""
    done = subprocess.run(
        ["/bin/sh", "-c", curl], capture_output=True, check=True, env=PLAIN, timeout=30
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here to paste the calls to")
def test_each_printed_call_creates_a_class(demo: Process) -> None:
    first, signed_again = (pasted(curl) for curl in curls(demo))

    assert first["error_info"]["errno"] == signed_again["error_info"]["errno"] == 1
    assert 0 < first["data"] < signed_again["data"]


def test_the_demo_is_the_same_after_a_restart(demo: Process) -> None:
    assert demo.token is not None
    assert demo.stop() == 0

    again = Process("--demo", data=demo.data)
    schools = json.loads(again.cli("school", "list", "--json"))
    printed = again.output
    again.stop()

    assert (again.sid, again.secret, again.token) == (demo.sid, demo.secret, None)
    assert [one["sid"] for one in schools] == [demo.sid]
    assert "homeroom token create" in printed
    assert courses(printed) == courses(demo.output)


def courses(printed: str) -> set[str]:
    return set(re.findall(r"courseId=\d+", printed))


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here to paste the calls to")
def test_the_printed_call_is_good_by_a_moved_clock_too(tmp_path: Path) -> None:
    moved = Process("--demo", "--sandbox", data=tmp_path)
    moved.advance(400 * DAY)
    moved.stop()

    again = Process("--demo", "--sandbox", data=tmp_path)
    answer = pasted(curls(again)[0])
    again.stop()
    plain = Process("--demo", data=tmp_path)
    answer_by_real_time = pasted(curls(plain)[0])
    plain.stop()

    assert answer["error_info"]["errno"] == 1
    assert answer_by_real_time["error_info"]["errno"] == 1


def test_it_shows_where_to_look(demo: Process) -> None:
    assert httpx.get(f"{demo.url}/healthz", trust_env=False).status_code == 200
    for page in re.findall(r"http\S+/(?:docs|healthz)", demo.output):
        assert page.startswith(demo.url)
    assert "/sandbox" not in demo.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_0_within_five_seconds(demo: Process, number: signal.Signals) -> None:
    partner = Partner(demo.url, demo.sid, demo.secret, SystemClock())
    assert partner.call("addCourse", courseName="Held open").errno == 1  # and keeps its connection
    began = time.monotonic()

    demo.process.send_signal(number)

    assert demo.process.wait(5) == 0
    assert time.monotonic() - began < 5
    partner.close()


def test_secrets_are_not_in_the_log(demo: Process) -> None:
    partner = Partner(demo.url, demo.sid, demo.secret, SystemClock())
    form = partner.signed(courseName="Course")
    assert partner.post("addCourse", data=form).errno == 1
    partner.close()
    demo.stop()

    assert '"action":"addCourse"' in demo.log
    assert demo.secret not in demo.log
    assert form["safeKey"] not in demo.log
    assert str(demo.token) not in demo.log


def test_a_second_server_on_the_data_is_refused(demo: Process) -> None:
    done = run("serve", "--port", "0", "--data", str(demo.data))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"homeroom: another server (pid {demo.process.pid}) works on {demo.data}\n"
    )


def test_a_killed_server_leaves_its_data_free(demo: Process) -> None:
    demo.kill()

    again = Process(data=demo.data)

    assert again.stop() == 0


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = run("serve", "--port", str(port), "--data", str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"homeroom: cannot listen at 127.0.0.1 port {port}: Address already in use"
    )


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"HOMEROOM_PORT": "eighty"}, "port: Expected int"),
        ({"HOMEROOM_PUBLIC_URL": "example.com"}, "public_url must begin with"),
        ({"HOMEROOM_CONFIG": "/none.toml"}, "/none.toml: No such file"),
    ],
)
def test_a_bad_setting_is_one_line(env: dict[str, str], said: str) -> None:
    done = run("serve", env=env)

    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_settings_come_from_the_environment_and_a_file(tmp_path: Path) -> None:
    file = tmp_path / "homeroom.toml"
    file.write_text("port = 1\nsandbox = true\n")
    env = {"HOMEROOM_CONFIG": str(file), "HOMEROOM_PORT": "0", "HOMEROOM_DEMO": "1"}

    running = Process(data=tmp_path / "data", env=env)
    sandbox = httpx.get(f"{running.url}/sandbox/clock", trust_env=False)
    running.stop()

    assert running.sid > 0
    assert sandbox.status_code == 200


def test_a_public_address_without_a_public_url_is_served_with_a_warning(tmp_path: Path) -> None:
    running = Process("--host", "0.0.0.0", "--sandbox", data=tmp_path)  # noqa: S104  that is the point
    running.stop()

    assert "warning: without --public-url" in running.log
    assert "needs the operator's token" in running.log
