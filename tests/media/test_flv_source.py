"""The tests own a source and a pusher: they do what they promise, and the engine takes it whole."""

from pathlib import Path

import pytest

from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO
from tests.support import ffmpeg
from tests.support.engine import running_engine
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.flv_push import push
from tests.support.flv_source import FlvSource, encode, plain, read_source

pytestmark = needs_ffmpeg


FIRST = 23
"""The first picture; sound begins one frame of AAC earlier."""


def times(source: FlvSource, kind: int) -> list[int]:
    return [tag.time for tag in source.frames(kind)]


def test_the_plain_stream_is_what_its_name_says(tmp_path: Path) -> None:
    source = plain()
    assert times(source, VIDEO) == list(range(FIRST, FIRST + 8000, 40))
    assert len(source.frames(AUDIO)) == 346
    keys = [tag.time for tag in source.frames(VIDEO) if tag.has_idr]
    assert keys == list(range(FIRST, FIRST + 8000, 1000))
    assert keys == [tag.time for tag in source.frames(VIDEO) if tag.is_key]
    path = source.write(tmp_path / "plain.flv")
    assert read_source(path.read_bytes()) == source
    assert ffmpeg.plays(path) == ""
    for kind, name in ((VIDEO, "v"), (AUDIO, "a")):
        assert [one.digest for one in ffmpeg.packets(path, name)] == source.hashes(kind)


def test_an_open_gop_has_one_idr() -> None:
    frames = encode(seconds=4, b_frames=2, is_open=True).frames(VIDEO)
    assert sum(tag.is_key for tag in frames) == 4
    assert [tag.has_idr for tag in frames] == [True, *[False] * 99]


def test_edits_change_what_they_name_and_nothing_else() -> None:
    source = plain()
    shifted = source.shift(VIDEO, 5000, since=4000)
    assert times(shifted, VIDEO) == [time + 5000 * (time >= 4000) for time in times(source, VIDEO)]
    assert [tag.due for tag in shifted.tags] == [tag.due for tag in source.tags]
    late = source.delay(AUDIO, 3000)
    assert times(late, AUDIO)[0] == times(source, AUDIO)[0] + 3000
    assert [tag.due for tag in late.tags] == sorted(tag.due for tag in late.tags)
    gap = source.drop(AUDIO, since=2000, until=5000)
    assert not [time for time in times(gap, AUDIO) if 2000 <= time < 5000]
    assert gap.hashes(VIDEO) == source.hashes(VIDEO)
    silent = source.without(AUDIO)
    assert not [tag for tag in silent.tags if tag.kind == AUDIO]
    assert b"audiocodecid" not in silent.tags[0].body
    far = source.with_composition(7_200_000, since=1000, until=1040)  # one frame
    assert [tag.body[2:5] != b"\0\0\0" for tag in far.frames(VIDEO)].count(True) == 1
    no_keys = source.with_keys(lambda _tag: False)
    assert not any(tag.is_key for tag in no_keys.tags)
    assert no_keys.hashes(VIDEO) == source.hashes(VIDEO)
    assert [tag.kind for tag in source.with_metadata().tags].count(SCRIPT) == 0


@pytest.mark.parametrize("chunk_bytes", [128, 4096])
def test_what_is_pushed_is_in_the_clip(tmp_path: Path, chunk_bytes: int) -> None:
    source = plain()
    with running_engine(tmp_path) as engine:
        ended = push(source, f"{engine.rtmp}/s", chunk_bytes=chunk_bytes)
        assert ended.refusal is None
        assert len(ended.sent) == len(source.tags)
        hook = engine.hooks.wait("on_dvr")
    clip = Path(hook["file"])
    assert hook["duration"] == pytest.approx(8034, abs=50)
    for kind, name in ((VIDEO, "v"), (AUDIO, "a")):
        assert [one.digest for one in ffmpeg.packets(clip, name)] == source.hashes(kind)
    steps = {round(one.duration) for one in ffmpeg.packets(clip, "v")}
    assert steps == {40}
