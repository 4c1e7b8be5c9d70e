"""A picture that changes its size in mid-stream: one clip, and viewers go on."""

import asyncio
from base64 import b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from homeroom.media.engine.flatten import flatten
from homeroom.media.engine.packets import VIDEO, Packet
from homeroom.media.engine.publisher import open_publisher
from homeroom.media.engine.repair import repair
from tests.support import ffmpeg, flv
from tests.support.browser import Browser
from tests.support.engine import Engine, running_engine, until
from tests.support.playlist_poller import PlaylistPoller

pytestmark = ffmpeg.needs_ffmpeg
SIZES = ("320x180", "640x360", "320x180")
LOOK = """async ([data, times]) => {
  const film = document.createElement("video");
  const seen = [];
  film.muted = true;
  film.src = URL.createObjectURL(await (await fetch("data:video/mp4;base64," + data)).blob());
  film.onerror = () => seen.push(film.error.message);
  if (film.readyState < 2) await new Promise((done) => film.onloadeddata = done);
  for (const time of times) {
    film.currentTime = time;
    await new Promise((done) => film.onseeked = done);
    seen.push(film.videoWidth);
  }
  film.currentTime = 0;
  film.playbackRate = 4;
  const ended = new Promise((done) => film.onended = done);
  await film.play();
  await ended;
  return [...seen, film.getVideoPlaybackQuality().corruptedVideoFrames];
}"""


def changing(folder: Path, *, with_sets: bool) -> list[Packet]:
    """Return two seconds of each size; key frames may carry their parameter sets, or not."""
    packets: list[Packet] = []
    for number, size in enumerate(SIZES):
        path = ffmpeg.source(folder / f"{number}.flv", seconds=2, size=size)
        sets = b""
        for packet in flv.read(path):
            packet.time += 2000 * number
            if packet.kind == VIDEO and packet.is_header:
                sets = _sets(packet.body[5:])
            elif packet.is_keyframe and with_sets:
                packet.body = packet.body[:5] + sets + packet.body[5:]
            packets.append(packet)
    return packets


def _sets(config: bytes) -> bytes:
    """Return the two parameter sets of a header, as they stand in a frame."""
    size = int.from_bytes(config[6:8])
    sps, rest = config[8 : 8 + size], config[8 + size :]
    pps = rest[3 : 3 + int.from_bytes(rest[1:3])]
    return b"".join(len(unit).to_bytes(4) + unit for unit in (sps, pps))


def published(engine: Engine, packets: list[Packet], *, pace: float = 10.0) -> None:
    """Publish at so many times its own pace."""

    async def publish() -> None:
        async with open_publisher(f"{engine.rtmp}/s") as publisher:
            loop = asyncio.get_running_loop()
            began = loop.time()
            for packet in packets:
                await asyncio.sleep(max(began + packet.time / 1000 / pace - loop.time(), 0))
                await publisher.send(packet)

    # Playwright's own loop runs in this thread, as long as there is a browser.
    with ThreadPoolExecutor(1) as beside:
        beside.submit(lambda: asyncio.run(publish())).result()


def sizes(target: Path | str) -> Counter[str]:
    """Return how many decoded pictures have each size."""
    frames = ffmpeg.probe(target, "-select_streams", "v", "-show_frames")["frames"]
    return Counter(f"{frame['width']}x{frame['height']}" for frame in frames)


def recordings(engine: Engine, number: int) -> list[Path]:
    until(lambda: len(engine.hooks.of("on_dvr")) >= number)
    until(lambda: len(engine.hooks.of("on_unpublish")) == 1)
    return sorted((engine.folder / "recordings").glob("*.mp4"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the one clip of a stream whose size changes twice, as it is kept."""
    folder = tmp_path_factory.mktemp("clip")
    with running_engine(folder / "engine") as engine:
        published(engine, changing(folder, with_sets=True))
        (path,) = recordings(engine, 1)
    flat = flatten(path, folder / "flat.mp4")
    assert flat.duration == pytest.approx(6000, abs=100)
    return folder / "flat.mp4"


def test_it_is_one_clip_that_plays_to_its_end(clip: Path) -> None:
    assert ffmpeg.plays(clip) == ""
    assert sizes(clip) == {"320x180": 100, "640x360": 50}
    stream = ffmpeg.probe(clip, "-select_streams", "v")["streams"][0]
    assert float(stream["duration"]) == pytest.approx(6, abs=0.1)


def test_a_browser_plays_it_and_seeks_in_it(clip: Path, browser: Browser) -> None:
    data = b64encode(clip.read_bytes()).decode()
    with browser.opened("about:blank") as seen:
        found = seen.page.evaluate(LOOK, [data, [0.5, 3, 5, 3.5, 1, 5.5, 2.2]])

    assert found == [320, 640, 320, 640, 320, 320, 640, 0]


def test_without_the_sets_in_its_frames_it_is_a_clip_for_each_size(tmp_path: Path) -> None:
    with running_engine(tmp_path / "engine") as engine:
        published(engine, changing(tmp_path, with_sets=False))
        found = recordings(engine, 3)

    assert len(found) == 3
    assert sum((sizes(path) for path in found), Counter()) == {"320x180": 100, "640x360": 50}


def test_one_that_is_cut_off_is_mended(tmp_path: Path) -> None:
    packets = changing(tmp_path, with_sets=True)
    with running_engine(tmp_path / "engine") as engine:
        published(engine, packets)
        (path,) = recordings(engine, 1)
    whole = path.read_bytes()
    for cut in range(whole.rindex(b"moov") - 40, len(whole), len(whole) // 9):
        path.write_bytes(whole[:cut])
        assert repair(path) is not None
        flat = tmp_path / f"{cut}.mp4"
        flatten(path, flat)
        assert ffmpeg.plays(flat) == ""


def test_pictures_may_be_slower_than_chunks_are_long(tmp_path: Path) -> None:
    packets = changing(tmp_path, with_sets=True)
    slow = [one for one in packets if one.kind != VIDEO or one.is_header or one.is_keyframe]
    chunks = flv.packed(slow)

    inits = [one.init for one, after in pairwise(chunks) if one.init is not after.init]
    assert len(inits) == 2
    assert all(chunk.init.can_follow(inits[0]) for chunk in chunks)


@pytest.mark.parametrize("kind", ["flv", "m3u8"])
def test_those_who_watch_go_on(kind: str, tmp_path: Path) -> None:
    packets = changing(tmp_path, with_sets=True)
    kept = tmp_path / "kept.mkv"
    with running_engine(tmp_path / "engine") as engine, ThreadPoolExecutor(1) as beside:
        pushed = beside.submit(published, engine, packets, pace=1.0)
        until(lambda: engine.stream("s"))
        with PlaylistPoller(f"{engine.http}/s.m3u8"):
            ffmpeg.run("-i", f"{engine.http}/s.{kind}", "-t", "4", "-c", "copy", str(kept))
            pushed.result()

    assert set(sizes(kept)) == {"320x180", "640x360"}
