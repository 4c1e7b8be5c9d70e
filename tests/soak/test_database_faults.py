"""PostgreSQL that fails in every way: what calls and probes answer, and for how long."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

from homeroom.testing import partner
from tests.soak.database_faults import NO_ANSWER, TIMEOUT_SECONDS, Answer, Traffic, describe
from tests.support.postgres_faults import (
    PGBOUNCER,
    FragileCluster,
    fragile_cluster,
    paused_processes,
    running_pgbouncer,
)
from tests.support.process import Process

pytestmark = [pytest.mark.soak, pytest.mark.e2e, pytest.mark.pg]

FAULT_SECONDS: Final = 5
MAX_CALL_SECONDS: Final = 35
END_CONNECTIONS: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'school'"
)
Fault = Callable[[FragileCluster, str], AbstractContextManager[None]]


@contextmanager
def stopped_immediately(cluster: FragileCluster, _name: str) -> Iterator[None]:
    cluster.stop_immediately()
    yield
    cluster.start()


@contextmanager
def stopped_in_order(cluster: FragileCluster, _name: str) -> Iterator[None]:
    cluster.close()
    yield
    cluster.start()


@contextmanager
def paused(cluster: FragileCluster, _name: str) -> Iterator[None]:
    with cluster.paused():
        yield


@contextmanager
def backends_paused(cluster: FragileCluster, name: str) -> Iterator[None]:
    """Pause the connections of now; new ones work."""
    with psycopg.connect(cluster.url()) as admin:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
        pids = [pid for (pid,) in admin.execute(query, (name,))]
    with paused_processes(pids):
        # The units that wait end at their deadline.
        time.sleep(30)
        yield


@contextmanager
def failed_over(cluster: FragileCluster, _name: str) -> Iterator[None]:
    """Make open connections read-only, as those to the old primary; new ones can write."""
    cluster.run(
        "ALTER ROLE school SET default_transaction_read_only = off",
        "ALTER SYSTEM SET default_transaction_read_only = on",
        "SELECT pg_reload_conf()",
    )
    yield
    cluster.run(
        "SET default_transaction_read_only = off",
        "ALTER SYSTEM RESET default_transaction_read_only",
        "SELECT pg_reload_conf()",
    )


@contextmanager
def read_only(cluster: FragileCluster, name: str) -> Iterator[None]:
    """Make all connections read-only, new ones too."""
    cluster.run(
        f"ALTER ROLE school IN DATABASE {name} SET default_transaction_read_only = on",
        END_CONNECTIONS,
    )
    yield
    cluster.run(f"ALTER ROLE school IN DATABASE {name} RESET default_transaction_read_only")


@contextmanager
def limited_to_four(cluster: FragileCluster, _name: str) -> Iterator[None]:
    cluster.run(
        "ALTER ROLE school CONNECTION LIMIT 4",
        END_CONNECTIONS,
    )
    yield
    cluster.run("ALTER ROLE school CONNECTION LIMIT -1")


FAULTS: Final[tuple[Fault, ...]] = (
    stopped_immediately,
    stopped_in_order,
    paused,
    backends_paused,
    failed_over,
    read_only,
    limited_to_four,
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[FragileCluster]:
    with fragile_cluster() as cluster:
        cluster.run("CREATE ROLE school LOGIN")
        yield cluster


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the callers wait longer than a unit of work may take."""
    monkeypatch.setattr(partner, "TIMEOUT_SECONDS", TIMEOUT_SECONDS)


def database(cluster: FragileCluster) -> str:
    """Make a database of the role and return its name."""
    name = f"test_{time.monotonic_ns()}"
    cluster.run(f"CREATE DATABASE {name} OWNER school TEMPLATE template0")
    return name


def read_names(cluster: FragileCluster, name: str) -> list[str]:
    with psycopg.connect(cluster.url(name)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM courses ORDER BY id")]


def serve(address: str, data: Path) -> Process:
    return Process("--demo", "--media", "none", data=data, database=address)


def endure(server: Process, cluster: FragileCluster, name: str, fault: Fault) -> list[Answer]:
    """Return the calls since a fault began; nothing acknowledged is lost, nothing done twice."""
    with Traffic(server) as traffic:
        traffic.wait_until_right(time.monotonic())
        begin = time.monotonic()
        with fault(cluster, name):
            time.sleep(FAULT_SECONDS)
        end = time.monotonic()
        delay = traffic.wait_until_right(end)
    calls = [call for call in traffic.calls if begin <= call.end]
    print(  # noqa: T201  the person who runs the soak reads it
        f"\n{fault.__name__} for {end - begin:.0f} s\n  calls: {describe(calls)}"
        f"\n  /readyz: {describe([probe for probe in traffic.probes if begin <= probe.end])}"
        f"\n  right again after {delay:.1f} s"
    )
    names = [each for each in read_names(cluster, name) if each in traffic.sent]
    assert len(names) == len(set(names))
    assert traffic.acknowledged <= set(names)
    assert max(call.end - call.begin for call in calls) < MAX_CALL_SECONDS
    return calls


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_calls_and_probes_answer(
    cluster: FragileCluster, tmp_path: Path, fault: Fault
) -> None:
    name = database(cluster)
    server = serve(cluster.url(name).replace("user=postgres", "user=school"), tmp_path)
    try:
        calls = endure(server, cluster, name, fault)
        assert NO_ANSWER not in {call.text for call in calls}
        assert all(call.is_right or call.text.startswith("503 errno 114") for call in calls)
        assert server.stop() == 0
    finally:
        server.kill()


@pytest.mark.skipif(PGBOUNCER is None, reason="no PgBouncer here: install Debian's `pgbouncer`")
def test_what_calls_answer_behind_a_pooler_that_loses_its_server(
    cluster: FragileCluster, tmp_path: Path
) -> None:
    name = database(cluster)
    with running_pgbouncer(cluster.folder) as port:
        server = serve(f"postgresql://postgres@127.0.0.1:{port}/{name}", tmp_path)
        try:
            endure(server, cluster, name, stopped_immediately)
            assert server.stop() == 0
        finally:
            server.kill()
