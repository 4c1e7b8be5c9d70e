"""What the playlists of a push may never change, whatever the pace of its frames.

Case M4: each playlist of each push is checked rule by rule, with its delta update and its files.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import pytest

from homeroom.base.values import replace
from homeroom.media.engine.packets import AUDIO, VIDEO, Packet
from tests.support import ffmpeg, flv
from tests.support.flv import headers, picture, sound
from tests.support.hls_session import publish
from tests.support.playlist import Playlist
from tests.support.segment_checker import find_media_faults

RATE: Final = 44_100
Times = Iterable[float]


def stream(
    times: Times, interval: float | None, *, has_sound: bool, ahead: int = 0
) -> list[Packet]:
    """Return pictures at these milliseconds, with a key frame every so many, or only one."""
    packets, due = [], 0.0
    for time in times:
        is_key = time >= due
        packets.append((time, 1, picture(round(time), key=is_key)))
        while time >= due:
            due += interval or 10**9
    if has_sound:
        starts = range(0, int(packets[-1][0]) * RATE // 1000, 1024)
        for start in starts:
            time = start * 1000 / RATE
            packets.append((time - ahead, 0, sound(int(time))))
    packets.sort(key=lambda packet: packet[:2])
    kinds = (VIDEO, AUDIO) if has_sound else (VIDEO,)
    return [*headers(*kinds), *(packet for *_, packet in packets)]


def regular(rate: float, seconds: float = 12, *holes: tuple[int, int]) -> list[float]:
    """Return the times of so many pictures a second, but for those within holes."""
    times = (number * 1000 / rate for number in range(int(rate * seconds)))
    return [time for time in times if not any(begin <= time < end for begin, end in holes)]


def varied(*steps: float, seconds: int = 15) -> list[float]:
    """Return times that are such steps apart, in no order."""
    chance = random.Random(11)
    return [time for time in accumulate(chance.choices(steps, k=2000)) if time < 1000 * seconds]


def slower(*rates: float, seconds: int = 8) -> list[float]:
    """Return times of one rate after another."""
    begins = range(0, 1000 * seconds * len(rates), 1000 * seconds)
    return [
        begin + time
        for begin, rate in zip(begins, rates, strict=True)
        for time in regular(rate, seconds)
    ]


DROPS: Final = [(4000 * number + 2333, 4000 * number + 2666) for number in range(4)]
PAUSES: Final = [(8000 * number + 2333, 8000 * number + 5333) for number in range(3)]
PACES: Final[dict[str, tuple[list[float], float | None]]] = {
    **{f"{rate} a second": (regular(rate), 2000) for rate in (60, 30, 29.97, 25, 24, 15)},
    **{f"{rate} a second, slow": (regular(rate, 16), 4000) for rate in (12, 8, 7, 3, 1)},
    "key frames 0.5 s apart": (regular(25), 500),
    "key frames 0.9 s apart": (regular(30), 900),
    "key frames 5 s apart": (regular(25, 25), 5000),
    "key frames 20 s apart": (regular(25, 45), 20_000),
    "one key frame": (regular(30, 20), None),
    "drops": (regular(30, 14, *DROPS), 2000),
    "pauses": (regular(30, 22, *PAUSES), 2000),
    "varied": (varied(5, 33, 33, 40, 66, 100, 250), 1500),
    "jitter": (varied(25, 33, 41), 2000),
    "slower and slower": (slower(30, 8, 1, 25), 2000),
    "faster": (slower(1, 25), 2000),
}


def one(playlists: list[Playlist], tag: str, attribute: str = "") -> float | None:
    (value,) = {playlist.number(tag, attribute) for playlist in playlists}
    return value


@pytest.mark.parametrize("has_sound", [True, False])
@pytest.mark.parametrize("pace", PACES)
def test_the_targets_stay_whatever_the_pace(pace: str, *, has_sound: bool) -> None:
    times, interval = PACES[pace]
    session = publish(stream(times, interval, has_sound=has_sound))
    playlists = session.playlists
    target = one(playlists, "EXT-X-PART-INF", "PART-TARGET")
    if has_sound or times[1] < 80:
        assert target == 0.235
    assert one(playlists, "EXT-X-TARGETDURATION")
    # What is listed is what was published, but for pauses, which only the dates have.
    first, last = playlists[0].segments[0], playlists[-1].segments[-1]
    assert first.date is not None
    assert last.date is not None
    span = (last.date - first.date).total_seconds() + last.length
    assert span == pytest.approx(sum(chunk.duration for chunk in session.chunks) / 1000, abs=1.01)


def test_the_usual_stream_has_the_shortest_parts() -> None:
    playlists = publish(stream(regular(25), 1000, has_sound=True)).playlists
    assert one(playlists, "EXT-X-TARGETDURATION") == 1
    assert {part.duration for playlist in playlists for part in playlist.parts} == {0.2}
    assert {segment.duration for segment in playlists[-1].complete} == {1.0}
    assert playlists[-1].count("EXT-X-INDEPENDENT-SEGMENTS")


def test_slow_pictures_alone_have_parts_of_their_length() -> None:
    for rate, length in ((1, 1.0), (8, 0.25), (12, 0.25), (7, 0.286)):
        session = publish(stream(regular(rate, 20), 4000, has_sound=False))
        parts = {part.duration for playlist in session.playlists for part in playlist.parts}
        assert max(parts) == pytest.approx(length, abs=0.002)


@pytest.mark.parametrize(("interval", "target"), [(500, 1), (1000, 1), (1400, 1), (2000, 2)])
def test_the_target_duration_is_that_of_the_key_frames(interval: int, target: int) -> None:
    playlists = publish(stream(regular(25), interval, has_sound=True)).playlists
    assert one(playlists, "EXT-X-TARGETDURATION") == target
    assert all(playlist.count("EXT-X-INDEPENDENT-SEGMENTS") for playlist in playlists)


def test_without_key_frames_the_first_playlist_comes_in_time() -> None:
    session = publish(stream(regular(25, 30), None, has_sound=True))
    first = session.playlists[0]
    assert sum(segment.length for segment in first.segments) < 11
    assert first.target == 2
    assert not any(part.is_independent for part in session.playlists[-1].parts)
    assert not first.count("EXT-X-INDEPENDENT-SEGMENTS") or len(first.segments) == 1


def test_key_frames_that_become_rarer_end_no_target() -> None:
    times = regular(25, 20)
    packets = stream(times, 1000, has_sound=True)
    later = [
        picture(packet.time) if packet.is_keyframe and packet.time > 6000 else packet
        for packet in packets
    ]
    playlists = publish(later).playlists
    assert one(playlists, "EXT-X-TARGETDURATION") == 1
    assert playlists[0].count("EXT-X-INDEPENDENT-SEGMENTS")
    assert not playlists[-1].count("EXT-X-INDEPENDENT-SEGMENTS")


def test_the_next_publisher_keeps_the_targets() -> None:
    first, slow, third = (
        stream(regular(25), 1000, has_sound=True),
        stream(regular(3), 3000, has_sound=False),
        stream(regular(60), 2000, has_sound=True),
    )
    playlists = publish(first, slow, third).playlists
    assert one(playlists, "EXT-X-PART-INF", "PART-TARGET") == 0.235
    assert one(playlists, "EXT-X-TARGETDURATION") == 1
    assert playlists[-1].is_ended


def test_a_push_that_ends_at_once_has_a_playlist() -> None:
    playlists = publish(stream(regular(25, 0.6), 1000, has_sound=True)).playlists
    assert playlists[0].segments[0].duration == pytest.approx(0.6, abs=0.03)


def test_pictures_that_come_late_find_room_for_their_key_frames() -> None:
    pictures = stream(regular(25), 2000, has_sound=False)
    header, *frames = pictures
    late = [replace(frame, time=frame.time + 1500) for frame in frames]
    sounds = [sound(int(number * 1024000 / RATE)) for number in range(500)]
    packets = sorted([*late, *sounds], key=lambda packet: packet.time)
    packets.insert(packets.index(late[0]), header)
    playlists = publish([*headers(AUDIO), *packets]).playlists
    assert one(playlists, "EXT-X-TARGETDURATION") == 2
    lengths = [segment.duration for segment in playlists[-1].complete]
    assert lengths.count(2.0) >= 4, lengths


@pytest.mark.parametrize("ahead", [-400, 150, 2500])
def test_sound_may_come_early_or_late(ahead: int) -> None:
    packets = stream(regular(25), 1000, has_sound=True, ahead=ahead)
    playlists = publish(packets).playlists
    lengths = [part.duration for playlist in playlists[1:-3] for part in playlist.parts]
    # Whole parts end with a picture, or with the sound if that is far ahead.
    whole = [length for length in lengths if length >= 0.2]
    assert len(whole) > 0.7 * len(lengths)


def test_sound_that_pauses_and_comes_back_changes_nothing() -> None:
    packets = stream(regular(25, 20), 1000, has_sound=True)
    pausing = [one for one in packets if one.kind == VIDEO or not 4000 < one.time < 9000]
    assert publish(pausing).playlists


def test_pictures_that_pause_leave_parts_of_sound() -> None:
    packets = stream(regular(25, 20), 1000, has_sound=True)
    pausing = [one for one in packets if one.kind == AUDIO or not 4000 < one.time < 9000]
    assert publish(pausing).playlists


@pytest.mark.parametrize(
    ("config", "frame"), [("1588", 128), ("1408", 64), ("1390", 46.4), ("1190", 21.3)]
)
def test_sound_alone_fills_its_parts(config: str, frame: float) -> None:
    header = Packet(AUDIO, 0, b"\xaf\0" + bytes.fromhex(config), is_header=True)
    packets = [sound(int(number * frame)) for number in range(int(12_000 / frame))]
    playlists = publish([header, *packets]).playlists
    assert (one(playlists, "EXT-X-PART-INF", "PART-TARGET") or 0) < 0.3


SHAPES: Final[dict[str, dict[str, Any]]] = {
    "usual": {},
    "b-frames at 29.97": {"rate": "30000/1001", "gop": 60, "b_frames": 3},
    "key frames 0.5 s apart": {"gop": 12},
    "sound only": {"video": False},
    "picture only, 8 a second": {"audio": False, "rate": "8", "gop": 8},
    "one picture a second": {"rate": "1", "gop": 2, "seconds": 12},
    "one picture a second, no sound": {"rate": "1", "gop": 2, "seconds": 12, "audio": False},
}


@ffmpeg.needs_ffmpeg
@pytest.mark.parametrize("shape", SHAPES)
def test_the_files_are_what_the_playlists_say(shape: str, tmp_path: Path) -> None:
    source = ffmpeg.source(tmp_path / "source.flv", **{"seconds": 6, **SHAPES[shape]})
    session = publish(flv.read(source))
    assert find_media_faults(session.playlists, session.files) == []


@ffmpeg.needs_ffmpeg
def test_the_files_of_two_pushes_and_of_drops_are_right(tmp_path: Path) -> None:
    source = list(flv.read(ffmpeg.source(tmp_path / "source.flv", seconds=6, audio=False)))
    dropped = [one for one in source if not 2200 < one.time < 2600]
    session = publish(source, dropped)
    assert find_media_faults(session.playlists, session.files) == []


@ffmpeg.needs_ffmpeg
def test_a_fault_of_the_files_is_found(tmp_path: Path) -> None:
    session = publish(flv.read(ffmpeg.source(tmp_path / "source.flv", seconds=4)))
    playlists, right = session.playlists, session.files
    assert find_media_faults(playlists, right) == []
    for name, wrong in _spoil(playlists, right):
        assert find_media_faults(playlists, wrong), name


def _spoil(
    playlists: list[Playlist], files: dict[str, bytes]
) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Return files with a fault, and its name."""
    segment = next(each for each in playlists[-1].complete if each.parts)
    first, second = segment.parts[0].uri, segment.parts[1].uri
    key, other = files[first], files[second]

    def changed(uri: str, data: bytes) -> dict[str, bytes]:
        parts = [data if part.uri == uri else files[part.uri] for part in segment.parts]
        return files | {uri: data, segment.uri: b"".join(parts)}

    yield "another segment", files | {segment.uri: key}
    yield "a part is cut off", changed(second, other[:-1])
    yield "a part has more", changed(second, other + b"\0")
    yield "a part is missing", changed(second, b"")
    yield "not independent", changed(first, other)
    yield "no IDR", changed(first, key.replace(b"\x65\x88", b"\x41\x88"))
    at = other.index(b"tfdt") + 8
    later = (int.from_bytes(other[at : at + 8]) + 40).to_bytes(8)
    yield "a gap", changed(second, other[:at] + later + other[at + 8 :])
