"""The commands of the README and of docs/start, run as they stand there."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support import ffmpeg
from tests.support.process import PLAIN, Process

ROOT: Final = Path(__file__).parents[2]
ADDRESS: Final = "127.0.0.1:8080"
SECONDS: Final = 120
# What `make` is asked for is started by other tests, or is this test run: it must only exist.
MADE: Final = re.compile(r"make (\w+)\n")
SERVES: Final = '$(BIN)/homeroom serve --demo --sandbox --data "$(DATA)" $(ARGS)'
# A page that starts a server must not leave it behind when a command of it fails.
AT_THE_END: Final = "trap 'kill $(jobs -p) 2>/dev/null || :' EXIT"

# Each page and the errnos that its calls of the partner API answer, in order.
PAGES: Final = {
    "README.md": [1, 104],
    "README.zh.md": [1],
    "docs/start/first-class.md": [1, 398],
}

pytestmark = pytest.mark.e2e


def commands(page: str) -> list[str]:
    """Return the blocks of shell commands on a page."""
    return re.findall(r"^```sh\n(.+?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)


def run(script: str, **settings: str) -> str:
    """Run commands in one shell, as a user pastes them, and return what they print."""
    pages_own_path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", f"{AT_THE_END}\n{script}"],
        cwd=ROOT,
        env={**PLAIN, "PATH": pages_own_path, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    """Give each page that counts on `make run`."""
    return str(request.param)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Process]:
    """Run what `make run` runs, on a free port and in another folder."""
    assert SERVES in (ROOT / "Makefile").read_text()
    running = Process("--demo", "--sandbox", data=tmp_path / "data")
    yield running
    running.stop()


def test_the_commands_of_a_page_do_what_it_says(page: str, demo: Process) -> None:
    if ffmpeg.missing and any("ffmpeg " in block for block in commands(page)):
        pytest.skip("there is no ffmpeg on this machine")
    makefile = (ROOT / "Makefile").read_text()
    typed = []
    for block in commands(page):
        if made := MADE.fullmatch(block):
            assert f"\n{made[1]}: " in makefile
        else:
            typed.append(block)
    said = run(
        "\n".join(typed).replace(ADDRESS, demo.url.removeprefix("http://")),
        HOMEROOM_DATA=str(demo.data),
    )
    assert [int(errno) for errno in re.findall(r'"error_info":\{"errno":(\d+)', said)] == PAGES[
        page
    ]


def test_the_call_that_the_demo_prints_creates_a_class(demo: Process) -> None:
    found = re.search(r"^ *(curl (?:.*\\\n)*.*)$", demo.output, re.MULTILINE)
    assert found is not None, demo.output
    said = run(found[1])
    assert '"errno":1,' in said
    assert re.search(r'"data":\d+', said)


def test_the_commands_of_ci_do_what_they_say(tmp_path: Path) -> None:
    port = free_port()
    script = "\n".join(commands("docs/start/ci.md"))
    said = run(
        script.replace(ADDRESS, f"127.0.0.1:{port}").replace("--port 8080", f"--port {port}"),
        TMPDIR=str(tmp_path),
        HOMEROOM_RTMP_PORT="0",
        HOMEROOM_MEDIA_PORT="0",
    )
    assert '"to":"demo"' in said
    assert '"requests":[' in said


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
