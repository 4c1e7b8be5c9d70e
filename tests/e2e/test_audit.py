"""An attack on a server process, and what an operator did to it, read from log and audit trail."""

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.engine import until
from tests.support.process import Process, run

pytestmark = pytest.mark.e2e
EXTERNAL: Final = {
    "HOMEROOM_MEDIA": "external",
    "HOMEROOM_RTMP_URL": "rtmp://127.0.0.1",
    "HOMEROOM_MEDIA_URL": "http://127.0.0.1:1",
}
"""Classes have pages and streams, and no media engine starts."""


def read(server: Process, path: str) -> list[dict[str, Any]]:
    """Return the rows of a list of the read-back."""
    answer = httpx.get(
        f"{server.url}/admin/v1/{path}", headers={"authorization": f"Bearer {server.token}"}
    )
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def test_an_attack_leaves_traces(tmp_path: Path) -> None:
    """Case S6: the whole input, and a line for each kind."""
    server = Process("--demo", "--sandbox", data=tmp_path / "data", env=EXTERNAL)
    try:
        live_url = next(filter(None, (row["live_url"] for row in read(server, "classes"))))
        key = parse_qs(urlsplit(live_url).query)["lessonKey"][0]
        form = {"account": "13900000001", "password": "wrong12"}
        login = f"{server.url}/class/{key}/login"
        origin = {"origin": server.url}
        for _ in range(12):
            httpx.post(login, json=form, headers=origin, timeout=30)
        for _ in range(20):
            wrong = {"authorization": "Bearer wrong"}
            assert httpx.get(f"{server.url}/admin/v1/students", headers=wrong).status_code == 401
        httpx.post(f"{server.url}/sandbox/clock", json={"advance": 60}).raise_for_status()
        server.cli("user", "cancel", str(read(server, "students")[0]["uid"]))

        def events() -> set[str]:
            lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
            return {line["message"] for line in lines if line["logger"] == "homeroom.security"}

        wanted = {"login_failed", "login_throttled", "token_refused", "sandbox_changed"}
        until(lambda: {*wanted, "token_used", "operator_command"} <= events())
        entries = json.loads(server.cli("audit", "list", "--json"))
        assert [entry["act"] for entry in entries] == ["serve", "user cancel"]
        assert entries[0]["arguments"]["sandbox"] is True
    finally:
        server.stop()


def test_a_migration_leaves_an_entry(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path)]
    assert run("migrate", *place).returncode == 0
    assert run("migrate", *place).returncode == 0
    entries = json.loads(run("audit", "list", "--json", *place).stdout)
    assert [entry["act"] for entry in entries] == ["migrate"]
