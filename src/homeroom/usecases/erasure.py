"""Erasure: jobs that erase files, each on a server that has the file."""

from collections.abc import Iterable

import msgspec

from homeroom.base.ids import SchoolId
from homeroom.domain.jobs import EraseFile, EraseFiles
from homeroom.store.unit_of_work import UnitOfWork

ERASE_BATCH = 1000
"""Files of one job."""


def erase_files(
    uow: UnitOfWork, school: SchoolId | None, files: Iterable[tuple[str, str | None]]
) -> None:
    """Enqueue the erasure of files, each a path and the storage that has it, None if unknown."""
    by_storage: dict[str | None, list[str]] = {}
    for path, storage in files:
        by_storage.setdefault(storage, []).append(path)
    for storage, paths in by_storage.items():
        for first in range(0, len(paths), ERASE_BATCH):
            uow.enqueue(EraseFiles(paths[first : first + ERASE_BATCH], storage=storage), school)


def enqueue_elsewhere(uow: UnitOfWork, erasure: EraseFile | EraseFiles) -> None:
    """Enqueue an erasure for each storage but this one, as it is unknown which has the file."""
    for record in uow.storages.list_all():
        if record.id != uow.storage:
            uow.enqueue(msgspec.structs.replace(erasure, storage=record.id), None)
