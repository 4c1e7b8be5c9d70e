"""Stored files: the rows of clips and of the drive compared with the storage."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from homeroom.base.text import format_count
from homeroom.cli.checks.result import MAX_EXAMPLES, CheckResult, CheckStatus
from homeroom.domain.clips import Clip
from homeroom.domain.files import DriveFile
from homeroom.store.local_storage import LocalStorage
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import clips, files

PAGE_SIZE = 1000


_R = TypeVar("_R", Clip, DriveFile)


class _ListPage(Protocol[_R]):
    """Returns rows in order of their ids after a given id."""

    def __call__(self, uow: UnitOfWork, after: int, limit: int) -> list[_R]: ...


class _StoredFile(NamedTuple):
    path: str
    size: int
    storage: str | None


def check_clips(store: Store, folder: Path) -> Iterator[CheckResult]:
    """Compare the rows of clips with the files, both ways."""
    yield from _compare("clips", "clips", _list_clips(store), store.storage_id, folder)


def check_drive_files(store: Store, folder: Path) -> Iterator[CheckResult]:
    """Compare the rows of the drive's files with the files, both ways."""
    yield from _compare("drive files", "files", _list_drive_files(store), store.storage_id, folder)


def _compare(
    name: str, stored_in: str, rows: Iterator[_StoredFile], storage_id: str | None, folder: Path
) -> Iterator[CheckResult]:
    storage = LocalStorage(folder)
    living: set[str] = set()
    missing: list[str] = []
    sizes = elsewhere = 0
    for row in rows:
        if row.storage not in (None, storage_id):
            elsewhere += 1
            continue
        living.add(row.path)
        size = storage.size(row.path)
        if size is None:
            missing.append(f"{row.path} is not there")
        elif size != row.size:
            missing.append(f"{row.path} has not {row.size} bytes")
        else:
            sizes += row.size
    if missing:
        text = f"{len(missing)} of {len(living)}: {'; '.join(missing[:MAX_EXAMPLES])}"
        yield CheckResult(name, CheckStatus.FAIL, text)
    else:
        text = f"{format_count(len(living), 'file')}, {sizes / 10**6:.1f} MB"
        text += f"; {elsewhere} with other servers" if elsewhere else ""
        yield CheckResult(name, CheckStatus.OK, text)
    lost = sorted(set(storage.list_names(stored_in)) - living)
    if lost:
        owner = "clip" if name == "clips" else "folder"
        text = format_count(len(lost), f"file belongs to no {owner}", f"files belong to no {owner}")
        text += f", as {'; '.join(lost[:MAX_EXAMPLES])}"
        yield CheckResult("stray files", CheckStatus.WARN, text)


def _list_clips(store: Store) -> Iterator[_StoredFile]:
    """Return the clips whose files exist."""
    for clip in _list_all(store, clips.list_page):
        if clip.deleted_at is None or clip.is_restorable:
            yield _StoredFile(clip.file.path, clip.file.size, clip.file.storage)


def _list_drive_files(store: Store) -> Iterator[_StoredFile]:
    for row in _list_all(store, files.list_page):
        yield _StoredFile(row.file.path, row.file.size, row.file.storage)


def _list_all(store: Store, list_page: _ListPage[_R]) -> Iterator[_R]:
    """Return the rows of all pages."""
    after = 0
    while page := store.read(partial(list_page, after=after, limit=PAGE_SIZE)):
        after = page[-1].id
        yield from page
