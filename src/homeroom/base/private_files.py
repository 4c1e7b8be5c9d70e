"""Private files: only the user who runs Homeroom can read what Homeroom writes.

One rule makes new files private: every process of ours runs under `private_umask`. So a file is
private no matter which module, library or subprocess creates it. `narrow` is for files of an
earlier version, which left the umask alone.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from homeroom.base.errors import HomeroomError
from homeroom.base.values import Value

PRIVATE_UMASK: Final = 0o077
FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
OTHERS: Final = 0o077
"""The bits of a mode that let in the group and everybody else."""
ROOT_UID: Final = 0
_OPEN_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class WideModeError(HomeroomError):
    """A file or folder is open to other users and cannot be narrowed; the message says why."""


class WideFile(Value, frozen=True):
    """A file or folder that other users of the machine may read or write."""

    path: Path
    mode: int

    def __str__(self) -> str:
        return f"{self.path} ({self.mode:04o})"


@contextmanager
def private_umask() -> Iterator[None]:
    """Create only private files and folders until the block ends.

    The umask belongs to the whole process, so only the entry point of a process uses this.
    """
    former = os.umask(PRIVATE_UMASK)
    try:
        yield
    finally:
        os.umask(former)


def make_private_folder(folder: Path) -> None:
    """Create a folder for its owner alone; an existing one keeps its mode."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def find_wide(root: Path) -> list[WideFile]:
    """Return each file and folder at and below a folder that is open to other users."""
    files: list[WideFile] = []
    _Walk(lambda _file, wide: files.append(wide), has_all_files=True).run(root)
    return files


def narrow(root: Path, *, has_all_files: bool = False) -> int:
    """Close a folder, and what is below it, to other users; return the number of changes.

    Without `has_all_files`, the files of an inner folder are checked only if the folder itself is
    open: a million clips are then not looked at for each start. Raises `WideModeError`.
    """
    changes = 0

    def change(file: int, wide: WideFile) -> None:
        nonlocal changes
        try:
            os.fchmod(file, wide.mode & ~OTHERS)
        except OSError as failure:
            raise _cannot_narrow(wide, os.fstat(file).st_uid, failure.strerror) from None
        if os.fstat(file).st_mode & OTHERS:
            raise _cannot_narrow(wide, os.fstat(file).st_uid, "its file system ignores modes")
        changes += 1

    _Walk(change, has_all_files=has_all_files).run(root)
    return changes


def _is_closed_by_owner(facts: os.stat_result) -> bool:
    """Tell whether a folder belongs to another user, who lets only that user in."""
    return facts.st_uid != os.geteuid() != ROOT_UID and not facts.st_mode & OTHERS


def _cannot_narrow(wide: WideFile, owner: int, reason: str | None) -> WideModeError:
    whose = "" if owner == os.geteuid() else f": it belongs to user {owner}"
    return WideModeError(
        f"{wide} is open to other users and cannot be narrowed: {reason or 'unknown'}{whose}"
    )


def _leads_to_folder(link: "os.DirEntry[str]") -> bool:
    """Tell whether a link leads to a folder; a circle of links leads nowhere."""
    try:
        return link.is_dir()
    except OSError:
        return False


class _Walk:
    """A walk through a folder that visits what is open to other users.

    It works on descriptors and follows no link of another user. So a user who could write to the
    folder cannot make it change a file elsewhere. The root comes first: after that, no other user
    gets in. An inner folder comes after its files: the walk after an interrupted one finds it open.
    """

    def __init__(self, visit: Callable[[int, WideFile], None], *, has_all_files: bool) -> None:
        self._visit = visit
        self._has_all_files = has_all_files

    def run(self, root: Path) -> None:
        """Visit a folder and everything below it; raises `WideModeError`."""
        with self._opened(root, os.O_DIRECTORY, None, root.name or str(root)) as folder:
            self._check(folder, root)
            self._walk(folder, root, checks_files=True)

    def _walk(self, folder: int, path: Path, *, checks_files: bool) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                inner = path / entry.name
                if entry.is_dir(follow_symlinks=False):
                    if _is_closed_by_owner(entry.stat(follow_symlinks=False)):
                        continue  # as `lost+found` of a disk: we cannot enter it
                    self._enter(folder, inner, os.O_DIRECTORY | os.O_NOFOLLOW)
                elif entry.is_symlink():
                    # An operator may have moved a folder to another disk by a link.
                    owner = entry.stat(follow_symlinks=False).st_uid
                    if owner in (ROOT_UID, os.geteuid()) and _leads_to_folder(entry):
                        self._enter(folder, inner, os.O_DIRECTORY)
                elif checks_files and entry.is_file(follow_symlinks=False):
                    self._check_file(folder, inner, entry)

    def _enter(self, parent: int, path: Path, flags: int) -> None:
        with self._opened(path, flags, parent, path.name) as folder:
            is_open = bool(os.fstat(folder).st_mode & OTHERS)
            self._walk(folder, path, checks_files=is_open or self._has_all_files)
            self._check(folder, path)

    def _check_file(self, parent: int, path: Path, entry: "os.DirEntry[str]") -> None:
        try:
            if not entry.stat(follow_symlinks=False).st_mode & OTHERS:
                return
            with self._opened(path, os.O_NOFOLLOW, parent, path.name) as file:
                self._check(file, path)
        except FileNotFoundError:
            return  # a running server has erased or renamed it

    def _check(self, file: int, path: Path) -> None:
        mode = stat.S_IMODE(os.fstat(file).st_mode)
        if mode & OTHERS:
            self._visit(file, WideFile(path, mode))

    @contextmanager
    def _opened(self, path: Path, flags: int, parent: int | None, name: str) -> Iterator[int]:
        try:
            file = os.open(path if parent is None else name, _OPEN_FLAGS | flags, dir_fd=parent)
        except FileNotFoundError:
            raise
        except OSError as failure:
            message = f"{path} cannot be checked for its mode: {failure.strerror}"
            raise WideModeError(message) from None
        try:
            yield file
        finally:
            os.close(file)
