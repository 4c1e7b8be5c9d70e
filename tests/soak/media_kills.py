"""Classes that are pushed while engine, server and publishers are killed: no recording is lost.

Publishers keep a journal of every frame they have sent. What became of it is compared with that
frame by frame: a recording is what was sent, from the first frame to just before the kill.
"""

import hashlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from homeroom.media.engine.packets import AUDIO, VIDEO, Packet
from tests.support import ffmpeg
from tests.support.engine import until
from tests.support.process import Process
from tests.support.publisher import frames
from tests.support.school import School

PUBLISHERS: Final = 3
SOURCE_SECONDS: Final = 40
LATEST: Final = 4.0
"""Seconds after which the next kill comes at the latest."""
NOTICED_SECONDS: Final = 10
SETTLED_SECONDS: Final = 90
MOST_MISSING: Final = 500
"""Milliseconds that may be missing before a kill."""
LONG_ENOUGH: Final = 1000
"""Milliseconds of media of which there must be a recording."""
DRIFT: Final = 61
"""Milliseconds that sound may be put off the publisher's clock."""
FRAME: Final = 41
"""Milliseconds of a picture, and a little."""
PAYLOAD: Final = {VIDEO: 5, AUDIO: 2}
"""Bytes before the payload of a frame."""
NAMES: Final = {"video": VIDEO, "audio": AUDIO}
ROOT: Final = Path(__file__).parents[2]
ENGINE: Final = re.compile(r"engine_process_started\",\"pid\":(\d+)")


class Frame(NamedTuple):
    """A frame that was sent or recorded."""

    kind: int
    time: float
    """Milliseconds."""
    digest: str


@dataclass
class Push:
    """One connection of a publisher."""

    begin: int
    """The key frame of the source that it begins with."""
    journal: Path
    process: subprocess.Popen[bytes]
    cut_at: float | None = None
    """When it, or what it was pushing to, was last killed, in seconds."""

    @property
    def runs(self) -> bool:
        """True while it pushes."""
        return self.process.poll() is None

    def goes_on(self) -> bool:
        """Tell whether it pushes, or is about to; one that was cut notices in a moment."""
        if self.runs and self.cut_at is not None and self._times():
            self.process.wait(NOTICED_SECONDS)
        return self.runs

    def sent(self, source: list[Frame]) -> list[Frame]:
        """Return what it had sent when it was cut."""
        return [frame for frame, _ in zip(source, self._times(), strict=False)]

    def _times(self) -> list[float]:
        """Return when it had sent each frame before it was cut."""
        over = float("inf") if self.cut_at is None else self.cut_at
        return [at for at in map(float, self.journal.read_text().split()) if at <= over]

    def end(self) -> None:
        """Kill it, and see whether it had ended for a reason that is ours."""
        if self.runs:
            # What was killed before it had even connected has not cut it.
            self.cut_at = time.monotonic()
            self.process.kill()
        code = self.process.wait()
        said = self.journal.with_suffix(".said").read_text()
        assert code == 0 or self.cut_at is not None, said


@dataclass
class Lane:
    """A class and its publishers, one after the other."""

    lesson: int
    url: str
    pushes: list[Push] = field(default_factory=list)


