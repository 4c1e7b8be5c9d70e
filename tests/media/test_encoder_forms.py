"""Pushes as encoders of today send them, at an engine that runs: all of it is in the clip."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
import pytest

from homeroom.media.engine.amf0 import Value, decode
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO
from tests.support import enhanced, ffmpeg
from tests.support.engine import Engine, running_engine
from tests.support.enhanced import MANY_CODECS, MANY_TRACKS, ONE_TRACK, of_tracks
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.flv_push import push
from tests.support.flv_source import FlvSource, Tag, encode
from tests.support.rtmp import Peer

pytestmark = needs_ffmpeg

Rewrite = Callable[[Tag], list[bytes]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture(scope="module")
def source() -> FlvSource:
    return encode(seconds=2, b_frames=2)


def rewritten(source: FlvSource, change: Rewrite) -> FlvSource:
    """Send other messages in place of each frame and header."""
    tags = [
        replace(tag, body=body)
        for tag in source.tags
        for body in ([tag.body] if tag.kind == SCRIPT else change(tag))
    ]
    return FlvSource(tuple(tags))


def by_fourcc(tag: Tag) -> list[bytes]:
    return [enhanced.sound(tag.body) if tag.kind == AUDIO else enhanced.picture(tag.body)]


def fourcc_of(tag: Tag) -> bytes:
    return b"mp4a" if tag.kind == AUDIO else b"avc1"


def with_second_sound(tag: Tag) -> list[bytes]:
    """Send each frame of sound once more as track 1, as OBS Studio does for a recording."""
    further = of_tracks([(1, b"mp4a", tag.body)], ONE_TRACK)
    return [tag.body, further] if tag.kind == AUDIO else [tag.body]


def with_smaller_pictures(tag: Tag) -> list[bytes]:
    """Send each picture once more before itself, as track 1 of another codec."""
    further = of_tracks([(1, b"hvc1", tag.body)], ONE_TRACK)
    return [further, tag.body] if tag.kind == VIDEO else [tag.body]


def in_many_tracks(tag: Tag) -> list[bytes]:
    fourcc = fourcc_of(tag)
    other = tag.body[:-1] + b"\xee"
    return [of_tracks([(2, fourcc, other), (0, fourcc, tag.body)], MANY_TRACKS)]


def in_many_codecs(tag: Tag) -> list[bytes]:
    other = b"Opus" if tag.kind == AUDIO else b"av01"
    tracks = [(0, fourcc_of(tag), tag.body), (1, other, tag.body)]
    return [of_tracks(tracks, MANY_CODECS, modifier=enhanced.SMALL_MODIFIER)]


FORMS: Final[list[Rewrite]] = [
    *(by_fourcc, with_second_sound, with_smaller_pictures, in_many_tracks, in_many_codecs),
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_the_first_tracks_are_in_the_clip(engine: Engine, source: FlvSource, form: Rewrite) -> None:
    """Case M5, m03 and m04: by FourCC, beside further tracks, and in messages of several."""
    check_clip(engine, rewritten(source, form), source, form.__name__)


@pytest.mark.parametrize("chunk_bytes", [1, 64, 127, 65_536])
def test_any_chunk_size(engine: Engine, source: FlvSource, chunk_bytes: int) -> None:
    """Case M9: the protocol allows chunks from one byte on."""
    check_clip(engine, source, source, f"chunks-{chunk_bytes}", chunk_bytes)


@pytest.mark.parametrize("count", [4_000, 55_000, 80_000])
def test_an_index_of_keyframes_is_no_reason_to_refuse(
    engine: Engine, source: FlvSource, count: int
) -> None:
    """Case M9, m09: 72 kB, a megabyte, and more, which is skipped."""
    times: list[Value] = [float(number) for number in range(count)]
    large = source.with_metadata(
        keyframes={"times": times, "filepositions": times}, videocodecid=7, audiocodecid=10
    )
    check_clip(engine, large, source, f"index-{count}")
    assert ("metadata_skipped" in engine.log.read_text()) == (count == 80_000)


def check_clip(
    engine: Engine, sent: FlvSource, source: FlvSource, name: str, chunk_bytes: int = 4096
) -> None:
    """Push, and compare the clip with the source to the byte."""
    ended = push(sent, f"{engine.rtmp}/{name}", chunk_bytes=chunk_bytes)
    assert ended.refusal is None
    hook = engine.hooks.wait_for(lambda one: (one["action"], one["stream"]) == ("on_dvr", name))
    assert hook["duration"] == pytest.approx(2100, abs=50)
    for kind, letter in ((VIDEO, "v"), (AUDIO, "a")):
        packets = ffmpeg.packets(Path(hook["file"]), letter)
        assert [one.digest for one in packets] == source.hashes(kind)


@pytest.mark.parametrize(
    ("fourcc", "name", "setting"),
    [
        (b"hvc1", "HEVC (hvc1)", "video encoder to H.264"),
        (b"av01", "AV1", "video encoder"),
        (b"Opus", "Opus", "audio encoder to AAC"),
    ],
)
def test_another_codec_is_refused_with_what_to_set(
    engine: Engine, source: FlvSource, fourcc: bytes, name: str, setting: str
) -> None:
    """Case M5: the encoder shows the reason, and the log has it."""

    def other(tag: Tag) -> list[bytes]:
        if tag.kind == VIDEO:
            return [enhanced.picture(tag.body, fourcc) if fourcc != b"Opus" else tag.body]
        return [enhanced.sound(tag.body, fourcc) if fourcc == b"Opus" else tag.body]

    ended = push(rewritten(source, other), f"{engine.rtmp}/other-{name[:4]}")
    (code, reason) = next(one for one in ended.statuses if one[0].endswith("Rejected"))
    assert code == "NetStream.Publish.Rejected"
    assert name in reason
    assert setting in reason
    assert reason in engine.log.read_text()


def test_an_encoder_reads_what_the_server_takes(engine: Engine) -> None:
    """Case M5: so it can choose H.264 and AAC; one that says nothing of it gets no answer to it."""
    with Peer(engine.rtmp_port) as peer:
        answer = peer.connect(
            fourCcList=["hvc1", "av01", "vp09", "avc1"],
            videoFourCcInfoMap={"*": 4},
            audioFourCcInfoMap={"*": 4},
            capsEx=15,
        )
    for about in answer[2:4]:
        assert about["fourCcList"] == ["avc1", "mp4a"]
        assert about["videoFourCcInfoMap"] == {"avc1": 4.0}
        assert about["audioFourCcInfoMap"] == {"mp4a": 4.0}
        assert about["capsEx"] == 4.0
    with Peer(engine.rtmp_port) as peer:
        answer = peer.connect()
    assert not [about for about in answer[2:4] if "capsEx" in about or "fourCcList" in about]


def test_viewers_get_no_metadata_of_a_file(engine: Engine, source: FlvSource) -> None:
    """Case M7, m10: by RTMP and by FLV; once for all of them."""
    of_a_file = rewritten(source, by_fourcc).with_metadata(
        duration=16,
        filesize=1e6,
        keyframes={"times": [0.0], "filepositions": [1.0]},
        lasttimestamp=15.0,
        canSeekToEnd=True,
        hasVideo=True,
        width=128,
        framerate=25,
        encoder="test",
        videocodecid="avc1",
        audiocodecid=1836069985,
    )
    right = {
        "width": 128.0,
        "framerate": 25.0,
        "encoder": "test",
        "videocodecid": 7.0,
        "audiocodecid": 10.0,
    }
    url = f"{engine.http}/of-a-file.flv"
    with (
        Peer(engine.rtmp_port) as viewer,
        httpx.Client(trust_env=False, timeout=20) as client,
        client.stream("GET", url) as answer,
    ):
        viewer.play("of-a-file")
        assert push(of_a_file, f"{engine.rtmp}/of-a-file").refusal is None
        viewer.until(SCRIPT)  # access to samples, which the protocol begins with
        assert decode(viewer.until(SCRIPT).body) == ["onMetaData", right]
        data = b""
        for piece in answer.iter_raw():
            data += piece
            if len(data) > 13 + 11 + 3 and len(data) > 24 + int.from_bytes(data[14:17]):
                break
    assert data[13] == SCRIPT
    assert decode(data[24 : 24 + int.from_bytes(data[14:17])]) == ["onMetaData", right]


def test_addresses_of_viewers_with_blanks_and_slashes(engine: Engine, source: FlvSource) -> None:
    """Case M10: the path is cleaned before the stream is looked for."""
    push(source, f"{engine.rtmp}//slashes?k=1 ")
    base = f"http://127.0.0.1:{engine.http_port}"
    for path in (
        "/live/slashes.m3u8",
        "//live//slashes.m3u8",
        "/live/slashes.m3u8/",
        "/live/slashes.m3u8%20",
        "/live/slashes%20.m3u8?k=1%20",
    ):
        answer = httpx.get(base + path, trust_env=False, timeout=20)
        assert (answer.status_code, answer.text[:7]) == (200, "#EXTM3U"), path
    assert {hook["stream"] for hook in engine.hooks.of("on_play")} >= {"slashes"}
    (hook,) = [one for one in engine.hooks.of("on_publish") if one["stream"] == "slashes"]
    assert hook["param"] == "?k=1"
