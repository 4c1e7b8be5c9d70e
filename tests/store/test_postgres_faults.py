"""PostgreSQL fails: what units of work do when the server, or the way to it, breaks."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import psycopg
import pytest

from homeroom.base.clock import SystemClock
from homeroom.store import postgres as engine_module
from homeroom.store import postgres_pool
from homeroom.store.engine import OutcomeUnknownError, StoreError
from homeroom.store.migrate import migrate
from homeroom.store.postgres import PostgresEngine
from homeroom.store.postgres_connection import PostgresTransaction
from homeroom.store.unit_of_work import Store, UnitOfWork
from tests.support.cluster import NO_SYNC, Cluster, NoPostgresError, running_cluster
from tests.support.counting import count_up, opened, read_count, run_side_by_side
from tests.support.postgres import Postgres
from tests.support.postgres_faults import paused_backends, proxied

pytestmark = pytest.mark.pg

TOO_LATE: Final = "in time"
TERMINATE: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    try:
        with running_cluster(NO_SYNC) as cluster:
            yield cluster
    except NoPostgresError as none:
        pytest.skip(str(none))


def database_name(address: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(address)["dbname"])


def open_all_connections(store: Store, writes: int = 8, reads: int = 2) -> None:
    """Open a connection for each thread of the engine, or for that many."""
    together = threading.Barrier(writes + reads)

    def meet(_uow: UnitOfWork) -> None:
        together.wait(20)

    with ThreadPoolExecutor(writes + reads) as threads:
        calls = [threads.submit(store.write, meet) for _ in range(writes)]
        calls += [threads.submit(store.read, meet) for _ in range(reads)]
        for call in calls:
            call.result(30)


# --- connections that are lost ----------------------------------------------------------------


def test_connections_of_a_server_that_became_read_only_are_replaced(
    cluster: Cluster,
) -> None:
    """Case O3: open connections became read-only; new ones of the role can write."""
    cluster.run("DROP ROLE IF EXISTS homeroom", "CREATE ROLE homeroom LOGIN SUPERUSER")
    address = cluster.fresh().replace("user=postgres", "user=homeroom")
    migrate(address)
    with opened(address) as store:
        open_all_connections(store)
        cluster.run(
            "ALTER ROLE homeroom SET default_transaction_read_only = off",
            "ALTER SYSTEM SET default_transaction_read_only = on",
            "SELECT pg_reload_conf()",
        )
        try:
            assert run_side_by_side(store, 20) == list(range(1, 21))
        finally:
            cluster.run(
                "SET default_transaction_read_only = off",
                "ALTER SYSTEM RESET default_transaction_read_only",
                "SELECT pg_reload_conf()",
            )


def test_a_read_only_server_is_named_when_new_connections_cannot_write_either(
    postgres: Postgres,
) -> None:
    """Case O3, where nothing helps: the unit is tried once more, and fails with the cause."""
    address = postgres.fresh()
    migrate(address)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        name = database_name(address)
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    with opened(address) as store:
        runs: list[int] = []

        def unit(uow: UnitOfWork) -> None:
            runs.append(1)
            count_up(uow)

        with pytest.raises(StoreError, match="read-only"):
            store.write(unit)

    assert len(runs) == 2


@pytest.mark.parametrize("writes_first", [False, True])
def test_a_unit_whose_backend_is_terminated_runs_again(address: str, *, writes_first: bool) -> None:
    """57P01 in the middle of a unit: before or after it wrote."""
    with opened(address) as store:
        runs: list[int] = []

        def unit(uow: UnitOfWork) -> int:
            runs.append(1)
            if writes_first:
                count_up(uow)
            if len(runs) == 1:
                with psycopg.connect(address, autocommit=True) as other:
                    other.execute(TERMINATE)
            return read_count(uow) if writes_first else count_up(uow)

        assert store.write(unit) == 1
        assert store.read(read_count) == 1
    assert len(runs) == 2


def test_a_unit_whose_backend_is_always_terminated_fails_after_two_runs(address: str) -> None:
    runs: list[int] = []

    def unit(uow: UnitOfWork) -> int:
        runs.append(1)
        with psycopg.connect(address, autocommit=True) as other:
            other.execute(TERMINATE)
        return count_up(uow)

    with opened(address) as store:
        with pytest.raises(StoreError, match=r"administrator|connection"):
            store.write(unit)
        assert store.read(read_count) == 0
    assert len(runs) == 2


def test_reads_are_repeated_too(address: str) -> None:
    with opened(address) as store:
        open_all_connections(store)
        with psycopg.connect(address, autocommit=True) as other:
            other.execute(TERMINATE)
        assert [store.read(read_count) for _ in range(5)] == [0] * 5


# --- a commit without an answer ---------------------------------------------------------------


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_without_an_answer_is_looked_up(
    postgres: Postgres, address: str, cut: str
) -> None:
    """The unit is committed once, whether COMMIT reached the server or not."""
    runs: list[int] = []
    with proxied(postgres.folder) as proxy, opened(proxy.url(database_name(address))) as store:
        store.write(lambda uow: uow.server_state.save("other", "1"))
        cuts = [cut]
        proxy.on_commit = lambda: cuts.pop() if cuts else ""

        def unit(uow: UnitOfWork) -> int:
            runs.append(1)
            return count_up(uow)

        assert store.write(unit) == 1
        assert store.read(read_count) == 1

    assert len(runs) == (2 if cut == "before" else 1)


def test_a_commit_that_cannot_be_looked_up_is_never_run_again(
    postgres: Postgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "LOOKUP_SECONDS", 0.5)
    runs: list[int] = []
    with proxied(postgres.folder) as proxy, opened(proxy.url(database_name(address))) as store:
        store.write(lambda uow: uow.server_state.save("other", "1"))

        def cut_all() -> str:
            proxy.refuses = True
            return "after"

        proxy.on_commit = cut_all

        def unit(uow: UnitOfWork) -> int:
            runs.append(1)
            return count_up(uow)

        with pytest.raises(OutcomeUnknownError):
            store.write(unit)
    assert len(runs) == 1


@pytest.mark.parametrize("is_id_used_again", [False, True])
def test_a_crash_during_a_commit_never_commits_twice(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, *, is_id_used_again: bool
) -> None:
    """The server crashes as COMMIT arrives, and its recovery undoes the unit.

    The unit runs again, unless another unit has used its id since: then "committed" says nothing.
    """
    address = cluster.fresh()
    migrate(address)
    arrived, recovered = threading.Event(), threading.Event()

    def crash() -> str:
        if arrived.is_set():
            return ""
        arrived.set()
        recovered.wait(30)
        return "before"

    with (
        proxied(cluster.folder) as proxy,
        opened(proxy.url(database_name(address))) as store,
        ThreadPoolExecutor(1) as thread,
    ):
        store.write(lambda uow: uow.server_state.save("other", "1"))
        proxy.on_commit = crash
        call = thread.submit(store.write, count_up)
        arrived.wait(30)
        cluster.stop_immediately()
        cluster.start()
        if is_id_used_again:
            monkeypatch.setattr(PostgresTransaction, "find_commit_status", lambda *_: "committed")
        recovered.set()

        if is_id_used_again:
            with pytest.raises(OutcomeUnknownError):
                call.result(30)
        else:
            assert call.result(30) == 1
        assert store.read(read_count) == (0 if is_id_used_again else 1)


# --- a server that stands still ---------------------------------------------------------------


def test_a_unit_fails_at_its_deadline_when_the_server_is_paused(
    postgres: Postgres, address: str
) -> None:
    """Case O4: the backends stand still; the call fails, and the next has a new connection."""
    with opened(address, seconds=1) as store:
        open_all_connections(store)
        with paused_backends(postgres, address):
            begin = time.monotonic()
            with pytest.raises(StoreError, match=TOO_LATE):
                store.write(count_up)
            assert time.monotonic() - begin < 10
            assert store.write(count_up) == 1
            assert store.read(read_count) == 1


def test_a_unit_fails_at_its_deadline_when_it_waits_for_a_turn(address: str) -> None:
    """All connections are busy for longer than a unit may take."""
    release, together = threading.Event(), threading.Barrier(9)

    def wait(_uow: UnitOfWork) -> None:
        together.wait(20)
        release.wait(20)

    with opened(address, seconds=1) as store, ThreadPoolExecutor(8) as threads:
        for _ in range(8):
            threads.submit(store.write, wait)
        together.wait(20)
        try:
            with pytest.raises(StoreError, match=TOO_LATE):
                store.write(count_up)
        finally:
            release.set()


def test_a_unit_fails_at_its_deadline_when_packets_vanish(
    postgres: Postgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case O4: COMMIT and all after it get lost; whether it was done is unknown."""
    monkeypatch.setattr(engine_module, "CLOSE_SECONDS", 0.1)
    with (
        proxied(postgres.folder) as proxy,
        opened(proxy.url(database_name(address)), seconds=1) as store,
    ):
        store.write(lambda uow: uow.server_state.save("other", "1"))
        cuts = ["silent"]
        proxy.on_commit = lambda: cuts.pop() if cuts else ""
        with pytest.raises(OutcomeUnknownError):
            store.write(count_up)
        assert store.write(count_up) == 1


