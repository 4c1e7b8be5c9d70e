"""Tracks that stop, pause, come late or never: the other one goes on for viewers."""

from itertools import pairwise
from pathlib import Path

import pytest

from homeroom.media.engine.codecs import parse_audio_config
from homeroom.media.engine.gap_filler import MAX_PICTURE_MS, MISSING_MS
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO, Packet
from homeroom.media.engine.silence import LAYOUTS, encode_silence
from tests.support import ffmpeg
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.flv_source import FlvSource, Tag, encode, plain
from tests.support.published import Published, publish

pytestmark = needs_ffmpeg

FRAME_MS = 1024 * 1000 / 44_100


def holes(published: Published, kind: int) -> int:
    """Return the longest time without a frame of a track, in ms."""
    times = [packet.time for packet in published.frames(kind)]
    return max(after - before for before, after in pairwise(times))


def span(packets: list[Packet]) -> tuple[int, int]:
    """Return the first and the last time."""
    times = [packet.time for packet in packets]
    return min(times), max(times)


def check_record(published: Published, source: FlvSource, path: Path) -> None:
    """Check that the recording has the frames of the source and no other."""
    recording = published.write_recording(path)
    for kind, name in ((AUDIO, "a"), (VIDEO, "v")):
        hashes = [packet.digest for packet in ffmpeg.packets(recording, name)]
        assert hashes == source.hashes(kind)


def check_plays(published: Published, folder: Path) -> None:
    """Check that a player of FLV and one of HLS decode all of it."""
    for path in (
        published.write_flv(folder / "viewer.flv"),
        published.write_hls(folder / "viewer.mp4"),
    ):
        ffmpeg.run(
            *("-xerror", "-i", str(path), "-fps_mode", "passthrough"),
            *(
                "-map",
                "0:v",
                "-f",
                "rawvideo",
                "/dev/null",
                "-map",
                "0:a",
                "-f",
                "s16le",
                "/dev/null",
            ),
        )


SOUND_GAPS: dict[str, list[tuple[int, int]]] = {
    "stops": [(4_000, 9_000)],
    "pauses": [(2_000, 5_000)],
    "pauses often": [(1_000, 2_500), (3_000, 4_500), (5_000, 6_500)],
    "comes late": [(0, 3_000)],
    "never comes": [(0, 9_000)],
}


@pytest.mark.parametrize("name", SOUND_GAPS)
def test_sound_that_is_missing_does_not_hold_the_picture_up(name: str, tmp_path: Path) -> None:
    """Cases M2: silence takes its place for viewers, and not in the recording."""
    source = plain()
    for since, until in SOUND_GAPS[name]:
        source = source.drop(AUDIO, since, until)
    (published,) = publish(source)

    assert len(published.frames(VIDEO)) == 200
    assert holes(published, AUDIO) <= FRAME_MS + 20
    first, last = span(published.frames(AUDIO))
    assert (first, last) == pytest.approx(span(published.frames(VIDEO)), abs=60)
    sounds = {packet.body for packet in published.frames(AUDIO)}
    assert {tag.body for tag in source.frames(AUDIO)} <= sounds
    assert len({chunk.init for chunk in published.listed}) == 1
    check_plays(published, tmp_path)
    if source.frames(AUDIO):
        check_record(published, source, tmp_path / "recording.mp4")


def test_silence_is_there_a_second_after_the_sound() -> None:
    """Nobody waits longer, and who joins meanwhile gets both tracks."""
    source = plain().drop(AUDIO, 4_000)
    (published,) = publish(source)

    seen: dict[int, int] = {AUDIO: 0, VIDEO: 0}
    for packet in published.packets:
        seen[packet.kind] = max(seen.get(packet.kind, 0), packet.time)
        assert seen[VIDEO] - seen[AUDIO] <= MISSING_MS + 120 or not seen[AUDIO]
    for opening, tag in zip(published.openings, source.tags, strict=True):
        if tag.due > 5_500:
            assert {packet.kind for packet in opening if not packet.is_header} >= {
                AUDIO,
                VIDEO,
            } or (opening[-1].is_keyframe)


PICTURE_GAPS = {
    "stops": [(4_000, 9_000)],
    "pauses": [(2_000, 5_000)],
    "pauses twice": [(1_480, 2_700), (4_000, 6_300)],
}


@pytest.mark.parametrize("gop", [25, 250])
@pytest.mark.parametrize("name", PICTURE_GAPS)
def test_a_picture_that_is_missing_does_not_hold_the_sound_up(
    name: str, gop: int, tmp_path: Path
) -> None:
    """Its last key frame is repeated; then it goes on at once, also without a key frame."""
    source = encode(gop=gop)
    for since, until in PICTURE_GAPS[name]:
        source = source.drop(VIDEO, since, until)
    (published,) = publish(source)

    assert len(published.frames(AUDIO)) == 346
    assert holes(published, VIDEO) <= MISSING_MS + MAX_PICTURE_MS
    times = [packet.time for packet in published.frames(VIDEO)]
    assert times == sorted(set(times))
    assert span(published.frames(VIDEO))[1] >= span(published.frames(AUDIO))[1] - 500
    real = {tag.payload for tag in source.frames(VIDEO)}
    assert real <= {packet.body[5:] for packet in published.frames(VIDEO)}
    check_plays(published, tmp_path)
    check_record(published, source, tmp_path / "recording.mp4")


def test_who_joins_while_the_picture_is_missing_starts_with_its_last_key_frame() -> None:
    source = plain().drop(VIDEO, 4_000)
    (published,) = publish(source)
    for opening, tag in zip(published.openings, source.tags, strict=True):
        if tag.due > 5_200:
            frames = [each for each in opening if each.kind != SCRIPT and not each.is_header]
            assert frames[0].is_keyframe
            assert frames[0].time >= tag.due - MAX_PICTURE_MS


