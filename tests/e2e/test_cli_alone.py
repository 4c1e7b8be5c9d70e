"""The commands of an operator while no server runs."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.postgres import Postgres
from tests.support.process import run

pytestmark = pytest.mark.e2e


def test_the_commands_work_without_a_server_too(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "new")]

    made = json.loads(run("school", "create", "--name", "First", "--json", *data).stdout)
    changed = run("school", "set", str(made["sid"]), "max_labels=3", *data)
    healthy = run("doctor", "--json", *data)

    assert re.search(r"^max_labels +3$", changed.stdout, re.MULTILINE)
    assert healthy.returncode == 0
    assert {check["state"] for check in json.loads(healthy.stdout)} == {"ok"}
    assert run("school", "list", *data).stdout.splitlines()[1].split()[:2] == ["1000001", "First"]


def test_a_folder_without_a_database_is_not_filled_by_a_slip(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"

    done = run("school", "list", "--data", str(nowhere))

    assert done.returncode == 1
    assert "has no database" in done.stderr
    assert not nowhere.exists()
    assert run("doctor", "--data", str(nowhere)).returncode == 1


def test_two_commands_may_make_the_same_database_at_once(tmp_path: Path) -> None:
    def create(number: int) -> int:
        name = ["--name", f"School {number}"]
        return run("school", "create", *name, "--data", str(tmp_path)).returncode

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(create, range(4))) == [0] * 4
    assert len(json.loads(run("school", "list", "--json", "--data", str(tmp_path)).stdout)) == 4


def test_the_commands_work_on_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    where = ["--database", postgres.fresh(), "--data", str(tmp_path)]

    made = json.loads(run("school", "create", "--name", "First", "--json", *where).stdout)
    healthy = run("doctor", "--json", *where)

    assert json.loads(run("user", "show", "1", "--json", *where).stdout)["posts"] == [
        {"sid": made["sid"], "post": "school account"}
    ]
    assert healthy.returncode == 0, healthy
    assert run("migrate", *where).stdout == "The tables are current.\n"


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    started = time.monotonic()

    done = run(
        *("school", "list", "--data", str(tmp_path)),
        *("--database", "postgresql://postgres@127.0.0.1:1/none"),
    )

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Connection refused" in done.stderr
    assert time.monotonic() - started < 20
