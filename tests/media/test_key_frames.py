"""Keyframes as encoders really send them: open GOP, wrong marks, headers in band, none at all.

Case M3: what the container says of a picture is checked against what is in it.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from homeroom.base.values import replace
from homeroom.media.engine.chunks import encode_message
from homeroom.media.engine.packets import AUDIO, VIDEO, Packet
from tests.support import ffmpeg, flv
from tests.support.engine import Engine, Hook, running_engine, until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.rtmp import Peer

pytestmark = needs_ffmpeg
SECONDS = 6
HEAD = 5
"""Bytes before the NAL units."""
IDR = 5
Edit = Callable[[list[Packet]], list[Packet]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a closed GOP of a second, without B-frames."""
    path = tmp_path_factory.mktemp("plain") / "plain.flv"
    return ffmpeg.source(path, seconds=SECONDS, size="128x72")


@pytest.fixture(scope="module")
def open_gop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an open GOP: one IDR picture, then recovery points marked as keyframes."""
    return ffmpeg.open_gop(tmp_path_factory.mktemp("open") / "open.flv", seconds=SECONDS)


def packets(source: Path) -> list[Packet]:
    return list(flv.read(source))


def pushed(engine: Engine, name: str, taken: list[Packet]) -> Peer:
    """Push packets at once; the push goes on until the peer is closed."""
    peer = Peer(engine.rtmp_port)
    assert peer.publish(name)[0] == "NetStream.Publish.Start"
    for packet in taken:
        peer.send(encode_message(packet.kind, packet.time, packet.body))
    peer.ping()
    return peer


def facts(engine: Engine, name: str) -> dict[str, Any]:
    stream = engine.stream(name)
    assert stream is not None
    found: dict[str, Any] = stream["homeroom"]
    return found


def problems(engine: Engine, name: str) -> list[str]:
    """Return the problems, but for the tracks that stop when a test has sent all."""
    stopped = {"picture_missing", "sound_missing"}
    return [problem for problem in facts(engine, name)["problems"] if problem not in stopped]


def clip(engine: Engine, name: str, number: int = 1) -> Hook:
    """Return the report of the last recording of a number, when the push has ended."""

    def ends() -> list[Hook]:
        return [hook for hook in engine.hooks.of("on_dvr") if hook["stream"] == name]

    until(lambda: len(ends()) == number)
    return ends()[-1]


def events(engine: Engine, name: str) -> list[tuple[str, str]]:
    """Return the problems in the log, and how each line begins."""
    lines = [json.loads(line) for line in engine.log.read_text().splitlines()]
    return [
        (line["message"].partition(":")[0], line["problem"])
        for line in lines
        if line.get("stream") == name and "problem" in line
    ]


def changed(packet: Packet, body: bytes) -> Packet:
    return Packet(packet.kind, packet.time, body, packet.is_header, packet.is_keyframe)


def marked(taken: list[Packet], mark: int) -> list[Packet]:
    """Mark all pictures alike."""
    return [
        changed(packet, bytes([mark]) + packet.body[1:]) if is_picture(packet) else packet
        for packet in taken
    ]


def is_picture(packet: Packet) -> bool:
    return packet.kind == VIDEO and not packet.is_header


def sets_of(header: Packet) -> bytes:
    """Return the parameter sets of a header, as NAL units with lengths."""
    config, at, units = header.body[HEAD:], 6, b""
    for _ in ("SPS", "PPS"):
        size = int.from_bytes(config[at : at + 2])
        units += size.to_bytes(4) + config[at + 2 : at + 2 + size]
        at += 3 + size
    return units


def in_band(taken: list[Packet]) -> list[Packet]:
    """Move the parameter sets into the keyframes; the header goes."""
    (header,) = (packet for packet in taken if packet.kind == VIDEO and packet.is_header)
    sets = sets_of(header)
    return [
        changed(packet, packet.body[:HEAD] + sets + packet.body[HEAD:])
        if packet.is_keyframe
        else packet
        for packet in taken
        if packet is not header
    ]


def independent_parts(engine: Engine, name: str) -> int:
    """Return how many parts of the playlist of a running push say that a player can start there."""
    playlist = httpx.get(f"{engine.http}/{name}.m3u8", trust_env=False, timeout=20).text
    assert "#EXT-X-PART:" in playlist
    return playlist.count("INDEPENDENT=YES")


def viewed(engine: Engine, name: str) -> Peer:
    """Return a viewer who waits for the publisher."""
    peer = Peer(engine.rtmp_port)
    assert peer.play(name)[0] == "NetStream.Play.Reset"
    return peer


def pictures_of(viewer: Peer, last: Packet) -> list[bytes]:
    """Return the bodies of the pictures that a viewer gets, until the last one."""
    bodies: list[bytes] = []
    while not bodies or bodies[-1][1:] != last.body[1:]:
        body = viewer.until(VIDEO).body
        if body[1] == 1:
            bodies.append(body)
    return bodies


def last_picture(taken: list[Packet]) -> Packet:
    return [packet for packet in taken if is_picture(packet)][-1]


def test_an_open_gop_is_recorded_and_its_lack_of_keyframes_reported(
    engine: Engine, open_gop: Path
) -> None:
    """Case M3: the input m06, of other sizes."""
    taken = packets(open_gop)
    marks = [packet.body[0] for packet in taken if is_picture(packet)]
    assert marks.count(0x17) == SECONDS
    with viewed(engine, "open") as viewer, pushed(engine, "open", taken):
        bodies = pictures_of(viewer, last_picture(taken))
        assert len(bodies) == len(marks), "who was there gets all pictures"
        assert [body[0] for body in bodies].count(0x17) == 1
        assert problems(engine, "open") == ["keyframes_missing"]
        until(lambda: ("stream_problem", "keyframes_missing") in events(engine, "open"))
        seen = facts(engine, "open")
        assert (seen["recording"], seen["recording_error"]) == ("on", None)
        assert seen["dropped_frames"] == {}
        assert independent_parts(engine, "open") <= 1, "only one begins with an IDR"
    path = Path(clip(engine, "open")["file"])
    assert ffmpeg.payload(path, "v") == ffmpeg.payload(open_gop, "v")
    assert ffmpeg.payload(path, "a") == ffmpeg.payload(open_gop, "a")


@pytest.mark.parametrize("mark", [0x17, 0x27, 0x37], ids=["key", "inter", "disposable"])
def test_all_pictures_marked_alike(engine: Engine, plain: Path, mark: int) -> None:
    name = f"marked-{mark}"
    taken = packets(plain)
    keyframes = {packet.body[1:] for packet in taken if packet.is_keyframe}
    with viewed(engine, name) as viewer, pushed(engine, name, marked(taken, mark)):
        bodies = pictures_of(viewer, last_picture(taken))
        assert bodies[0][0] == 0x17
        assert all((body[0] == 0x17) == (body[1:] in keyframes) for body in bodies)
        assert independent_parts(engine, name) >= 2
        assert facts(engine, name)["key_frame_ms"] == 1000
    path = Path(clip(engine, name)["file"])
    assert ffmpeg.payload(path, "v") == ffmpeg.payload(plain, "v")


def without_header(taken: list[Packet]) -> list[Packet]:
    return in_band(taken)


def with_empty_header(taken: list[Packet]) -> list[Packet]:
    return [
        Packet(VIDEO, 0, b"\x17\0\0\0\0\1\x42\xc0\x0c\xff\xe0\0", is_header=True),
        *in_band(taken),
    ]


def with_start_codes(taken: list[Packet]) -> list[Packet]:
    """Put start codes in place of all lengths, as some cameras send."""
    return [
        changed(packet, packet.body[:HEAD] + to_start_codes(packet.body[HEAD:]))
        if is_picture(packet)
        else packet
        for packet in in_band(taken)
    ]


def to_start_codes(payload: bytes) -> bytes:
    at, units = 0, b""
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 4])
        units += b"\0\0\0\1" + payload[at + 4 : at + 4 + size]
        at += 4 + size
    return units


@pytest.mark.parametrize("edit", [without_header, with_empty_header, with_start_codes])
def test_parameter_sets_in_keyframes_only(engine: Engine, plain: Path, edit: Edit) -> None:
    """Case M3: viewers, HLS and the clip get a header made of them."""
    name = edit.__name__
    with viewed(engine, name) as viewer, pushed(engine, name, edit(packets(plain))):
        assert viewer.until(VIDEO).body[:2] == b"\x17\0"
        with viewed(engine, name) as late:
            assert late.until(VIDEO).body[:2] == b"\x17\0"
        assert independent_parts(engine, name) >= 2
        seen = facts(engine, name)
        assert (seen["recording"], seen["dropped_frames"]) == ("on", {})
        assert problems(engine, name) == []
        stream = engine.stream(name)
        assert stream is not None
        assert (stream["video"]["width"], stream["video"]["height"]) == (128, 72)
    path = Path(clip(engine, name)["file"])
    assert ffmpeg.frames(path, "v") == ffmpeg.frames(plain, "v")
    assert ffmpeg.payload(path, "a") == ffmpeg.payload(plain, "a")


def test_a_header_that_comes_late(engine: Engine, plain: Path) -> None:
    """Pictures before it are dropped, and the recording does not claim to have them."""
    taken = packets(plain)
    (header,) = (packet for packet in taken if packet.kind == VIDEO and packet.is_header)
    taken.remove(header)
    later = next(place for place, packet in enumerate(taken) if packet.time > 2_500)
    early = sum(map(is_picture, taken[:later]))
    with pushed(engine, "late", taken[:later]) as peer:
        seen = facts(engine, "late")
        assert "headers_missing" in seen["problems"]
        assert seen["recording"] == "partial"
        assert seen["dropped_frames"] == {"no_header": early}
        assert "not recorded" in seen["recording_error"]
        until(lambda: ("stream_problem", "headers_missing") in events(engine, "late"))
        for packet in [header, *taken[later:]]:
            peer.send(encode_message(packet.kind, packet.time, packet.body))
        peer.ping()
        seen = facts(engine, "late")
        assert seen["dropped_frames"] == {"no_header": early, "no_keyframe": 75 - early}
    path = Path(clip(engine, "late", 2)["file"])
    assert len(ffmpeg.frames(path, "v")) == 25 * (SECONDS - 3)


def test_one_idr_only_at_the_start(engine: Engine, plain: Path) -> None:
    """As with intra refresh: who joins late is not promised a picture, and the clip has all."""
    path = plain.with_name("refresh.flv")
    if not path.exists():
        ffmpeg.run(
            *("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25", "-t", str(SECONDS)),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0"),
            *("-x264-params", "intra-refresh=1:keyint=25", "-f", "flv", str(path)),
        )
    taken = packets(path)
    with pushed(engine, "refresh", taken):
        seen = facts(engine, "refresh")
        assert problems(engine, "refresh") == ["keyframes_missing"]
        assert seen["recording"] == "on"
    assert ffmpeg.payload(Path(clip(engine, "refresh")["file"]), "v") == ffmpeg.payload(path, "v")


def test_no_idr_at_all(engine: Engine, plain: Path) -> None:
    """The sound plays and is recorded; the state says that the picture is not."""
    taken = [packet for packet in packets(plain) if not packet.is_keyframe]
    dropped = sum(map(is_picture, taken))
    with pushed(engine, "none", taken):
        seen = facts(engine, "none")
        assert problems(engine, "none") == ["keyframes_missing"]
        assert seen["recording"] == "partial"
        assert "open GOP" in seen["recording_error"]
        assert seen["dropped_frames"] == {"no_keyframe": dropped}
        assert engine.streams()["homeroom"]["dropped_frames"] >= dropped
        with viewed(engine, "none") as late:
            assert late.until(AUDIO).body[:2] == b"\xaf\0"
    path = Path(clip(engine, "none")["file"])
    assert ffmpeg.payload(path, "a") == ffmpeg.payload(plain, "a")


@pytest.mark.parametrize("harm", ["short", "long", "cut off"])
def test_a_damaged_picture_is_dropped_and_reported(engine: Engine, plain: Path, harm: str) -> None:
    """The push goes on, and so does everybody who watches."""
    name = f"damaged-{harm.partition(' ')[0]}"
    taken = packets(plain)
    places = [place for place, packet in enumerate(taken) if is_picture(packet)]
    damaged = [places[30], places[40], places[41]]
    for place in damaged:
        body = taken[place].body
        harmed = {
            "short": body[:HEAD] + (len(body) - HEAD - 7).to_bytes(4) + body[HEAD + 4 :],
            "long": body[:HEAD] + b"\0\1\0\0" + body[HEAD + 4 :],
            "cut off": body[: len(body) // 2],
        }[harm]
        taken[place] = changed(taken[place], harmed)
    with pushed(engine, name, taken):
        seen = facts(engine, name)
        assert seen["dropped_frames"] == {"damaged": 3}
        assert "frames_damaged" in seen["problems"]
        assert seen["recording"] == "partial"
        assert "damaged" in seen["recording_error"]
    path = Path(clip(engine, name)["file"])
    assert len(ffmpeg.frames(path, "v")) == len(places) - 3
    assert ("stream_problem", "frames_damaged") in events(engine, name)


def test_sound_without_its_header_is_reported(engine: Engine, plain: Path) -> None:
    taken = [packet for packet in packets(plain) if not (packet.kind == AUDIO and packet.is_header)]
    with pushed(engine, "silent", taken):
        seen = facts(engine, "silent")
        assert "headers_missing" in seen["problems"]
        assert seen["recording"] == "partial"
    path = Path(clip(engine, "silent")["file"])
    assert ffmpeg.payload(path, "v") == ffmpeg.payload(plain, "v")


def test_the_figures_of_a_usual_stream(engine: Engine, plain: Path) -> None:
    taken = packets(plain)
    with pushed(engine, "usual", taken):
        seen = facts(engine, "usual")
        assert problems(engine, "usual") == []
        assert seen["frame_rate"] == 25.0
        size = sum(len(packet.body) for packet in taken if is_picture(packet))
        assert seen["video_kbps"] == pytest.approx(size * 8 / (1000 * SECONDS), rel=0.05)
        assert seen["audio_kbps"] == pytest.approx(64, rel=0.3)
        assert (seen["key_frame_ms"], seen["longest_key_frame_ms"]) == (1000, 1000)
    clip(engine, "usual")
    assert not {"keyframes_missing", "keyframes_too_rare"} & dict(events(engine, "usual")).keys()


@pytest.mark.parametrize(("kind", "problem"), [(AUDIO, "sound"), (VIDEO, "picture")])
def test_a_track_that_stops_is_missing(
    engine: Engine, plain: Path, kind: int, problem: str
) -> None:
    """Case M2, what an operator reads of it."""
    taken = packets(plain)
    stops = [packet for packet in taken if not (packet.kind == kind and packet.time > 2_000)]
    back = [replace_time(packet, packet.time + 1000 * SECONDS) for packet in taken]
    with pushed(engine, problem, stops) as peer:
        assert f"{problem}_missing" in facts(engine, problem)["problems"]
        until(lambda: ("stream_problem", f"{problem}_missing") in events(engine, problem))
        for packet in back:
            peer.send(encode_message(packet.kind, packet.time, packet.body))
        until(lambda: ("stream_problem_over", f"{problem}_missing") in events(engine, problem))
    clip(engine, problem)


def replace_time(packet: Packet, time: int) -> Packet:
    return replace(packet, time=time)