def test_a_picture_that_never_comes_is_not_promised() -> None:
    """Its header alone must not keep the sound from viewers; HLS does not promise it either."""
    (published,) = publish(plain().drop(VIDEO))
    assert published.file_header[4] == 4
    assert published.openings[-1]
    assert {chunk.init.codecs for chunk in published.listed} == {"mp4a.40.2"}


def test_a_picture_that_comes_late_begins_with_its_header() -> None:
    source = plain().drop(VIDEO, 0, 3_000)
    (published,) = publish(source)
    assert [chunk.init.has_video for chunk in published.listed] == sorted(
        chunk.init.has_video for chunk in published.listed
    )
    assert published.listed[-1].init.has_video
    first = next(at for at, each in enumerate(published.packets) if each.is_keyframe)
    assert published.packets[first - 1].is_header
    assert published.packets[first - 1].kind == VIDEO
    assert len(published.frames(VIDEO)) == len(source.frames(VIDEO))
    assert len({chunk.init for chunk in published.recorded}) == 1


@pytest.mark.parametrize(("kind", "flags"), [(AUDIO, 1), (VIDEO, 4)])
def test_a_track_that_was_never_announced_is_not_filled(kind: int, flags: int) -> None:
    for source in (
        plain().without(kind),
        plain().without(kind).with_metadata(videocodecid=7, audiocodecid=10),
    ):
        (published,) = publish(source)
        assert published.frames(kind) == []
        assert published.file_header[4] == flags
        assert all(chunk.init.has_video == (kind == AUDIO) for chunk in published.listed)
        assert all(bool(chunk.init.sound) == (kind == VIDEO) for chunk in published.listed)


@pytest.mark.parametrize(("rate", "gop"), [("1", 4), ("2", 4), ("1/2", 2), ("8", 8)])
def test_slow_pictures_are_not_missing(rate: str, gop: int) -> None:
    source = encode(rate=rate, gop=gop, seconds=12)
    (published,) = publish(source)
    assert len(published.frames(VIDEO)) == len(source.frames(VIDEO))
    assert len(published.frames(AUDIO)) == len(source.frames(AUDIO))


def test_nothing_is_made_up_while_the_publisher_is_silent() -> None:
    for pause in (1_500, 2_800, 20_000):
        source = (
            plain().drop(None, 4_000, 4_000 + pause)
            if pause < 4_000
            else plain().delay(None, pause, 4_000)
        )
        (published,) = publish(source)
        assert len(published.frames(VIDEO)) == len(source.frames(VIDEO))
        assert len(published.frames(AUDIO)) == len(source.frames(AUDIO))


def test_a_silent_stretch_that_ends_with_the_other_track_fills_nothing_twice() -> None:
    """First the sound stops, then the picture too; both come back."""
    source = plain().drop(AUDIO, 2_000, 7_000).drop(VIDEO, 4_000, 6_500)
    (published,) = publish(source)
    assert len(published.frames(VIDEO)) == len(source.frames(VIDEO))
    times = [packet.time for packet in published.frames(AUDIO)]
    assert all(after - before >= FRAME_MS / 2 for before, after in pairwise(times))


def test_a_track_that_follows_the_other_one_is_where_it_ended() -> None:
    """First only the picture, then only the sound: the fillers are never ahead of either."""
    source = plain().delay(AUDIO, 9_000, 450)
    (published,) = publish(source)
    latest = dict.fromkeys((AUDIO, VIDEO), 2_000)
    for packet in published.packets:
        if packet.kind in latest:
            latest[packet.kind] = max(latest[packet.kind], packet.time)
            assert abs(latest[AUDIO] - latest[VIDEO]) <= MISSING_MS + MAX_PICTURE_MS
    assert latest[AUDIO] > 2_000 + 15_000


@pytest.mark.parametrize("apart", [1_500, -1_500])
def test_tracks_that_are_apart_are_not_missing(apart: int, tmp_path: Path) -> None:
    source = plain().shift(AUDIO, apart)
    (published,) = publish(source)
    assert len(published.frames(VIDEO)) == 200
    assert len(published.frames(AUDIO)) == 346
    check_record(published, source, tmp_path / "recording.mp4")


SOUNDS = {
    **{f"{layout}": bytes((0x12, layout << 3)) for layout in LAYOUTS},
    "HE-AAC": bytes.fromhex("2b920800"),
    "HE-AAC v2": bytes.fromhex("eb8a0800"),
    "48 kHz": bytes.fromhex("1190"),
    "8 kHz": bytes.fromhex("1590"),
}


@pytest.mark.parametrize("name", SOUNDS)
def test_silence_decodes_to_silence(name: str, tmp_path: Path) -> None:
    config = SOUNDS[name]
    silence = encode_silence(parse_audio_config(config))
    assert silence is not None
    tags = [Tag(AUDIO, 0, b"\xaf\0" + config, 0)]
    tags += [Tag(AUDIO, 23 * n, b"\xaf\1" + silence, 23 * n) for n in range(20)]
    path = FlvSource(tuple(tags)).write(tmp_path / "silence.flv")
    assert ffmpeg.plays(path) == ""
    samples = ffmpeg.run("-i", str(path), "-f", "s16le", "-")
    assert len(samples) > 20 * 1024
    assert not any(samples)


def test_a_sound_without_a_simple_frame_is_not_filled() -> None:
    for config in ("1200", "b9080000"):
        assert encode_silence(parse_audio_config(bytes.fromhex(config))) is None
