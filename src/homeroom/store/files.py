"""Files in the data folder: pictures and recordings. What is acknowledged is on the disk."""

import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path

from homeroom.base.pictures import Picture
from homeroom.store.storage import PARTIAL_SUFFIX, copy


class LocalStorage:
    """The data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "clips" / "partial"

    def keep_picture(self, picture: Picture) -> str:
        """Write a picture under its own hash and return its path in the data folder."""
        name = f"{hashlib.sha256(picture.content).hexdigest()}.{picture.extension}"
        path = Path("pictures") / name
        if not (self.folder / path).exists():
            self._write(path, picture.content)
        return str(path)

    def adopt(self, source: Path, path: str) -> int:
        """Take a file in, in place of what was there, and return its bytes.

        A source that is gone and a file that is there mean that it was done before.
        """
        target = self.local(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._move(source, target)
        except FileNotFoundError:
            if not target.exists():
                raise
        self._sync(target.parent)
        return target.stat().st_size

    def local(self, path: str) -> Path:
        """Return where a file is, or would be."""
        # By its text alone: an operator may well have put a folder on another disk.
        inside = Path(path)
        if inside.is_absolute() or ".." in inside.parts:
            message = f"{path} is not in the data folder"
            raise ValueError(message)
        return self.folder / inside

    def erase(self, path: str) -> None:
        """Remove a file; one that is gone already is fine."""
        with suppress(FileNotFoundError):
            self.local(path).unlink()

    def _move(self, source: Path, target: Path) -> None:
        with source.open("rb") as file:
            os.fsync(file.fileno())
        try:
            source.replace(target)
        except OSError as failure:
            if failure.errno != errno.EXDEV:
                raise
            # From another file system: copied beside the others first, so that it appears whole.
            partial = self.scratch / f"{target.stem}{PARTIAL_SUFFIX}"
            partial.parent.mkdir(parents=True, exist_ok=True)
            copy(source, partial)
            partial.replace(target)
            source.unlink(missing_ok=True)

    def _write(self, path: Path, content: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".{os.getpid()}.{id(content)}.partial")
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        self._sync(target.parent)

    def _sync(self, folder: Path) -> None:
        """Make the name of a new file last as its bytes do, and those of the folders it is in."""
        inside = folder.relative_to(self.folder)
        for place in (inside, *inside.parents):
            descriptor = os.open(self.folder / place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
