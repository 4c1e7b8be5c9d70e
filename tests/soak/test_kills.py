"""`kill -9` under load: everything acknowledged is there afterwards, and nothing half done."""

from pathlib import Path

import pytest

from tests.soak.kills import Kills

SEED = 5


@pytest.mark.e2e
def test_nothing_acknowledged_is_lost_in_20_kills(tmp_path: Path) -> None:
    survive(tmp_path, 20)


@pytest.mark.soak
def test_nothing_acknowledged_is_lost_in_200_kills(tmp_path: Path) -> None:
    survive(tmp_path, 200)


def survive(folder: Path, rounds: int) -> None:
    kills = Kills(folder, SEED)
    try:
        for _ in range(rounds):
            kills.round()
    finally:
        kills.server.kill()
    print(f"{rounds} kills, {kills.acknowledged} acknowledged calls")  # noqa: T201  what -s is for
