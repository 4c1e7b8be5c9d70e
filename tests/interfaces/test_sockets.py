"""WebSockets as this server speaks them, with an application that says what a test wants."""

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from homeroom.web import sockets
from homeroom.web.close_codes import CloseCode
from homeroom.web.http_server import create_server
from homeroom.web.ports import listen
from homeroom.web.sockets import (
    MAX_CONTROL_FRAMES,
    MAX_MESSAGE_BYTES,
    MAX_QUEUED_MESSAGES,
    MAX_UNSENT_BYTES,
    WRITER_EXTENSION,
    FrameWriter,
    text_frame,
)
from tests.support.chat import handshake
from tests.support.engine import PATIENCE, until
from tests.support.raw import connected

TOO_BIG: Final = 1009


class Echo:
    """Sends back what comes, as an array of one; does what some messages ask for."""

    def __init__(self) -> None:
        self.pipes: list[FrameWriter] = []
        self.left = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI
        await receive()
        if scope["path"] == "/no":
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        pipe: FrameWriter = scope["extensions"][WRITER_EXTENSION]
        self.pipes.append(pipe)
        while (message := await receive())["type"] == "websocket.receive":
            text = message.get("text") or "bytes"
            if text == "end":
                pipe.close_with(4401)
                pipe.close_with(4402)
                pipe.write_frame(text_frame(b"too late"))
            else:
                pipe.write_frame(text_frame(json.dumps([text]).encode()))
        self.left += 1


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[str, Echo]]:
    """Serve the application until the module's tests are done."""
    app = Echo()
    listener, url = listen("127.0.0.1", 0)
    with listener:
        http = create_server(app)
        thread = threading.Thread(target=lambda: asyncio.run(http.serve([listener])))
        thread.start()
        yield f"ws{url.removeprefix('http')}", app
        http.stop()
        thread.join(PATIENCE)


def opened(url: str, path: str = "/") -> ClientConnection:
    return connect(url + path, compression=None, proxy=None, close_timeout=PATIENCE)


