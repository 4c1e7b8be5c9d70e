"""Storages: the data folders that a database knows, and which of them has a file."""

from collections.abc import Collection
from pathlib import PurePosixPath

from homeroom.base.clock import MINUTE
from homeroom.base.values import Value
from homeroom.domain.jobs import AdoptFiles
from homeroom.domain.refusal import OperatorError
from homeroom.store.storages import StorageRecord
from homeroom.store.unit_of_work import UnitOfWork

IN_USE_SECONDS = 10 * MINUTE
"""A storage that was seen so lately has a running server; it is seen every minute."""


class StorageState(Value, frozen=True):
    """A storage, its clips and files in numbers, and the jobs that wait for its servers."""

    record: StorageRecord
    clips: int
    files: int
    jobs: int
    is_here: bool
    """Whether this process has its files."""


class ForgottenStorage(Value, frozen=True):
    """Rest of a storage that was forgotten."""

    record: StorageRecord
    clips: int
    """Clips whose files may now be in any storage, or in none."""
    files: int
    """Files of drives of which the same is true."""
    jobs: int
    """Jobs that waited for its servers, mostly erasures."""


def list_storages(uow: UnitOfWork) -> list[StorageState]:
    """Return the storages that the database knows, the oldest first."""
    clips, files = uow.clips.count_by_storage(), uow.files.count_by_storage()
    jobs = uow.jobs.count_by_storage()
    return [
        StorageState(
            record,
            clips=clips.get(record.id, 0),
            files=files.get(record.id, 0),
            jobs=jobs.get(record.id, 0),
            is_here=record.id == uow.storage,
        )
        for record in uow.storages.list_all()
    ]


def mark_seen(uow: UnitOfWork) -> None:
    """Save that a server has the files of this storage now."""
    if uow.storage is not None:
        uow.storages.mark_seen(uow.storage, uow.now)


def forget(uow: UnitOfWork, storage: str) -> ForgottenStorage:
    """Forget a storage whose server is gone for good, with the jobs that wait for it.

    The other storages look for its files once, as an operator may have moved them there.
    """
    record = next((row for row in uow.storages.list_all() if row.id == storage), None)
    if record is None:
        raise OperatorError(f"no storage has the id {storage}")
    seen_seconds = uow.now - record.seen_at
    if storage == uow.storage:
        raise OperatorError(f"storage {storage} is this data folder")
    if 0 <= seen_seconds < IN_USE_SECONDS:
        raise OperatorError(
            f"a server used storage {storage} {seen_seconds} s ago: stop it, and wait ten minutes"
        )
    forgotten = ForgottenStorage(
        record,
        clips=uow.clips.forget_storage(storage),
        files=uow.files.forget_storage(storage),
        jobs=uow.jobs.delete_of_storage(storage),
    )
    uow.storages.delete(storage)
    for other in uow.storages.list_all():
        uow.enqueue(AdoptFiles(storage=other.id), None)
    return forgotten


def adopt_files(uow: UnitOfWork, paths: Collection[str]) -> list[str]:
    """Save that this storage has some files, where that was unknown.

    Return the paths whose clips are deleted and cannot be restored: an earlier version took a
    file for erased when another server had it.
    """
    if uow.storage is None:
        return []
    uow.files.adopt(paths, uow.storage)
    return uow.clips.adopt([PurePosixPath(path).stem for path in paths], uow.storage)
