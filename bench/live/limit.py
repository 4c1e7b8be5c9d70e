"""The limit: a process that does nothing but write, to show what the kernel takes for itself.

It writes each picture, with the sound before it, to every connection as soon as it is due. No
server that does the same can carry more viewers on a core of this machine.
"""

import os
import socket
import sys
import threading
import time
from contextlib import suppress

from bench.live.source import Source
from bench.live.wire import HOST
from homeroom.media.engine.flv import encode_tag
from homeroom.media.engine.packets import VIDEO

BACKLOG = 1024


def main() -> None:
    moments: list[tuple[int, bytes]] = []
    waiting = b""
    for packet in Source().packets():
        waiting += encode_tag(packet)
        if packet.kind == VIDEO:
            moments.append((packet.time, waiting))
            waiting = b""
    viewers: list[socket.socket] = []
    listener = socket.create_server((HOST, int(sys.argv[1])), backlog=BACKLOG)
    threading.Thread(target=_accept, args=(listener, viewers), daemon=True).start()
    began = time.perf_counter()
    for due, data in moments:
        early = began + due / 1000 - time.perf_counter()
        if early > 0:
            time.sleep(early)
        for viewer in tuple(viewers):
            with suppress(OSError):
                os.write(viewer.fileno(), data)


def _accept(listener: socket.socket, viewers: list[socket.socket]) -> None:
    while True:
        viewer, _ = listener.accept()
        viewer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        viewer.setblocking(False)  # noqa: FBT003  it has no name
        viewers.append(viewer)


if __name__ == "__main__":
    main()
