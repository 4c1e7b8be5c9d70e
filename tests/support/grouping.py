"""Units of work that wait for each other, so that PostgreSQL runs them in one transaction."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from homeroom.base.ids import SchoolId
from homeroom.store.engine import SHARED_SCHOOL, UnitScope
from homeroom.store.unit_of_work import Store, UnitOfWork
from tests.support.counting import SCHOOL


def submit(
    store: Store,
    unit: Callable[[UnitOfWork], Any],
    school: SchoolId = SCHOOL,
    *,
    scope: UnitScope | None = SHARED_SCHOOL,
) -> "Future[Any]":
    future: Future[Any] = Future()

    def on_done(result: object, failure: BaseException | None) -> None:
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)

    store.submit_write(unit, on_done, school=school, scope=scope)
    return future


@contextmanager
def gathered(store: Store, *, scope: UnitScope | None = SHARED_SCHOOL) -> Iterator[None]:
    """Let the units that are submitted in the block wait for each other: they become a group."""
    with held_up(store, scope=scope):
        yield


@contextmanager
def held_up(store: Store, *, scope: UnitScope | None) -> Iterator[None]:
    """Run a unit that has its locks until the block ends."""
    begun, release = threading.Event(), threading.Event()

    def wait(_uow: UnitOfWork) -> None:
        begun.set()
        assert release.wait(20)

    first = submit(store, wait, scope=scope)
    assert begun.wait(20)
    try:
        yield
    finally:
        release.set()
    first.result(20)


def save(name: str, value: str = "1") -> Callable[[UnitOfWork], str]:
    def unit(uow: UnitOfWork) -> str:
        uow.server_state.save(name, value)
        return uow.server_state.get(name) or ""

    return unit


def append(name: str, letter: str) -> Callable[[UnitOfWork], str]:
    """Return a unit that adds a letter to a text, which shows in what order units ran."""

    def unit(uow: UnitOfWork) -> str:
        text = (uow.server_state.get(name) or "") + letter
        uow.server_state.save(name, text)
        return text

    return unit


def names(store: Store) -> set[str]:
    """Return the names that are saved."""

    def read(uow: UnitOfWork) -> set[str]:
        candidates = [f"name {number}" for number in range(20)]
        return {name for name in candidates if uow.server_state.get(name)}

    return store.read(read)
