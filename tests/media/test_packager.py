"""Fragmented MP4 made of packets: what ffmpeg finds in it, and what a player may count on."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeroom.media.engine import codecs
from homeroom.media.engine.boxes import BoxLocation, boxes, child
from homeroom.media.engine.fragments import TrackRun, read_runs, read_tracks
from homeroom.media.engine.init_segment import AUDIO_TRACK, VIDEO_TRACK
from homeroom.media.engine.packager import PART_TARGET_MS, MediaChunk, Packager
from homeroom.media.engine.packets import AUDIO, VIDEO, Packet, UnsupportedMediaError
from tests.support import ffmpeg, flv
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.flv import AVC_HEADER, headers, picture, sound

SHAPES: dict[str, dict[str, Any]] = {
    "usual": {},
    "b-frames at 29.97": {"rate": "30000/1001", "gop": 60, "b_frames": 3},
    "key frames 10 s apart": {"seconds": 12, "gop": 250},
    "sound only": {"video": False},
    "sound only, 48 kHz": {"video": False, "sound_rate": 48_000},
    "sound only, 22 kHz": {"video": False, "sound_rate": 22_050},
    "picture only": {"audio": False},
    "one picture a second": {"rate": "1", "gop": 2},
    "60 pictures a second": {"rate": "60", "gop": 60, "sound_rate": 48_000},
}
RATE = 44_100


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    return {
        name: ffmpeg.source(folder / f"{number}.flv", **{"seconds": 4, **facts})
        for number, (name, facts) in enumerate(SHAPES.items())
    }


def kinds(path: Path) -> list[str]:
    streams = ffmpeg.probe(path)["streams"]
    return [{"video": "v", "audio": "a"}[stream["codec_type"]] for stream in streams]


def moments(path: Path, kind: str) -> list[tuple[float, float, str]]:
    """Return when each packet is decoded and shown, in seconds, and whether it is a key frame."""
    found = ffmpeg.probe(path, "-select_streams", kind, "-show_packets")["packets"]
    return [(float(one["dts_time"]), float(one["pts_time"]), one["flags"][0]) for one in found]


def runs_of(chunk: MediaChunk) -> list[TrackRun]:
    moov = next(found for name, found in boxes(memoryview(chunk.init.data)) if name == b"moov")
    moof = child(memoryview(chunk.data), b"moof")
    place = BoxLocation(b"moof", 0, 8, len(moof) + 8)
    return list(read_runs(moof, place, read_tracks(moov)))


def runs_by_track(chunks: Iterable[MediaChunk]) -> dict[int, list[TrackRun]]:
    found: dict[int, list[TrackRun]] = {}
    for chunk in chunks:
        for run in runs_of(chunk):
            found.setdefault(run.track, []).append(run)
    return found


def decoded(chunks: Iterable[MediaChunk], track: int) -> list[int]:
    """Return when each frame of a track is decoded, in its ticks."""
    found = []
    for run in runs_by_track(chunks)[track]:
        at = run.begin
        for duration in run.durations:
            found.append(at)
            at += duration
    return found


@needs_ffmpeg
@pytest.mark.parametrize("shape", SHAPES)
def test_a_recording_has_the_payload_and_the_times_of_its_source(
    shape: str, sources: dict[str, Path], tmp_path: Path
) -> None:
    source = sources[shape]
    chunks = flv.packed(flv.read(source))
    path = flv.recorded(chunks, tmp_path / "recording.mp4")

    assert kinds(path) == sorted(kinds(source), reverse=True)
    assert ffmpeg.plays(path) == ""
    for kind in kinds(path):
        assert ffmpeg.payload(path, kind) == ffmpeg.payload(source, kind)
        before, after = moments(source, kind), moments(path, kind)
        # The FLV has milliseconds: pictures keep them, sound is put in line by its samples.
        apart = 0.0001 if kind == "v" else 0.0011
        assert [time for time, _, _ in after] == pytest.approx([t for t, _, _ in before], abs=apart)
        assert [time for _, time, _ in after] == pytest.approx([t for _, t, _ in before], abs=apart)
        assert [flag for _, _, flag in after] == [flag for _, _, flag in before]


@needs_ffmpeg
@pytest.mark.parametrize("shape", SHAPES)
def test_chunks_are_short_and_add_up_and_begin_with_key_frames(
    shape: str, sources: dict[str, Path]
) -> None:
    chunks = flv.packed(flv.read(sources[shape]))
    init = chunks[0].init
    total = 0
    for number, chunk in enumerate(chunks):
        assert chunk.init is init
        assert 0 < chunk.duration <= PART_TARGET_MS
        pictures = [run for run in runs_of(chunk) if run.track == VIDEO_TRACK]
        keys = [key for run in pictures for key in run.keys]
        assert not any(keys[1:]), "a key frame begins a chunk"
        assert chunk.is_independent == (keys[:1] == [True] or not init.has_video), number
        total += chunk.duration
    scales = {VIDEO_TRACK: 1000, AUDIO_TRACK: SHAPES[shape].get("sound_rate", RATE)}
    found = runs_by_track(chunks)
    ends = [1000 * each[-1].end / scales[track] for track, each in found.items()]
    first = next(packet.time for packet in flv.read(sources[shape]) if not packet.is_header)
    assert total == pytest.approx(max(ends) - first, abs=1)
    for each in found.values():
        for before, after in pairwise(each):
            assert after.begin == before.end


@needs_ffmpeg
def test_usual_rates_make_even_chunks(sources: dict[str, Path]) -> None:
    for shape in ("key frames 10 s apart", "60 pictures a second", "picture only"):
        durations = [chunk.duration for chunk in flv.packed(flv.read(sources[shape]))]
        uneven = [one for one in durations[1:-2] if not 199 <= one <= 201]
        assert len(uneven) <= 1, (shape, durations)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("size", "options", "codec"),
    [
        ("320x180", ("-profile:v", "baseline"), "avc1.42"),
        ("1920x1080", ("-profile:v", "high"), "avc1.64"),
        ("322x182", ("-pix_fmt", "yuv444p", "-profile:v", "high444"), "avc1.f4"),
        ("720x576", ("-flags", "+ildct+ilme", "-x264opts", "tff=1"), "avc1."),
        ("64x36", ("-profile:v", "high", "-x264opts", "cqm=jvt"), "avc1.64"),
    ],
)
def test_the_size_of_the_picture_is_read_from_its_header(
    size: str, options: tuple[str, ...], codec: str, tmp_path: Path
) -> None:
    path = tmp_path / "source.flv"
    inputs = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25")
    ffmpeg.run(
        *inputs, "-pix_fmt", "yuv420p", "-frames:v", "1", "-c:v", "libx264", *options, str(path)
    )

    init = flv.packed(flv.read(path))[0].init

    assert f"{init.width}x{init.height}" == size
    assert init.codecs.startswith(codec)


@pytest.mark.parametrize(
    ("config", "facts"),
    [
        ("1210", ("mp4a.40.2", 44_100, 2, 1024)),
        ("1188", ("mp4a.40.2", 48_000, 1, 1024)),
        ("1214", ("mp4a.40.2", 44_100, 2, 960)),
        ("2b920800", ("mp4a.40.5", 22_050, 2, 1024)),
        ("eb8a0800", ("mp4a.40.29", 22_050, 2, 1024)),
        ("17800fa010", ("mp4a.40.2", 8_000, 2, 1024)),
    ],
)
def test_the_sound_is_read_from_its_header(config: str, facts: tuple[str, int, int, int]) -> None:
    found = codecs.parse_audio_config(bytes.fromhex(config))
    assert (found.codec, found.rate, found.channels, found.frame) == facts


def test_a_header_that_cannot_be_read_is_refused_with_a_reason() -> None:
    packager = Packager(lambda _: None)
    for kind, body, reason in (
        (VIDEO, b"\x17\0\0\0\0\0\0\0\1\x67\x42", "no AVC configuration"),
        (VIDEO, AVC_HEADER[:20], "no AVC configuration"),
        (AUDIO, b"\xaf\0\xff", "no AAC configuration"),
        (AUDIO, b"\xaf\0\x17\x80\x00\x00\x10", "0 samples a second"),
    ):
        with pytest.raises(UnsupportedMediaError, match=reason):
            packager.add(Packet(kind, 0, body, is_header=True), 0)


def test_a_parameter_set_that_cannot_be_read_leaves_the_size_open() -> None:
    config = AVC_HEADER[5:]
    assert (codecs.parse_video_config(config).width, codecs.parse_video_config(config).height) == (
        320,
        180,
    )
    length = config[7]
    wrong = config[:12] + bytes(length - 4) + config[8 + length :]
    broken = codecs.parse_video_config(wrong)
    assert (broken.config, broken.width, broken.height) == (wrong, 0, 0)


def test_what_tracks_there_are_is_waited_for_and_nothing_is_lost() -> None:
    chunks: list[MediaChunk] = []
    packager = Packager(chunks.append)
    taken = [*headers(VIDEO), *(picture(time, key=time == 0) for time in range(0, 401, 40))]
    for packet in taken[:-1]:
        packager.add(packet, packet.time)
    assert chunks == [], "the sound may still come"
    packager.add(taken[-1], taken[-1].time)
    assert [chunk.duration for chunk in chunks] == [200, 200]
    packager.end()
    assert decoded(chunks, VIDEO_TRACK) == list(range(0, 401, 40))
    assert chunks[0].init.codecs.startswith("avc1.42c00c")


def test_metadata_saves_the_wait() -> None:
    chunks: list[MediaChunk] = []
    packager = Packager(chunks.append)
    packager.hint(audio=False, video=True)
    for packet in [*headers(VIDEO), *(picture(time, key=time == 0) for time in range(0, 201, 40))]:
        packager.add(packet, packet.time)
    assert [chunk.duration for chunk in chunks] == [200]


def test_sound_before_the_first_picture_is_kept_and_pictures_before_a_key_frame_are_not() -> None:
    taken = [*headers(AUDIO, VIDEO), *(sound(time) for time in range(0, 600, 23))]
    taken += [picture(time) for time in (0, 40, 80)] + [picture(600, key=True), picture(640)]
    chunks = flv.packed(taken)

    assert decoded(chunks, VIDEO_TRACK) == [600, 640]
    assert len(decoded(chunks, AUDIO_TRACK)) == len(range(0, 600, 23))
    assert [chunk.is_independent for chunk in chunks] == [False, False, False, True]
    assert all(chunk.init is chunks[0].init for chunk in chunks)


def test_a_track_that_comes_late_begins_another_init() -> None:
    pictures = [picture(time, key=time % 1000 == 0) for time in range(0, 2000, 40)]
    late = [*headers(AUDIO), *(sound(time) for time in range(1000, 2000, 23))]
    taken = [*headers(VIDEO), *sorted([*pictures, *late], key=lambda packet: packet.time)]
    # The header's own time is 0, as many publishers send it; it comes when the sound does.
    taken.remove(late[0])
    taken.insert(taken.index(late[1]), late[0])
    chunks = flv.packed(taken)

    inits = list(dict.fromkeys(chunk.init.codecs for chunk in chunks))
    assert inits == ["avc1.42c00c", "avc1.42c00c,mp4a.40.2"]
    assert len({id(chunk.init) for chunk in chunks}) == 2
    assert decoded(chunks, VIDEO_TRACK) == [packet.time for packet in pictures]
    assert len(decoded(chunks, AUDIO_TRACK)) == len(late) - 1


@needs_ffmpeg
def test_a_change_of_the_picture_in_mid_stream_begins_another_init(tmp_path: Path) -> None:
    halves = [
        ffmpeg.source(tmp_path / "before.flv", seconds=2),
        ffmpeg.source(tmp_path / "after.flv", seconds=2, size="640x360"),
    ]
    taken = []
    for number, half in enumerate(halves):
        for packet in flv.read(half):
            packet.time += 2050 * number
            taken.append(packet)
            if packet.is_header:
                # Many publishers repeat their headers; the same again changes nothing.
                taken.append(packet)
    chunks = flv.packed(taken)

    inits = list(dict.fromkeys(chunk.init for chunk in chunks))
    assert [(init.width, init.height) for init in inits] == [(320, 180), (640, 360)]
    for number, (init, half) in enumerate(zip(inits, halves, strict=True)):
        own = [chunk for chunk in chunks if chunk.init is init]
        path = flv.recorded(own, tmp_path / f"{number}.mp4")
        assert ffmpeg.plays(path) == ""
        assert ffmpeg.payload(path, "v") == ffmpeg.payload(half, "v")
        assert ffmpeg.payload(path, "a") == ffmpeg.payload(half, "a")


def test_decoding_times_grow_and_pictures_stay_where_they_were() -> None:
    times = [0, 40, 40, 30, 120, 120, 160]
    taken = [*headers(VIDEO), picture(0, key=True, later=80)]
    taken += [picture(time, later=80) for time in times[1:]]
    chunks = flv.packed(taken)

    at = decoded(chunks, VIDEO_TRACK)
    later = [one for run in runs_by_track(chunks)[VIDEO_TRACK] for one in run.compositions]
    assert at == sorted(set(at))
    assert [time + more for time, more in zip(at, later, strict=True)] == [t + 80 for t in times]


def test_sound_that_jitters_is_put_in_line_and_sound_that_jumps_is_not() -> None:
    jitter = (0, 12, -9, 20, -20)
    times = [number * 1024 * 1000 // RATE + jitter[number % 5] for number in range(40)]
    after = [times[-1] + 500 + number * 1024 * 1000 // RATE for number in range(10)]
    chunks = flv.packed([*headers(AUDIO), *map(sound, [*times, *after])])

    at = decoded(chunks, AUDIO_TRACK)
    assert at[:40] == [1024 * number for number in range(40)]
    assert at[40] == after[0] * RATE // 1000
    assert at[40:] == [at[40] + 1024 * number for number in range(10)]
    assert sum(chunk.duration for chunk in chunks) == (at[-1] + 1024) * 1000 // RATE


def test_the_last_sound_before_a_gap_is_in_its_own_chunk() -> None:
    """A recording that begins in the gap would begin with it, an hour too early."""
    pictures = [picture(time, key=time % 1000 == 0) for time in range(0, 9000, 40)]
    sounds = [sound(time) for time in [*range(0, 2000, 23), *range(7000, 9000, 23)]]
    taken = sorted([*pictures, *sounds], key=lambda packet: packet.time)
    chunks = flv.packed([*headers(VIDEO, AUDIO), *taken])

    assert len(decoded(chunks, AUDIO_TRACK)) == len(sounds)
    for chunk in chunks:
        begins = {
            run.track: run.begin * 1000 / (RATE if run.track == AUDIO_TRACK else 1000)
            for run in runs_of(chunk)
        }
        if len(begins) == 2:
            assert abs(begins[AUDIO_TRACK] - begins[VIDEO_TRACK]) < 2000
        assert max(sum(run.durations) for run in runs_of(chunk)) < RATE
    total = sum(chunk.duration for chunk in chunks)
    assert total == pytest.approx(9000, abs=40)


def test_sound_does_not_wait_for_slow_pictures() -> None:
    chunks: list[MediaChunk] = []
    packager = Packager(chunks.append)
    for packet in [*headers(VIDEO, AUDIO), picture(0, key=True)]:
        packager.add(packet, 0)
    for number in range(200):
        time = number * 1024 * 1000 // RATE
        packager.add(sound(time), time)
        packed = sum(chunk.duration for chunk in chunks)
        assert time - packed <= PART_TARGET_MS


def test_a_clock_that_stands_still_does_not_fill_the_memory() -> None:
    chunks: list[MediaChunk] = []
    packager = Packager(chunks.append)
    for packet in headers(VIDEO, AUDIO):
        packager.add(packet, 0)
    sent = packed = 0
    for number in range(40):
        packet = picture(0, key=number == 0, size=1_000_000)
        packager.add(packet, 0)
        sent += 1_000_000
        packed = sum(len(chunk.data) for chunk in chunks)
        assert sent - packed < 7_000_000


PACKETS = st.one_of(
    st.builds(
        picture,
        st.integers(0, 2**33),
        key=st.booleans(),
        later=st.integers(-(2**23), 2**23 - 1),
        size=st.integers(1, 100),
    ),
    st.builds(sound, st.integers(0, 2**33)),
    st.sampled_from(headers(VIDEO, AUDIO)),
    st.builds(
        lambda kind, body: Packet(kind, 0, body, is_header=True),
        st.sampled_from([AUDIO, VIDEO]),
        st.binary(min_size=3, max_size=40).map(lambda tail: b"\x17\0\0\0\0\1" + tail),
    ),
)


@settings(max_examples=300)
@given(st.lists(PACKETS, max_size=60))
def test_whatever_comes_the_worst_is_a_refusal(taken: list[Packet]) -> None:
    chunks: list[MediaChunk] = []
    packager = Packager(chunks.append)
    for packet in headers(VIDEO, AUDIO) + taken:
        try:
            packager.add(packet, packet.time)
        except UnsupportedMediaError:
            assert packet.is_header
    packager.end()
    assert all(chunk.duration >= 0 for chunk in chunks)
    for chunk in chunks:
        for run in runs_of(chunk):
            assert run.offset + sum(run.sizes) <= len(chunk.data)
