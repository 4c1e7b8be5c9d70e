"""The job handlers: one for each kind, with the type of its payload."""

import asyncio
from collections.abc import Mapping
from typing import Any

from homeroom.async_store import AsyncStore
from homeroom.domain.jobs import EraseFile, EraseFiles, FinishStop
from homeroom.jobs.worker import JobHandler
from homeroom.store.storage import Storage
from homeroom.usecases import teachers


def create_handlers(store: AsyncStore, storage: Storage) -> Mapping[str, JobHandler[Any]]:
    """Return the handler of every kind of job.

    A job may run twice, when a server dies before it deletes the row: handlers are idempotent.
    """

    async def finish_stop(stop: FinishStop) -> None:
        await store.write(
            lambda uow: teachers.finish_stop(uow, stop.school, stop.user), stop.school
        )

    async def erase_file(file: EraseFile) -> None:
        await asyncio.to_thread(storage.erase, file.path)

    async def erase_files(files: EraseFiles) -> None:
        # Several schools may use the same picture: it is stored once, under its hash.
        in_use = await store.read(lambda uow: uow.resets.find_paths_in_use(files.paths))
        for path in files.paths:
            if path not in in_use:
                await asyncio.to_thread(storage.erase, path)

    handlers: tuple[JobHandler[Any], ...] = (
        JobHandler(FinishStop, finish_stop),
        JobHandler(EraseFile, erase_file),
        JobHandler(EraseFiles, erase_files),
    )
    return {handler.payload_type.kind.value: handler for handler in handlers}
