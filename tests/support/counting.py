"""A number in a database that units of work count up: it shows how often each was done."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from homeroom.base.clock import SystemClock
from homeroom.base.ids import SchoolId
from homeroom.store.postgres import PostgresEngine
from homeroom.store.unit_of_work import Store, UnitOfWork

SCHOOL: Final = SchoolId(7)
"""Its lock orders the units; it need not be there."""


@contextmanager
def opened(address: str, seconds: float = 30) -> Iterator[Store]:
    store = Store(PostgresEngine(address, unit_seconds=seconds), SystemClock())
    try:
        yield store
    finally:
        store.close()


def count_up(uow: UnitOfWork) -> int:
    number = read_count(uow) + 1
    uow.server_state.save("count", str(number))
    return number


def read_count(uow: UnitOfWork) -> int:
    return int(uow.server_state.get("count") or 0)


def run_side_by_side(store: Store, times: int) -> list[int]:
    """Hold the connections of that many units open at the same time, as far as there are any."""
    with ThreadPoolExecutor(times) as threads:
        return sorted(threads.map(lambda _: store.write(count_up, SCHOOL), range(times)))
