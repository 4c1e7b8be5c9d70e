"""Storage for clips and pictures: named files in a data folder, or in an object store."""

import hashlib
import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from homeroom.base import mp4
from homeroom.base.clock import Moment
from homeroom.base.pictures import Picture
from homeroom.base.values import Value
from homeroom.domain.clips import NewClip, clip_path
from homeroom.domain.refusal import OperatorError
from homeroom.domain.streams import StreamKind

CHUNK_BYTES = 1024 * 1024
MAX_CLIP_BYTES = 20_000_000_000
"""Largest recording that a command adds."""


class StoredFile(Value, frozen=True):
    """A file of the storage, open for reading."""

    content: BinaryIO
    """Reads from any position; it needs not be a file of this machine."""
    size: int
    """Bytes."""
    modified_at: float
    """Seconds since 1970 UTC."""


class Storage(Protocol):
    """Stores files under names such as `clips/ab/abcd.mp4`; the names are no paths of a disk.

    Every call blocks, so an event loop calls it in a thread. What has returned survives a power
    cut. An object store fits: `put` is its upload, and `open` reads ranges as the reader seeks.
    """

    @property
    def id(self) -> str | None:
        """The id by which the database knows it, the same for all servers that share its files."""
        ...

    def put(self, name: str, content: BinaryIO) -> int:
        """Store a stream under a name, in place of an earlier file, and return its bytes.

        Readers see the earlier file or the whole new one. The caller must not write to the
        content afterwards: a storage on the same disk may share its bytes instead of copying.
        """
        ...

    def open(self, name: str) -> StoredFile:
        """Open a file for reading from any position; raises `FileNotFoundError`.

        The reader keeps its content to the end, even if the file is replaced or erased.
        """
        ...

    def size(self, name: str) -> int | None:
        """Return the bytes of a file, or None if there is no such file."""
        ...

    def list_names(self, folder: str) -> Iterator[str]:
        """Return the names of the stored files below a folder, without unfinished ones."""
        ...

    def erase(self, name: str) -> None:
        """Erase a file; one that does not exist is no error."""
        ...


class HashingReader(io.RawIOBase):
    """A stream that computes the SHA-256 of what is read from it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]  # typeshed's buffer type has no name at run time
        """Read into a buffer and return the number of bytes."""
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        self._hash.update(data)
        return len(data)

    def sha256(self) -> str:
        """Return the hash of the bytes read so far, in hexadecimal digits."""
        return self._hash.hexdigest()


def put_picture(storage: Storage, picture: Picture) -> str:
    """Store a picture under its own hash and return its name."""
    picture.content.seek(0)
    reader = HashingReader(picture.content)
    while reader.read(CHUNK_BYTES):
        pass
    name = f"pictures/{reader.sha256()}.{picture.extension}"
    if storage.size(name) is None:
        picture.content.seek(0)
        storage.put(name, picture.content)
    return name


def import_clip(
    storage: Storage,
    source: Path,
    file_id: str,
    started_at: Moment,
    kind: StreamKind = StreamKind.CLASS,
) -> NewClip:
    """Copy a recording into the storage and return its facts.

    Raises `OperatorError` or `OSError`; then nothing is stored.
    """
    _check_source(source)
    name = clip_path(file_id)
    try:
        with source.open("rb") as file:
            reader = HashingReader(file)
            # The reader is no file, so that the bytes are copied: the source stays the operator's.
            size = storage.put(name, io.BufferedReader(reader))
            sha256 = reader.sha256()
        with storage.open(name).content as stored:
            duration = mp4.read_duration_ms(stored)
    except BaseException:
        storage.erase(name)
        raise
    return NewClip(
        file_id=file_id,
        path=name,
        # The name of a file need not be valid text: what is not becomes a question mark.
        name=source.name.encode(errors="replace").decode(),
        kind=kind,
        started_at=started_at,
        duration_ms=duration,
        size=size,
        sha256=sha256,
        is_finished=True,
        storage=storage.id,
    )


def _check_source(source: Path) -> None:
    """Raise `OperatorError` for a file that cannot be a clip, before a byte of it is copied."""
    facts = source.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise OperatorError(f"{source} is not a regular file")
    if facts.st_size > MAX_CLIP_BYTES:
        raise OperatorError(f"{source} has more than {MAX_CLIP_BYTES // 10**9} GB")
    if facts.st_size == 0:
        raise OperatorError(f"{source} is empty")
