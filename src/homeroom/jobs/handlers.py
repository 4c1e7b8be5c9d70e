"""The job handlers: one for each kind, with the type of its payload."""

from collections.abc import Mapping
from typing import Any

from homeroom.async_store import AsyncStore
from homeroom.domain.jobs import AdoptFiles, EraseFile, EraseFiles, FinishStop
from homeroom.jobs.files import FileJobs
from homeroom.jobs.worker import JobHandler
from homeroom.store.storage import Storage
from homeroom.usecases import teachers


def create_handlers(store: AsyncStore, storage: Storage) -> Mapping[str, JobHandler[Any]]:
    """Return the handler of every kind of job.

    A job may run twice, when a server dies before it deletes the row: handlers are idempotent.
    """
    files = FileJobs(store, storage)

    async def finish_stop(stop: FinishStop) -> None:
        await store.write(
            lambda uow: teachers.finish_stop(uow, stop.school, stop.user), stop.school
        )

    handlers: tuple[JobHandler[Any], ...] = (
        JobHandler(FinishStop, finish_stop),
        JobHandler(EraseFile, files.erase_file),
        JobHandler(EraseFiles, files.erase_files),
        JobHandler(AdoptFiles, files.adopt_files),
    )
    return {handler.payload_type.kind.value: handler for handler in handlers}
