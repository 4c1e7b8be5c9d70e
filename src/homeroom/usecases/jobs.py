"""The job queue, as health checks, the doctor and a starting server use it."""

from homeroom.store.records import Job, JobCounts
from homeroom.store.unit_of_work import UnitOfWork


def count_pending(uow: UnitOfWork) -> int:
    """Return the number of jobs that wait."""
    return uow.jobs.count()


def get_counts(uow: UnitOfWork) -> JobCounts:
    """Return the state of the queue now, without the jobs of other storages."""
    return uow.jobs.counts(uow.now, uow.storage)


def list_failing(uow: UnitOfWork) -> list[tuple[Job, str]]:
    """Return the jobs that wait for a retry and their last errors, at most a hundred."""
    return uow.jobs.list_failing(uow.storage)


def list_set_aside(uow: UnitOfWork) -> list[tuple[Job, str]]:
    """Return the jobs that are set aside and the reasons, at most a hundred."""
    return uow.jobs.list_set_aside(uow.storage)


def release_all(uow: UnitOfWork) -> None:
    """End all leases: for a server that knows that no other one runs."""
    uow.jobs.release_all()


def release(uow: UnitOfWork, owner: str) -> None:
    """End the leases of an owner: for a server that knows that no other of its name runs."""
    uow.jobs.release(owner)


def put_back(uow: UnitOfWork) -> None:
    """Put jobs that were set aside back into the queue: a new version may have their handler."""
    uow.jobs.put_back()
