"""Group commit on SQLite: a unit that fails affects no other unit of its group."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from homeroom.base.errors import HomeroomError
from homeroom.base.settings import Settings
from homeroom.folder import open_store
from homeroom.store.unit_of_work import Store, UnitOfWork

Unit = Callable[[UnitOfWork], str]
KINDS = ("writes", "reads", "refused at once", "refused late")


class RefusedError(HomeroomError):
    """A unit of these tests is refused."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(Settings(data=tmp_path)) as store:
        yield store


def make_unit(kind: str, name: str, runs: Counter[str]) -> Unit:
    """Return a unit that counts its runs, and reads what the units before it have written."""

    def unit(uow: UnitOfWork) -> str:
        runs[name] += 1
        before = uow.server_state.get("names") or ""
        if kind in ("writes", "refused late"):
            uow.server_state.save("names", before + name)
        if kind.startswith("refused"):
            raise RefusedError(before)
        return before

    return unit


def run_as_group(store: Store, units: list[Unit]) -> list[str]:
    """Run units in one group; return the result or the message of each."""
    started, gate, done = threading.Event(), threading.Event(), threading.Semaphore(0)
    outcomes: list[str] = []

    def on_done(result: str, failure: BaseException | None) -> None:
        outcomes.append(f"refused {failure}" if failure is not None else result)
        done.release()

    def hold_up(_uow: UnitOfWork) -> None:
        started.set()
        gate.wait(10)

    # The writer is held up until all units wait: then it takes them together.
    store.submit_write(hold_up, lambda _result, _failure: None)
    assert started.wait(10)
    commits = store.engine.stats.commits
    for unit in units:
        store.submit_write(unit, on_done)
    gate.set()
    for _ in units:
        assert done.acquire(timeout=10)
    assert store.engine.stats.commits == commits + 2
    return outcomes


def test_units_of_a_group_are_as_if_each_ran_alone(store: Store) -> None:
    for kinds in product(KINDS, repeat=3):
        store.write(lambda uow: uow.server_state.save("names", ""))
        runs: Counter[str] = Counter()
        expected, written = [], ""
        for name, kind in zip("abc", kinds, strict=True):
            expected.append(f"refused {written}" if kind.startswith("refused") else written)
            written += name if kind == "writes" else ""

        units = [make_unit(kind, name, runs) for name, kind in zip("abc", kinds, strict=True)]
        outcomes = run_as_group(store, units)

        assert outcomes == expected, kinds
        assert store.read(lambda uow: uow.server_state.get("names")) == written, kinds
        # Only a unit that is refused after it and an earlier one have written costs another run.
        needs_savepoints = "refused late" in kinds[kinds.index("writes") :] if written else False
        again = kinds.index("refused late", kinds.index("writes")) + 1 if needs_savepoints else 0
        assert [runs[name] for name in "abc"] == [2] * again + [1] * (3 - again), kinds


def test_a_large_group_runs_again_as_a_whole(store: Store) -> None:
    runs: Counter[str] = Counter()
    kinds = ["writes", "refused late", *["writes"] * 60]
    names = [f" {number}" for number in range(len(kinds))]
    units = [make_unit(kind, name, runs) for kind, name in zip(kinds, names, strict=True)]

    run_as_group(store, units)

    saved = store.read(lambda uow: uow.server_state.get("names")) or ""
    assert saved.split() == [name.strip() for name in names if name != " 1"]
