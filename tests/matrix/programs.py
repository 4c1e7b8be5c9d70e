"""The programs that publish a cell: ffmpeg, GStreamer and our own writer."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from homeroom.media.engine.packets import AUDIO
from tests.matrix.cells import Cell, Gop, Program, Rate, Sound
from tests.support import ffmpeg
from tests.support.flv_push import pushing
from tests.support.flv_source import FlvSource, encode, one_idr

PATIENCE: Final = 30
SECONDS: Final = 6
SLIDES_SECONDS: Final = 8
"""Of one picture a second fewer seconds would be too few pictures."""
LATE_MS: Final = 2_500
"""Milliseconds by which late sound begins later than it would."""
STOP_MS: Final = 2_000
"""Milliseconds of stopping sound."""
FRAMES_PER_SECOND: Final = {
    Rate.STEADY_25: 25,
    Rate.VARIABLE_30: 30,
    Rate.SLOW_8: 8,
    Rate.SLIDES_1: 1,
}
DROPS: Final = r"select=not(eq(mod(n\,7)\,3)+eq(mod(n\,11)\,5)+between(mod(n\,30)\,20\,24))"
"""Makes a steady rate a variable one: of 30 frames some 19 stay, and no gap is above 0.2 s."""
ELEMENTS: Final = ("x264enc", "voaacenc", "flvmux", "rtmp2sink", "h264parse", "aacparse")
GST_LAUNCH: Final = shutil.which("gst-launch-1.0")

Wait = Callable[[], None]
"""Waits until the program has sent everything; fails if it complains."""


def needs_gstreamer() -> None:
    """Skip a test, by name, where GStreamer or a plugin is missing."""
    if GST_LAUNCH is None:
        pytest.skip("there is no GStreamer on this machine (scripts/machine.sh encoders)")
    inspect = Path(GST_LAUNCH).with_name("gst-inspect-1.0")
    for element in ELEMENTS:
        if subprocess.run([inspect, "--exists", element], check=False).returncode:
            pytest.skip(f"GStreamer has no {element} on this machine (scripts/machine.sh encoders)")


def seconds_of(cell: Cell) -> int:
    """Return the length of a push."""
    return SLIDES_SECONDS if cell.rate is Rate.SLIDES_1 else SECONDS


def key_frame_distance(cell: Cell) -> int:
    """Return the frames from one key frame to the next: a second, and two of slides."""
    rate = FRAMES_PER_SECOND[cell.rate]
    return 2 if rate == 1 else rate


def source_of(cell: Cell) -> FlvSource:
    """Return what ffmpeg and our own writer push."""
    source = encode(
        seconds=seconds_of(cell),
        rate=str(FRAMES_PER_SECOND[cell.rate]),
        gop=key_frame_distance(cell),
        b_frames=cell.b_frames,
        is_open=cell.gop is Gop.OPEN,
        filters=DROPS if cell.rate is Rate.VARIABLE_30 else "null",
    )
    # With B-frames ffmpeg moves everything but the first decode time by their delay.
    begin = source.frames(AUDIO)[0].due
    match cell.sound:
        case Sound.WITHOUT:
            return source.without(AUDIO)
        case Sound.LATE:
            return source.drop(AUDIO, until=begin + LATE_MS)
        case Sound.STOPPING:
            return source.drop(AUDIO, since=begin + STOP_MS)
        case _:
            return source


def publishing(cell: Cell, url: str, folder: Path) -> AbstractContextManager[Wait]:
    """Publish a cell at speed 1 until the block ends."""
    if cell.program is Program.WRITER:
        return _write(source_of(cell), url)
    if cell.program is Program.FFMPEG:
        path = source_of(cell).write(folder / "source.flv")
        # By default ffmpeg holds the picture for up to ten seconds where sound is missing.
        copy = ("-re", "-i", str(path), "-c", "copy", "-max_interleave_delta", "200000")
        command = [ffmpeg.FFMPEG, "-hide_banner", "-nostdin", "-v", "error", *copy]
        return _run([*command, "-f", "flv", url])
    return _run(["gst-launch-1.0", "-q", *gst_pipeline(cell, url)])


def gst_pipeline(cell: Cell, url: str) -> list[str]:
    """Return a pipeline that encodes and publishes at the pace of the clock."""
    rate = FRAMES_PER_SECOND[cell.rate]
    frames = seconds_of(cell) * rate
    drops = "! identity drop-probability=0.3" if cell.rate is Rate.VARIABLE_30 else ""
    options = "scenecut=0:threads=1"
    if cell.gop is Gop.OPEN:
        options += ":" + one_idr(cell.b_frames)
    picture = (
        f"videotestsrc is-live=true pattern=ball num-buffers={frames}"
        f" ! video/x-raw,width=128,height=72,framerate={rate}/1 {drops}"
        f" ! x264enc speed-preset=ultrafast key-int-max={key_frame_distance(cell)}"
        f" bframes={cell.b_frames} b-adapt=false option-string={options}"
        f" ! h264parse ! queue ! flvmux name=mux streamable=true"
        f" ! rtmp2sink location={url}"
    )
    if cell.sound is Sound.WITHOUT:
        return picture.split()
    begin, end = 0, 1000 * seconds_of(cell)
    if cell.sound is Sound.LATE:
        begin = LATE_MS
    if cell.sound is Sound.STOPPING:
        end = STOP_MS
    buffers = (end - begin) * 44_100 // 1_024_000
    sound = (
        f" audiotestsrc is-live=true samplesperbuffer=1024 num-buffers={buffers}"
        f" timestamp-offset={begin}000000 ! audio/x-raw,rate=44100,channels=2"
        f" ! voaacenc ! aacparse ! queue ! mux."
    )
    return (picture + sound).split()


@contextmanager
def _write(source: FlvSource, url: str) -> Iterator[Wait]:
    with pushing(source, url) as push:

        def wait() -> None:
            push.wait()
            assert push.refusal is None, push.refusal

        yield wait


@contextmanager
def _run(command: list[str]) -> Iterator[Wait]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait() -> None:
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said.decode(errors="replace")

    try:
        yield wait
    finally:
        process.kill()
        process.communicate()
