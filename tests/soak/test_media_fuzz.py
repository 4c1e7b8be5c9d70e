"""Eighty thousand malformed inputs at the engine's listeners; 20,000 hooks are in `interfaces`."""

import pytest

from tests.soak.media_fuzz import MOST_GROWTH, running_fuzz
from tests.support.ffmpeg import needs_ffmpeg

pytestmark = [pytest.mark.soak, needs_ffmpeg]
SEED = 1
PEERS = 80_000


def test_80000_malformed_peers_disturb_nobody() -> None:
    with running_fuzz() as fuzz:
        warm, most = fuzz.run(PEERS, SEED)
        fuzz.finish()
    print(f"{PEERS} inputs: {dict(fuzz.ends)}")  # noqa: T201  what -s is for
    print(f"memory {warm / 1e6:.0f} MB once warm, {most / 1e6:.0f} MB at the end")  # noqa: T201  the person who runs the soak reads it
    assert most - warm < MOST_GROWTH