def test_a_paused_server_does_not_hold_the_engine(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case O4: the whole server stands still; units that wait fail, and closing ends."""
    monkeypatch.setattr(engine_module, "CLOSE_SECONDS", 0.2)
    address = cluster.fresh()
    migrate(address)
    failures: list[BaseException | None] = []
    done = threading.Semaphore(0)

    def note(_result: object, failure: BaseException | None) -> None:
        failures.append(failure)
        done.release()

    store = Store(PostgresEngine(address), SystemClock())
    store.write(count_up)
    with cluster.paused():
        for _ in range(20):
            store.submit_write(count_up, note)
            store.submit_read(read_count, note)
        begin = time.monotonic()
        store.begin_stopping(0.1)
        store.close()
        assert time.monotonic() - begin < 5
        assert all(done.acquire(timeout=5) for _ in range(40))
    assert all(isinstance(failure, StoreError) for failure in failures)


# --- fewer connections than wanted ------------------------------------------------------------


def test_calls_share_the_connections_that_there_are(
    postgres: Postgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role with four connections: all calls are right, and reads have one of the four."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        monkeypatch.setattr(postgres_pool, "LIMIT_SECONDS", 0.5)
        admin.execute("CREATE ROLE four LOGIN CONNECTION LIMIT 4")
        admin.execute("GRANT pg_read_all_data, pg_write_all_data TO four")
        with opened(address.replace("user=postgres", "user=four")) as store:
            open_all_connections(store, 3, 1)
            assert run_side_by_side(store, 20) == list(range(1, 21))
            assert store.read(read_count) == 20
            assert count_connections(admin, "four") == 4

            admin.execute("ALTER ROLE four CONNECTION LIMIT 20")
            open_all_connections(store)
            assert count_connections(admin, "four") == 10


@pytest.mark.parametrize("limit", [1, 2])
def test_one_connection_is_enough(postgres: Postgres, address: str, limit: int) -> None:
    role = f"only_{limit}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT {limit}".encode())
        admin.execute(f"GRANT pg_read_all_data, pg_write_all_data TO {role}".encode())
    with opened(address.replace("user=postgres", f"user={role}")) as store:
        assert run_side_by_side(store, 10) == list(range(1, 11))
        assert store.read(read_count) == 10


def count_connections(admin: "psycopg.Connection[tuple[int]]", role: str) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
    (count,) = admin.execute(query, (role,)).fetchone() or (0,)
    return count
