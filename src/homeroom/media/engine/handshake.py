"""The RTMP handshake, on the side of the server."""

import os
from typing import Final

from homeroom.media.engine.amf0 import ProtocolError

VERSION: Final = 3
HANDSHAKE_BYTES: Final = 1536
"""Size of each handshake message."""


class Handshake:
    """The handshake with one peer, which may arrive in pieces."""

    def __init__(self) -> None:
        self._received = b""
        self._is_answered = False

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Add input; return the answer to send, and the input after the handshake or None.

        Raises `ProtocolError` if the peer does not speak RTMP.
        """
        data = self._received = self._received + data
        if data and data[0] != VERSION:
            raise ProtocolError("no RTMP")
        answer = b""
        if not self._is_answered and len(data) > HANDSHAKE_BYTES:
            self._is_answered = True
            # Zeros as the version select the simple handshake.
            own = bytes((VERSION,)) + bytes(8) + os.urandom(HANDSHAKE_BYTES - 8)
            answer = own + data[1 : 1 + HANDSHAKE_BYTES]
        if len(data) < 1 + 2 * HANDSHAKE_BYTES:
            return answer, None
        return answer, data[1 + 2 * HANDSHAKE_BYTES :]
