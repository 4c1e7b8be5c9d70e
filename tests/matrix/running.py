"""One cell of the matrix: publish it, join in the middle, and judge what came of it."""

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeVar

from homeroom.media.engine.packets import AUDIO, VIDEO
from tests.matrix.cells import Cell, Gop, Program, Rate, Sound
from tests.matrix.programs import FRAMES_PER_SECOND, publishing
from tests.matrix.viewers import FlvViewer, HlsViewer, RtmpViewer, SteadyViewer
from tests.support import ffmpeg
from tests.support.engine import Engine, until
from tests.support.flv_source import FlvSource
from tests.support.playlist_checker import PlaylistChecker
from tests.support.wire_tap import WireTap

T = TypeVar("T")
JOIN_SECONDS: Final = 3.2
"""When viewers join: over a second after sound has stopped, or a little after it has begun."""
MAX_JOIN_MS: Final = 5_000
"""The machine may be busy; usual are 5 ms. Who cannot join at all waits for longer."""
MAX_DELAY_MS: Final = 3_000
"""The same for 95 of 100 pictures; usual are 10 ms by FLV and RTMP, 250 ms by HLS."""
MAX_HLS_DELAY_MS: Final = 4_000
"""The same for a part, to which a frame's length is added: its end is known by the next one."""
MAX_HOLE_MS: Final = 1_500
"""The longest time for which a track that is promised may be missing, to which the length of a
picture is added: the other track advances by that."""
MAX_DRIFT_MS: Final = 61
"""Milliseconds that sound may be put off the publisher's clock."""
LOOK_SECONDS: Final = 0.25
SETTLE_PARTS: Final = 20
"""Parts after that of the last picture: sound may go on for some seconds."""
SETTLE_SECONDS: Final = 10
"""Time for the last frames and reports after a push."""
COLUMNS: Final = (
    *("program", "GOP", "rate", "B-frames", "sound", "join FLV", "RTMP", "HLS"),
    *("delay FLV", "HLS", "pictures", "sounds", "problems", "verdict"),
)


@dataclass
class Outcome:
    """Result of a cell."""

    cell: Cell
    faults: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=lambda: ["-"] * 8)

    @property
    def row(self) -> list[str]:
        """Return a line of the table."""
        return [*self.cell.columns, *self.figures, "; ".join(self.faults) or "ok"]

    def check(self, is_right: object, fault: str) -> None:
        """Note a fault, unless all is right."""
        if not is_right:
            self.faults.append(fault)

    def check_decodes(self, path: Path, name: str, source: FlvSource) -> None:
        """Note what ffmpeg complains of in a file, and not already in what was sent."""
        # Its guess of a steady rate is too coarse for frames that come unevenly.
        precise = ("-enc_time_base", "-1")
        complaint = ffmpeg.plays(path, *precise)
        # GStreamer sends pictures of uneven rates with decode times after their display.
        if complaint and not ffmpeg.plays(source.write(path.with_suffix(".sent.flv")), *precise):
            self.faults.append(f"{name} does not decode: {complaint[:80].strip()}")

    def wait(self, holds: Callable[[], object], fault: str) -> None:
        """Wait for something to hold, or note a fault."""
        try:
            until(holds, SETTLE_SECONDS)
        except TimeoutError:
            self.faults.append(fault)


