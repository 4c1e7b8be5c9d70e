"""The media listener: the HTTP it speaks, FLV, and what the API asks of it."""

import json
import socket
import threading
from http.client import HTTPConnection, HTTPResponse
from ipaddress import ip_address
from typing import Final

import pytest

from homeroom.media.engine import http
from tests.support.listening import (
    SECRET,
    Listener,
    chunks,
    exchanged,
    first_segment,
    init,
    is_dropped,
    read,
    until,
)

BEARER: Final = {"authorization": f"Bearer {SECRET}"}
LIST: Final = "/live/s.m3u8"
INIT: Final = init()


@pytest.fixture
def listener(running: Listener) -> Listener:
    """Give the listener with one stream that runs, and nothing asked yet."""
    running.fresh()
    running.add(running.stream("s"), *chunks(INIT, 3.2))
    return running


def asked(client: HTTPConnection, path: str) -> int:
    client.request("GET", path)
    return read(client.getresponse())[0]


# --- HTTP --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", LIST, 200),
        ("HEAD", LIST, 200),
        ("OPTIONS", LIST, 204),
        ("OPTIONS", "/anything", 204),
        ("POST", LIST, 405),
        ("DELETE", LIST, 405),
        ("GET", "/", 404),
        ("GET", "/live/", 404),
        ("GET", "/live/s", 404),
        ("GET", "/live/s.ts", 404),
        ("GET", "/live/.flv", 404),
        ("GET", "/live/s/", 404),
        ("GET", "/live/s/s0.m4s", 404),
        ("GET", "/live/s/../s.m3u8", 404),
        ("GET", "/other/s.m3u8", 404),
        ("GET", "/api/v1/streams/", 401),
        ("GET", "/live/denied.m3u8?no", 403),
        ("GET", "/live/broken.flv", 500),
    ],
)
def test_every_answer_may_be_read_by_a_page_elsewhere(
    listener: Listener,
    method: str,
    path: str,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener.hub.denied.add("?no")
    listener.hub.broken.add("broken")
    found, body, fields = listener.get(path, method)
    assert found == status
    assert fields["access-control-allow-origin"] == "*"
    assert "Content-Length" in fields["access-control-expose-headers"]
    assert not body or status != 204
    if method == "OPTIONS":
        assert fields["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
        assert fields["access-control-allow-headers"] == "Range, Content-Type"
        assert "content-length" not in fields
    assert bool(caplog.records) is (status == 500)


def test_a_head_tells_the_length_and_sends_nothing(listener: Listener) -> None:
    _, body, fields = listener.get(LIST)
    assert fields["content-length"] == str(len(body))
    assert fields["cache-control"] == "no-cache"
    status, nothing, head = listener.get(LIST, "HEAD")
    assert (status, nothing, head) == (200, b"", fields)
    _, media, fields = listener.get(f"/live/{first_segment(body)}")
    assert (fields["content-type"], fields["cache-control"]) == ("video/mp4", "max-age=60")
    assert media == b"".join(one.data for one in chunks(INIT, 1))


def test_a_connection_is_kept_and_requests_are_answered_in_order(listener: Listener) -> None:
    one = b"GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n"
    first = listener.get(LIST)[1]
    request = b"".join(
        [
            *(one % (path, b"") for path in (b"/live/s.m3u8", b"/none", b"/live/s.m3u8") * 20),
            one % (b"/live/s.m3u8", b"Connection: close\r\n"),
        ]
    )
    with listener.connected() as peer:
        for at in range(0, len(request), 7):
            peer.sendall(request[at : at + 7])
        stream = peer.makefile("rb")
        found = []
        for _ in range(61):
            line = stream.readline()
            length = 0
            while (field := stream.readline()) != b"\r\n":
                if field.startswith(b"Content-Length"):
                    length = int(field.split(b":")[1])
            found.append((line.split(b" ")[1], stream.read(length) == first))
        assert found == [(b"200", True), (b"404", False), (b"200", True)] * 20 + [(b"200", True)]
        assert stream.read() == b""


def test_old_clients_are_answered(listener: Listener) -> None:
    answer = exchanged(listener, b"GET /live/s.m3u8 HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    with listener.connected() as peer:
        for _ in range(2):
            peer.sendall(b"GET /live/s.m3u8 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            response = HTTPResponse(peer)
            response.begin()
            assert response.getheader("Connection") == "keep-alive"
            assert response.read().startswith(b"#EXTM3U")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b'GET /live/s.m3u8?"> HTTP/1.1\r\n\r\n', 400),
        (b"GET /live/s.m3u8?\xe4\xb8\xad HTTP/1.1\r\n\r\n", 400),
        (b"GET /live/s.m3u8?a=\x00 HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /live/s.m3u8 HTTP/1.1\r\nX: " + b"x" * 8192 + b"\r\n\r\n", 431),
        (b"x" * 9000, 431),
        (b"x" * 1_000_000, 431),
    ],
)
def test_what_is_no_request_is_turned_away(
    listener: Listener, request_: bytes, status: int
) -> None:
    answer = b""
    with listener.connected() as peer:
        try:
            peer.sendall(request_)
            answer = peer.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            assert status == 431
    assert answer.startswith(b"HTTP/1.1 %d " % status) or (status == 431 and not answer)
    assert listener.get(LIST)[0] == 200


def test_a_head_that_does_not_end_is_not_waited_for(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.2)
    assert exchanged(listener, b"") == b""
    assert exchanged(listener, b"GET /live/s.m3u8 HTTP/1.1\r\n") == b""
    # A byte now and then does not help.
    with listener.connected() as peer:
        assert is_dropped(peer, b"GET /live/s.m3u8 HTTP/1.1\r\nHost: " + b"h" * 500, 0.01)


def test_an_idle_connection_ends(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "IDLE_SECONDS", 0.2)
    # The timer of a connection is first set for its first head.
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.1)
    answer = exchanged(listener, b"GET /none HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")


