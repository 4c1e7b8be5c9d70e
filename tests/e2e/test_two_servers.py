"""Two servers on one PostgreSQL: what each does about the streams of the other."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.support import ffmpeg
from tests.support.engine import until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.postgres import Postgres
from tests.support.process import Process
from tests.support.school import School

pytestmark = pytest.mark.e2e


class Servers:
    """The servers of one database, and what ends them all."""

    def __init__(self, database: str, key_file: Path) -> None:
        self.database = database
        self.key_file = key_file
        self.running = ExitStack()

    def start(self, *options: str, data: Path, env: dict[str, str] | None = None) -> Process:
        """Start another one; all share a key file."""
        server = Process(
            "--sandbox",
            *options,
            data=data,
            database=self.database,
            env=env,
            key_file=self.key_file,
        )
        self.running.callback(server.kill)
        return server


@pytest.fixture
def servers(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    all_of_them = Servers(postgres.fresh(), tmp_path_factory.mktemp("key") / "shared.key")
    with all_of_them.running:
        yield all_of_them
    ffmpeg.end_all()


def ready(server: Process) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/readyz", trust_env=False, timeout=10)
    body: dict[str, Any] = answer.json()
    return body


@needs_ffmpeg
def test_a_push_at_one_is_left_alone_by_the_other(servers: Servers, tmp_path: Path) -> None:
    first = servers.start("--demo", data=tmp_path / "first")
    second = servers.start(data=tmp_path / "second")
    first.wait_until_ready()
    second.wait_until_ready()
    school = School(first)
    servers.running.callback(school.close)
    lesson = school.add().data
    # Long enough for the second to have looked a few times, which it does every second.
    source = ffmpeg.source(tmp_path / "source.flv", seconds=8)

    publisher = ffmpeg.push(source, school.stream(lesson)["push_url"])

    assert publisher.complaints() == ""
    until(lambda: school.clips(lesson))
    assert len(school.clips(lesson)) == 1
    with psycopg.connect(servers.database) as database:
        query = "SELECT ended_at - started_at FROM pushes WHERE lesson_id = %s"
        (length,) = database.execute(query, (lesson,)).fetchone() or [0]
    assert length >= 6
    assert "push_revoked" not in first.log + second.log


def test_one_that_shares_the_folder_says_what_to_do(servers: Servers, tmp_path: Path) -> None:
    first = servers.start(data=tmp_path)
    first.wait_until_ready()
    second = servers.start(data=tmp_path)

    (reason,) = ready(second)["reasons"]

    assert "is to have media=external or media=none" in reason
    cause = reason.partition("another media engine")[2]
    until(lambda: cause in second.log)
    assert second.log.count(cause) == 1


def test_one_that_shares_the_folder_asks_the_engine_of_the_other(
    servers: Servers, tmp_path: Path
) -> None:
    first = servers.start(data=tmp_path)
    first.wait_until_ready()
    rtmp, http = (address.removesuffix("/live") for address in first.pull_urls)
    external = {
        "HOMEROOM_MEDIA": "external",
        "HOMEROOM_RTMP_URL": rtmp,
        "HOMEROOM_MEDIA_URL": http,
        "HOMEROOM_MEDIA_API": http,
    }
    second = servers.start(data=tmp_path, env=external)

    def is_up() -> bool:
        text = httpx.get(f"{second.url}/metrics", trust_env=False).text
        return "\nhomeroom_media_up 1" in text

    until(is_up)
    assert ready(second)["status"] == "ready"
    assert urlsplit(second.push_url).port == urlsplit(first.push_url).port
