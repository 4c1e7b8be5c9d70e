"""Jobs that a server had begun when it was killed: who may run them, and when."""

from pathlib import Path

import pytest

from homeroom.base.settings import Settings
from homeroom.domain.jobs import EraseFile
from homeroom.folder import get_lease_owner, open_storage, open_store
from homeroom.jobs.worker import LEASE_SECONDS
from homeroom.store.records import Lease
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import jobs
from tests.support.engine import until
from tests.support.postgres import Postgres
from tests.support.process import Process

pytestmark = pytest.mark.e2e


def claim_new_job(settings: Settings) -> None:
    """Begin a job as a server on this data folder, which then does no more."""
    with open_store(settings) as store:
        open_storage(settings, store)
        owner = get_lease_owner(store)

        def claim(uow: UnitOfWork) -> None:
            uow.enqueue(EraseFile(path="clips/none.mp4", storage=uow.storage), None)
            lease = Lease(uow.now + LEASE_SECONDS, owner)
            assert uow.jobs.claim_due(uow.now, uow.now, lease, 1, uow.storage)

        store.write(claim)


def count_jobs(settings: Settings) -> int:
    with open_store(settings) as store:
        return store.read(jobs.count_pending)


def test_a_job_of_a_killed_server_runs_at_the_next_start(
    postgres: Postgres, tmp_path: Path
) -> None:
    """A server that is alone with its data folder knows that the one before it is dead."""
    settings = Settings(data=tmp_path, database=postgres.fresh())
    claim_new_job(settings)
    server = Process("--media", "none", data=tmp_path, database=settings.database)
    try:
        until(lambda: count_jobs(settings) == 0, LEASE_SECONDS / 2)
    finally:
        server.kill()


def test_a_job_of_a_server_that_may_run_is_left_alone(postgres: Postgres, tmp_path: Path) -> None:
    """Two servers share a folder: the second one to start ends no lease."""
    settings = Settings(data=tmp_path, database=postgres.fresh())
    running = Process("--media", "none", data=tmp_path, database=settings.database)
    try:
        claim_new_job(settings)
        Process("--media", "none", data=tmp_path, database=settings.database).stop()
        assert count_jobs(settings) == 1
    finally:
        running.kill()
