"""Recordings afterwards: cut off ones are mended, all are made flat, and no frame is touched."""

import hashlib
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeroom.media.engine import tables
from homeroom.media.engine.boxes import MalformedMP4Error, locate_boxes
from homeroom.media.engine.flatten import EXIT_MALFORMED, FlatFile, flatten
from homeroom.media.engine.packager import MediaChunk
from homeroom.media.engine.packets import AUDIO, VIDEO
from homeroom.media.engine.repair import repair
from tests.support import ffmpeg, flv
from tests.support.ffmpeg import needs_ffmpeg

pytestmark = needs_ffmpeg
SHAPES: dict[str, dict[str, Any]] = {
    "usual": {},
    "b-frames at 29.97": {"rate": "30000/1001", "gop": 60, "b_frames": 3},
    "key frames 10 s apart": {"seconds": 12, "gop": 250, "sound_rate": 48_000},
    "sound only": {"video": False},
    "picture only": {"audio": False},
}
FRAGMENTED = "empty_moov+frag_keyframe"
SEED = 4
SMALL = [
    *flv.headers(VIDEO, AUDIO),
    *(flv.picture(at, key=not at) for at in range(0, 800, 40)),
    *(flv.sound(at) for at in range(0, 800, 23)),
]
"""Hardly any payload, so that damage mostly hits what describes it."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    return {
        name: ffmpeg.source(folder / f"{number}.flv", **{"seconds": 4, **facts})
        for number, (name, facts) in enumerate(SHAPES.items())
    }


@pytest.fixture(scope="module")
def chunks(sources: dict[str, Path]) -> list[MediaChunk]:
    return flv.packed(flv.read(sources["b-frames at 29.97"]))


def names(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return [place.name for place in locate_boxes(file.fileno())]


def starts(path: Path) -> dict[str, float]:
    """Return when each kind of stream begins to be shown, in seconds."""
    streams = ffmpeg.probe(path)["streams"]
    return {stream["codec_type"]: float(stream["start_time"]) for stream in streams}


def check_facts(flat: FlatFile, path: Path) -> None:
    assert flat.size == path.stat().st_size
    assert flat.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert flat.duration == pytest.approx(
        1000 * float(ffmpeg.probe(path)["format"]["duration"]), abs=1
    )


def check_payload(path: Path, source: Path) -> None:
    """Compare NAL units and parameter sets, and the bytes of AAC, with those of the source."""
    assert ffmpeg.plays(path) == ""
    for stream in ffmpeg.probe(source)["streams"]:
        kind = stream["codec_type"][0]
        assert ffmpeg.payload(path, kind) == ffmpeg.payload(source, kind)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_recording_becomes_flat_and_stays_what_it_was(
    shape: str, sources: dict[str, Path], tmp_path: Path
) -> None:
    source, path = sources[shape], tmp_path / "flat.mp4"
    taken = list(flv.read(source))
    recording = flv.recorded(flv.packed(taken), tmp_path / "recording.mp4")

    flat = flatten(recording, path)

    assert flat.changed
    assert names(path) == [b"ftyp", b"moov", b"mdat"]
    check_facts(flat, path)
    check_payload(path, source)
    first, last = taken[0].time, max(packet.time for packet in taken)
    frame = 1000 / 25 if SHAPES[shape].get("video", True) else 1024_000 / 44_100
    shown_late = 1000 * (max(starts(source).values()) - min(starts(source).values()))
    assert flat.duration == pytest.approx(last - first + frame, abs=frame + shown_late)
    # Both tell when streams begin; the flat file's own clock begins with the first of them.
    before, after = starts(source), starts(path)
    assert min(after.values()) == 0
    for kind, start in after.items():
        assert start == pytest.approx(before[kind] - min(before.values()), abs=0.001)


def test_a_recording_that_begins_in_mid_stream_begins_at_zero(
    chunks: list[MediaChunk], tmp_path: Path
) -> None:
    keys = [number for number, chunk in enumerate(chunks) if chunk.is_independent]
    assert keys[1] > 5
    rest = chunks[keys[1] :]
    recording = flv.recorded(rest, tmp_path / "recording.mp4")
    flat = flatten(recording, tmp_path / "flat.mp4")

    assert ffmpeg.plays(tmp_path / "flat.mp4") == ""
    assert min(starts(tmp_path / "flat.mp4").values()) == 0
    assert flat.duration == pytest.approx(sum(chunk.duration for chunk in rest), abs=100)
    for kind in ("v", "a"):
        assert ffmpeg.payload(tmp_path / "flat.mp4", kind) == ffmpeg.payload(recording, kind)


def test_what_is_missing_in_the_middle_stays_a_gap(
    chunks: list[MediaChunk], tmp_path: Path
) -> None:
    keys = [number for number, chunk in enumerate(chunks) if chunk.is_independent]
    kept = [*chunks[:3], *chunks[keys[1] :]]
    flat = flatten(flv.recorded(kept, tmp_path / "recording.mp4"), tmp_path / "flat.mp4")
    whole = flatten(flv.recorded(chunks, tmp_path / "whole.mp4"), tmp_path / "whole.flat.mp4")

    assert flat.duration == whole.duration
    assert ffmpeg.plays(tmp_path / "flat.mp4") == ""


@pytest.mark.parametrize("flags", [FRAGMENTED, f"{FRAGMENTED}+default_base_moof"])
def test_fragments_of_others_become_flat(
    flags: str, sources: dict[str, Path], tmp_path: Path
) -> None:
    for shape in ("usual", "b-frames at 29.97"):
        source = sources[shape]
        other = tmp_path / "other.mp4"
        ffmpeg.run("-i", str(source), "-c", "copy", "-movflags", flags, str(other))
        flat = flatten(other, tmp_path / "flat.mp4")

        assert flat.changed
        check_facts(flat, tmp_path / "flat.mp4")
        check_payload(tmp_path / "flat.mp4", source)


@pytest.mark.parametrize("is_wide", [False, True])
def test_a_flat_file_gets_its_description_in_front(
    *, is_wide: bool, sources: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_wide:
        monkeypatch.setattr("homeroom.media.engine.flatten.WIDE_OFFSET_BYTES", 0)
    other, path = tmp_path / "other.mp4", tmp_path / "flat.mp4"
    ffmpeg.run("-i", str(sources["usual"]), "-c", "copy", str(other))
    assert names(other)[-1] == b"moov"

    flat = flatten(other, path)

    assert flat.changed
    assert names(path)[:2] == [b"ftyp", b"moov"]
    assert (b"co64" in path.read_bytes()) == is_wide
    check_facts(flat, path)
    check_payload(path, sources["usual"])
    again = flatten(path, tmp_path / "again.mp4")
    assert again == msgspec.structs.replace(flat, changed=False)
    assert (tmp_path / "again.mp4").read_bytes() == path.read_bytes()


def test_a_recording_too_long_for_four_bytes_gets_eight(
    sources: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("homeroom.media.engine.flatten.WIDE_OFFSET_BYTES", 0)
    source = sources["usual"]
    recording = flv.recorded(flv.packed(flv.read(source)), tmp_path / "recording.mp4")
    flat = flatten(recording, tmp_path / "flat.mp4")

    assert b"co64" in (tmp_path / "flat.mp4").read_bytes()
    check_facts(flat, tmp_path / "flat.mp4")
    check_payload(tmp_path / "flat.mp4", source)


def test_the_command_says_what_it_made_or_why_not(chunks: list[MediaChunk], tmp_path: Path) -> None:
    def run(source: Path, target: str = "flat.mp4") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "homeroom.media.engine.flatten"]
        return subprocess.run(
            [*command, source, tmp_path / target], capture_output=True, text=True, check=False
        )

    done = run(flv.recorded(chunks, tmp_path / "recording.mp4"))
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    check_facts(msgspec.json.decode(done.stdout, type=FlatFile), tmp_path / "flat.mp4")

    (tmp_path / "text").write_text("not a film")
    for source, code, reason in (("text", EXIT_MALFORMED, "no moov"), ("none", 1, "No such file")):
        failed = run(tmp_path / source, "other.mp4")
        assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (code, "", 1)
        assert reason in failed.stderr
        assert not (tmp_path / "other.mp4").exists()

    kept = (tmp_path / "flat.mp4").read_bytes()
    assert run(tmp_path / "text").returncode == 1
    assert (tmp_path / "flat.mp4").read_bytes() == kept, "it was there before"


def test_a_recording_cut_anywhere_is_mended(chunks: list[MediaChunk], tmp_path: Path) -> None:
    whole = flv.recorded(chunks, tmp_path / "whole.mp4").read_bytes()
    ends = [len(chunks[0].init.data)]
    for chunk in chunks:
        ends.append(ends[-1] + len(chunk.data))
    draw = random.Random(SEED)
    cuts = {0, 7, ends[0], ends[1] - 1, ends[1], ends[-1] - 1, ends[-1]}
    cuts |= {draw.randrange(len(whole)) for _ in range(300)}
    for cut in sorted(cuts):
        path = tmp_path / "cut.mp4"
        path.write_bytes(whole[:cut])
        duration = repair(path)
        kept = sum(end <= cut for end in ends[1:])
        if not kept:
            assert duration is None
            assert path.stat().st_size == cut
            continue
        assert path.stat().st_size == ends[kept]
        expected = sum(chunk.duration for chunk in chunks[:kept])
        # Sound may go on for some frames after the last picture that is decoded, or the reverse.
        assert duration == pytest.approx(expected, abs=100)
        assert repair(path) == duration, "nothing is left to do"


def test_a_mended_recording_plays_and_becomes_flat(
    chunks: list[MediaChunk], tmp_path: Path
) -> None:
    whole = flv.recorded(chunks, tmp_path / "whole.mp4").read_bytes()
    draw = random.Random(SEED)
    first = len(chunks[0].init.data) + len(chunks[0].data)
    for cut in (draw.randrange(first, len(whole)) for _ in range(8)):
        path = tmp_path / "cut.mp4"
        path.write_bytes(whole[:cut])
        mended = repair(path)
        assert mended is not None
        assert ffmpeg.plays(path) == ""
        flat = flatten(path, tmp_path / "flat.mp4")
        assert ffmpeg.plays(tmp_path / "flat.mp4") == ""
        # Where B-frames are cut off, the picture they lead up to is there already.
        assert flat.duration == pytest.approx(mended, abs=170)


def test_what_follows_a_hole_of_zeros_is_cut_off(chunks: list[MediaChunk], tmp_path: Path) -> None:
    path = flv.recorded(chunks[:5], tmp_path / "recording.mp4")
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(bytes(10_000))
    assert repair(path) is not None
    assert path.stat().st_size == size


@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_file_is_refused_and_nothing_worse(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "damaged.mp4"
    damaged = bytearray(flv.recorded(flv.packed(SMALL), path).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(damaged) - 4))
        damaged[place : place + 4] = data.draw(
            st.sampled_from([b"\xff\xff\xff\xff", bytes(4), b"\0\0\0\1", b"\x7f\xff\xff\xff"])
            | st.binary(min_size=4, max_size=4)
        )
    path.write_bytes(damaged)
    try:
        flat = flatten(path, folder / "damaged.flat.mp4")
    except MalformedMP4Error:
        pass
    else:
        assert flat.size < 3 * len(damaged)
    with suppress(MalformedMP4Error):
        repair(path)


def test_a_chunk_that_does_not_read_costs_no_more_than_itself(
    chunks: list[MediaChunk], tmp_path: Path
) -> None:
    path = flv.recorded(chunks, tmp_path / "recording.mp4")
    content = bytearray(path.read_bytes())
    last = content.rindex(b"trun")
    content[last + 8 : last + 12] = b"\x7f\xff\xff\xff"
    path.write_bytes(content)
    lasted = repair(path)
    assert lasted == pytest.approx(sum(chunk.duration for chunk in chunks[:-1]), abs=250)
    assert ffmpeg.plays(path) == ""
    content[content.index(b"trak")] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(MalformedMP4Error):
        repair(path)
    assert path.read_bytes() == content


def test_more_frames_than_can_be_held_are_refused(
    chunks: list[MediaChunk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MAX_TRACK_FRAMES", 10)
    with pytest.raises(MalformedMP4Error, match="more than 10 frames"):
        flatten(flv.recorded(chunks, tmp_path / "recording.mp4"), tmp_path / "flat.mp4")
