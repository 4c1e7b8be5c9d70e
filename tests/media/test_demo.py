"""The sample clip of the demo class, and how it goes round."""

import asyncio
from itertools import islice, pairwise
from pathlib import Path

import pytest

from homeroom.base.mp4 import read_duration_ms
from homeroom.media.demo import SAMPLE, LoopingClip, push_clip, write_recording
from homeroom.media.engine.packets import AUDIO, VIDEO, Packet
from tests.support import ffmpeg
from tests.support.engine import running_engine

MOST = 900_000


def gaps(packets: list[Packet], kind: int) -> set[int]:
    """Return the milliseconds between each packet of a kind and the next."""
    times = [one.time for one in packets if one.kind == kind]
    return {later - earlier for earlier, later in pairwise(times)}


def test_its_times_go_on_without_a_jump() -> None:
    clip = LoopingClip.read(SAMPLE)
    turns = list(islice(clip.loop_packets(), 2, 2 + 3 * len(clip.frames)))

    assert clip.length_ms == 24_000
    assert turns[-1].time > 2 * clip.length_ms
    assert gaps(turns, VIDEO) == {40}
    assert gaps(turns, AUDIO) == {21, 22}
    assert all(one.time <= after.time for one, after in pairwise(turns))


def test_its_headers_are_sent_once_and_each_turn_begins_with_a_key_frame() -> None:
    clip = LoopingClip.read(SAMPLE)
    sent = list(islice(clip.loop_packets(), 2 + 2 * len(clip.frames)))

    assert [one.kind for one in sent if one.is_header] == [VIDEO, AUDIO]
    assert [one.is_header for one in sent[:2]] == [True, True]
    first, again = sent[2], sent[2 + len(clip.frames)]
    assert (first.is_keyframe, again.is_keyframe) == (True, True)
    assert (again.body, again.time) == (first.body, clip.length_ms)


@ffmpeg.needs_ffmpeg
def test_every_player_can_show_it_at_once_and_it_is_small() -> None:
    picture, sound = ffmpeg.probe(SAMPLE)["streams"]

    assert (picture["codec_name"], picture["profile"]) == ("h264", "Main")
    assert (picture["width"], picture["height"], picture["has_b_frames"]) == (1280, 720, 0)
    assert (sound["codec_name"], sound["sample_rate"]) == ("aac", "48000")
    keys = [one.time for one in LoopingClip.read(SAMPLE).frames if one.is_keyframe]
    assert keys == list(range(0, 24_000, 1000))
    assert SAMPLE.stat().st_size < MOST


@ffmpeg.needs_ffmpeg
def test_it_is_pushed_round_and_round_at_its_own_pace(tmp_path: Path) -> None:
    clip = LoopingClip.read(ffmpeg.source(tmp_path / "short.flv", seconds=0.6))

    async def push_for(seconds: float, url: str) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await push_clip(clip, url)

    with running_engine(tmp_path / "engine") as engine:
        asyncio.run(push_for(2.5, f"{engine.rtmp}/name"))
        engine.hooks.wait("on_dvr")
    (recording,) = (tmp_path / "engine" / "recordings").rglob("*.mp4")

    assert clip.length_ms == 600
    assert 2 * 0.6 < float(ffmpeg.probe(recording)["format"]["duration"]) < 2.6


def test_it_is_recorded_as_a_flat_mp4(tmp_path: Path) -> None:
    recording = tmp_path / "recording.mp4"
    write_recording(SAMPLE, recording)

    with recording.open("rb") as file:
        assert read_duration_ms(file) == 24_000
    content = recording.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b"moof" not in content
    assert list(tmp_path.iterdir()) == [recording]
