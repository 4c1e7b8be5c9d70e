"""A server with few descriptors, and many connections of one address that only wait."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from homeroom.base.clock import SystemClock
from tests.support.engine import limit_descriptors
from tests.support.ffmpeg import needs_ffmpeg, run, source
from tests.support.process import COMMAND, Process
from tests.support.wire import Partner

DESCRIPTORS = 600
CONNECTIONS = 900
BODY = b"POST /partner/api/course.api.php?action=addCourse HTTP/1.1\r\nHost: x\r\n"
STARTS = {
    "idle": b"",
    "head": b"GET /readyz HTTP/1.1\r\nHost: x\r\n",
    "body": BODY
    + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\nSID=",
    "handshake": b"\3" + bytes(8) + os.urandom(1528),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run a server that may open so many files."""
    running = Process(
        "--demo",
        data=tmp_path_factory.mktemp("budgets"),
        command=(*limit_descriptors(DESCRIPTORS), *COMMAND),
    )
    running.wait_until_ready()
    yield running
    running.stop()


def flood(address: str, start: bytes) -> ExitStack:
    """Open connections that begin and then wait; the server may have closed the first of them."""
    where, opened = urlsplit(address), ExitStack()
    for _ in range(CONNECTIONS):
        peer = opened.enter_context(
            socket.create_connection((where.hostname or "", where.port or 0), 20)
        )
        try:
            peer.sendall(start)
        except ConnectionError:
            continue
    return opened


@needs_ffmpeg
@pytest.mark.parametrize("kind", STARTS)
def test_others_are_served(server: Process, tmp_path: Path, kind: str) -> None:
    """Case S7 and the connections of case S3, on both ports of a real server."""
    address = server.push_url if kind == "handshake" else server.url
    with Partner(server.url, server.sid, server.secret, SystemClock()) as partner:
        assert partner.call("addCourse", courseName="Before").errno == 1
        with flood(address, STARTS[kind]):
            # By the connection of before, which has shown a right, and by new ones.
            assert partner.call("addCourse", courseName="Amid").errno == 1
            for path in ("/healthz", "/readyz"):
                assert httpx.get(server.url + path, timeout=20, trust_env=False).status_code == 200
            with Partner(server.url, server.sid, server.secret, SystemClock()) as other:
                assert other.call("addCourse", courseName="New").errno == 1
            if kind == "handshake":
                film = source(tmp_path / "film.flv", seconds=1)
                with pytest.raises(AssertionError, match="no class"):
                    run("-i", str(film), "-c", "copy", "-f", "flv", f"{server.push_url}/s")
    lines = [json.loads(line) for line in server.log.splitlines()]
    capped = [line for line in lines if line["message"].startswith("connections_capped")]
    assert {line["address"] for line in capped} == {"127.0.0.1"}
