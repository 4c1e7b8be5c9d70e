"""`kill -9` under load: everything acknowledged is there afterwards, and nothing half done."""

import os
from pathlib import Path
from typing import Final

import pytest

from tests.soak.kills import Kills
from tests.support.postgres import Postgres

SEED: Final = 5
KILLS: Final = int(os.environ.get("HOMEROOM_SOAK_KILLS", "200"))
"""Kills of the long tests, on each engine."""


@pytest.mark.e2e
def test_nothing_acknowledged_is_lost_in_6_kills(tmp_path: Path) -> None:
    survive(tmp_path, 6)


@pytest.mark.soak
def test_nothing_acknowledged_is_lost_in_many_kills(tmp_path: Path) -> None:
    survive(tmp_path, KILLS)


@pytest.mark.e2e
def test_nothing_acknowledged_is_lost_in_5_kills_on_postgresql(
    tmp_path: Path, postgres: Postgres
) -> None:
    survive(tmp_path, 5, postgres.fresh())


@pytest.mark.soak
def test_nothing_acknowledged_is_lost_in_many_kills_on_postgresql(
    tmp_path: Path, postgres: Postgres
) -> None:
    survive(tmp_path, KILLS, postgres.fresh())


def survive(folder: Path, rounds: int, database: str | None = None) -> None:
    kills = Kills(folder, SEED, database)
    try:
        for number in range(1, rounds + 1):
            kills.round()
            if number % 100 == 0 or number == rounds:
                print(kills.describe(number))  # noqa: T201  what -s is for
    finally:
        kills.server.kill()
