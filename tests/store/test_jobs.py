"""The job queue and its worker: poisoned jobs, leases, and responses that wait for their own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Moment
from homeroom.base.settings import Settings
from homeroom.cli.checks.result import CheckStatus
from homeroom.cli.checks.store import check_jobs
from homeroom.domain.jobs import EraseFile, FinishStop
from homeroom.folder import open_store
from homeroom.jobs.worker import LEASE_SECONDS, JobHandler, Worker
from homeroom.store.records import Job, JobCounts, Lease
from homeroom.store.statement import Statement
from homeroom.store.tables import jobs
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.testing.clock import ManualClock
from homeroom.usecases import jobs as jobs_usecases

Runs = list[str]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").fresh()
    with open_store(Settings(data=tmp_path, database=database)) as store:
        store.clock = ManualClock()
        yield store


def add(store: Store, path: str, lease: Lease | None = None) -> Job:
    """Add a job that is due."""
    return store.write(lambda uow: uow.jobs.add(EraseFile(path), uow.now, None, lease))


def add_leased(store: Store, path: str) -> Job:
    """Add a job for a response that waits for it."""
    return add(store, path, Lease(store.clock.now() + LEASE_SECONDS, "own"))


def poison(store: Store, kind: str, payload: str) -> None:
    """Add a job as another version, or a broken disk, may have left it."""
    row = {
        "kind": kind,
        "payload": payload,
        "due_at": store.clock.now() - 100,
        "leased_until": 0,
        "attempts": 0,
    }
    statement = Statement(insert(jobs).values(row))
    store.write(lambda uow: uow.jobs._tx.execute(statement, {}))  # noqa: SLF001  no use case writes such a row


def counts(store: Store) -> JobCounts:
    return store.read(lambda uow: uow.jobs.counts(uow.now, None))


def run(
    store: Store,
    body: Callable[[Worker], Awaitable[None]],
    handle: Callable[[EraseFile], Awaitable[None]],
    real: ManualClock | None = None,
) -> None:
    """Run a test body with a worker that has a handler for one kind of job."""

    async def main() -> None:
        handlers: dict[str, JobHandler[Any]] = {"erase_file": JobHandler(EraseFile, handle)}
        real_clock = real or ManualClock()
        worker = Worker(AsyncStore(store), store.clock, real_clock, handlers, renew_seconds=0.02)
        await body(worker)

    asyncio.run(main())


def test_a_poisoned_job_is_set_aside_alone_and_the_others_run(store: Store) -> None:
    poison(store, "of_the_next_version", "{}")
    poison(store, "erase_file", '{"path": 5}')
    poison(store, "erase_file", "no JSON")
    add(store, "a")
    runs: Runs = []

    async def handle(file: EraseFile) -> None:
        runs.append(file.path)

    async def body(worker: Worker) -> None:
        assert await worker.run_due() == 4
        assert await worker.run_due() == 0

    assert counts(store).oldest_due_seconds == 100
    run(store, body, handle)

    assert runs == ["a"]
    assert counts(store) == JobCounts(pending=0, failing=0, set_aside=3, oldest_due_seconds=0)
    reasons = [reason for _, reason in store.read(lambda uow: uow.jobs.list_set_aside(None))]
    assert reasons[0] == "no handler takes jobs of the kind of_the_next_version"
    assert all(reason.startswith("the payload cannot be decoded: ") for reason in reasons[1:])
    check = check_jobs(store)
    assert check.state is CheckStatus.WARN
    assert "3 set aside" in check.message
    assert "of_the_next_version" in check.message


def test_only_the_leases_of_an_owner_end(store: Store) -> None:
    """Its name is that of servers which are dead; others may run."""
    for path in ("first", "second"):
        add(store, path)
    far = store.clock.now() + LEASE_SECONDS
    for owner in ("dead", "alive"):
        lease = Lease(far, owner)
        assert store.write(lambda uow: uow.jobs.claim_due(uow.now, uow.now, lease, 1, None))  # noqa: B023  called at once

    store.write(lambda uow: jobs_usecases.release(uow, "dead"))

    free = store.write(lambda uow: uow.jobs.claim_due(uow.now, uow.now, Lease(far, "new"), 9, None))
    assert [job.attempts for job in free] == [1]


def test_a_job_added_while_the_loop_looks_does_not_wait_for_the_next_look(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_run = asyncio.Event()

    async def handle(_file: EraseFile) -> None:
        has_run.set()

    async def body(worker: Worker) -> None:
        worker.max_sleep_seconds = 600
        look = worker._next_due  # noqa: SLF001  the moment between two steps of the loop
        looks = count(1)

        async def look_and_add() -> Moment | None:
            due = await look()
            # The loop looks for jobs to run, and then for the time of the next one.
            if next(looks) == 2:
                await asyncio.to_thread(add, store, "late")
                worker.wake()
            return due

        monkeypatch.setattr(worker, "_next_due", look_and_add)
        loop = asyncio.create_task(worker.run())
        async with asyncio.timeout(30):
            await has_run.wait()
        loop.cancel()

    run(store, body, handle)


def test_a_job_that_was_set_aside_runs_after_a_start_with_its_handler(store: Store) -> None:
    poison(store, FinishStop.kind, '{"school": 1, "user": 2}')
    runs: Runs = []

    async def handle(file: EraseFile) -> None:
        runs.append(file.path)

    async def body(worker: Worker) -> None:
        await worker.run_due()

    run(store, body, handle)
    assert counts(store).set_aside == 1
    store.write(lambda uow: uow.jobs.put_back())
    assert counts(store) == JobCounts(pending=1, failing=1, set_aside=0, oldest_due_seconds=100)


def test_a_lease_is_renewed_while_its_handler_runs(store: Store) -> None:
    add(store, "slow")
    real = ManualClock()
    runs: Runs = []

    async def handle(file: EraseFile) -> None:
        runs.append(file.path)
        for _ in range(3):
            real.advance(LEASE_SECONDS - 1)
            await asyncio.sleep(0.2)

    async def body(worker: Worker) -> None:
        first = asyncio.create_task(worker.run_due())
        while not runs:  # noqa: ASYNC110  the handler has no event of this loop
            await asyncio.sleep(0.01)
        other = Worker(
            worker._store,  # noqa: SLF001  the same store
            store.clock,
            real,
            worker._handlers,  # noqa: SLF001  the same handlers
        )
        while not first.done():
            assert await other.run_due() == 0
            await asyncio.sleep(0.05)
        assert await first == 1

    run(store, body, handle, real)
    assert runs == ["slow"]


def test_a_slow_job_of_another_school_does_not_delay_a_response(store: Store) -> None:
    add(store, "slow")
    own = add_leased(store, "own")
    runs: Runs = []

    async def body(worker: Worker) -> None:
        started, release = asyncio.Event(), asyncio.Event()

        async def handle(file: EraseFile) -> None:
            if file.path == "slow":
                started.set()
                await release.wait()
            runs.append(file.path)

        worker._handlers = {"erase_file": JobHandler(EraseFile, handle)}  # noqa: SLF001  made here, where the events are
        loop = asyncio.create_task(worker.run_due())
        await started.wait()
        assert await worker.run_now([own], deadline_seconds=5)
        assert runs == ["own"]
        release.set()
        await loop
        assert runs == ["own", "slow"]

    async def unused(_file: EraseFile) -> None:
        raise AssertionError

    run(store, body, unused)
    assert counts(store).pending == 0


def test_a_response_waits_no_longer_than_its_deadline(store: Store) -> None:
    own = add_leased(store, "own")
    runs: Runs = []

    async def handle(file: EraseFile) -> None:
        await asyncio.sleep(0.3)
        runs.append(file.path)

    async def body(worker: Worker) -> None:
        assert not await worker.run_now([own], deadline_seconds=0.05)
        assert runs == []
        while worker._tasks:  # noqa: SLF001, ASYNC110  what goes on in the background
            await asyncio.sleep(0.05)

    run(store, body, handle)
    assert runs == ["own"]


def test_a_job_of_a_response_that_never_ran_it_runs_when_its_lease_is_over(store: Store) -> None:
    add_leased(store, "own")
    real = ManualClock()
    runs: Runs = []

    async def handle(file: EraseFile) -> None:
        runs.append(file.path)

    async def body(worker: Worker) -> None:
        assert await worker.run_due() == 0
        real.advance(LEASE_SECONDS)
        assert await worker.run_due() == 1

    run(store, body, handle, real)
    assert runs == ["own"]


def test_a_job_that_fails_is_tried_again_later_and_not_at_once(store: Store) -> None:
    own = add_leased(store, "own")
    runs: Runs = []

    async def handle(file: EraseFile) -> None:
        runs.append(file.path)
        raise OSError("the disk is full")

    async def body(worker: Worker) -> None:
        assert await worker.run_now([own], deadline_seconds=5)
        assert await worker.run_due() == 0

    run(store, body, handle)
    assert runs == ["own"]
    assert counts(store).failing == 1


def test_a_unit_of_work_leases_the_jobs_that_its_caller_runs_at_once(store: Store) -> None:
    store.storage_id = "here"

    def unit(uow: UnitOfWork) -> tuple[list[Job], Moment | None]:
        uow.enqueue(EraseFile("later"), None, after=60)
        uow.enqueue(EraseFile("now", storage="here"), None)
        uow.enqueue(EraseFile("there", storage="there"), None)
        return uow.due_jobs, uow.jobs.next_due(uow.now, "here")

    def leasing_unit(uow: UnitOfWork) -> tuple[list[Job], Moment | None]:
        uow.lease_jobs = lambda: Lease(uow.now + LEASE_SECONDS, "own")
        return unit(uow)

    now = store.clock.now()
    due, next_due = store.write(leasing_unit)
    assert [msgspec.json.decode(job.payload)["path"] for job in due] == ["now"]
    assert next_due == now + 60
    assert store.write(unit) == ([], now)


def test_a_job_of_another_storage_is_none_of_our_business(store: Store) -> None:
    """Case O16: it is neither run nor counted here, and stays until its own server runs."""
    store.storage_id = "here"
    for storage in ("here", "there", None):
        store.write(
            lambda uow: uow.jobs.add(EraseFile("file", storage=storage), uow.now - 500, None)  # noqa: B023  called at once
        )
    runs: Runs = []

    async def handle(file: EraseFile) -> None:
        runs.append(file.storage or "anywhere")

    async def body(worker: Worker) -> None:
        assert await worker.run_due() == 2
        assert await worker._next_due() is None  # noqa: SLF001  what the loop sleeps by

    run(store, body, handle)
    assert runs == ["here", "anywhere"]
    assert store.read(jobs_usecases.get_counts) == JobCounts(0, 0, 0, 0)
    assert store.read(lambda uow: uow.jobs.count_by_storage()) == {"there": 1}
    store.storage_id = "there"
    assert store.read(jobs_usecases.get_counts).oldest_due_seconds == 500

    async def body_there(worker: Worker) -> None:
        assert await worker.run_due() == 1

    run(store, body_there, handle)
    assert runs == ["here", "anywhere", "there"]
