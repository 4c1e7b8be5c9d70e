"""A signed call and the probes beside load without credentials: as quick as before, nearly."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from homeroom.base.clock import SystemClock
from tests.soak.http_fuzz import resident_bytes
from tests.support.process import Process
from tests.support.wire import Partner

pytestmark = pytest.mark.soak

ROOT: Final = Path(__file__).parents[2]
CALLS: Final = 300
SETTLE_SECONDS: Final = 3
MAX_RATIO: Final = 2.0
MIN_LIMIT_SECONDS: Final = 0.01
"""A call of one millisecond may take ten: below that, the scheduler decides."""
MAX_GROWTH_BYTES: Final = 100_000_000
MAX_PROBE_SECONDS: Final = 0.1


@pytest.mark.parametrize("kind", ["hostile", "uploads", "slow"])
def test_others_do_not_notice_an_attack(tmp_path: Path, kind: str) -> None:
    server = Process("--demo", data=tmp_path, env={"HOMEROOM_LOG_LEVEL": "warning"})
    try:
        server.wait_until_ready()
        with Partner(server.url, server.sid, server.secret, SystemClock()) as api:
            measure(api)
            idle, memory = measure(api), resident_bytes(server)
            with attacking(server, kind):
                time.sleep(SETTLE_SECONDS)
                busy, probes = (
                    measure(api),
                    [measure_probe(server, name) for name in ("healthz", "readyz")],
                )
                growth = resident_bytes(server) - memory
    finally:
        server.kill()
    print(  # noqa: T201  the person who runs the soak reads it
        f"{kind}: p95 of a signed call {idle * 1000:.1f} ms idle, {busy * 1000:.1f} ms attacked;"
        f" healthz and readyz {[round(one * 1000, 1) for one in probes]} ms; {growth / 1e6:+.0f} MB"
    )
    assert busy < max(idle * MAX_RATIO, MIN_LIMIT_SECONDS)
    assert growth < MAX_GROWTH_BYTES
    assert max(probes) < MAX_PROBE_SECONDS


@contextmanager
def attacking(server: Process, kind: str) -> Iterator[None]:
    address = urlsplit(server.url)
    command = [sys.executable, "-m", "tests.soak.attacks", kind]
    attacker = subprocess.Popen([*command, str(address.hostname), str(address.port)], cwd=ROOT)
    try:
        yield
        assert attacker.poll() is None
    finally:
        attacker.kill()
        attacker.wait()


def measure(api: Partner) -> float:
    """Return the 95th percentile of the seconds that a signed call takes."""

    def call() -> None:
        assert api.call("addCourse", courseName="measured").errno == 1

    return percentile(call)


def measure_probe(server: Process, name: str) -> float:
    with httpx.Client(trust_env=False) as client:
        return percentile(lambda: client.get(f"{server.url}/{name}").raise_for_status())


def percentile(call: Callable[[], object]) -> float:
    seconds = []
    for _ in range(CALLS):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[CALLS * 95 // 100]
