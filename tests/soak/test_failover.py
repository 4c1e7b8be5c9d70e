"""A PostgreSQL primary that is lost, and its standby that takes over: real, with two clusters."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import psycopg
import pytest

from tests.soak.database_faults import NO_ANSWER, Outcome, TableRow, endure
from tests.support.cluster import NO_SYNC, SUPERUSER, Cluster, running_cluster, running_standby
from tests.support.process import Process

pytestmark = [
    pytest.mark.soak,
    pytest.mark.e2e,
    pytest.mark.pg,
    pytest.mark.usefixtures("patience"),
]

DATABASE: Final = "homeroom"
REPLICATION_SECONDS: Final = 20
Report = Callable[[TableRow], None]
Fault = Callable[[Cluster, Cluster, ExitStack], AbstractContextManager[None]]


@contextmanager
def replicated(*, is_synchronous: bool) -> Iterator[tuple[Cluster, Cluster]]:
    """Give a primary and the standby that follows it."""
    with running_cluster(NO_SYNC) as primary:
        primary.run(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        with running_standby(primary, NO_SYNC) as standby:
            if is_synchronous:
                primary.run(
                    "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"
                )
            wait_until_replicating(primary, "sync" if is_synchronous else "async")
            yield primary, standby


def wait_until_replicating(primary: Cluster, state: str) -> None:
    states: list[tuple[object, ...]] = []
    with psycopg.connect(primary.url(), autocommit=True) as admin:
        for _ in range(REPLICATION_SECONDS * 20):
            states = admin.execute("SELECT state, sync_state FROM pg_stat_replication").fetchall()
            if states == [("streaming", state)]:
                return
            time.sleep(0.05)
    raise AssertionError(f"the standby does not follow: {states}")


@contextmanager
def primary_killed(primary: Cluster, standby: Cluster, _later: ExitStack) -> Iterator[None]:
    """Kill the primary, and promote the standby at the end."""
    primary.kill()
    yield
    standby.run("SELECT pg_promote()")


@contextmanager
def primary_silent(primary: Cluster, standby: Cluster, later: ExitStack) -> Iterator[None]:
    """Let the primary answer no more, as a machine that is gone, and promote the standby."""
    later.enter_context(primary.paused())
    later.callback(primary.kill)  # it must not come back beside the new primary
    yield
    standby.run("SELECT pg_promote()")


@contextmanager
def standby_stopped(_primary: Cluster, standby: Cluster, _later: ExitStack) -> Iterator[None]:
    """Stop the standby, without which a synchronous commit waits."""
    standby.close()
    yield
    standby.start()


def read_names(cluster: Cluster) -> list[str]:
    with psycopg.connect(cluster.url(DATABASE)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM courses ORDER BY id")]


def measure(
    clusters: tuple[Cluster, Cluster], data: Path, title: str, fault: Fault, new_primary: Cluster
) -> Outcome:
    """Endure a fault with a server that knows the addresses of both clusters."""
    primary, standby = clusters
    parameters = {
        "host": f"{primary.folder},{standby.folder}",
        "user": SUPERUSER,
        "target_session_attrs": "read-write",
    }
    address = f"postgresql:///{DATABASE}?{urlencode(parameters)}"
    server = Process("--demo", "--media", "none", data=data, database=address)
    with ExitStack() as later:
        try:
            outcome = endure(
                server, title, fault(primary, standby, later), lambda: read_names(new_primary)
            )
            assert server.stop() == 0
            assert "Traceback" not in server.log
        finally:
            server.kill()
    assert NO_ANSWER not in {call.text for call in outcome.calls}
    assert all(call.is_right or call.text.startswith("503 errno 114") for call in outcome.calls)
    return outcome


@pytest.mark.parametrize("is_synchronous", [True, False], ids=["synchronous", "asynchronous"])
@pytest.mark.parametrize("fault", [primary_killed, primary_silent], ids=lambda each: each.__name__)
def test_a_standby_takes_over(
    tmp_path: Path, fault: Fault, report_row: Report, *, is_synchronous: bool
) -> None:
    """Nothing acknowledged is lost where each commit waits for the standby."""
    with replicated(is_synchronous=is_synchronous) as clusters:
        kind = "synchronous" if is_synchronous else "asynchronous"
        title = f"PostgreSQL {fault.__name__.replace('_', ' ')}, {kind} standby promoted"
        outcome = measure(clusters, tmp_path, title, fault, new_primary=clusters[1])
        report_row(outcome.row)
        assert not (outcome.row.lost and is_synchronous)


def test_a_synchronous_standby_stops(tmp_path: Path, report_row: Report) -> None:
    """No call is acknowledged meanwhile that a failover could lose."""
    with replicated(is_synchronous=True) as clusters:
        title = "PostgreSQL synchronous standby stopped"
        outcome = measure(clusters, tmp_path, title, standby_stopped, new_primary=clusters[0])
        report_row(outcome.row)
        assert not outcome.row.lost
