"""The storage of one machine: files in the data folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from homeroom.base.keys import KeyGenerator
from homeroom.base.private_files import FILE_MODE
from homeroom.store.storage import StoredFile

CHUNK_BYTES = 1024 * 1024
PARTIAL_SUFFIX = ".partial"
"""Suffix of files that are being written."""
KEY_LENGTH = 8
"""Characters that distinguish writers of the same file."""


FOLDERS = ("clips", "files")
"""Folders with a scratch folder of their own: each may be on another disk."""


def scratch_folder(data: Path, of: str = "clips") -> Path:
    """Return the folder for clips that are being written, on the disk of the finished ones."""
    return data / of / "partial"


class LocalStorage:
    """Stores files in the data folder: written whole, synced, then renamed."""

    def __init__(self, folder: Path, storage_id: str | None = None) -> None:
        """Use a data folder, with the id that the database knows it by (`folder.open_storage`)."""
        self.folder = folder
        self._id = storage_id

    @property
    def id(self) -> str | None:
        """The id by which the database knows it."""
        return self._id

    def put(self, name: str, content: BinaryIO) -> int:
        """Store a stream under a name and return its bytes; raises `OSError`."""
        target = self.locate(name)
        key = KeyGenerator().file_id()[:KEY_LENGTH]
        scratch = self._find_scratch(name) or target.parent
        partial = scratch / f"{target.stem}.{key}{PARTIAL_SUFFIX}"
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        try:
            if not _link(content, partial):
                _copy(content, partial)
            size = partial.stat().st_size
            partial.replace(target)
        finally:
            # After a failure; and a rename between two links of one file does nothing.
            partial.unlink(missing_ok=True)
        self._sync(target.parent)
        return size

    def open(self, name: str) -> StoredFile:
        """Open a file for reading; raises `FileNotFoundError`."""
        content = open(self.locate(name), "rb", opener=_open_without_waiting)  # noqa: SIM115  Path has no opener
        facts = os.fstat(content.fileno())
        return StoredFile(content, facts.st_size, facts.st_mtime)

    def size(self, name: str) -> int | None:
        """Return the bytes of a file, or None if there is no such file."""
        try:
            return self.locate(name).stat().st_size
        except FileNotFoundError:
            return None

    def list_names(self, folder: str) -> Iterator[str]:
        """Return the names of the finished files below a folder."""
        scratch = self._find_scratch(folder)
        for file in self.locate(folder).rglob("*"):
            if file.is_file() and file.parent != scratch and file.suffix != PARTIAL_SUFFIX:
                yield str(file.relative_to(self.folder))

    def erase(self, name: str) -> None:
        """Erase a file for good, and what a `put` that was cut off has left of it.

        One that does not exist is no error.
        """
        file = self.locate(name)
        if (scratch := self._find_scratch(name)) is not None:
            for partial in scratch.glob(f"{file.stem}.{'?' * KEY_LENGTH}{PARTIAL_SUFFIX}"):
                partial.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            file.unlink()
            # Without this, a power loss can bring the file back.
            sync_folder(file.parent)

    def locate(self, name: str) -> Path:
        """Return the path of a file, whether it exists or not."""
        # By the text alone: an operator may well have moved a folder to another disk by a link.
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            message = f"{name} is not in the data folder"
            raise ValueError(message)
        return self.folder / path

    def _find_scratch(self, name: str) -> Path | None:
        """Return the scratch folder for a file; None if it is written beside its place."""
        of = Path(name).parts[0]
        return scratch_folder(self.folder, of) if of in FOLDERS else None

    def _sync(self, folder: Path) -> None:
        """Make the name of a new file durable, and the names of the folders above it."""
        inside = folder.relative_to(self.folder)
        for place in (inside, *inside.parents):
            sync_folder(self.folder / place)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_without_waiting(path: str, flags: int) -> int:
    # A pipe in the folder must not block the thread; for a file the flag changes nothing.
    return os.open(path, flags | os.O_NONBLOCK)


def _link(content: BinaryIO, target: Path) -> bool:
    """Give the file of a stream another name; return False if the bytes must be copied.

    A recording has gigabytes: as a link it is stored at once, and takes no space twice.
    """
    try:
        descriptor = content.fileno()
        os.fsync(descriptor)
        folder = os.open("/proc/self/fd", os.O_RDONLY)
    except (AttributeError, OSError):  # not a file of this machine, or not Linux
        return False
    try:
        os.link(str(descriptor), target, src_dir_fd=folder)
        # A media server of another make creates files that all users may read.
        target.chmod(FILE_MODE)
    except OSError:  # on another disk, or a file of another user
        target.unlink(missing_ok=True)
        return False
    finally:
        os.close(folder)
    return True


def _copy(content: BinaryIO, target: Path) -> None:
    target.touch(FILE_MODE)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file, CHUNK_BYTES)
        file.flush()
        os.fsync(file.fileno())