class Kills:
    """A server on a folder, and what is killed around it again and again."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.random = random.Random(seed)
        self.kills = self.pushes = self.clips = self.recorded = 0
        self.missing = 0.0
        """Milliseconds that were missing at most."""
        self.source = ffmpeg.source(folder / "source.flv", seconds=SOURCE_SECONDS)
        self._sources: dict[int, list[Frame]] = {}
        self._ports = [
            word
            for name, port in zip(("port", "rtmp-port", "media-port"), _ports(), strict=True)
            for word in (f"--{name}", str(port))
        ]
        # Of the demo only the school is of use: its class on the air would be recorded beside ours.
        demo = Process("--demo", "--sandbox", "--media", "none", *self._ports, data=self.data)
        self.school = School(demo)
        demo.stop()
        self.server = self.school.server = self._start()
        self.server.wait_until_ready()
        self.lanes: list[Lane] = []

    def rounds(self, number: int) -> None:
        """Kill so many times, then make sure of every recording."""
        self.lanes = [self._lane() for _ in range(PUBLISHERS)]
        kinds = [self._kill_engine, self._kill_server, self._kill_both, self._kill_publisher]
        kinds = [kinds[one % len(kinds)] for one in range(number)]
        self.random.shuffle(kinds)
        for kill in kinds:
            for lane in self.lanes:
                if not (lane.pushes and lane.pushes[-1].goes_on()):
                    self._push(lane)
            time.sleep(self.random.uniform(0, LATEST))
            kill()
            self.kills += 1
        self._check()

    def close(self) -> None:
        """End everything."""
        for lane in self.lanes:
            for push in lane.pushes:
                push.process.kill()
                push.process.wait()
        self.school.close()
        self.server.stop()

    def summary(self) -> str:
        """Return what was seen, in one line."""
        return (
            f"{self.kills} kills, {self.pushes} pushes, {self.clips} clips of"
            f" {self.recorded / 1000:.0f} s, at most {self.missing:.0f} ms missing"
        )

    # --- killing ---------------------------------------------------------------------------------

    def _kill_engine(self) -> None:
        pid = self._engine()
        self._cut()
        os.kill(pid, signal.SIGKILL)
        until(lambda: self._engine() != pid)

    def _kill_server(self) -> None:
        self._cut()
        self.server.process.kill()
        self._start_again()

    def _kill_both(self) -> None:
        pid = self._engine()
        self._cut()
        self.server.process.kill()
        os.kill(pid, signal.SIGKILL)
        self._start_again()

    def _kill_publisher(self) -> None:
        self.random.choice(self.lanes).pushes[-1].end()

    def _cut(self) -> None:
        now = time.monotonic()
        for lane in self.lanes:
            if lane.pushes[-1].runs:
                lane.pushes[-1].cut_at = now

    def _engine(self) -> int:
        until(lambda: ENGINE.search(self.server.log))
        return int(ENGINE.findall(self.server.log)[-1])

    def _start_again(self) -> None:
        """Start a server in place of the one that was killed, at the same ports."""
        self.server.process.wait()
        old = self.server
        # The old engine may live for a moment still; the new server does not wait for us.
        self.server = self.school.server = self._start()
        old.kill()
        assert "Traceback" not in old.log, old.log

    def _start(self) -> Process:
        return Process("--sandbox", *self._ports, data=self.data)

    # --- pushing ---------------------------------------------------------------------------------

    def _lane(self) -> Lane:
        lesson = self.school.add().data
        return Lane(lesson, self.school.shown(f"classes/{lesson}/stream")["pushUrl"])

    def _push(self, lane: Lane) -> None:
        """Push once more, from a later key frame on: so a recording tells whose it is."""
        begin = len(lane.pushes)
        journal = self.folder / f"{lane.lesson}-{begin}.sent"
        command = (sys.executable, "-m", "tests.support.publisher")
        with journal.open("wb") as out, journal.with_suffix(".said").open("wb") as said:
            process = subprocess.Popen(
                (*command, str(self.source), lane.url, str(begin)),
                stdout=out,
                stderr=said,
                cwd=ROOT,
            )
        lane.pushes.append(Push(begin, journal, process))

    # --- afterwards ------------------------------------------------------------------------------

    def _check(self) -> None:
        for lane in self.lanes:
            for push in lane.pushes:
                push.end()
        self.server.wait_until_ready()
        try:
            until(lambda: not self._left(), SETTLED_SECONDS)
        except TimeoutError:
            raise AssertionError((self._left(), self.server.log)) from None
        assert "Traceback" not in self.server.log, self.server.log
        for lane in self.lanes:
            self._check_lane(lane)
        listed = {clip["fileId"] for lane in self.lanes for clip in self.school.clips(lane.lesson)}
        there = {path.stem: path for path in self.data.glob("clips/*/*.mp4")}
        assert there.keys() == listed
        for path in there.values():
            path.unlink()

    def _left(self) -> list[str]:
        """Return what is not done yet, in the order in which a recording becomes a clip."""
        media = self.data / "media"
        left = [str(path) for name in ("recordings", "spool") for path in (media / name).glob("*")]
        for lane in self.lanes:
            shown = self.school.shown(f"classes/{lane.lesson}/stream")
            left += [f"push {push}" for push in shown["pushes"]]
            clips = self.school.clips(lane.lesson)
            left += [f"clip {clip['fileId']}" for clip in clips if not clip["isFinished"]]
        return left + [str(path) for path in (self.data / "clips" / "partial").glob("*.partial")]

    def _check_lane(self, lane: Lane) -> None:
        """Compare the pushes of a class with its clips."""
        found: dict[str, list[Frame]] = {}
        clips = self.school.clips(lane.lesson)
        for clip in clips:
            path = self.data / "clips" / clip["fileId"][:2] / f"{clip['fileId']}.mp4"
            recorded = self._check_file(path, clip)
            first = next(frame.digest for frame in recorded if frame.kind == VIDEO)
            assert first not in found, "one push, two clips"
            found[first] = recorded
        for push in lane.pushes:
            source = self._source(push.begin)
            recorded = found.pop(source[0].digest, [])
            self._compare(push, push.sent(source), source, recorded)
        assert not found, "a clip of nothing that was sent"
        assert self.school.shown(f"classes/{lane.lesson}/stream")["lastProblem"] is None
        self.pushes += len(lane.pushes)
        self.clips += len(clips)
        self.recorded += sum(clip["durationMs"] for clip in clips)

    def _check_file(self, path: Path, clip: dict[str, Any]) -> list[Frame]:
        """Return the frames of a finished clip, which plays and is what is said of it."""
        content = path.read_bytes()
        assert clip["size"] == len(content)
        assert clip["sha256"] == hashlib.sha256(content).hexdigest()
        assert -1 < content.find(b"moov") < content.find(b"mdat"), path
        assert b"moof" not in content
        assert ffmpeg.plays(path) == ""
        lasted = 1000 * float(ffmpeg.probe(path)["format"]["duration"])
        assert abs(clip["durationMs"] - lasted) <= FRAME
        return _read(path)

    def _compare(
        self, push: Push, sent: list[Frame], source: list[Frame], recorded: list[Frame]
    ) -> None:
        """Make sure that a recording is what was sent, but for a little at the end."""
        if not recorded:
            assert not sent or sent[-1].time < LONG_ENOUGH, (push, sent[-1])
            return
        began = min(frame.time for frame in recorded)
        for kind in PAYLOAD:
            wanted = [frame for frame in source if frame.kind == kind]
            there = [frame for frame in recorded if frame.kind == kind]
            assert [one.digest for one in there] == [one.digest for one in wanted[: len(there)]]
            off = [
                there.time - began - sent.time for there, sent in zip(there, wanted, strict=False)
            ]
            assert all(abs(one) <= (DRIFT if kind == AUDIO else 1) for one in off), off
            last = max((frame.time for frame in sent if frame.kind == kind), default=0)
            missing = last - max((frame.time - began for frame in there), default=0)
            assert missing <= MOST_MISSING, (push, kind, missing)
            assert push.cut_at is not None or missing <= DRIFT, "it was ended in order"
            self.missing = max(self.missing, missing)

    def _source(self, begin: int) -> list[Frame]:
        if begin not in self._sources:
            self._sources[begin] = [_frame(packet) for packet in frames(self.source, begin)]
        return self._sources[begin]


def _frame(packet: Packet) -> Frame:
    payload = packet.body[PAYLOAD[packet.kind] :]
    return Frame(packet.kind, packet.time, hashlib.md5(payload).hexdigest())  # noqa: S324  as ffprobe's


def _read(path: Path) -> list[Frame]:
    """Return what ffprobe finds in a file."""
    done = subprocess.run(
        (
            *(ffmpeg.FFPROBE, "-v", "error", "-show_packets", "-show_data_hash", "md5"),
            *("-show_entries", "packet=codec_type,dts_time,data_hash", "-of", "csv=p=0", str(path)),
        ),
        capture_output=True,
        check=True,
        text=True,
    )
    rows = [line.split(",") for line in done.stdout.splitlines()]
    return [
        Frame(NAMES[kind], 1000 * float(at), said.removeprefix("MD5:")) for kind, at, said in rows
    ]


def _ports() -> list[int]:
    """Return three free ports that no outgoing connection is given while a server is down."""
    found: list[int] = []
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as one:
            if len(found) < 3 and one.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found


def survive(folder: Path, seed: int, times: int, kills_at_once: int = 10) -> None:
    """Kill some times and check, so many times."""
    print(f"seed {seed}")  # noqa: T201  what -s is for
    kills = Kills(folder, seed)
    try:
        for _ in range(times):
            kills.rounds(kills_at_once)
            print(kills.summary())  # noqa: T201  the person who runs the soak reads it
    finally:
        kills.close()
    # A run of which hardly anything was recorded has shown nothing.
    assert kills.clips >= kills.kills // 2, kills.summary()
