"""The load generator: hundreds of viewers in a process of its own.

It shares two cores with the server, so it does next to nothing: one thread, one epoll, and the
kernel throws away what arrives instead of copying it to us.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.live.wire import ANSWER, HELLO, HOST, get, play

LOOK = 0.05
"""Seconds after which it looks at the clock if nothing has come."""
WARM_UP = 1.5
"""Seconds before it counts: by then everybody has had what they begin with."""
PERIOD = 1.0
"""Seconds between the requests of an HLS player for the playlist."""
ENOUGH = 0.9
"""Who gets less than this part of the stream lags."""
LOT = 1 << 22
WASTE = bytearray(LOT)
HEAD = 512
END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length: "


@dataclass(frozen=True)
class ViewerPlan:
    """A run of viewers: protocol and path, their number, the length."""

    protocol: str
    port: int
    path: str
    viewers: int
    seconds: float
    processes: list[int]
    """Whose processor time is counted."""
    bytes_per_second: float
    """What a viewer should get."""


@dataclass(frozen=True)
class StreamLoad:
    """Result of a run; processor time is in cores."""

    server: float
    own: float
    viewers: int
    lagging: int
    """Those who got too little of the stream, or were dropped."""
    delivered: float
    """Part of the stream that a viewer got in the mean."""
    others: float
    """Cores that everything else on the machine used; that makes a core look slower."""

    @property
    def per_core(self) -> float:
        return self.viewers * self.delivered / self.server


class Steady:
    """Viewers of RTMP or HTTP-FLV: they take what comes."""

    def __init__(self, plan: ViewerPlan) -> None:
        self._plan = plan
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._got: dict[int, int] = {}
        for number in range(plan.viewers):
            connection = _connect(plan.port)
            if plan.protocol == "rtmp":
                connection.sendall(HELLO)
                _skip(connection, ANSWER)
                connection.sendall(play(plan.port))
            else:
                connection.sendall(get(plan.port, plan.path))
            connection.setblocking(False)  # noqa: FBT003  it has no name
            self._sockets[connection.fileno()] = connection
            self._got[connection.fileno()] = 0
            self._poll.register(connection.fileno(), select.EPOLLIN)
            if number % 10 == 0:
                self._take(0)

    def watch(self, seconds: float) -> None:
        """Take what comes for some time, and count it."""
        self._got = dict.fromkeys(self._got, 0)
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            self._take(LOOK)

    def parts(self, seconds: float) -> list[float]:
        """Return what part of the stream each viewer got."""
        whole = seconds * self._plan.bytes_per_second
        return [min(1, got / whole) for got in self._got.values()]

    def _take(self, patience: float) -> None:
        for descriptor, _ in self._poll.poll(patience, len(self._sockets) + 1):
            got = self._sockets[descriptor].recv_into(WASTE, LOT, socket.MSG_TRUNC)
            self._got[descriptor] += got
            if not got:
                self._poll.unregister(descriptor)


class _Player:
    """One plain HLS player on one connection: each second the playlist and its next segment."""

    def __init__(self, plan: ViewerPlan) -> None:
        self.socket = _connect(plan.port)
        self.segments = 0
        self.is_busy = False
        self._port = plan.port
        self._playlist = get(plan.port, plan.path)
        self._base = plan.path.rpartition("/")[0]
        self._got = b""
        self._left = 0
        """Bytes of a segment that are still to come."""
        self._segment = ""
        self._is_list = True

    def ask(self) -> None:
        self.is_busy = self._is_list = True
        self.socket.sendall(self._playlist)

    def take(self) -> None:
        """Take what has come."""
        if self._left:
            self._left -= self.socket.recv_into(WASTE, self._left, socket.MSG_TRUNC)
            self._count()
            return
        data = self.socket.recv(LOT if self._is_list else HEAD)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._got += data
        end = self._got.find(END_OF_HEAD)
        if end < 0:
            return
        head = self._got[: end + 2].lower()
        if b" 200 ok" not in head:
            raise ConnectionError(head.decode())
        at = head.index(LENGTH) + len(LENGTH)
        length = int(head[at : head.index(b"\r\n", at)])
        body = self._got[end + len(END_OF_HEAD) :]
        if not self._is_list:
            self._got = b""
            self._left = length - len(body)
            self._count()
        elif len(body) == length:
            self._got = b""
            self._choose(body.decode().split("\n"))

    def _choose(self, lines: list[str]) -> None:
        """Ask for the segment after the last one, if there is one."""
        listed = [line for line in lines if line and line[0] != "#"]
        place = listed.index(self._segment) + 1 if self._segment in listed else len(listed) - 1
        if place == len(listed):
            self.is_busy = False
            return
        self._is_list = False
        self._segment = listed[place]
        self.socket.sendall(get(self._port, f"{self._base}/{self._segment}"))

    def _count(self) -> None:
        if not self._left:
            self.segments += 1
            self.is_busy = False


class Hls:
    """Plain HLS players, evenly spread over each second."""

    def __init__(self, plan: ViewerPlan) -> None:
        self._poll = select.epoll()
        self._players: dict[int, _Player] = {}
        self._turns: deque[tuple[float, _Player]] = deque()
        for _ in range(plan.viewers):
            player = _Player(plan)
            self._players[player.socket.fileno()] = player
            self._poll.register(player.socket.fileno(), select.EPOLLIN)
        now = time.perf_counter()
        for number, player in enumerate(self._players.values()):
            self._turns.append((now + PERIOD * number / plan.viewers, player))

    def watch(self, seconds: float) -> None:
        """Play for some time, and count segments."""
        for player in self._players.values():
            player.segments = 0
        until = time.perf_counter() + seconds
        while (now := time.perf_counter()) < until:
            while self._turns[0][0] <= now:
                due, player = self._turns.popleft()
                if not player.is_busy:
                    player.ask()
                self._turns.append((due + PERIOD, player))
            for descriptor, _ in self._poll.poll(max(0, self._turns[0][0] - now)):
                self._players[descriptor].take()

    def parts(self, seconds: float) -> list[float]:
        """Return what part of the stream each player got; one segment may be on its way."""
        whole = int(ENOUGH * seconds / PERIOD)
        return [min(1, player.segments / whole) for player in self._players.values()]


def watch_stream(plan: ViewerPlan) -> StreamLoad:
    """Watch from a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.live.viewers"],
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed:\n{done.stderr}")
    return StreamLoad(**json.loads(done.stdout))


