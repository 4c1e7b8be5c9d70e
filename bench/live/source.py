"""The source of all streams: 720p at 25 frames a second, a key frame each second, and sound."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from homeroom.media.engine.packets import Packet
from tests.support import flv
from tests.support.ffmpeg import FFMPEG, run

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "homeroom-bench"
SECONDS = 60
"""Length of the source; no server is fed for longer without a break."""
RATE = "2500k"


class Source:
    """The file, made by ffmpeg once and kept."""

    def __init__(self) -> None:
        self.path = CACHE / f"720p25-{RATE}-{SECONDS}s.flv"
        if not self.path.exists():
            print("Making the source, once ...", flush=True)
            _make(self.path)

    @property
    def bytes_per_second(self) -> float:
        return self.path.stat().st_size / SECONDS

    def packets(self) -> list[Packet]:
        return list(flv.read(self.path))


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    # Constant bit rate by filler, as hardware encoders do it: each second is as big as any other.
    run(
        *("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25"),
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"),
        *("-t", str(SECONDS), "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"),
        *("-pix_fmt", "yuv420p", "-g", "25", "-keyint_min", "25", "-sc_threshold", "0"),
        *("-b:v", RATE, "-maxrate", RATE, "-bufsize", RATE, "-x264-params", "nal-hrd=cbr"),
        *("-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "flv", str(unfinished)),
    )
    unfinished.rename(path)


@contextmanager
def push_source(source: Source, urls: list[str]) -> Iterator[None]:
    """Have ffmpeg publish the source to each address, at its own pace, until the block ends."""
    command = [FFMPEG, "-hide_banner", "-nostdin", "-v", "error", "-re", "-i", str(source.path)]
    command += ["-c", "copy", "-f", "flv"]
    pushes = [subprocess.Popen([*command, url], stderr=subprocess.DEVNULL) for url in urls]
    try:
        yield
        if any(push.poll() is not None for push in pushes):
            raise RuntimeError("a push ended before its time")
    finally:
        for push in pushes:
            push.kill()
            push.wait()
