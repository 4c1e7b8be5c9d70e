"""Units of work leave nothing that only the garbage collector finds."""

import gc

from homeroom.base.ids import SchoolId
from homeroom.store.engine import QueuedUnit
from homeroom.store.unit_of_work import Store, UnitOfWork
from tests.support.given import Given


def count_jobs(uow: UnitOfWork) -> int:
    return uow.jobs.count()


def run_units(store: Store, school: SchoolId) -> None:
    for _ in range(10):
        store.read(count_jobs)
        store.write(count_jobs, school)
        store.write(count_jobs)


def test_a_unit_that_is_done_is_free(given: Given) -> None:
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        run_units(given.store, SchoolId(given.school.id))
        gc.collect()
        assert not [item for item in gc.garbage if isinstance(item, QueuedUnit)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
