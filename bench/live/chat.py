"""The chat of one class, with a thousand viewers: how soon a message reaches all, at what cost.

The viewers are a process of its own, and so are those who flood the room; both do next to nothing
but what they have to, for they share two cores with the server.
"""

import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.frames import Frame, Opcode

from bench.live.viewers import cpu_seconds
from tests.support.chat import handshake
from tests.support.process import Process
from tests.support.school import School

VIEWERS = 1000
SPEAKERS = 20
"""So many that none of them says more than a viewer may."""
WINDOWS = 5
"""So many that no connection sends more than it may."""
FLOODERS = 50
WARM_UP = 2.0
FROM_ONE_ADDRESS = 250
FLOOD_PAUSE = 0.01
FLOOD = 4
"""Messages that a flooder sends in a go: 400 a second."""
FAR = 100 * FROM_ONE_ADDRESS
"""The number of the first flooder: they have addresses of their own."""
LOT = 1 << 16
STAMP = re.compile(rb"@(\d+)@")


@dataclass(frozen=True)
class ChatPlan:
    """A run of the chat: the room, the speakers, their rate and the length."""

    port: int
    base: str
    seconds: float
    a_second: float
    """Messages."""
    speakers: list[str]
    """Their tickets; with none it is the teacher who speaks."""
    server: int
    """The process whose time is counted."""


@dataclass(frozen=True)
class ChatLoad:
    """Result of a run; times in milliseconds."""

    messages: int
    deliveries: int
    missed: int
    p50: float
    p95: float
    slowest: float
    server: float
    """Cores."""
    own: float
    a_core: float
    """Deliveries a second and core of the server."""


class Peer:
    """One connection to a room."""

    def __init__(self, port: int, base: str, ticket: str | None, number: int) -> None:
        self.socket = socket.socket()
        # Each address may have so many.
        self.socket.bind((f"127.0.{1 + number // FROM_ONE_ADDRESS}.1", 0))
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(handshake(f"{base}/room"))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        self.send(t="join", ticket=ticket)

    def send(self, **frame: str | None) -> None:
        self.socket.sendall(mask(frame))


def mask(frame: Mapping[str, str | None]) -> bytes:
    return Frame(Opcode.TEXT, json.dumps(frame).encode()).serialize(mask=True)


class Audience:
    """The viewers, and those among them who speak."""

    def __init__(self, plan: ChatPlan) -> None:
        self._plan = plan
        self._poll = select.epoll()
        self._peers: dict[int, Peer] = {}
        self._took: list[int] = []
        tickets: list[str | None] = [*plan.speakers]
        for number in range(VIEWERS):
            ticket = tickets[number] if number < len(tickets) else None
            self._add(Peer(plan.port, plan.base, ticket, number))
            self._take(0)
        self._speakers = list(self._peers.values())[: len(plan.speakers)]

    def speak_as(self, base: str) -> None:
        """Let the user of another page speak, from several windows of it."""
        self._speakers = [Peer(self._plan.port, base, None, VIEWERS) for _ in range(WINDOWS)]
        for peer in self._speakers:
            self._add(peer)

    def listen(self, seconds: float, a_second: float) -> int:
        """Listen for some time, and return the number of messages sent."""
        now = time.perf_counter()
        until, due, count_sent = now + seconds, now, 0
        while (now := time.perf_counter()) < until:
            if a_second and now >= due:
                due += 1 / a_second
                speaker = self._speakers[count_sent % len(self._speakers)]
                mark = f"{time.monotonic_ns()}"
                speaker.send(t="say", text=f"Hello to everybody who is here! @{mark}@", nonce=mark)
                count_sent += 1
            self._take(min(until, due if a_second else until) - now)
        return count_sent

    def forget(self) -> None:
        self._took = []

    @property
    def took(self) -> list[int]:
        return sorted(self._took)

    def _add(self, peer: Peer) -> None:
        peer.socket.setblocking(False)  # noqa: FBT003  it has no name
        self._peers[peer.socket.fileno()] = peer
        self._poll.register(peer.socket.fileno(), select.EPOLLIN)

    def _take(self, patience: float) -> None:
        for descriptor, _ in self._poll.poll(max(0.0, patience), VIEWERS):
            data = os.read(descriptor, LOT)
            now = time.monotonic_ns()
            if not data:
                raise ConnectionError("the server has closed a connection")
            self._took += [now - int(stamp) for stamp in STAMP.findall(data)]


