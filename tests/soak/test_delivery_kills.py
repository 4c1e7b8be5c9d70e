"""Messages of two servers that are killed and stopped: none is lost, none comes too late."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.soak.delivery_kills import DeliveryKills
from tests.support.postgres import Postgres


@pytest.mark.e2e
def test_no_message_is_lost_by_a_kill(postgres: Postgres, tmp_path: Path) -> None:
    counts = DeliveryKills(tmp_path, postgres.fresh(), seed=1).run(400, 1, with_stop=False)

    assert (counts.lost, counts.misordered) == (0, 0), str(counts)


@pytest.mark.soak
def test_no_message_is_lost_by_fifty_kills(
    postgres: Postgres, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    counts = DeliveryKills(tmp_path, postgres.fresh(), seed=2).run(100_000, 50, with_stop=True)
    record_property("messages under kills", (["result"], [str(counts)]))

    assert (counts.lost, counts.misordered) == (0, 0), str(counts)
