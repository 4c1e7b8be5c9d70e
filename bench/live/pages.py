"""The live page in Chromium: how old its picture is, how soon it is there, what it weighs.

Each frame that is published shows the time by this machine's clock, in black and white: sixteen
stripes, one for each bit of it in milliseconds. The page's picture, made sixteen pixels wide, is
that time again, and tells how old it is.
"""

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

from bench.live.measures import Spread, spread
from bench.live.source import RATE
from tests.support.browser import Browser, Seen, opened, running_browser
from tests.support.engine import until
from tests.support.ffmpeg import FFMPEG
from tests.support.process import Process
from tests.support.school import School

LOADS = 20
"""How often the page is opened, by a new visitor each time, to see when the first picture comes."""
SETTLED = 2.0
"""Seconds that a player has after its first picture to come close to what happens."""
WATCHED = 8.0
FRAMES = 25
"""In a second."""
STRIPES = 16
WHITE, BLACK = b"\xeb", b"\x10"
ENCODER = (
    *("-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"),
    *("-g", str(FRAMES), "-keyint_min", str(FRAMES), "-sc_threshold", "0"),
    *("-b:v", RATE, "-maxrate", RATE, "-bufsize", RATE, "-x264-params", "nal-hrd=cbr"),
    *("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-flush_packets", "1", "-f", "flv"),
)
READER = """(hasFlv) => {
  // Of each picture: the page's age when it was seen, and how old it was then; seconds.
  window.pictures = [];
  const pen = new OffscreenCanvas(16, 1).getContext("2d", { willReadFrequently: true });
  function read(video) {
    video.requestVideoFrameCallback(() => read(video));
    const now = Date.now() % 65536;
    pen.drawImage(video, 0, 0, 16, 1);
    const pixels = pen.getImageData(0, 0, 16, 1).data;
    let drawn = 0;
    for (let place = 0; place < 16; place++) drawn = 2 * drawn + (pixels[4 * place] > 127);
    window.pictures.push([performance.now() / 1000, ((now - drawn + 65536) % 65536) / 1000]);
  }
  const begin = ({ target }) => target.requestVideoFrameCallback(() => read(target));
  document.addEventListener("loadedmetadata", begin, { capture: true, once: true });
  const { fetch } = window;
  window.fetch = async (what, ...how) => {
    const isFlv = String(what.url ?? what).includes(".flv");
    if (isFlv) window.asked ??= performance.now() / 1000;
    return isFlv && !hasFlv ? new Response("nothing that plays") : fetch(what, ...how);
  };
}"""


@dataclass(frozen=True)
class Pages:
    """Results of the live page; milliseconds and bytes."""

    flv: Spread
    """From the moment that is drawn to the moment that it is seen."""
    hls: Spread
    first: Spread
    """From the beginning of the navigation to the first picture."""
    first_asked: Spread
    """From the request for the stream to the first picture."""
    weight: int
    """Bytes on the wire of the page and all it needs, but for the stream."""


def measure_pages() -> Pages:
    """Measure the page of a class on the air; raises `NoBrowserError`."""
    with running_browser() as browser, _on_air() as url:
        flv = _latency(browser, url)
        hls = _latency(browser, url, has_flv=False)
        firsts, requests, weights = zip(
            *(_load_page(browser, url) for _ in range(LOADS)), strict=True
        )
    return Pages(flv, hls, spread(firsts), spread(requests), max(weights))


@contextmanager
def _on_air() -> Iterator[str]:
    """Run a server with a class that the time is published to; give the address of its page."""
    with tempfile.TemporaryDirectory(prefix="homeroom-bench-", ignore_cleanup_errors=True) as path:
        server = Process("--demo", "--sandbox", data=Path(path) / "data")
        try:
            server.wait_until_ready()
            school = School(server)
            added = school.add()
            with _publish_time(school.stream(added.data)["push_url"]):
                yield added.body["more_data"]["live_url"]
            school.close()
        finally:
            server.stop()


@contextmanager
def _publish_time(url: str) -> Iterator[None]:
    """Publish the time, as a picture of 720p with sound, until the block ends."""
    command = [FFMPEG, "-hide_banner", "-v", "error"]
    # No `-re`: the drawer keeps the pace.
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{STRIPES}x1", "-r", str(FRAMES)]
    command += ["-i", "-", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]
    command += ["-vf", "scale=1280:720:flags=neighbor", *ENCODER, url]
    encoder = subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0)
    drawer = threading.Thread(target=_draw, args=(encoder.stdin,))
    drawer.start()
    try:
        yield
        if encoder.poll() is not None:
            raise RuntimeError("the push ended before its time")
    finally:
        encoder.kill()
        encoder.wait()
        drawer.join()


def _draw(pictures: IO[bytes]) -> None:
    """Draw the time until the reader closes the pipe."""
    began = time.time()
    with suppress(BrokenPipeError), pictures:
        for number in count():
            time.sleep(max(0, began + number / FRAMES - time.time()))
            bits = f"{int(1000 * time.time()) % (1 << STRIPES):0{STRIPES}b}".encode()
            pictures.write(bits.replace(b"1", WHITE).replace(b"0", BLACK))


@contextmanager
def _visit(browser: Browser, url: str, *, has_flv: bool = True) -> Iterator[Seen]:
    """Open the page as a new visitor, and wait for the first picture."""
    with browser.context() as context:
        context.add_init_script(f"({READER})({json.dumps(has_flv)})")
        seen = opened(context, url)
        until(lambda: seen.page.evaluate("pictures.length"))
        yield seen


def _latency(browser: Browser, url: str, *, has_flv: bool = True) -> Spread:
    with _visit(browser, url, has_flv=has_flv) as seen:
        seen.page.wait_for_timeout(1000 * (SETTLED + WATCHED))
        pictures: list[tuple[float, float]] = seen.page.evaluate("pictures")
    begin = pictures[0][0] + SETTLED
    return spread([late for moment, late in pictures if moment >= begin])


def _load_page(browser: Browser, url: str) -> tuple[float, float, int]:
    with _visit(browser, url) as seen:
        first, request = seen.page.evaluate("[pictures[0][0], asked]")
        return first, first - request, sum(seen.weight.values())
