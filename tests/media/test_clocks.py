"""Publishers whose clocks are apart, jump or say absurd things: what becomes of their clips."""

from itertools import pairwise
from pathlib import Path

import pytest

from homeroom.media.engine.flatten import flatten
from homeroom.media.engine.packets import AUDIO, VIDEO
from tests.support import ffmpeg
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.flv_source import FlvSource, plain
from tests.support.published import publish

pytestmark = needs_ffmpeg

PICTURE_MS, SOUND_MS = 8_000, 8_034
SOURCES = {
    "picture 5 s ahead (case M1)": (plain().shift(VIDEO, 5_000), SOUND_MS),
    "sound 20 s ahead (case M1)": (plain().shift(AUDIO, 20_000), SOUND_MS),
    "sound 2 h behind": (plain().shift(VIDEO, 7_200_000), SOUND_MS),
    "picture 1.5 s ahead": (plain().shift(VIDEO, 1_500), 9_500),
    "sound 1.2 s ahead": (plain().shift(AUDIO, 1_200), 9_234),
    "both 8 s ahead in the middle (case M11)": (plain().shift(None, 8_000, 4_000), SOUND_MS),
    "both 60 s ahead": (plain().shift(None, 60_000, 3_010), SOUND_MS),
    "both back to 0": (plain().shift(None, -4_000, 4_000), SOUND_MS),
    "sound alone 8 s ahead": (plain().shift(AUDIO, 8_000, 4_000), SOUND_MS),
    "picture alone 1 s back": (plain().shift(VIDEO, -1_000, 4_000), SOUND_MS),
    "one composition time of 2 h (case M6)": (
        plain().with_composition(7_200_000, 1_200, 1_240),
        SOUND_MS,
    ),
    "composition times of minus a minute": (plain().with_composition(-60_000, 2_000), SOUND_MS),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_clip_is_as_long_as_what_was_published(name: str, tmp_path: Path) -> None:
    source, milliseconds = SOURCES[name]
    (published,) = publish(source)
    raw, path = published.write_recording(tmp_path / "raw.mp4"), tmp_path / "flat.mp4"
    assert sum(chunk.duration for chunk in published.recorded) == pytest.approx(
        milliseconds, abs=50
    )
    assert flatten(raw, path).duration == pytest.approx(milliseconds, abs=50)
    check_frames(source, path)
    for packets in (published.frames(VIDEO), published.frames(AUDIO)):
        assert max(b.time - a.time for a, b in pairwise(packets)) <= 2 * 40


def check_frames(source: FlvSource, path: Path) -> None:
    """Check payload and distances of all frames."""
    for kind, name, step, total in ((VIDEO, "v", 40, PICTURE_MS), (AUDIO, "a", 23.2, SOUND_MS)):
        packets = ffmpeg.packets(path, name)
        assert [packet.digest for packet in packets] == source.hashes(kind)
        times = [packet.at for packet in packets]
        assert times[-1] - times[0] + step == pytest.approx(total, abs=50)
        assert max(b - a for a, b in pairwise(times)) <= step + 41
