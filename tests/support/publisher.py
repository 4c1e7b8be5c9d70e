"""A publisher that keeps a journal of what it has sent: `python -m tests.support.publisher`.

Killed at any moment, it leaves exact knowledge of how far it came.
"""

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from homeroom.media.engine.chunks import encode_message
from homeroom.media.engine.packets import Packet
from tests.support import flv
from tests.support.rtmp import Peer

STARTED = "NetStream.Publish.Start"


def frames(source: Path, begin: int) -> list[Packet]:
    """Return the frames of an FLV from its key frame of this number on; their times begin at 0."""
    taken = [packet for packet in flv.read(source) if not packet.is_header]
    first = [place for place, packet in enumerate(taken) if packet.is_keyframe][begin]
    taken, zero = taken[first:], taken[first].time
    for packet in taken:
        # Sound that lies a little before the picture it follows begins with it.
        packet.time = max(packet.time - zero, 0)
    return taken


def main(source: Path, url: str, begin: int) -> None:
    """Publish a file at its own pace; prints when each frame had been sent, in seconds."""
    where = urlsplit(url)
    assert where.port is not None
    with Peer(where.port) as peer:
        status = peer.publish(f"{where.path.rpartition('/')[2]}?{where.query}")
        assert status[0] == STARTED, status
        hearing = threading.Thread(target=_hear, args=(peer,), daemon=True)
        hearing.start()
        for packet in flv.read(source):
            if packet.is_header:
                peer.send(encode_message(packet.kind, 0, packet.body))
        began = time.monotonic()
        for packet in frames(source, begin):
            time.sleep(max(began + packet.time / 1000 - time.monotonic(), 0))
            data = encode_message(packet.kind, packet.time, packet.body)
            # It may be killed in the midst of a message, too.
            peer.send(data[: len(data) // 2])
            time.sleep(0.004)
            peer.send(data[len(data) // 2 :])
            os.write(sys.stdout.fileno(), f"{time.monotonic():.6f}\n".encode())
        peer.call("deleteStream", None, 1)
        hearing.join()


def _hear(peer: Peer) -> None:
    """Read what the server says: unread, it would turn the end into a reset."""
    with suppress(OSError):
        while peer.socket.recv(65_536):
            pass


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    except OSError as failure:
        sys.exit(f"{type(failure).__name__}: {failure}")