def code_of(peer: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        while True:
            peer.recv(PATIENCE)
    return peer.protocol.close_code


def raw(url: str) -> socket.socket:
    """Open a connection for frames that no client library would send."""
    peer = connected(url)
    peer.sendall(handshake("/"))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += peer.recv(1)
    assert head.startswith(b"HTTP/1.1 101 ")
    return peer


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def code_in(peer: socket.socket) -> int | None:
    """Read until the server closes, and return the code of its last frame."""
    received = b""
    with suppress(ConnectionResetError):
        while chunk := peer.recv(65536):
            received += chunk
    codes = [data for opcode, data in frames(received) if opcode is Opcode.CLOSE]
    return int.from_bytes(codes[0][:2], "big") if codes else None


def frames(received: bytes) -> Iterator[tuple[Opcode, bytes]]:
    """Take what a server sent apart; all of it is short."""
    while received:
        length = received[1]
        yield Opcode(received[0] & 15), received[2 : 2 + length]
        received = received[2 + length :]


def test_messages_go_in_and_frames_out(echo: tuple[str, Echo]) -> None:
    with opened(echo[0]) as peer:
        for text in ("one", "zwei 二 😀", "x" * (MAX_MESSAGE_BYTES // 2)):
            peer.send(text)
            assert json.loads(peer.recv(PATIENCE)) == [text]
        # In pieces, too.
        peer.send(["in ", "three ", "pieces"])
        assert json.loads(peer.recv(PATIENCE)) == ["in three pieces"]
        assert peer.ping().wait(PATIENCE)


def test_the_application_closes_with_a_code_once(echo: tuple[str, Echo]) -> None:
    left = echo[1].left
    with opened(echo[0]) as peer:
        peer.send("end")
        assert code_of(peer) == 4401
    until(lambda: echo[1].left > left)


def test_the_application_may_refuse(echo: tuple[str, Echo]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        opened(echo[0], "/no")
    assert refused.value.response.status_code == 403


def test_who_leaves_is_no_longer_written_to(echo: tuple[str, Echo]) -> None:
    left = echo[1].left
    with opened(echo[0]) as peer:
        peer.send("hello")
        peer.recv(PATIENCE)
    until(lambda: echo[1].left > left)
    pipe = echo[1].pipes[-1]
    pipe.write_frame(text_frame(b"[]"))
    pipe.close_with(4401)


def test_a_message_that_is_too_long_is_not_read(echo: tuple[str, Echo]) -> None:
    with opened(echo[0]) as peer:
        peer.send("x" * (MAX_MESSAGE_BYTES + 1))
        assert code_of(peer) == TOO_BIG
    with opened(echo[0]) as peer:
        with suppress(ConnectionClosed):
            peer.send("x" * 1024 for _ in range(9))
        assert code_of(peer) == TOO_BIG


def test_compression_is_not_offered(echo: tuple[str, Echo]) -> None:
    with connect(echo[0], compression="deflate", proxy=None) as peer:
        assert peer.protocol.extensions == []


@pytest.mark.parametrize(
    "flood",
    [
        frame(Opcode.PING, b"x") * (MAX_CONTROL_FRAMES + 20_000),
        frame(Opcode.PONG, b"x") * (MAX_CONTROL_FRAMES + 20_000),
        frame(Opcode.TEXT, b"", fin=False) + frame(Opcode.CONT, b"", fin=False) * 20_000,
        frame(Opcode.TEXT, b"x") * (MAX_QUEUED_MESSAGES + 20_000),
    ],
    ids=["pings", "pongs", "pieces", "messages"],
)
def test_a_flood_of_tiny_frames_ends_the_connection(
    echo: tuple[str, Echo], flood: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "IGNORE_SECONDS", 0.1)
    with raw(echo[0]) as peer:
        with suppress(OSError):
            peer.sendall(flood)
        # Who floods may not live to read why.
        assert code_in(peer) in {CloseCode.TOO_MANY, None}
    with opened(echo[0]) as peer:
        peer.send("still here")
        assert json.loads(peer.recv(PATIENCE)) == ["still here"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff" * 64,
        b"\x81\x05hello",
        b"\x83\x80\0\0\0\0",
        frame(Opcode.CONT, b"x"),
        frame(Opcode.TEXT, b"\xff\xfe"),
        frame(Opcode.PING, b"x" * 125)[:1] + b"\xfe\x00\x7e" + b"\0" * 130,
        b"\x88\x81\0\0\0\0\x01",
    ],
    ids=["noise", "unmasked", "reserved", "nothing to go on with", "no text", "ping", "close"],
)
def test_what_is_no_frame_ends_the_connection(echo: tuple[str, Echo], garbage: bytes) -> None:
    with raw(echo[0]) as peer:
        peer.sendall(garbage)
        assert code_in(peer) in {1002, 1007}


def test_a_client_that_does_not_read_is_cut(echo: tuple[str, Echo]) -> None:
    left = echo[1].left
    with raw(echo[0]) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(frame(Opcode.TEXT, b"hello"))
        until(lambda: len(echo[1].pipes) > left)
        pipe, much = echo[1].pipes[-1], text_frame(b"x" * MAX_UNSENT_BYTES)
        # Once what the system takes off our hands is full.
        for _ in range(64):
            pipe.write_frame(much)
        until(lambda: echo[1].left > left)


def test_nothing_is_logged_of_who_comes_and_what_they_say(
    echo: tuple[str, Echo], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with opened(echo[0], "/secret-token?ticket=secret-ticket") as peer:
        peer.send("secret-message")
        peer.recv(PATIENCE)
    said = "\n".join(
        record.getMessage() for record in caplog.records if record.name != "websockets.client"
    )
    assert "secret" not in said
