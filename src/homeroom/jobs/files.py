"""Jobs on the files of a storage: erase some, or find those that the database does not place."""

import asyncio
import logging

from homeroom.async_store import AsyncStore
from homeroom.domain.jobs import AdoptFiles, EraseFile, EraseFiles
from homeroom.store.storage import Storage
from homeroom.usecases import erasure, storages

log = logging.getLogger("homeroom.jobs")

ADOPT_BATCH = 500
"""Files that one unit of work adopts."""


class FileJobs:
    """The handlers of the jobs on files; all are idempotent."""

    def __init__(self, store: AsyncStore, storage: Storage) -> None:
        self._store = store
        self._storage = storage

    async def erase_file(self, job: EraseFile) -> None:
        """Erase the file of a deleted clip."""
        await self._enqueue_elsewhere(job)
        await self._erase(job.path)

    async def erase_files(self, job: EraseFiles) -> None:
        """Erase files that nothing refers to any more."""
        await self._enqueue_elsewhere(job)
        # Several schools may use the same picture: it is stored once, under its hash. And most
        # uploads to the drive have been added to a folder.
        in_use = await self._store.read(lambda uow: uow.resets.find_paths_in_use(job.paths))
        for path in job.paths:
            if path not in in_use:
                await self._erase(path)

    async def adopt_files(self, _job: AdoptFiles) -> None:
        """Save which clips and files are here, and erase those of deleted clips."""
        names = await asyncio.to_thread(self._list_names)
        for first in range(0, len(names), ADOPT_BATCH):
            await self._adopt(names[first : first + ADOPT_BATCH])

    def _list_names(self) -> list[str]:
        return [name for folder in ("clips", "files") for name in self._storage.list_names(folder)]

    async def _adopt(self, paths: list[str]) -> None:
        for path in await self._store.write(lambda uow: storages.adopt_files(uow, paths)):
            log.info("deleted_clip_erased_late", extra={"path": path})
            await self._erase(path)

    async def _enqueue_elsewhere(self, job: EraseFile | EraseFiles) -> None:
        # A file that is not here is not erased: it may be with another server.
        if job.storage is None:
            await self._store.write(lambda uow: erasure.enqueue_elsewhere(uow, job))

    async def _erase(self, path: str) -> None:
        await asyncio.to_thread(self._storage.erase, path)