def test_one_who_takes_nothing_is_dropped_and_holds_one_answer(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "FULL_SECONDS", 0.3)
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.1)
    large = listener.stream("large")
    listener.add(large, *chunks(INIT, 1.2, size=3_000_000))
    path = f"/live/{first_segment(listener.get('/live/large.m3u8')[1])}"
    before = listener.do(lambda: large.hls.bytes_out)
    request = f"GET {path} HTTP/1.1\r\n\r\n".encode()
    with listener.connected() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(request * 50)
        until(lambda: listener.gone(2))
        assert listener.do(lambda: large.hls.bytes_out) - before < 16_000_000
        assert is_dropped(peer, request * 1000)


def test_one_who_takes_slowly_is_not(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FULL_SECONDS", 0.3)
    monkeypatch.setattr(http, "HEAD_SECONDS", 0.1)
    large = listener.stream("large")
    listener.add(large, *chunks(INIT, 1.2, size=2_000_000))
    path = f"/live/{first_segment(listener.get('/live/large.m3u8')[1])}"
    length, paused = 0, threading.Event()
    with listener.connected() as peer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        # Twenty times 50 ms are more than three times what one may take who takes nothing.
        while piece := peer.recv(500_000, socket.MSG_WAITALL):
            length += len(piece)
            paused.wait(0.05)
    assert length > 10_000_000


# --- permission ---------------------------------------------------------------------------------


def test_permission_is_asked_for_with_what_the_player_came_with(listener: Listener) -> None:
    listener.get("/live/s.m3u8?txSecret=a&_HLS_msn=1&txTime=b&_HLS_part=0", Host="media.test")
    listener.get("/live/s-scene/p1.m4s?txSecret=c")
    first, second = listener.hub.played
    assert (first.app, first.stream, first.param) == ("live", "s", "?txSecret=a&txTime=b")
    assert (first.ip, first.tc_url) == ("127.0.0.1", "http://media.test/live")
    assert (second.stream, second.param) == ("s-scene", "?txSecret=c")
    assert first.id != second.id
    until(lambda: listener.gone(2))


def test_a_denied_player_learns_why_wherever_it_asks(listener: Listener) -> None:
    listener.hub.denied.add("?txSecret=wrong")
    for path in ("/live/s.m3u8", "/live/s.flv", "/live/s/s1.m4s"):
        status, body, _ = listener.get(f"{path}?txSecret=wrong")
        assert (status, body) == (403, b"the signature is wrong")
    assert (len(listener.hub.played), listener.left()) == (3, 0)


def test_a_connection_asks_once_for_a_while(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = listener.client()
    segment = first_segment(listener.get(LIST)[1])
    listener.hub.played.clear()
    for _ in range(5):
        assert asked(client, LIST) == 200
        assert asked(client, f"/live/{segment}") == 200
    assert len(listener.hub.played) == 1
    listener.hub.denied.add("?other")
    assert asked(client, f"{LIST}?other") == 403
    assert asked(client, "/live/t/s1.m4s") == 404
    assert len(listener.hub.played) == 3
    monkeypatch.setattr(http, "PERMISSION_SECONDS", 0)
    asked(client, LIST)
    listener.hub.denied.add("")
    assert asked(client, LIST) == 403
    client.close()


@pytest.mark.parametrize(
    ("said", "ip"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("10.0.0.1, 2001:db8::1", "2001:db8::1"),
        ("203.0.113.7, nonsense", "127.0.0.1"),
        ("x" * 5000, "127.0.0.1"),
    ],
)
def test_a_proxy_on_this_machine_says_who_asks(listener: Listener, said: str, ip: str) -> None:
    assert listener.get(LIST, X_Forwarded_For=said)[0] == 200
    assert listener.hub.played[0].ip == ip


def test_nobody_else_says_who_asks(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = ip_address("198.51.100.1")
    monkeypatch.setattr(http, "ip_address", lambda _peer: elsewhere)
    assert listener.get(LIST, X_Forwarded_For="203.0.113.7")[0] == 200
    assert listener.hub.played[0].ip == "127.0.0.1"


# --- what the API asks and tells ----------------------------------------------------------------


def test_the_api_needs_its_secret(listener: Listener) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": SECRET}):
        for method, path in (("GET", "/api/v1/streams/"), ("DELETE", "/api/v1/clients/known")):
            assert listener.get(path, method, **headers)[0] == 401
    assert listener.hub.kicked == []


def test_the_api_lists_streams_and_ends_clients(listener: Listener) -> None:
    for name in ("t", "u"):
        listener.stream(name)

    def names(query: str) -> list[str]:
        status, body, fields = listener.get(f"/api/v1/streams/{query}", **BEARER)
        assert (status, fields["content-type"]) == (200, "application/json")
        found = json.loads(body)
        assert found["code"] == 0
        return [one["name"] for one in found["streams"]]

    assert names("") == names("?count=10000") == ["s", "t", "u"]
    assert names("?start=1&count=1") == ["t"]
    assert listener.get("/api/v1/streams/?count=x", **BEARER)[0] == 400
    status, body, _ = listener.get("/api/v1/versions", **BEARER)
    assert (status, json.loads(body)["code"]) == (200, 0)
    status, body, _ = listener.get("/api/v1/clients/known", "DELETE", **BEARER)
    assert (status, json.loads(body)) == (200, {"code": 0})
    assert listener.get("/api/v1/clients/unknown", "DELETE", **BEARER)[0] == 404
    assert listener.hub.kicked == ["known", "unknown"]
    assert listener.get("/api/v1/clients/known", **BEARER)[0] == 404