def cpu_seconds(processes: Iterable[int]) -> float:
    """Return the processor time that processes have used so far, by all threads."""
    threads = (task for process in processes for task in Path(f"/proc/{process}/task").iterdir())
    return sum(int((task / "schedstat").read_text().split()[0]) for task in threads) / 1e9


def main() -> None:
    fields: dict[str, Any] = json.load(sys.stdin)
    plan = ViewerPlan(**fields)
    viewers = Hls(plan) if plan.protocol == "hls" else Steady(plan)
    viewers.watch(WARM_UP)
    began, before = time.perf_counter(), _cpu_use(plan)
    viewers.watch(plan.seconds)
    seconds = time.perf_counter() - began
    server, own, everything = (
        (now - then) / seconds for now, then in zip(_cpu_use(plan), before, strict=True)
    )
    parts = viewers.parts(seconds)
    lagging, delivered = sum(part < ENOUGH for part in parts), sum(parts) / len(parts)
    others = max(0.0, everything - server - own)
    load = StreamLoad(server, own, plan.viewers, lagging, delivered, others)
    print(json.dumps(asdict(load)))


def _cpu_use(plan: ViewerPlan) -> tuple[float, float, float]:
    """Return the processor seconds of server, load generator and whole machine so far."""
    fields = [int(text) for text in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    # All but those that count idleness and waiting for a disk.
    everything = (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")
    return cpu_seconds(plan.processes), time.process_time(), everything


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _skip(connection: socket.socket, size: int) -> None:
    while size:
        size -= len(connection.recv(size)) or size


if __name__ == "__main__":
    main()
