"""Where the files of clips are kept: in the data folder, one day perhaps elsewhere."""

import hashlib
import os
import shutil
import stat
from pathlib import Path
from typing import Protocol

from homeroom.base import mp4
from homeroom.base.clock import Moment
from homeroom.domain.clips import NewClip, clip_path
from homeroom.domain.refusal import OperatorError
from homeroom.domain.streams import StreamKind

CHUNK_BYTES = 1024 * 1024
MAX_CLIP_BYTES = 20_000_000_000
"""Bytes of one recording that is added."""
PARTIAL_SUFFIX = ".partial"
"""The ending of files in the making."""


class Storage(Protocol):
    """Keeps files under paths of its own; for threads, and what is done lasts a power cut."""

    scratch: Path
    """A folder of this machine for files in the making; from it they are taken in quickly."""

    def adopt(self, source: Path, path: str) -> int:
        """Take a file in, in place of what was there, and return its bytes.

        A source that is gone and a file that is there mean that it was done before.
        """
        ...

    def local(self, path: str) -> Path:
        """Return where this machine reads a file; whether it is there is seen when it is opened."""
        ...

    def erase(self, path: str) -> None:
        """Remove a file; one that is gone already is fine."""
        ...


def import_clip(
    storage: Storage,
    source: Path,
    file_id: str,
    started_at: Moment,
    kind: StreamKind = StreamKind.CLASS,
) -> NewClip:
    """Copy a recording in and return what is known of it; raises `OperatorError` or `OSError`."""
    _check_source(source)
    path = clip_path(file_id)
    partial = storage.scratch / f"{file_id}{PARTIAL_SUFFIX}"
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        copy(source, partial)
        with partial.open("rb") as kept:
            sha256 = hashlib.file_digest(kept, "sha256").hexdigest()
        duration = mp4.read_duration_ms(partial)
        size = storage.adopt(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        storage.erase(path)
        raise
    # A file name need not be text: what is none becomes a question mark.
    name = source.name.encode(errors="replace").decode()
    return NewClip(
        file_id=file_id,
        path=path,
        name=name,
        kind=kind,
        started_at=started_at,
        duration_ms=duration,
        size=size,
        sha256=sha256,
        is_finished=True,
    )


def copy(source: Path, target: Path) -> None:
    """Copy a file so that its bytes last; its name may not yet."""
    with source.open("rb") as given, target.open("wb") as kept:
        shutil.copyfileobj(given, kept, CHUNK_BYTES)
        kept.flush()
        os.fsync(kept.fileno())


def _check_source(source: Path) -> None:
    """Decline what is no file to keep, before a byte of it is copied."""
    facts = source.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise OperatorError(f"{source} is not a regular file")
    if facts.st_size > MAX_CLIP_BYTES:
        raise OperatorError(f"{source} has more than {MAX_CLIP_BYTES // 10**9} GB")
    if facts.st_size == 0:
        raise OperatorError(f"{source} is empty")
