"""Connections of the HTTP port: those that wait without a right give way to others."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from starlette.types import Receive, Scope, Send

from homeroom.base import body_budget
from homeroom.base.body_budget import BodyBudget
from homeroom.base.connection_budget import GRACE_SECONDS, ConnectionBudget, ConnectionLimits
from homeroom.domain.refusal import OverloadedError
from homeroom.web.connections import hold, show_right
from homeroom.web.http_server import create_server
from homeroom.web.ports import listen
from tests.support.engine import until

PATIENCE = 20
WAITING = 5
TOTAL = 20
HALF_HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
HALF_BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n%b\r\nabc"
BIG = 32 * 1024 * 1024


class Site:
    """A server with a small budget on a stopped clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        limits = ConnectionLimits(TOTAL, reserved=4, waiting_per_address=WAITING, backlog=64)
        self.budget = ConnectionBudget(limits, now=lambda: self.now)
        self.listener, _ = listen("127.0.0.1", 0)
        self.port = self.listener.getsockname()[1]
        self.release = threading.Event()
        self.bodies = BodyBudget()
        self._http = create_server(self._serve, budget=self.budget, bodies=self.bodies)
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._http.serve([self.listener]))
        )
        self._thread.start()
        self._opened = ExitStack()

    def connect(self, data: bytes = b"") -> socket.socket:
        """Open a connection, send something, and wait until it has a slot."""
        before = self.budget.count + self.budget.closed + self.budget.refused
        peer = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        self._opened.callback(peer.close)
        peer.settimeout(PATIENCE)
        until(lambda: self.budget.count + self.budget.closed + self.budget.refused > before)
        peer.sendall(data)
        return peer

    def get(self, path: str, peer: socket.socket | None = None, **headers: str) -> socket.socket:
        """Send a request, by a connection of its own or a given one, and read the response."""
        peer = peer or self.connect()
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
        assert peer.recv(15) == b"HTTP/1.1 200 OK"
        while not peer.recv(65_536).endswith(b"ok"):
            pass
        return peer

    def close(self) -> None:
        self.release.set()
        self._opened.close()
        self._http.stop()
        self._thread.join(PATIENCE)
        self.listener.close()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/right":
            show_right(scope)
        elif scope["path"] == "/hold":
            hold(scope, 0.5)
        elif scope["path"] == "/busy":
            await asyncio.to_thread(self.release.wait, PATIENCE)
        try:
            while (await receive()).get("more_body"):
                pass
        except OverloadedError:
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        body = bytes(BIG) if scope["path"] == "/big" else b"ok"
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def read_all(peer: socket.socket) -> bytes:
    """Read to the end of a connection."""
    data = b""
    try:
        while more := peer.recv(65_536):
            data += more
    except ConnectionResetError:
        pass
    return data


@pytest.mark.parametrize(
    "start",
    [HALF_HEAD, HALF_HEAD[:1], HALF_BODY % b"", HALF_BODY % b"Expect: 100-continue\r\n"],
)
def test_a_slow_request_gives_way_with_an_answer(site: Site, start: bytes) -> None:
    """Case S3, connections by address."""
    slow = site.connect(start)
    site.get("/")
    for _ in range(WAITING):
        site.connect(HALF_HEAD)
    site.now += GRACE_SECONDS
    site.get("/")
    answer = read_all(slow)
    assert b"HTTP/1.1 503" in answer
    assert b"retry-after: 5\r\n" in answer


def test_an_idle_connection_gives_way_without_an_answer(site: Site) -> None:
    idle, used = site.connect(), site.get("/")
    for _ in range(WAITING):
        site.connect()
    site.now += GRACE_SECONDS
    site.get("/")
    assert read_all(idle) == b""
    assert read_all(used) == b""


def test_a_client_that_does_not_read_gives_way(site: Site) -> None:
    lazy = site.connect(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    assert lazy.recv(15)
    for _ in range(WAITING):
        site.connect()
    site.now += GRACE_SECONDS
    site.get("/")
    assert len(read_all(lazy)) < BIG


def test_many_slow_connections_leave_others_served(site: Site) -> None:
    for _ in range(10 * TOTAL):
        site.connect(HALF_HEAD)
    site.get("/")
    assert site.budget.count <= TOTAL


def test_who_has_shown_a_right_stays(site: Site) -> None:
    """A school behind one address."""
    school = [site.get("/right") for _ in range(3 * WAITING)]
    for _ in range(3 * TOTAL):
        site.connect(HALF_HEAD)
    site.now += GRACE_SECONDS
    site.connect()
    for peer in school:
        site.get("/", peer)


def test_clients_behind_a_trusted_proxy_are_not_capped_together(site: Site) -> None:
    peers = [site.get("/", X_Forwarded_For=f"198.51.100.{number}") for number in range(3 * WAITING)]
    site.now += GRACE_SECONDS
    site.connect()
    for peer in peers:
        site.get("/", peer)


def test_a_client_behind_a_trusted_proxy_is_capped_alone(site: Site) -> None:
    other = site.get("/", X_Forwarded_For="2001:db8:1::1")
    many = [site.get("/", X_Forwarded_For=f"2001:db8::{number}") for number in range(WAITING + 1)]
    site.now += GRACE_SECONDS
    # What the proxy opens next counts for the client that it names, once the head has come.
    site.get("/", X_Forwarded_For="2001:db8::ff")
    assert site.budget.count == WAITING + 3
    site.get("/", other)
    assert many


def test_connections_that_are_served_are_never_cut(site: Site) -> None:
    busy = [site.connect(b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(TOTAL)]
    until(lambda: site.budget.waiting == 0)
    refused = site.connect()
    assert b"HTTP/1.1 503" in read_all(refused)
    site.release.set()
    for peer in busy:
        assert peer.recv(15) == b"HTTP/1.1 200 OK"


def test_a_client_that_must_wait_is_not_read(site: Site) -> None:
    peer = site.get("/hold")
    other = site.get("/")
    peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    site.get("/", other)
    peer.settimeout(0)
    with pytest.raises(BlockingIOError):
        peer.recv(1)
    peer.settimeout(PATIENCE)
    assert peer.recv(15) == b"HTTP/1.1 200 OK"


def test_bodies_of_one_address_have_a_budget(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case S3: others are served while the bodies of one address wait."""
    monkeypatch.setattr(body_budget, "MAX_BYTES_PER_ADDRESS", 1000)
    start = b"POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %b\r\nContent-Length: 900\r\n\r\n"
    held = site.connect(start % b"192.0.2.66" + bytes(800))
    until(lambda: site.bodies.bytes == 800)
    refused = site.connect(start % b"192.0.2.66" + bytes(900))
    until(lambda: site.bodies.refused == 1)
    other = site.connect(start % b"192.0.2.1" + bytes(900))
    assert other.recv(15) == b"HTTP/1.1 200 OK"
    assert refused.recv(12) == b"HTTP/1.1 503"
    held.sendall(bytes(100))
    assert held.recv(15) == b"HTTP/1.1 200 OK"
    until(lambda: site.bodies.bytes == 0)
