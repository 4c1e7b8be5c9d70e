"""Malformed input at both listeners of the engine, while a class goes on."""

import pytest

from tests.soak.media_fuzz import MOST_GROWTH, running_fuzz
from tests.support.ffmpeg import needs_ffmpeg

pytestmark = [pytest.mark.e2e, needs_ffmpeg]
SEED = 0
PEERS = 1_600
"""With the hooks in `interfaces`, two thousand inputs."""


def test_1600_malformed_peers_disturb_nobody() -> None:
    with running_fuzz() as fuzz:
        warm, most = fuzz.run(PEERS, SEED)
        assert most - warm < MOST_GROWTH
        assert fuzz.ends["recorded"] > PEERS // 20, "too little of it is taken for a push"
        fuzz.finish()
