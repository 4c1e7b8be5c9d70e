"""What we say over RTMP."""

from typing import Final

from homeroom.media.engine.amf0 import Value, encode
from homeroom.media.engine.chunks import (
    COMMAND,
    LONG,
    OUT_CHUNK,
    PEER_BANDWIDTH,
    SET_CHUNK_SIZE,
    USER_CONTROL,
    WINDOW_SIZE,
    message,
)
from homeroom.media.engine.packets import SCRIPT

WINDOW: Final = 2_500_000
"""Bytes after which receipt is acknowledged."""
STREAM: Final = 1
"""The one message stream of a connection."""
STREAM_BEGIN, STREAM_END, PING, PONG = (number.to_bytes(2, "big") for number in (0, 1, 6, 7))


def control(kind: int, body: bytes) -> bytes:
    """Return a message about the connection itself."""
    return message(kind, 0, body, 0)


def result(number: float, value: Value) -> bytes:
    """Return the answer to a numbered call."""
    return message(COMMAND, 0, encode("_result", number, None, value), 0)


def status(code: str, description: str, level: str = "status") -> bytes:
    """Return the message by which a peer hears how its stream fares."""
    return message(COMMAND, 0, encode("onStatus", 0, None, _about(code, description, level)))


def connected(number: float) -> bytes:
    """Return the answer to a connect; whoever would speak AMF3 is told that we answer in AMF0."""
    server: Value = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31}
    about = _about("NetConnection.Connect.Success", "connected", "status")
    answer = encode("_result", number, server, {**about, "objectEncoding": 0})
    return TERMS + message(COMMAND, 0, answer, 0)


def not_connected(number: float, reason: str) -> bytes:
    """Return the answer to a connect that leads nowhere."""
    about = _about("NetConnection.Connect.Rejected", reason, "error")
    return TERMS + message(COMMAND, 0, encode("_error", number, None, about), 0)


def _about(code: str, description: str, level: str) -> dict[str, Value]:
    return {"level": level, "code": code, "description": description}


TERMS: Final = b"".join(
    (
        control(WINDOW_SIZE, LONG.pack(WINDOW)),
        control(PEER_BANDWIDTH, LONG.pack(WINDOW) + b"\2"),
        control(SET_CHUNK_SIZE, LONG.pack(OUT_CHUNK)),
    )
)
"""How the connection is to be used; the last byte of the bandwidth leaves its kind to the peer."""
BEGIN: Final = control(USER_CONTROL, STREAM_BEGIN + LONG.pack(STREAM))
PUBLISHING: Final = BEGIN + status("NetStream.Publish.Start", "the stream is live")
WELCOME: Final = b"".join(
    (
        BEGIN,
        status("NetStream.Play.Reset", "the stream is about to play"),
        status("NetStream.Play.Start", "the stream plays"),
        message(SCRIPT, 0, encode("|RtmpSampleAccess", True, True)),  # noqa: FBT003  as it is sent
    )
)
FAREWELL: Final = b"".join(
    (
        status("NetStream.Play.UnpublishNotify", "the stream has ended"),
        control(USER_CONTROL, STREAM_END + LONG.pack(STREAM)),
    )
)
