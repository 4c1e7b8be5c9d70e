"""Servers on one PostgreSQL with data folders of their own: a deletion erases the file.

Case O16.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.support.engine import until
from tests.support.postgres import Postgres
from tests.support.process import Process, run
from tests.support.school import SandboxClock, School
from tests.support.wire import Partner

pytestmark = pytest.mark.e2e

MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(4096)


class Servers:
    """Two data folders of one database, and a class whose clip is in the first."""

    def __init__(self, database: str, folder: Path, running: ExitStack) -> None:
        self.database = database
        self.folder = folder
        self.running = running
        self.first = self.start("first", "--demo")
        self.second = self.start("second")
        self.school = School(self.first)
        running.callback(self.school.close)
        self.lesson = int(self.school.add(hours=1).data)
        self.first.advance(2 * 3600)
        self.second.advance(2 * 3600)

    def start(self, name: str, *options: str) -> Process:
        server = Process(
            "--sandbox",
            *options,
            data=self.folder / name,
            database=self.database,
            env={"HOMEROOM_MEDIA": "none"},
            key_file=self.folder / "shared.key",
        )
        self.running.callback(server.kill)
        return server

    def add_clip(self) -> dict[str, Any]:
        source = self.folder / "film.mp4"
        source.write_bytes(MP4)
        text = self.first.cli("clip", "add", str(self.lesson), str(source), "--json")
        clip: dict[str, Any] = json.loads(text)
        return clip

    def files(self, name: str) -> list[str]:
        return [file.name for file in (self.folder / name / "clips").rglob("*.mp4")]

    def delete_at_second(self) -> int:
        clock = SandboxClock(self.second.url)
        api = Partner(self.second.url, self.first.sid, self.first.secret, clock)
        self.running.callback(api.close)
        return api.call("deleteClassVideo", classId=self.lesson).errno

    def count_jobs(self) -> int:
        with psycopg.connect(self.database) as database:
            (count,) = database.execute("SELECT count(*) FROM jobs").fetchone() or (0,)
        return int(count)

    def doctor(self, server: Process) -> dict[str, dict[str, str]]:
        done = run("doctor", "--json", *server.where, env=server.env)
        return {row["check"]: row for row in json.loads(done.stdout)}


@pytest.fixture
def servers(postgres: Postgres, tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as running:
        yield Servers(postgres.fresh(), tmp_path, running)


def test_a_file_is_erased_by_the_server_that_has_it(servers: Servers) -> None:
    """Case O16: deleted at a second server, the file of the first goes; its server was down."""
    clip = servers.add_clip()
    assert servers.files("first") == [f"{clip['fileId']}.mp4"]
    rows = json.loads(servers.second.cli("clip", "list", str(servers.lesson), "--json"))
    absent = httpx.get(rows[0]["url"], trust_env=False)
    assert absent.status_code == httpx.codes.NOT_FOUND
    assert "is with another server" in absent.json()["detail"]
    servers.first.stop()

    assert servers.delete_at_second() == 1

    assert servers.count_jobs() == 1
    assert servers.files("first") != []
    waiting = servers.doctor(servers.second)["storages"]
    assert waiting["state"] == "warn"
    assert f"1 for {clip['storage']} " in waiting["said"]
    assert str(servers.folder / "first") in waiting["said"]
    assert servers.doctor(servers.second)["jobs"]["said"] == "0 wait, none fails"
    metrics = httpx.get(f"{servers.second.url}/metrics", trust_env=False).text
    assert "homeroom_jobs_oldest_due_seconds 0.0" in metrics

    servers.start("first")
    until(lambda: not servers.files("first") and servers.count_jobs() == 0)


def test_a_storage_that_is_gone_for_good_is_forgotten(servers: Servers) -> None:
    """Its jobs end, and files that were moved to another folder are found there."""
    clip = servers.add_clip()
    servers.first.stop()
    assert servers.delete_at_second() == 1
    refused = run("storage", "forget", clip["storage"], *servers.second.where)
    assert refused.returncode == 1
    assert "stop it, and wait ten minutes" in refused.stderr
    servers.second.advance(600)
    moved = servers.folder / "second" / clip["path"]
    moved.parent.mkdir(parents=True)
    (servers.folder / "first" / clip["path"]).rename(moved)

    text = servers.second.cli("storage", "forget", clip["storage"], "--json")

    assert json.loads(text)["jobs"] == 1
    until(lambda: not servers.files("second") and servers.count_jobs() == 0)
    (left,) = json.loads(servers.second.cli("storage", "list", "--json"))
    assert (left["here"], left["jobs"]) == (True, 0)