class ProblemLog:
    """The problems that an engine reports of each stream, looked at in a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self.problems: dict[str, set[str]] = {}
        self._engine = engine
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        """Look no longer."""
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            for stream in self._engine.streams()["streams"]:
                problems = stream["homeroom"].get("problems", [])
                self.problems.setdefault(stream["name"], set()).update(problems)


def run_cells(cells: Sequence[Cell], engine: Engine, folder: Path) -> list[Outcome]:
    """Run cells at the same time on one engine."""
    with closing(ProblemLog(engine)) as log, ThreadPoolExecutor(len(cells)) as pool:

        def run(number: int) -> Outcome:
            own = folder / str(number)
            own.mkdir()
            outcome = Outcome(cells[number])
            try:
                _run_cell(outcome, engine, own, f"cell-{number}", log)
            except (AssertionError, OSError, TimeoutError) as failure:
                outcome.faults.append(f"{type(failure).__name__}: {failure}")
            return outcome

        outcomes = list(pool.map(run, range(len(cells))))
    errors = [
        line
        for line in engine.log.read_text().splitlines()
        if not line.startswith("{") or json.loads(line)["level"] in {"error", "critical"}
    ]
    for outcome in outcomes:
        outcome.check(not errors, f"the log has errors: {errors[:1]}")
    return outcomes


def expected_problems(cell: Cell) -> set[str]:
    """Return what the engine must say of a cell."""
    problems = set()
    if cell.gop is Gop.OPEN:
        problems.add("keyframes_missing")
    if cell.sound in {Sound.LATE, Sound.STOPPING}:
        problems.add("sound_missing")
    return problems


def possible_problems(cell: Cell) -> set[str]:
    """Return what the engine may say of a cell as well."""
    if cell.program is Program.GSTREAMER and cell.rate is Rate.SLIDES_1 and cell.b_frames:
        # x264 holds three pictures, of a second each: what is announced comes that much later.
        return {"picture_missing", "sound_missing"}
    return set()


def _run_cell(outcome: Outcome, engine: Engine, folder: Path, name: str, log: ProblemLog) -> None:
    cell, hooks = outcome.cell, engine.hooks
    with (
        closing(WireTap(engine.rtmp_port)) as tap,
        publishing(cell, f"rtmp://127.0.0.1:{tap.port}/live/{name}", folder) as wait,
    ):
        began = tap.wait_for_frame()
        threading.Event().wait(max(0, began + JOIN_SECONDS - time.monotonic()))
        with _watching(engine, name) as (flv, rtmp, hls):
            wait()
            source = tap.wait_for_end()
            last = source.frames(VIDEO)[-1]
            # The report of the end follows those of the recordings.
            outcome.wait(
                lambda: any(hook["stream"] == name for hook in hooks.of("on_unpublish")),
                "the push does not end",
            )
            for viewer in (flv, rtmp):
                outcome.wait(partial(_has, viewer, last.payload), f"{viewer.name}: no last picture")
            outcome.wait(
                lambda: any(last.payload in part.data for part in hls.parts[-SETTLE_PARTS:]),
                "HLS: no last picture",
            )
    clips = [Path(hook["file"]) for hook in hooks.of("on_dvr") if hook["stream"] == name]
    _judge_clips(outcome, clips, source)
    for viewer in (flv, rtmp):
        _judge_steady(outcome, viewer, source, tap.passed)
    outcome.check_decodes(flv.source.write(folder / "flv.flv"), "FLV", source)
    _judge_hls(outcome, hls, source, tap.passed, folder)
    problems = log.problems.get(name, set())
    expected, possible = expected_problems(cell), possible_problems(cell)
    is_right = expected - possible <= problems <= expected | possible
    outcome.check(is_right, f"problems {sorted(problems)}")
    outcome.figures = [
        *(_ms(viewer.join_ms) for viewer in (flv, rtmp)),
        _ms(hls.join_ms(source)),
        _ms(_p95(flv.delays(tap.passed))),
        _ms(_p95(hls.delays(source, tap.passed))),
        *(str(len(source.frames(kind))) for kind in (VIDEO, AUDIO)),
        " ".join(sorted(problems)) or "-",
    ]


@contextmanager
def _watching(engine: Engine, name: str) -> Iterator[tuple[FlvViewer, RtmpViewer, HlsViewer]]:
    with ExitStack() as stack:
        yield (
            stack.enter_context(closing(FlvViewer(engine.http_port, name))),
            stack.enter_context(closing(RtmpViewer(engine.rtmp_port, name))),
            stack.enter_context(closing(HlsViewer(engine.http_port, name))),
        )


def _judge_clips(outcome: Outcome, clips: list[Path], source: FlvSource) -> None:
    """Compare payload and times of the clips with what was sent."""
    outcome.check(len(clips) == 1, f"{len(clips)} clips")
    for clip in clips:
        outcome.check_decodes(clip, "clip", source)
    tracks = [ffmpeg.tracks(clip) for clip in clips]
    for kind, letter in ((VIDEO, "v"), (AUDIO, "a")):
        sent = source.hashes(kind)
        packets = [packet for one in tracks for packet in one[letter]]
        is_whole = [packet.digest for packet in packets] == sent
        outcome.check(is_whole, f"clip: {len(packets)} of {len(sent)} {letter} as sent")
        if is_whole and len(clips) == 1 and packets:
            times = [tag.shown_at for tag in source.frames(kind)][-len(sent) :]
            drift = [
                packet.shown_at - packets[0].shown_at - (time - times[0])
                for packet, time in zip(packets, times, strict=True)
            ]
            limit = MAX_DRIFT_MS if kind == AUDIO else 1.5
            outcome.check(max(map(abs, drift)) <= limit, f"clip: {letter} is off the clock")


def _judge_steady(
    outcome: Outcome, viewer: SteadyViewer, source: FlvSource, passed: dict[bytes, float]
) -> None:
    name, join = viewer.name, viewer.join_ms
    # Not the bodies: the engine makes the mark of a key frame true.
    pictures = [tag.payload for tag in viewer.pictures]
    outcome.check(join is not None and join <= MAX_JOIN_MS, f"{name}: join {_ms(join)} ms")
    sent = [tag.payload for tag in source.frames(VIDEO)]
    outcome.check(_is_end(pictures, sent), f"{name}: pictures are missing")
    delay = _p95(viewer.delays(passed))
    outcome.check(delay is not None and delay <= MAX_DELAY_MS, f"{name}: delay {_ms(delay)} ms")
    if viewer.pictures and source.frames(AUDIO):
        times = [tag.time for tag in viewer.tags if tag.kind == AUDIO and tag.is_frame]
        ends = [tag.time for tag in viewer.pictures]
        _judge_holes(outcome, name, times, ends)


def _judge_hls(
    outcome: Outcome,
    viewer: HlsViewer,
    source: FlvSource,
    passed: dict[bytes, float],
    folder: Path,
) -> None:
    checker = PlaylistChecker()
    for at, text in viewer.playlists:
        checker.add(text, at)
    outcome.check(viewer.playlists and not checker.faults, f"playlist: {checker.faults[:2]}")
    join, delay = viewer.join_ms(source), _p95(viewer.delays(source, passed))
    interval = 1000 / FRAMES_PER_SECOND[outcome.cell.rate]
    outcome.check(join is not None and join <= MAX_JOIN_MS, f"HLS: join {_ms(join)} ms")
    limit = MAX_HLS_DELAY_MS + interval
    outcome.check(delay is not None and delay <= limit, f"HLS: delay {_ms(delay)} ms")
    files = viewer.save(folder)
    for file in files:
        outcome.check_decodes(file, "HLS", source)
    tracks = [ffmpeg.tracks(file) for file in files]
    pictures = [packet for one in tracks for packet in one["v"]]
    digests = [packet.digest for packet in pictures]
    outcome.check(_is_end(digests, source.hashes(VIDEO)), "HLS: pictures are missing")
    if pictures and source.frames(AUDIO):
        sounds = [packet.at for one in tracks for packet in one["a"]]
        _judge_holes(outcome, "HLS", sounds, [packet.at for packet in pictures])


def _judge_holes(
    outcome: Outcome, name: str, times: Sequence[float], pictures: Sequence[float]
) -> None:
    """Check that sound is never missing for long: a player that was promised it waits."""
    marks = sorted([pictures[0], *times, pictures[-1]])
    hole = max(after - before for before, after in pairwise(marks))
    limit = MAX_HOLE_MS + 1000 / FRAMES_PER_SECOND[outcome.cell.rate]
    outcome.check(hole <= limit, f"{name}: no sound for {hole:.0f} ms")


def _is_end(frames: Sequence[T], sent: Sequence[T]) -> bool:
    """Return whether frames are the last ones that were sent; repeated ones fill gaps."""
    unique, expected = list(dict.fromkeys(frames)), list(dict.fromkeys(sent))
    return unique == expected[len(expected) - len(unique) :]


def _has(viewer: SteadyViewer, payload: bytes) -> bool:
    return any(tag.payload == payload for tag in reversed(viewer.pictures))


def _p95(delays: list[float]) -> float | None:
    if len(delays) < 2:
        return next(iter(delays), None)
    return statistics.quantiles(delays, n=20, method="inclusive")[-1]


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
