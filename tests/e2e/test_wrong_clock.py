"""A server that starts with a wrong clock deletes nothing, and says so; an operator decides.

Case O13. The clock of a process is that of the machine, so the moment that the last server wrote is
moved instead: only their distance counts.
"""

import json
from pathlib import Path

import httpx
import pytest

from homeroom.base.clock import DAY, HOUR
from homeroom.base.settings import Settings
from tests.support.clocks import make_old_class, write_moment
from tests.support.engine import until
from tests.support.process import Process, run, typed

pytestmark = pytest.mark.e2e


def start(data: Path) -> Process:
    return Process(data=data, env={"HOMEROOM_MEDIA": "none"})


def is_metric_of_sweeps(server: Process, value: int) -> bool:
    """Return whether the metric of paused sweeps has a value."""
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    return f"\nhomeroom_sweeps_paused {value}.0\n" in text


def test_a_start_with_a_wrong_clock_deletes_nothing(tmp_path: Path) -> None:
    """Case O13: 400 days after the last write, then accepted; what went can be restored."""
    settings, place = Settings(data=tmp_path), ("--data", str(tmp_path))
    lesson, file = make_old_class(settings, days=400)
    write_moment(settings, 400 * DAY)

    def list_clips() -> list[dict[str, object]]:
        rows: list[dict[str, object]] = json.loads(
            typed("clip", "list", str(lesson), "--json", *place)
        )
        return rows

    server = start(tmp_path)
    try:
        ready = httpx.get(f"{server.url}/readyz", trust_env=False)
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "400 days after the last write" in ready.json()["reasons"][0]
        until(lambda: "sweeps_paused" in server.log)
        doctor = {row["check"]: row for row in json.loads(run("doctor", "--json", *place).stdout)}
        assert doctor["clock"]["state"] == "warn"
        assert "400 days after the last write" in doctor["server"]["said"]
        assert [row["deleted"] for row in list_clips()] == [None]
        assert is_metric_of_sweeps(server, 1)

        server.cli("clock", "accept")

        until(lambda: list_clips()[0]["deleted"] is not None)
        assert is_metric_of_sweeps(server, 0)
        until(lambda: '"sort": "clips"' in server.log or '"sort":"clips"' in server.log)
        assert file.exists()
        ready = httpx.get(f"{server.url}/readyz", trust_env=False)
        assert ready.json() == {"status": "ready", "reasons": []}
        server.cli("clip", "restore", "--swept-since", "2026-01-01")
        assert [row["deleted"] for row in list_clips()] == [None]
    finally:
        server.stop()
    assert file.exists()


def test_a_start_before_the_last_write_warns_and_sweeps(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    make_old_class(settings, days=400)
    write_moment(settings, -2 * HOUR)
    server = start(tmp_path)
    try:
        ready = httpx.get(f"{server.url}/readyz", trust_env=False)
        assert ready.json()["status"] == "degraded"
        assert "before the last write" in ready.json()["reasons"][0]
        until(lambda: "sweep_deleted" in server.log)
    finally:
        server.stop()
