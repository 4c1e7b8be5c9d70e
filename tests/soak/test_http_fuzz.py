"""Every HTTP address under requests of every sort: no failure, no hang, no growth of memory."""

import asyncio
import os
import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.soak.http_fuzz import run_fuzz
from tests.soak.http_requests import Endpoint, Subject, list_endpoints
from tests.support.process import Process
from tests.support.serving import running_house

SEED: Final = 3
SHORT: Final = 3_000
REQUESTS: Final = int(os.environ.get("HOMEROOM_SOAK_REQUESTS", "100000"))
"""Requests of the long test, half of them with the sandbox."""
MAX_GROWTH: Final = 1.10
MAX_SECONDS: Final = 1.0
"""A response may take this long on an idle machine."""


@pytest.mark.e2e
def test_3000_requests_of_every_sort_do_no_harm(tmp_path: Path) -> None:
    fuzz(tmp_path, SHORT, "--sandbox", max_seconds=20)


@pytest.mark.soak
@pytest.mark.parametrize("options", [("--sandbox",), ()], ids=["sandbox", "no sandbox"])
def test_many_requests_of_every_sort_do_no_harm(tmp_path: Path, options: tuple[str, ...]) -> None:
    warm, last = fuzz(tmp_path, REQUESTS // 2, *options, max_seconds=MAX_SECONDS)
    assert last < warm * MAX_GROWTH


def fuzz(folder: Path, requests: int, *options: str, max_seconds: float) -> list[int]:
    """Send requests to a new server; return its memory once warm and at the end, in bytes."""
    with running_house(folder / "routes", None, "sqlite", sandbox="--sandbox" in options) as house:
        endpoints = list_endpoints(house)
    server = Process(
        "--demo", *options, data=folder / "data", env={"HOMEROOM_LOG_LEVEL": "warning"}
    )
    try:
        server.wait_until_ready()
        result = asyncio.run(run_fuzz(prepare(server, endpoints), requests, SEED, max_seconds))
        assert not result.faults, result.faults
        assert server.process.poll() is None
        with httpx.Client(trust_env=False) as client:
            assert client.get(f"{server.url}/healthz").text == "ok\n"
    finally:
        server.stop()
    assert "Traceback" not in server.log, server.log[-5_000:]
    print(  # noqa: T201  the person who runs the soak reads it
        f"{requests} requests {' '.join(options)}: {dict(sorted(result.statuses.items()))},"
        f" slowest {result.slowest_seconds:.2f} s: {result.slowest_request[:100]!r},"
        f" memory {[size // 10**6 for size in result.memory]} MB"
    )
    return result.memory


def prepare(server: Process, endpoints: list[Endpoint]) -> Subject:
    """Read from a demo school the names that requests may use."""
    token = str(server.token)
    with httpx.Client(
        base_url=server.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as client:

        def read(path: str) -> list[dict[str, Any]]:
            response = client.get(f"/admin/v1/{path}")
            response.raise_for_status()
            rows: list[dict[str, Any]] = response.json()["data"]
            return rows

        classes = read("classes")
        clips = [clip for row in classes for clip in read(f"classes/{row['classId']}/clips")]
    keys = [str(row["live_url"]).rpartition("=")[2] for row in classes if row["live_url"]]
    teach = re.findall(r"/teach/(\w+)", server.output)
    names = {
        "key": keys,
        "lessonKey": keys,
        "token": teach,
        "classId": [str(row["classId"]) for row in classes],
        "fileId": [str(row["fileId"]) for row in clips],
        "action": ["addCourse", "addCourseClass", "register", "nothing"],
        "name": ["page.css", "live.js", "htmx.js", "../secret", "%2e%2e/secret"],
        "lang": ["en", "zh"],
        "SID": [str(server.sid)],
        "sid": [str(server.sid), "1"],
        "limit": ["1", "100", "1000000"],
    }
    return Subject(server, endpoints, server.sid, server.secret, token, names)
