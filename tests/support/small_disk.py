"""A small disk of its own for a test, which becomes full or read-only; only root can mount one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

BLOCK_BYTES: Final = 4096


class CannotMountError(Exception):
    """This user or this machine cannot mount a disk."""


@contextmanager
def mounted_memory(folder: Path, size: str, *options: str) -> Iterator[Path]:
    """Mount a disk in memory, with options of `mount`, on a folder that is made for it."""
    folder.mkdir()
    words = ",".join([f"size={size}", *options])
    _run("mount", "-t", "tmpfs", "-o", words, "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _run("umount", "--lazy", str(folder))


@contextmanager
def mounted_image(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk with a file system of its own, whose writes can fail, on a new folder."""
    folder.mkdir()
    image = folder.with_suffix(".image")
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    _run("mount", "-o", "loop", str(image), str(folder))
    try:
        yield folder
    finally:
        _run("umount", "--lazy", str(folder))
        image.unlink()


def remount(folder: Path, options: str) -> None:
    """Mount a disk again with other options."""
    _run("mount", "-o", f"remount,{options}", str(folder))


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Leave no room on a disk until the block ends."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(BLOCK_BYTES))
    try:
        yield
    finally:
        filler.unlink()


def _run(program: str, *options: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise CannotMountError(f"there is no {program}")
    done = subprocess.run([path, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMountError(f"{program} failed: {done.stderr.strip()}")
