"""A media engine among hostile peers, and a class that must not be disturbed."""

import json
import shutil
import socket
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from random import Random
from typing import Final

from homeroom.media.engine.flatten import flatten
from homeroom.media.engine.repair import repair
from tests.soak.media_inputs import Peers, record_session
from tests.support import ffmpeg
from tests.support.engine import Engine, Hook, running_engine, until
from tests.support.paced import FlvWatcher, RtmpWatcher, Source, descriptors, recorded, resident

NAME: Final = "class"
FRAME: Final = 3_000
AT_ONCE: Final = 8
A_ROUND: Final = 400
WARM: Final = 0.3
"""The share of inputs after which memory must not grow any more."""
MOST_GROWTH: Final = 40_000_000
"""Bytes: streams live on for a while, and how much of one is held is chance."""
GONE: Final = 40
"""Seconds within which nothing is left of what peers have begun."""
PATIENCE: Final = 30
"""Seconds within which a connection ends that its peer has ended."""
RESET: Final = struct.pack("ii", 1, 0)


class Fuzz:
    """An engine, the class that must not be disturbed, and what was seen of both."""

    def __init__(self, engine: Engine, peers: Peers, dvrs: "SimpleQueue[Hook]") -> None:
        self.engine = engine
        self.peers = peers
        self.ends: Counter[str] = Counter()
        self._dvrs = dvrs
        self._whole: Hook | None = None
        self._log_read = 0
        self._source = Source(engine.rtmp_port, NAME, FRAME)
        self._watchers = [RtmpWatcher(engine.rtmp_port, NAME), FlvWatcher(engine.http_port, NAME)]
        until(lambda: all(one.taken for one in self._watchers) and self._is_recording())

    def run(self, number: int, seed: int) -> tuple[int, int]:
        """Send so many inputs; returns how much memory there was once warm, and at the end."""
        pid = self.engine.process.pid
        before, warm = descriptors(pid), 0
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for begin in range(0, number, A_ROUND):
                seeds = range(begin, min(begin + A_ROUND, number))
                self.ends.update(threads.map(lambda one: self._send(seed * 10**7 + one), seeds))
                self._check(f"inputs {begin} to {seeds[-1]} of seed {seed}")
                if not warm and begin >= WARM * number:
                    until(lambda: descriptors(pid) <= before, GONE)
                    warm = resident(pid)
        until(lambda: descriptors(pid) <= before, GONE)
        return warm, resident(pid)

    def finish(self) -> None:
        """End the class; every frame of it must have arrived, and be recorded."""
        last = self._source.finish()
        until(lambda: all(one.last == last for one in self._watchers))
        assert all(one.whole(self._source.sent) for one in self._watchers)
        self.close()
        until(self._recorded)
        assert self._whole is not None
        assert recorded(Path(self._whole["file"])) == self._source.sent
        self._check("the end")

    def close(self) -> None:
        """End the class and its viewers."""
        self._source.close()
        for one in self._watchers:
            one.close()

    def _is_recording(self) -> bool:
        stream = self.engine.stream(NAME)
        return stream is not None and stream["homeroom"]["recording"] == "on"

    def _recorded(self) -> bool:
        self._check_recordings()
        return self._whole is not None

    def _send(self, number: int) -> str:
        """Be one hostile peer, and return how the connection ended."""
        try:
            return self._be(Random(number))
        except Exception as failure:
            failure.add_note(f"input {number}")
            raise

    def _be(self, random: Random) -> str:
        is_rtmp = random.random() < 0.6
        data = (self.peers.rtmp if is_rtmp else self.peers.http)(random)
        port = self.engine.rtmp_port if is_rtmp else self.engine.http_port
        way = random.choice(("whole", "whole", "whole", "drip", "reset"))
        kind = "rtmp" if is_rtmp else "http"
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as peer:
            try:
                self._say(random, peer, data, way)
                if way == "reset":
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    return f"{kind} reset by the peer"
                if not is_rtmp and random.random() < 0.5:
                    # What has to be waited for would not be answered once the peer has ended.
                    peer.settimeout(0.3)
                    with suppress(TimeoutError):
                        peer.recv(65_536)
                    peer.settimeout(PATIENCE)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65_536):
                    pass
            except TimeoutError:
                raise
            except OSError:
                return f"{kind} reset"
        return f"{kind} ended"

    def _say(self, random: Random, peer: socket.socket, data: bytes, way: str) -> None:
        if way == "drip":
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data and random.random() < 0.95:
                peer.sendall(data[:1])
                data = data[1:]
        peer.sendall(data)

    def _check(self, what: str) -> None:
        """Make sure that the engine lives, complains of nothing, and records what can be read."""
        assert self.engine.process.poll() is None, what
        with self.engine.log.open("rb") as log:
            log.seek(self._log_read)
            lines, end, _ = log.read().rpartition(b"\n")
        for line in lines.splitlines():
            assert json.loads(line)["level"] in {"info", "warning"}, (what, line)
        self._log_read += len(lines + end)
        self.engine.hooks.taken.clear()
        self._check_recordings()

    def _check_recordings(self) -> None:
        while not self._dvrs.empty():
            hook = self._dvrs.get()
            path = Path(hook["file"])
            size = path.stat().st_size
            assert repair(path) is not None, path
            assert path.stat().st_size == size, "a recording ends with a whole chunk"
            flat = path.with_suffix(".flat")
            flatten(path, flat)
            flat.unlink()
            self.ends["recorded"] += 1
            if hook["stream"] == NAME:
                self._whole = hook
            else:
                path.unlink()


@contextmanager
def running_fuzz() -> Iterator[Fuzz]:
    """Run an engine until the block ends; its files are in memory where there is room for them."""
    dvrs: SimpleQueue[Hook] = SimpleQueue()

    def judge(hook: Hook) -> tuple[int, bytes]:
        if hook["action"] == "on_dvr":
            dvrs.put(hook)
        is_known = hook["stream"] == NAME or hook["stream"].startswith("fuzz-")
        is_allowed = is_known and "denied" not in hook["param"]
        is_question = hook["action"] in {"on_publish", "on_play"}
        return (200, b"0") if is_allowed or not is_question else (403, b'{"code":403}')

    shared = Path("/dev/shm")  # noqa: S108  of what is made there nobody can know the name
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=shared if shared.is_dir() else None))
    try:
        with running_engine(folder, judge) as engine:
            clip = ffmpeg.source(folder / "source.flv", seconds=2, size="160x90")
            peers = Peers(record_session(clip, engine.rtmp_port))
            fuzz = Fuzz(engine, peers, dvrs)
            try:
                yield fuzz
            finally:
                fuzz.close()
    finally:
        ffmpeg.end_all()
        shutil.rmtree(folder)
