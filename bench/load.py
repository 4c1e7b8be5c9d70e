"""The load generator: ready-made requests over keep-alive connections, in a process of its own.

It shares two cores with the server, so it does next to nothing: one thread, one epoll, no parsing
beyond the length of an answer. `wrk` (`bench/wrk.py`) costs less still and is used where it is
installed; this one sends a fixed number of requests, which `wrk` cannot.
"""

import contextlib
import json
import select
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length: "
NUMBER = b"#########"
"""Stands in a request for a number that each one has for itself, always as wide."""
DONE = '"errno":1,'


@dataclass(frozen=True)
class LoadPlan:
    """A run of requests: what to send, over how many connections, for how long."""

    port: int
    connections: int
    seconds: float
    requests: list[str]
    """Sent in turn, by the number; `NUMBER` in them is replaced by it."""
    first_number: int
    """Numbers count up from here, so that a run can use what another one left."""
    requests_in_all: int = 0
    """0 for no limit."""
    marker: str = DONE
    """Text in the body of each answer that is in order."""


@dataclass(frozen=True)
class Measured:
    """Result of a run."""

    answers: int
    seconds: float
    median_ms: float
    p99_ms: float
    other: list[str]
    """The first few answers that lacked the marker."""

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds


class _Connection:
    """One connection with one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.got = b""

    def send(self, request: bytes) -> None:
        self.got = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def body(self) -> bytes | None:
        """Take what has come; returns the body once it is whole."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.got += data
        head = self.got.find(END_OF_HEAD)
        if head < 0:
            return None
        place = self.got.find(LENGTH, 0, head + 2)
        length = int(self.got[place + len(LENGTH) : self.got.index(b"\r\n", place)])
        whole = head + len(END_OF_HEAD) + length
        return self.got[head + len(END_OF_HEAD) :] if len(self.got) >= whole else None


def drive(plan: LoadPlan) -> Measured:
    """Keep every connection busy until the time is over."""
    templates = [tuple(text.encode().split(NUMBER)) for text in plan.requests]
    marker = plan.marker.encode()
    number = plan.first_number - 1
    poll = select.epoll()
    connections = {}
    for _ in range(plan.connections):
        connection = _Connection(plan.port)
        connections[connection.socket.fileno()] = connection
        poll.register(connection.socket.fileno(), select.EPOLLIN)
    left = plan.requests_in_all or sys.maxsize
    latencies: list[float] = []
    other: list[str] = []
    started = time.perf_counter()
    until = started + plan.seconds
    for connection in connections.values():
        number += 1
        connection.send(_fill_number(templates[number % len(templates)], number))
    busy = len(connections)
    while busy:
        for descriptor, _ in poll.poll():
            connection = connections[descriptor]
            body = connection.body()
            if body is None:
                continue
            now = time.perf_counter()
            latencies.append(now - connection.sent_at)
            if marker not in body and len(other) < 5:
                other.append(body.decode(errors="replace")[:300])
            left -= 1
            if now < until and left > busy - 1:
                number += 1
                connection.send(_fill_number(templates[number % len(templates)], number))
            else:
                busy -= 1
    seconds = time.perf_counter() - started
    for connection in connections.values():
        connection.socket.close()
    latencies.sort()
    return Measured(
        len(latencies),
        seconds,
        statistics.median(latencies) * 1000,
        latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))] * 1000,
        other,
    )


def _fill_number(template: tuple[bytes, ...], number: int) -> bytes:
    return (b"%09d" % number).join(template)


def drive_in_process(plan: LoadPlan) -> Measured:
    """Drive from a process of its own; an answer without the marker fails."""
    command = [sys.executable, "-m", "bench.load"]
    done = subprocess.run(
        command,
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed:\n{done.stderr}")
    return check(Measured(**json.loads(done.stdout)))


def check(measured: Measured) -> Measured:
    """Return the result of a run whose answers were all in order."""
    if measured.other:
        raise RuntimeError(f"not every answer was in order: {measured.other}")
    return measured


def main() -> None:
    plan: dict[str, Any] = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        measured = drive(LoadPlan(**plan))
    print(json.dumps(asdict(measured)))


if __name__ == "__main__":
    main()