def watch_chat(plan: ChatPlan, teacher: str | None) -> ChatLoad:
    """Be the viewers, in a process of its own."""
    audience = Audience(plan)
    if teacher is not None:
        audience.speak_as(teacher)
    audience.listen(WARM_UP, 0)
    audience.forget()
    began, before, own = time.perf_counter(), cpu_seconds([plan.server]), time.process_time()
    messages = audience.listen(plan.seconds, plan.a_second)
    seconds = time.perf_counter() - began
    server = cpu_seconds([plan.server]) - before
    own = time.process_time() - own
    audience.listen(1, 0)
    took = audience.took
    everybody = VIEWERS + (0 if teacher is None else WINDOWS)
    return ChatLoad(
        messages,
        len(took),
        messages * everybody - len(took),
        p50=took[len(took) // 2] / 1e6,
        p95=took[len(took) * 95 // 100] / 1e6,
        slowest=took[-1] / 1e6,
        server=server / seconds,
        own=own / seconds,
        a_core=len(took) / server,
    )


def flood(port: int, base: str, tickets: list[str]) -> None:
    """Flood a room until killed, and come back as soon as one is sent away."""
    peers: list[Peer | None] = [None] * len(tickets)
    marks = count()
    floods = cycle([_flood(marks) for _ in range(500)])
    while True:
        for number, ticket in enumerate(tickets):
            peer = peers[number]
            try:
                if peer is None:
                    peer = peers[number] = Peer(port, base, ticket, FAR + number)
                    peer.socket.setblocking(False)  # noqa: FBT003  it has no name
                with suppress(BlockingIOError):
                    peer.socket.send(next(floods))
                with suppress(BlockingIOError):
                    while data := peer.socket.recv(LOT):
                        del data
                    raise ConnectionError
            except OSError:
                if peer is not None:
                    peer.socket.close()
                peers[number] = None
        time.sleep(FLOOD_PAUSE)


def _flood(marks: Iterator[int]) -> bytes:
    messages = [
        {"t": "say", "text": "flood " * 80, "nonce": f"{next(marks)}"} for _ in range(FLOOD)
    ]
    return b"".join(map(mask, messages))


def measure_chat(seconds: float) -> dict[str, ChatLoad]:
    """Measure a room at five messages a second, beside flooders, and with a busy teacher."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        options = ("--demo", "--sandbox", "--media", "external")
        addresses = {
            "HOMEROOM_RTMP_URL": "rtmp://127.0.0.1",
            "HOMEROOM_MEDIA_URL": "http://127.0.0.1:8081",
            "HOMEROOM_LOG_LEVEL": "error",
        }
        server = Process(*options, data=folder, env=addresses)
        ends.callback(server.stop)
        school = School(server)
        ends.callback(school.close)
        added = school.add()
        key = urlsplit(added.body["more_data"]["live_url"]).query.removeprefix("lessonKey=")
        base = f"/class/{key}"
        tickets = [_guest(server.url, base, number) for number in range(SPEAKERS + FLOODERS)]
        speakers, flooders = tickets[:SPEAKERS], tickets[SPEAKERS:]
        teacher = urlsplit(school.stream(added.data)["teach_url"]).path
        port = urlsplit(server.url).port or 0
        pid = server.process.pid
        plan = ChatPlan(port, base, seconds, 5, speakers, pid)
        loads = {"5 messages a second": _run(plan, None)}
        with _process("flood", {"port": port, "base": base, "tickets": flooders}) as flooding:
            time.sleep(WARM_UP)
            loads[f"beside {FLOODERS} flooders"] = _run(plan, None)
            flooding.kill()
        busy = ChatPlan(port, base, seconds, 25, [], pid)
        loads["25 messages a second"] = _run(busy, teacher)
        return loads


def _guest(url: str, base: str, number: int) -> str:
    guest = {"telephone": f"{13_000_000_000 + number}", "nickname": f"Guest {number}"}
    answer = httpx.post(f"{url}{base}/guest", json=guest, trust_env=False, timeout=30)
    ticket: str = answer.raise_for_status().json()["ticket"]
    return ticket


def _run(plan: ChatPlan, teacher: str | None) -> ChatLoad:
    with _process("watch", {"plan": asdict(plan), "teacher": teacher}) as viewers:
        out, _ = viewers.communicate()
    if viewers.returncode:
        raise RuntimeError("the viewers failed")
    return ChatLoad(**json.loads(out))


def _process(what: str, task: dict[str, Any]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.live.chat", what, json.dumps(task)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def main() -> None:
    match sys.argv[1:]:
        case ["watch", task]:
            order = json.loads(task)
            print(json.dumps(asdict(watch_chat(ChatPlan(**order["plan"]), order["teacher"]))))
        case ["flood", task]:
            flood(**json.loads(task))


if __name__ == "__main__":
    main()
