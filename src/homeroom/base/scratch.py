"""Scratch files: what arrives and is too large for the memory waits on disk, within a budget."""

import hashlib
import io
import os
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from homeroom.base.errors import HomeroomError
from homeroom.base.private_files import FILE_MODE, make_private_folder

MAX_MEMORY_BYTES: Final = 128 * 1024
"""Bytes of one file that are kept in memory; with the next one it goes to disk."""
MAX_SCRATCH_BYTES: Final = 2 * 1024**3
"""Bytes of all files on disk together."""
MAX_UNPROVEN_BYTES: Final = 256 * 1024**2
"""Bytes on disk of those whose credentials have not come yet."""


class ScratchFullError(HomeroomError):
    """There is no room for more scratch files now."""


class Scratch:
    """A folder for scratch files, which have no names in it and end with their process."""

    def __init__(self, folder: Path) -> None:
        """Create the folder, and remove what an earlier server may have left there."""
        self._folder = folder
        self._lock = threading.Lock()
        self._used = {True: 0, False: 0}
        make_private_folder(folder)
        # Where the disk has no files without names, a file has one for an instant.
        for file in folder.iterdir():
            with suppress(OSError):
                file.unlink()

    @property
    def used_bytes(self) -> int:
        """Bytes that are on disk now."""
        return sum(self._used.values())

    def create(self, *, is_proven: bool, max_bytes: int | None = None) -> "ScratchFile":
        """Return a new file, for a caller whose credentials are proven or not known yet.

        Of one with more than `max_bytes` only the size is of interest: the content is dropped.
        """
        return ScratchFile(self, is_proven=is_proven, max_bytes=max_bytes)

    def open_file(self) -> BinaryIO:
        """Open a file on disk, which is gone when it is closed, unless a storage links it."""
        try:
            flags = os.O_TMPFILE | os.O_RDWR
            return os.fdopen(os.open(self._folder, flags, FILE_MODE), "w+b")
        except (AttributeError, OSError):
            # Not Linux, or a disk that has no files without names: `tempfile` unlinks one. Its
            # content can only be copied.
            return cast("BinaryIO", tempfile.TemporaryFile(dir=self._folder))

    def reserve(self, size: int, *, is_proven: bool) -> None:
        """Take bytes out of the budget; raises `ScratchFullError`."""
        with self._lock:
            if self.used_bytes + size > MAX_SCRATCH_BYTES or (
                not is_proven and self._used[False] + size > MAX_UNPROVEN_BYTES
            ):
                raise ScratchFullError("too many uploads wait on disk")
            self._used[is_proven] += size

    def release(self, size: int, *, is_proven: bool) -> None:
        """Give bytes back to the budget."""
        with self._lock:
            self._used[is_proven] -= size


class ScratchFile:
    """A file that is written once, in memory while it is small. Its calls may block."""

    def __init__(self, scratch: Scratch, *, is_proven: bool, max_bytes: int | None = None) -> None:
        self._scratch = scratch
        self._is_proven = is_proven
        self._max_bytes = max_bytes
        self._digest = hashlib.sha256()
        self._reserved = 0
        self.file: BinaryIO = io.BytesIO()
        self.size = 0
        """Bytes that were written, also those that were dropped."""

    @property
    def is_too_large(self) -> bool:
        """Tell whether it has more bytes than it may, and has dropped its content."""
        return self._max_bytes is not None and self.size > self._max_bytes

    @property
    def is_on_disk(self) -> bool:
        """Tell whether it is on disk."""
        return self._reserved > 0

    @property
    def sha256(self) -> str:
        """The hash of the written bytes, in hexadecimal digits."""
        return self._digest.hexdigest()

    def fits_memory(self, size: int) -> bool:
        """Tell whether it stays in memory when so many bytes are added."""
        return not self.is_on_disk and self.size + size <= MAX_MEMORY_BYTES

    def write(self, data: bytes) -> None:
        """Add bytes; raises `ScratchFullError` and `OSError`."""
        in_memory = self.fits_memory(len(data))
        self.size += len(data)
        if self.is_too_large:
            self.close()
            return
        if not in_memory:
            self._grow(len(data))
        self.file.write(data)
        self._digest.update(data)

    def _grow(self, size: int) -> None:
        """Make room on disk for more bytes; moves the content from memory to disk."""
        more = size if self.is_on_disk else self.size
        self._scratch.reserve(more, is_proven=self._is_proven)
        self._reserved += more
        if isinstance(self.file, io.BytesIO):
            content = self.file.getvalue()
            self.file = self._scratch.open_file()
            self.file.write(content)

    def close(self) -> None:
        """Drop the file."""
        self.file.close()
        self._scratch.release(self._reserved, is_proven=self._is_proven)
        self._reserved = 0
