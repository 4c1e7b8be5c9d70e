"""RTMP messages that the server sends: command results, status and control messages."""

from collections.abc import Container
from typing import Final

from homeroom.media.engine.amf0 import Value, encode
from homeroom.media.engine.chunks import (
    COMMAND,
    LONG,
    OUT_CHUNK_BYTES,
    PEER_BANDWIDTH,
    SET_CHUNK_SIZE,
    USER_CONTROL,
    WINDOW_SIZE,
    encode_message,
)
from homeroom.media.engine.packets import SCRIPT

WINDOW_BYTES: Final = 2_500_000
"""Acknowledgement window size."""
MESSAGE_STREAM_ID: Final = 1
"""Id of the only message stream of a connection."""
STREAM_BEGIN, STREAM_END, PING, PONG = (number.to_bytes(2, "big") for number in (0, 1, 6, 7))


CAN_FORWARD: Final = 4
"""Capability of a codec: packets are passed on as they are."""
MODIFIERS: Final = 4
"""Capability of a server: it can parse modifiers (ModEx)."""
CONNECT_NUMBER: Final = 1
"""Number of `connect`, the first command of every peer."""
ENHANCED: Final[dict[str, Value]] = {
    "fourCcList": ["avc1", "mp4a"],
    "videoFourCcInfoMap": {"avc1": CAN_FORWARD},
    "audioFourCcInfoMap": {"mp4a": CAN_FORWARD},
    # Not for several tracks: they would be sent for nothing.
    "capsEx": MODIFIERS,
}
"""What the server takes of enhanced RTMP, so that an encoder can choose H.264 and AAC."""


def control_message(kind: int, body: bytes) -> bytes:
    """Return a protocol control message."""
    return encode_message(kind, 0, body, 0)


def result_message(number: float, value: Value) -> bytes:
    """Return the `_result` of a call."""
    return encode_message(COMMAND, 0, encode("_result", number, None, value), 0)


def status_message(code: str, description: str, level: str = "status") -> bytes:
    """Return an `onStatus` message about the stream."""
    return encode_message(
        COMMAND, 0, encode("onStatus", 0, None, _info_object(code, description, level))
    )


def connect_result(number: float, properties: Container[str]) -> bytes:
    """Return the result of `connect`; its objectEncoding says that the server uses AMF0.

    A peer whose own properties name capabilities of enhanced RTMP gets those of the server.
    """
    enhanced = ENHANCED if any(name in properties for name in ENHANCED) else {}
    server: Value = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31, **enhanced}
    about = _info_object("NetConnection.Connect.Success", "connected", "status")
    # The specification does not say which of the two objects has the capabilities.
    answer = encode("_result", number, server, {**about, "objectEncoding": 0, **enhanced})
    return CONNECTION_SETTINGS + encode_message(COMMAND, 0, answer, 0)


def connect_error(number: float, reason: str) -> bytes:
    """Return the error of a rejected `connect`."""
    about = _info_object("NetConnection.Connect.Rejected", reason, "error")
    return CONNECTION_SETTINGS + encode_message(
        COMMAND, 0, encode("_error", number, None, about), 0
    )


def _info_object(code: str, description: str, level: str) -> dict[str, Value]:
    return {"level": level, "code": code, "description": description}


CONNECTION_SETTINGS: Final = b"".join(
    (
        control_message(WINDOW_SIZE, LONG.pack(WINDOW_BYTES)),
        control_message(PEER_BANDWIDTH, LONG.pack(WINDOW_BYTES) + b"\2"),
        control_message(SET_CHUNK_SIZE, LONG.pack(OUT_CHUNK_BYTES)),
    )
)
"""Window, peer bandwidth and chunk size; limit type 2 lets the peer choose (dynamic)."""
STREAM_BEGIN_MESSAGE: Final = control_message(
    USER_CONTROL, STREAM_BEGIN + LONG.pack(MESSAGE_STREAM_ID)
)
PUBLISH_START: Final = STREAM_BEGIN_MESSAGE + status_message(
    "NetStream.Publish.Start", "the stream is live"
)
PLAY_START: Final = b"".join(
    (
        STREAM_BEGIN_MESSAGE,
        status_message("NetStream.Play.Reset", "the stream is about to play"),
        status_message("NetStream.Play.Start", "the stream plays"),
        encode_message(SCRIPT, 0, encode("|RtmpSampleAccess", True, True)),  # noqa: FBT003  as it is sent
    )
)
CANNOT_PAUSE: Final = status_message("NetStream.Pause.Notify", "a live stream cannot pause")
SERVER_FAILED: Final = status_message("NetStream.Failed", "the server failed", "error")
UNPUBLISHED: Final = status_message("NetStream.Unpublish.Success", "the stream has ended")
PLAY_STOP: Final = status_message("NetStream.Play.Stop", "the stream is no longer played")
PLAY_END: Final = b"".join(
    (
        status_message("NetStream.Play.UnpublishNotify", "the stream has ended"),
        control_message(USER_CONTROL, STREAM_END + LONG.pack(MESSAGE_STREAM_ID)),
    )
)
