"""The engine alone: real publishers, real players, and an API that says what the test wants."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import ffmpeg
from tests.support.engine import Engine, Hook, allow, running_engine, until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.playlist_poller import PlaylistPoller

pytestmark = needs_ffmpeg
SHAPES: dict[str, dict[str, Any]] = {
    "usual": {"seconds": 6},
    "b-frames at 29.97": {"rate": "30000/1001", "gop": 30, "b_frames": 2},
    "key frames 10 s apart": {"seconds": 12, "gop": 250},
    "sound only": {"video": False},
    "picture only": {"audio": False},
    "48 kHz": {"sound_rate": 48000},
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    return {
        name: ffmpeg.source(folder / f"{number}.flv", **facts)
        for number, (name, facts) in enumerate(SHAPES.items())
    }


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with running_engine(tmp_path / "engine") as engine:
        yield engine


@pytest.fixture(autouse=True)
def _no_publisher_is_left() -> Iterator[None]:
    yield
    ffmpeg.end_all()


def is_live(engine: Engine, name: str) -> bool:
    stream = engine.stream(name)
    return stream is not None and stream["publish"]["active"] and stream["video"] is not None


def seconds(path: Path | str) -> float:
    return float(ffmpeg.probe(path)["format"]["duration"])


def recorded(hook: Hook) -> Path:
    return Path(hook["file"])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_recording_holds_what_was_pushed(
    engine: Engine, sources: dict[str, Path], shape: str
) -> None:
    source = sources[shape]
    at_its_pace = ffmpeg.push(source, f"{engine.rtmp}/one")
    at_once = ffmpeg.push(source, f"{engine.rtmp}/two", realtime=False)
    assert not at_its_pace.complaints()
    assert not at_once.complaints()
    for number in (1, 2):
        hook = engine.hooks.wait("on_dvr", number)
        path = recorded(hook)
        facts = SHAPES[shape]
        if facts.get("video", True):
            assert ffmpeg.payload(path, "v") == ffmpeg.payload(source, "v")
        if facts.get("audio", True):
            assert ffmpeg.payload(path, "a") == ffmpeg.payload(source, "a")
        assert ffmpeg.plays(path) == ""
        assert hook["duration"] == pytest.approx(1000 * seconds(source), abs=41)
    assert {hook["stream"] for hook in engine.hooks.of("on_unpublish")} == {"one", "two"}


def test_three_addresses_at_once(engine: Engine, sources: dict[str, Path], tmp_path: Path) -> None:
    source = sources["usual"]
    publisher = ffmpeg.push(source, f"{engine.rtmp}/s?txSecret=a&txTime=b")
    until(lambda: is_live(engine, "s"))
    until(lambda: (engine.stream("s") or {})["video"].get("width") == 320)
    addresses = {
        "rtmp": f"{engine.rtmp}/s?txSecret=c&txTime=d",
        "flv": f"{engine.http}/s.flv?txSecret=c&txTime=d",
        "hls": f"{engine.http}/s.m3u8?txSecret=c&txTime=d",
    }
    with PlaylistPoller(addresses["hls"]):
        players = {
            name: subprocess.Popen(
                [
                    ffmpeg.FFMPEG,
                    "-nostdin",
                    "-v",
                    "error",
                    "-i",
                    address,
                    "-t",
                    "2",
                    "-c",
                    "copy",
                    str(tmp_path / f"{name}.mkv"),
                ],
                stderr=subprocess.PIPE,
            )
            for name, address in addresses.items()
        }
        for name, player in players.items():
            _, said = player.communicate(timeout=30)
            assert player.returncode == 0, said
            kinds = [one["codec_type"] for one in ffmpeg.probe(tmp_path / f"{name}.mkv")["streams"]]
            assert sorted(kinds) == ["audio", "video"], name
            assert ffmpeg.plays(tmp_path / f"{name}.mkv") == "", name
    assert not publisher.complaints()
    asked = engine.hooks.wait("on_publish")
    assert asked["param"] == "?txSecret=a&txTime=b"
    assert (asked["app"], asked["stream"], asked["vhost"]) == ("live", "s", "__defaultVhost__")
    assert {hook["param"] for hook in engine.hooks.of("on_play")} == {"?txSecret=c&txTime=d"}


def test_what_the_api_denies_is_refused(engine: Engine, sources: dict[str, Path]) -> None:
    reason = b'{"code":403,"msg":"the signature is wrong"}'
    engine.hooks.judge = lambda hook: (403, reason) if "wrong" in hook["param"] else allow(hook)
    publisher = ffmpeg.push(sources["usual"], f"{engine.rtmp}/s?txSecret=wrong")
    assert publisher.complaints()
    assert publisher.returncode != 0
    assert engine.stream("s") is None
    publisher = ffmpeg.push(sources["usual"], f"{engine.rtmp}/s?txSecret=right")
    until(lambda: is_live(engine, "s"))
    for address in (f"{engine.rtmp}/s", f"{engine.http}/s.flv", f"{engine.http}/s.m3u8"):
        with pytest.raises(AssertionError):
            ffmpeg.probe(f"{address}?txSecret=wrong")
        assert ffmpeg.probe(f"{address}?txSecret=right")["streams"]
    assert not publisher.complaints()


def test_a_publisher_who_comes_back_goes_on_in_a_second_recording(
    engine: Engine, sources: dict[str, Path]
) -> None:
    for number in (1, 2):
        assert not ffmpeg.push(sources["usual"], f"{engine.rtmp}/s").complaints()
        path = recorded(engine.hooks.wait("on_dvr", number))
        assert ffmpeg.payload(path, "v") == ffmpeg.payload(sources["usual"], "v")
        assert ffmpeg.payload(path, "a") == ffmpeg.payload(sources["usual"], "a")


def test_a_second_publisher_must_wait_for_the_first(
    engine: Engine, sources: dict[str, Path]
) -> None:
    first = ffmpeg.push(sources["usual"], f"{engine.rtmp}/s")
    until(lambda: is_live(engine, "s"))
    second = ffmpeg.push(sources["usual"], f"{engine.rtmp}/s")
    second.complaints()
    assert second.returncode != 0
    assert not first.complaints()


def test_a_push_that_is_kicked_ends_at_once_with_all_who_watch(
    engine: Engine, sources: dict[str, Path]
) -> None:
    publisher = ffmpeg.push(sources["key frames 10 s apart"], f"{engine.rtmp}/s")
    until(lambda: is_live(engine, "s"))
    viewer = subprocess.Popen(
        [ffmpeg.FFMPEG, "-nostdin", "-v", "error", "-i", f"{engine.http}/s.flv", "-f", "null", "-"],
        stderr=subprocess.DEVNULL,
    )
    until(lambda: (engine.stream("s") or {}).get("clients") == 1)
    client = engine.hooks.wait("on_publish")["client_id"]
    assert engine.kick(client) == 200
    until(lambda: engine.stream("s") is None, 1)
    publisher.complaints()
    assert publisher.returncode != 0
    assert viewer.wait(10) is not None
    assert ffmpeg.plays(recorded(engine.hooks.wait("on_dvr"))) == ""
    assert engine.kick(client) == 404


def test_a_stream_outlives_an_api_that_is_down(engine: Engine, sources: dict[str, Path]) -> None:
    publisher = ffmpeg.push(sources["usual"], f"{engine.rtmp}/s")
    until(lambda: is_live(engine, "s"))
    engine.hooks.judge = lambda _hook: (503, b"")
    refused = ffmpeg.push(sources["usual"], f"{engine.rtmp}/other")
    refused.complaints()
    assert refused.returncode != 0
    assert not publisher.complaints()
    until(lambda: engine.streams()["homeroom"]["spooled"] == 2)
    engine.hooks.judge = allow
    until(lambda: engine.streams()["homeroom"]["spooled"] == 0)
    path = recorded(engine.hooks.of("on_dvr")[-1])
    assert ffmpeg.payload(path, "v") == ffmpeg.payload(sources["usual"], "v")


def test_a_crash_loses_neither_recording_nor_port(engine: Engine, sources: dict[str, Path]) -> None:
    source = sources["key frames 10 s apart"]
    publisher = ffmpeg.push(source, f"{engine.rtmp}/s")
    until(lambda: is_live(engine, "s"))
    folder = engine.folder / "recordings"
    until(lambda: any(path.stat().st_size > 200_000 for path in folder.glob("*.mp4")))
    engine.kill()
    publisher.complaints()
    names = ("recordings/" + 32 * "0", "spool/00000000001-000001-00000000")
    half = [engine.folder / f"{name}.partial" for name in names]
    for path in half:
        path.touch()
    engine.start()
    assert not any(path.exists() for path in half)
    hook = engine.hooks.wait("on_dvr")
    assert ffmpeg.plays(recorded(hook)) == ""
    assert hook["duration"] == pytest.approx(1000 * seconds(recorded(hook)), abs=80)
    assert not list(folder.glob("*.json"))
    assert not ffmpeg.push(sources["usual"], f"{engine.rtmp}/s").complaints()
    engine.hooks.wait("on_dvr", 2)


def test_an_engine_whose_server_died_at_once_ends_quietly() -> None:
    command = [sys.executable, "-m", "homeroom.media.engine"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_recording_is_found_where_its_folder_was_moved(
    engine: Engine, sources: dict[str, Path]
) -> None:
    publisher = ffmpeg.push(sources["usual"], f"{engine.rtmp}/s")
    folder = engine.folder / "recordings"
    until(lambda: any(path.stat().st_size > 100_000 for path in folder.glob("*.mp4")))
    engine.kill()
    publisher.complaints()
    engine.folder = engine.folder.rename(engine.folder.with_name("moved"))
    engine.start()
    assert ffmpeg.plays(recorded(engine.hooks.wait("on_dvr"))) == ""


def test_an_end_in_order_reports_what_runs(engine: Engine, sources: dict[str, Path]) -> None:
    publisher = ffmpeg.push(sources["usual"], f"{engine.rtmp}/s")
    until(lambda: is_live(engine, "s"))
    assert engine.end() == 0
    publisher.complaints()
    assert ffmpeg.plays(recorded(engine.hooks.wait("on_dvr"))) == ""
    assert engine.hooks.wait("on_unpublish")


def test_recordings_go_on_in_a_new_file_in_time(tmp_path: Path, sources: dict[str, Path]) -> None:
    with running_engine(tmp_path / "engine", rotate_seconds=2) as engine:
        assert not ffmpeg.push(sources["usual"], f"{engine.rtmp}/s").complaints()
        hooks = [engine.hooks.wait("on_dvr", number) for number in (1, 2, 3)]
        paths = [recorded(hook) for hook in hooks]
        assert ffmpeg.payload(paths, "a") == ffmpeg.payload(sources["usual"], "a")
        assert ffmpeg.payload(paths, "v") == ffmpeg.payload(sources["usual"], "v")


def test_a_disk_that_fails_stops_the_recording_and_not_the_stream(
    engine: Engine, sources: dict[str, Path]
) -> None:
    folder = engine.folder / "recordings"
    folder.rmdir()
    folder.write_text("no folder")
    publisher = ffmpeg.push(sources["usual"], f"{engine.rtmp}/s")
    until(lambda: is_live(engine, "s"))

    def state() -> str:
        return str((engine.stream("s") or {"homeroom": {}})["homeroom"].get("recording"))

    until(lambda: state() == "failed")
    assert engine.streams()["homeroom"]["recording_failures"] >= 1
    assert ffmpeg.probe(f"{engine.http}/s.flv")["streams"]
    assert not publisher.complaints()


def test_key_frames_too_far_apart_are_warned_of(engine: Engine, sources: dict[str, Path]) -> None:
    assert not ffmpeg.push(
        sources["key frames 10 s apart"], f"{engine.rtmp}/s", realtime=False
    ).complaints()
    assert engine.streams()["homeroom"]["slow_key_frames"] == 1
    warnings = [json.loads(line) for line in engine.log.read_text().splitlines() if "key" in line]
    assert warnings[0]["level"] == "warning"
    assert warnings[0]["problem"] == "keyframes_too_rare"
    assert warnings[0]["key_frame_ms"] > 2_100


def test_media_of_other_codecs_is_refused(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "other.flv"
    ffmpeg.run(
        *("-f", "lavfi", "-i", "sine", "-t", "3", "-c:a", "libmp3lame", "-ar", "44100"),
        *("-f", "flv", str(path)),
    )
    publisher = ffmpeg.push(path, f"{engine.rtmp}/s?txSecret=hidden")
    publisher.complaints()
    assert publisher.returncode != 0
    text = engine.log.read_text()
    assert "the sound is MP3; only AAC is taken" in text
    assert "hidden" not in text
