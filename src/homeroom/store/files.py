"""Files in the data folder: pictures and recordings. What is acknowledged is on the disk."""

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from homeroom.base.pictures import Picture
from homeroom.domain.clips import NewClip
from homeroom.domain.refusal import Declined

CHUNK = 1024 * 1024
MAX_CLIP = 20_000_000_000
"""Bytes of one recording."""
MP4_MARK = b"ftyp"
"""Stands after four bytes in every MP4."""


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
        """Copy a recording in and return what is known of it; raises `Declined` or `OSError`."""
        _check_clip(source)
        path = Path("clips") / file_id[:2] / f"{file_id}.mp4"
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
            self._sync(target.parent)
        except BaseException:
            partial.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            raise
        # A file name need not be text: what is none becomes a question mark.
        name = source.name.encode(errors="replace").decode()
        return NewClip(file_id, str(path), name, target.stat().st_size, sha256)

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

    def _sync(self, folder: Path) -> None:
        """Make the name of a new file last as its bytes do, and those of the folders it is in."""
        inside = folder.relative_to(self.folder)
        for place in (inside, *inside.parents):
            descriptor = os.open(self.folder / place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _check_clip(source: Path) -> None:
    """Decline what is no file to keep, before a byte of it is copied."""
    facts = source.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise Declined(f"{source} is not a regular file")
    if facts.st_size > MAX_CLIP:
        raise Declined(f"{source} has more than {MAX_CLIP // 10**9} GB")
    if facts.st_size == 0:
        raise Declined(f"{source} is empty")


def looks_like_mp4(path: Path) -> bool:
    """Tell whether a file begins as an MP4 does; raises `OSError`."""
    with path.open("rb") as file:
        return file.read(8)[4:] == MP4_MARK
