"""A body that never ends is answered with 408 or cut, at every address (case A2)."""

import re
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress

import pytest
from starlette.routing import Route

from homeroom.contract.action import APIPath
from homeroom.web import bodies, http
from tests.support.given import Given
from tests.support.raw import COURSE, connected, head
from tests.support.serving import build_whole_site
from tests.support.streams import Streamed

READING = frozenset({"GET", "HEAD", "OPTIONS"})
DEADLINE_SECONDS = 0.2
LENGTH = 1000
# Some addresses need no body, and some refuse before they read it.
ANSWERS = {b"408", b"200", b"204", b"400", b"401", b"404", b"409"}


@pytest.fixture(autouse=True)
def _short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the deadlines short; together they are less than 30 seconds otherwise."""
    assert bodies.BODY_SECONDS + http.UNREAD_BODY_SECONDS < 30
    monkeypatch.setattr(bodies, "BODY_SECONDS", DEADLINE_SECONDS)
    monkeypatch.setattr(http, "UNREAD_BODY_SECONDS", DEADLINE_SECONDS)


def find_writing_routes(given: Given) -> set[tuple[str, str]]:
    """Return method and path of every route that may read a body."""
    site = build_whole_site(given.house)
    routes = [route for route in site.routes if isinstance(route, Route)]
    pairs = {(method, route.path) for route in routes for method in route.methods or ()}
    pairs |= {("POST", path) for path in APIPath}
    return {pair for pair in pairs if pair[0] not in READING}


def fill(given: Given, path: str) -> str:
    """Return a path with real values for its parameters, and the secret of hooks."""
    if path == "/media/hooks":
        return path + "?" + given.house.main.media.hooks_url.partition("?")[2]
    streamed = Streamed(given, record=1, live=1)
    token = streamed.streams.teach_url.rpartition("/")[2]
    values = {"key": given.seen(streamed.lesson).key, "token": token, "session": "x"}
    values |= {"endpointId": "1", "messageId": "1"}
    return re.sub(r"{(\w+)}", lambda match: values[match[1]], path)


def read_to_the_end(peer: socket.socket) -> bytes:
    """Return all that comes until the server closes."""
    received = b""
    with suppress(ConnectionError):
        while chunk := peer.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("drips", [False, True], ids=["silent", "drips"])
def test_a_body_without_an_end_is_cut_at_every_address(
    given: Given, *, chunked: bool, drips: bool
) -> None:
    pairs = find_writing_routes(given)
    assert len(pairs) >= 12
    stop = threading.Event()
    peers = {pair: connected(given.house.url) for pair in pairs}
    dripping = threading.Thread(
        target=drip, args=(peers.values(), stop), kwargs={"chunked": chunked}
    )
    try:
        for (method, path), peer in peers.items():
            kind = "application/sdp" if path.endswith("/whip") else "application/json"
            headers = {"host": "127.0.0.1", "content-type": kind}
            if chunked:
                headers["transfer-encoding"] = "chunked"
            start = head(fill(given, path), None if chunked else LENGTH, method, **headers)
            peer.sendall(start + (b"1\r\n{\r\n" if chunked else b"{"))
        if drips:
            dripping.start()
        for pair, peer in peers.items():
            assert read_to_the_end(peer)[9:12] in ANSWERS, pair
    finally:
        stop.set()
        if drips:
            dripping.join()
        for peer in peers.values():
            peer.close()


def drip(peers: Iterable[socket.socket], stop: threading.Event, *, chunked: bool) -> None:
    """Send a byte to each connection from time to time."""
    while not stop.wait(DEADLINE_SECONDS / 8):
        for peer in peers:
            with suppress(OSError):
                peer.sendall(b"1\r\n \r\n" if chunked else b" ")


def test_a_login_that_never_ends_is_answered_with_408(given: Given) -> None:
    key = given.seen(given.lesson(record=1, live=1)).key
    with connected(given.house.url) as peer:
        start = head(f"/class/{key}/login", LENGTH, **{"content-type": "application/json"})
        peer.sendall(start + b"{")
        response = read_to_the_end(peer)
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in response


def test_a_call_that_never_ends_is_answered_in_the_envelope(given: Given) -> None:
    with connected(given.house.url) as peer:
        peer.sendall(head(f"{COURSE}?action=addCourse", LENGTH) + b"S")
        response = read_to_the_end(peer)
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b'"errno":100' in response
    assert b"x-homeroom-reason: the body took too long" in response


def test_a_body_that_the_response_does_not_wait_for_is_cut(given: Given) -> None:
    with connected(given.house.url) as peer:
        peer.sendall(head("/nothing/here", LENGTH) + b"{")
        assert read_to_the_end(peer).startswith(b"HTTP/1.1 404 ")


def test_a_slow_body_that_comes_in_time_is_read(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 30)
    body = b"SID=1"
    with connected(given.house.url) as peer:
        peer.sendall(head(f"{COURSE}?action=addCourse", len(body)))
        for byte in body:
            peer.sendall(bytes([byte]))
        assert peer.recv(12) == b"HTTP/1.1 200"
