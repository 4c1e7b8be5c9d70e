"""`kill -9` of engine, server and publishers, five times: every recording is there afterwards."""

from pathlib import Path

import pytest

from tests.soak.media_kills import survive
from tests.support.ffmpeg import needs_ffmpeg

SEED = 7


@pytest.mark.e2e
@needs_ffmpeg
def test_no_recording_is_lost_in_5_kills(tmp_path: Path) -> None:
    survive(tmp_path, SEED, times=1, kills_at_once=5)
