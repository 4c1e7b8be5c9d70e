"""A minute of 720p through a class: pushed, pulled by all three addresses at once, recorded."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ffmpeg
from tests.support.engine import until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.school import School, serving_school

pytestmark = [pytest.mark.soak, pytest.mark.e2e, needs_ffmpeg]
SECONDS = 60


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with serving_school(tmp_path / "data") as school:
        yield school
        ffmpeg.end_all()


def test_a_minute_of_720p(school: School, tmp_path: Path) -> None:
    source = ffmpeg.source(tmp_path / "source.flv", seconds=SECONDS, size="1280x720")
    added = school.add()
    publisher = ffmpeg.push(source, school.stream(added.data)["push_url"])
    players = {
        kind: subprocess.Popen(
            (
                *(ffmpeg.FFMPEG, "-nostdin", "-v", "error", "-i", address),
                *("-t", str(SECONDS - 10), "-c", "copy", str(tmp_path / f"{kind}.mkv")),
            ),
            stderr=subprocess.PIPE,
        )
        for kind, address in added.body["more_data"]["live_info"].items()
    }
    for kind, player in players.items():
        _, said = player.communicate(timeout=2 * SECONDS)
        assert (player.returncode, said) == (0, b""), kind
        pulled = tmp_path / f"{kind}.mkv"
        assert ffmpeg.plays(pulled) == "", kind
        # Frame by frame what was pushed: nothing is missing, nothing twice, nothing changed.
        for track in ("v", "a"):
            pushed, got = ffmpeg.frames(source, track), ffmpeg.frames(pulled, track)
            begin = pushed.index(got[0])
            assert len(got) > 10
            assert got == pushed[begin : begin + len(got)], (kind, track)
    assert not publisher.complaints()
    until(lambda: [clip for clip in school.clips(added.data) if clip["isFinished"]])
    (clip,) = school.clips(added.data)
    path = next((school.server.data / "clips").rglob(f"{clip['fileId']}.mp4"))
    assert ffmpeg.payload(path, "v") == ffmpeg.payload(source, "v")
    assert ffmpeg.payload(path, "a") == ffmpeg.payload(source, "a")
    lasted = float(ffmpeg.probe(path)["format"]["duration"])
    assert lasted == pytest.approx(float(ffmpeg.probe(source)["format"]["duration"]), abs=0.04)
    assert clip["durationMs"] == pytest.approx(1000 * lasted, abs=40)
