"""Units that wait for the same on PostgreSQL share a transaction, and each ends as if alone."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from homeroom.base.clock import SystemClock
from homeroom.base.ids import SchoolId
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal
from homeroom.store import postgres as engine_module
from homeroom.store.engine import (
    SHARED_SCHOOL,
    OutcomeUnknownError,
    QueuedUnit,
    UnavailableError,
    UnitScope,
)
from homeroom.store.postgres import PostgresEngine
from homeroom.store.unit_of_work import Store, UnitOfWork
from tests.support.counting import SCHOOL, count_up, opened, read_count
from tests.support.grouping import gathered, names, save, submit
from tests.support.postgres import Postgres
from tests.support.postgres_faults import Proxy, proxied

pytestmark = pytest.mark.pg

OTHER = SchoolId(8)


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    with opened(address) as store:
        yield store


def fail_late(uow: UnitOfWork) -> None:
    uow.server_state.save("name 19", "late")
    raise Refusal(Errno.NO_SUCH_LESSON)


def fail_early(uow: UnitOfWork) -> None:
    uow.server_state.get("name 19")
    raise Refusal(Errno.NO_SUCH_LESSON)


@pytest.mark.parametrize("scope", [SHARED_SCHOOL, None])
def test_units_that_wait_share_a_commit(store: Store, scope: UnitScope | None) -> None:
    with gathered(store, scope=scope):
        calls = [
            submit(store, save(f"name {number}", str(number)), scope=scope) for number in range(10)
        ]

    assert [call.result(20) for call in calls] == [str(number) for number in range(10)]
    assert len(names(store)) == 10
    assert (store.engine.stats.commits, store.engine.stats.units) == (2, 11)


def test_exclusive_units_of_a_group_run_one_after_another(store: Store) -> None:
    with gathered(store, scope=None):
        calls = [submit(store, count_up, scope=None) for _ in range(10)]

    assert [call.result(20) for call in calls] == list(range(1, 11))


@pytest.mark.parametrize("scope", [SHARED_SCHOOL, None])
@pytest.mark.parametrize("fail", [fail_early, fail_late])
def test_a_refused_unit_writes_nothing_and_the_others_do(
    store: Store, fail: Callable[[UnitOfWork], None], *, scope: UnitScope | None
) -> None:
    with gathered(store, scope=scope):
        calls = [submit(store, save(f"name {number}"), scope=scope) for number in range(3)]
        refused = submit(store, fail, scope=scope)
        calls += [submit(store, save(f"name {number}"), scope=scope) for number in range(3, 6)]

    with pytest.raises(Refusal):
        refused.result(20)
    assert [call.result(20) for call in calls] == ["1"] * 6
    assert names(store) == {f"name {number}" for number in range(6)}


@pytest.mark.parametrize("scope", [SHARED_SCHOOL, None])
def test_a_unit_that_fails_in_no_company_runs_once(store: Store, scope: UnitScope | None) -> None:
    runs: list[int] = []

    def unit(uow: UnitOfWork) -> None:
        runs.append(1)
        fail_late(uow)

    with pytest.raises(Refusal):
        submit(store, unit, scope=scope).result(20)
    assert len(runs) == 1
    assert names(store) == set()


def test_units_that_turn_out_to_need_their_school_alone_get_it(store: Store) -> None:
    def unit(uow: UnitOfWork) -> int:
        uow.require_exclusive()
        return count_up(uow)

    def late_unit(uow: UnitOfWork) -> int:
        uow.server_state.save("name 2", "late")
        return unit(uow)

    assert submit(store, late_unit).result(20) == 1
    with gathered(store):
        calls = [submit(store, unit) for _ in range(9)]
        calls.append(submit(store, late_unit))
        other = submit(store, save("name 1"))

    assert sorted(call.result(20) for call in calls) == list(range(2, 12))
    assert other.result(20) == "1"


def test_a_school_that_is_locked_for_long_does_not_hold_up_another(store: Store) -> None:
    begun, release = threading.Event(), threading.Event()

    def wait(_uow: UnitOfWork) -> None:
        begun.set()
        assert release.wait(20)

    long = submit(store, wait, scope=None)
    assert begun.wait(20)
    late = [submit(store, save(f"name {number}")) for number in range(3)]
    assert submit(store, save("name 9"), OTHER).result(20) == "1"
    assert submit(store, save("name 10"), OTHER, scope=None).result(20) == "1"
    assert not any(call.done() for call in late)
    release.set()

    assert [call.result(20) for call in (long, *late)] == [None, "1", "1", "1"]


def test_a_unit_knows_how_many_others_share_its_time(store: Store) -> None:
    with gathered(store):
        calls = [submit(store, lambda uow: uow.units_at_once) for _ in range(5)]
    assert [call.result(20) for call in calls] == [5] * 5
    assert store.read(lambda uow: uow.units_at_once) == 1


@pytest.mark.parametrize("scope", [SHARED_SCHOOL, None])
@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_of_a_group_without_an_answer_is_looked_up(
    postgres: Postgres, address: str, cut: str, *, scope: UnitScope | None
) -> None:
    runs: list[int] = []

    def unit(number: int) -> Callable[[UnitOfWork], str]:
        def run(uow: UnitOfWork) -> str:
            runs.append(number)
            return save(f"name {number}")(uow)

        return run

    with through_proxy(postgres, address) as (proxy, store):
        with gathered(store, scope=scope):
            calls = [submit(store, unit(number), scope=scope) for number in range(5)]
            cuts = ["", cut]
            proxy.on_commit = lambda: cuts.pop(0) if cuts else ""
        assert [call.result(20) for call in calls] == ["1"] * 5
        assert names(store) == {f"name {number}" for number in range(5)}

    assert len(runs) == (10 if cut == "before" else 5)


def test_a_commit_of_a_group_that_cannot_be_looked_up_is_never_run_again(
    postgres: Postgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "LOOKUP_SECONDS", 0.5)
    runs: list[int] = []

    def unit(uow: UnitOfWork) -> None:
        runs.append(1)
        count_up(uow)

    with through_proxy(postgres, address) as (proxy, store):
        with gathered(store):
            calls = [submit(store, unit) for _ in range(2)]
            calls.append(submit(store, fail_early))
            commits: list[int] = []

            def cut() -> str:
                commits.append(1)
                proxy.refuses = len(commits) > 1
                return "after" if proxy.refuses else ""

            proxy.on_commit = cut
        failures = [call.exception(20) for call in calls]
    # The refusal too: it may rest on what another unit of the group has written.
    assert [type(failure) for failure in failures] == [OutcomeUnknownError] * 3
    assert len({id(failure) for failure in failures}) == 3
    assert len(runs) == 2


def test_units_of_a_group_whose_connection_is_lost_run_again_once(
    store: Store, address: str
) -> None:
    runs: list[int] = []

    def end_connections(_uow: UnitOfWork) -> None:
        runs.append(1)
        with psycopg.connect(address, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def unit(uow: UnitOfWork) -> str:
        end_connections(uow)
        return save("name 1")(uow)

    with gathered(store):
        calls = [submit(store, save("name 2")), submit(store, unit)]

    with pytest.raises(UnavailableError):
        calls[1].result(20)
    assert len(runs) == 2
    assert names(store) <= {"name 2"}


def test_the_deadline_of_one_unit_is_not_that_of_its_group(address: str) -> None:
    """Its connection is cut, and the others run again."""
    outcomes: list[BaseException | None] = []
    ended = threading.Event()

    def block(_tx: object) -> None:
        ended.wait(20)

    def on_done(_result: object, failure: BaseException | None) -> None:
        outcomes.append(failure)
        ended.set()

    store = Store(PostgresEngine(address, unit_seconds=30), SystemClock())
    with gathered(store):
        other = submit(store, count_up)
        late = QueuedUnit(block, on_done, SCHOOL, SHARED_SCHOOL, queued_at=time.monotonic() - 29.5)
        store.engine.write(late)
    assert other.result(20) == 1
    assert isinstance(outcomes[0], UnavailableError)
    assert store.read(read_count) == 1
    store.close()


def test_closing_finishes_the_units_that_wait(address: str) -> None:
    store = Store(PostgresEngine(address), SystemClock())
    with gathered(store):
        calls = [submit(store, save("name 1")) for _ in range(200)]
        calls += [submit(store, count_up, scope=None) for _ in range(50)]
        closing = threading.Thread(target=store.close)
        closing.start()
    closing.join(20)

    assert [call.result(0) for call in calls[:200]] == ["1"] * 200
    assert [call.result(0) for call in calls[200:]] == list(range(1, 51))


def test_units_that_add_the_same_row_add_one(store: Store) -> None:

    def unit(uow: UnitOfWork) -> str:
        return uow.server_state.get_or_add("name 1", str(id(uow)))

    with gathered(store):
        calls = [submit(store, unit) for _ in range(8)]

    assert len({call.result(20) for call in calls}) == 1


@contextmanager
def through_proxy(postgres: Postgres, address: str) -> Iterator[tuple[Proxy, Store]]:
    name = str(psycopg.conninfo.conninfo_to_dict(address)["dbname"])
    with proxied(postgres.folder) as proxy, opened(proxy.url(name)) as store:
        yield proxy, store
