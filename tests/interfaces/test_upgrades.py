"""Offers to change the protocol that the server does not take change nothing (case A1)."""

import re
import shutil
import socket
import subprocess
from http.client import HTTPResponse
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest

from homeroom.contract.action import APIPath
from tests.support.given import Given
from tests.support.raw import COURSE, answer, connected, every_byte, head

TARGET: Final = f"{COURSE}?action=addCourse"
HTTP2: Final = {
    "connection": "Upgrade, HTTP2-Settings",
    "upgrade": "h2c",
    "http2_settings": "AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA",
}
TLS: Final = {"upgrade": "TLS/1.0, HTTP/1.1", "connection": "Upgrade"}
WEB_SOCKET: Final = {
    "connection": "keep-alive, Upgrade",
    "upgrade": "websocket",
    "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec_websocket_version": "13",
}
OFFERS: Final = pytest.mark.parametrize(
    "offer",
    [HTTP2, TLS, WEB_SOCKET, {"Connection": "upgrade", "Upgrade": "x"}],
    ids=["h2c", "tls", "websocket", "unknown"],
)


def pieces(given: Given, framing: str, offer: dict[str, str]) -> list[bytes]:
    """Write addCourse with an offer, as a head and one or more pieces of its body."""
    body = urlencode(given.api.signed(courseName="Course")).encode()
    if framing == "chunked":
        start = head(TARGET, None, transfer_encoding="chunked", **offer)
        chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:10], body[10:])]
        return [start, *chunks, b"0\r\n\r\n"]
    return [head(TARGET, len(body), **offer), body]


@OFFERS
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("at_once", [True, False], ids=["one packet", "packets"])
def test_call_with_an_offer_is_answered_and_the_connection_goes_on(
    given: Given, offer: dict[str, str], framing: str, *, at_once: bool
) -> None:
    with connected(given.house.url) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(3):
            parts = pieces(given, framing, offer)
            for piece in [b"".join(parts)] if at_once else parts:
                peer.sendall(piece)
            reply = answer(peer)
            assert (reply.status, reply.errno) == (200, 1), reply.reason


@OFFERS
def test_requests_behind_one_another_may_all_carry_an_offer(
    given: Given, offer: dict[str, str]
) -> None:
    one = b"".join(pieces(given, "length", offer))
    with connected(given.house.url) as peer, peer.makefile("rb") as replies:
        peer.sendall(one * 100)
        for _ in range(100):
            length = 0
            while (line := replies.readline()) != b"\r\n":
                if line.startswith(b"content-length: "):
                    length = int(line.split()[1])
            assert b'"errno":1' in replies.read(length)


@OFFERS
def test_body_after_100_continue(given: Given, offer: dict[str, str]) -> None:
    body = urlencode(given.api.signed(courseName="Course")).encode()
    with connected(given.house.url) as peer:
        peer.sendall(head(TARGET, len(body), expect="100-continue", **offer))
        assert peer.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(body)
        assert answer(peer).errno == 1


@pytest.mark.parametrize("protocol", ["h2c", "websocket"])
def test_offer_of_http_1_0_is_ignored(given: Given, protocol: str) -> None:
    body = urlencode(given.api.signed(courseName="Course")).encode()
    start = head(TARGET, len(body), connection="upgrade", upgrade=protocol)
    content = every_byte(given.house.url, start.replace(b"HTTP/1.1", b"HTTP/1.0") + body)
    assert b'"errno":1' in content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/nothing/here", "/class/nothing/login", APIPath.COURSE]
)
def test_offer_of_a_websocket_is_answered_everywhere(given: Given, method: str, path: str) -> None:
    body = b"" if method == "GET" else b"{}"
    with connected(given.house.url) as peer:
        peer.sendall(head(path, len(body), method, **WEB_SOCKET) + body)
        with HTTPResponse(peer, method=method) as response:
            response.begin()
            assert response.status in {200, 400, 403, 404, 405, 415, 426}
        plain = head("/healthz", None, "GET")
        peer.sendall(plain)
        with HTTPResponse(peer) as response:
            response.begin()
            assert response.status == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/nothing/here", APIPath.COURSE])
def test_websocket_at_an_address_without_one_is_answered(given: Given, path: str) -> None:
    content = every_byte(given.house.url, head(path, None, "GET", **WEB_SOCKET))
    assert re.match(rb"HTTP/1.1 (400|403|404|426) ", content), content


@pytest.mark.parametrize(
    "request_line",
    ["CONNECT school:80 HTTP/1.1", "PRI * HTTP/2.0", "GET /" + "x" * 70_000 + " HTTP/1.1"],
)
def test_tunnels_http_2_and_endless_addresses_are_refused(given: Given, request_line: str) -> None:
    content = every_byte(given.house.url, f"{request_line}\r\nHost: school\r\n\r\n".encode())
    assert content.startswith(b"HTTP/1.1 400 ")


def test_curl_that_offers_http_2(given: Given) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    form = urlencode(given.api.signed(courseName="Course"))
    command = ["curl", "-sS", "--http2", "-d", form, f"{given.house.url}{TARGET}"]
    content = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    assert b'"errno":1' in content


def test_java_client_with_its_defaults(given: Given, tmp_path: Path) -> None:
    if shutil.which("javac") is None:
        pytest.skip("no JDK is installed")
    forms = [urlencode(given.api.signed(courseName=name)) for name in ("One", "Two", "Three")]
    source = Path(__file__).parents[1] / "e2e" / "clients" / "HttpClientDefaults.java"
    options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", f"-Djava.io.tmpdir={tmp_path}"]
    command = ["java", *options, str(source), f"{given.house.url}{TARGET}", *forms]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.count('"errno":1') == 3, done.stdout + done.stderr
