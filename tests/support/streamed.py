"""Large uploads to a server process: sent as they are made, never held whole."""

import hashlib
import itertools
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx

from tests.support.process import Process
from tests.support.raw import MULTIPART, answer, connected, head, multipart
from tests.support.school import School
from tests.support.wire import Reply

CLOUD: Final = "/partner/api/cloud.api.php?action=uploadFile"
CHUNK: Final = 1024 * 1024
BOUNDARY_AT: Final = re.compile(rb"<content>")


def chunks(size: int) -> Iterator[bytes]:
    """Make content of some size; no two chunks are equal."""
    for number in itertools.count():
        if size <= 0:
            return
        chunk = number.to_bytes(8, "big") * (CHUNK // 8)
        yield chunk[:size]
        size -= CHUNK


def hash_of(size: int) -> str:
    """Return the SHA-256 of the content of some size."""
    digest = hashlib.sha256()
    for chunk in chunks(size):
        digest.update(chunk)
    return digest.hexdigest()


def begin(school: School, size: int) -> tuple[socket.socket, bytes]:
    """Send an upload up to its content; returns the connection, and what follows the content."""
    folder = school.api.call("getTopFolderId").data
    form = multipart(school.api.signed(folderId=folder), file=b"<content>")
    start, end = BOUNDARY_AT.split(form)
    peer = connected(school.server.url)
    peer.sendall(head(CLOUD, len(start) + size + len(end), content_type=MULTIPART) + start)
    return peer, end


def upload(school: School, size: int) -> Reply:
    """Upload content of some size to the top folder."""
    peer, end = begin(school, size)
    with peer:
        for chunk in chunks(size):
            peer.sendall(chunk)
        peer.sendall(end)
        return answer(peer)


def hash_of_download(url: str) -> str:
    """Return the SHA-256 of what an address serves."""
    digest = hashlib.sha256()
    with httpx.stream("GET", url, trust_env=False, timeout=60) as reply:
        reply.raise_for_status()
        for chunk in reply.iter_bytes(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def peak_memory(server: Process) -> int:
    """Return the most memory that a server process has had, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def list_files(server: Process) -> list[Path]:
    """Return every file that a server has of uploads, unfinished ones too."""
    folders = (server.data / "files", server.data / "scratch")
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
