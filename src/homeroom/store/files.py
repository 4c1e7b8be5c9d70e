"""Files in the data folder: pictures and recordings. What is acknowledged is on the disk."""

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

from homeroom.base.pictures import Picture
from homeroom.domain.clips import NewClip

CHUNK = 1024 * 1024


class Files:
    """The data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep_picture(self, picture: Picture) -> str:
        """Write a picture under its own hash and return its path in the data folder."""
        name = f"{hashlib.sha256(picture.content).hexdigest()}.{picture.ending}"
        path = Path("pictures") / name
        if not (self.folder / path).exists():
            self._write(path, picture.content)
        return str(path)

    def keep_clip(self, source: Path, file_id: str) -> NewClip:
        """Copy a recording in and return what is known of it; raises `OSError`."""
        path = Path("clips") / file_id[:2] / f"{file_id}{source.suffix.lower()}"
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        try:
            with source.open("rb") as given, partial.open("xb") as kept:
                shutil.copyfileobj(given, kept, CHUNK)
                kept.flush()
                os.fsync(kept.fileno())
            with partial.open("rb") as kept:
                sha256 = hashlib.file_digest(kept, "sha256").hexdigest()
            partial.rename(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        self._sync(target.parent)
        return NewClip(file_id, str(path), source.name, target.stat().st_size, sha256)

    def erase(self, path: str) -> None:
        """Remove a file; one that is gone already is fine."""
        target = (self.folder / path).resolve()
        if not target.is_relative_to(self.folder.resolve()):
            message = f"{path} is not in the data folder"
            raise ValueError(message)
        with suppress(FileNotFoundError):
            target.unlink()

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

    @staticmethod
    def _sync(folder: Path) -> None:
        """Make the name of a new file last as its bytes do."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
