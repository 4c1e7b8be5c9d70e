"""PostgreSQL that fails in every way: what calls and probes answer, and for how long."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg
import pytest

from tests.soak.database_faults import NO_ANSWER, Answer, Outcome, TableRow, endure
from tests.support.cluster import (
    NO_SYNC,
    SUPERUSER,
    Cluster,
    cluster_folder,
    make_cluster,
    paused_processes,
    running_cluster,
)
from tests.support.postgres_faults import PGBOUNCER, running_pgbouncer
from tests.support.process import Process
from tests.support.small_disk import CannotMountError, filled, mounted_memory

pytestmark = [
    pytest.mark.soak,
    pytest.mark.e2e,
    pytest.mark.pg,
    pytest.mark.usefixtures("patience"),
]

END_CONNECTIONS: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'school'"
)
Fault = Callable[[Cluster, str], AbstractContextManager[None]]
Report = Callable[[TableRow], None]


@contextmanager
def stopped_immediately(cluster: Cluster, _name: str) -> Iterator[None]:
    cluster.stop_immediately()
    yield
    cluster.start()


@contextmanager
def stopped_in_order(cluster: Cluster, _name: str) -> Iterator[None]:
    cluster.close()
    yield
    cluster.start()


@contextmanager
def paused(cluster: Cluster, _name: str) -> Iterator[None]:
    with cluster.paused():
        yield


@contextmanager
def backends_paused(cluster: Cluster, name: str) -> Iterator[None]:
    """Pause the connections of now; new ones work."""
    with psycopg.connect(cluster.url()) as admin:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
        pids = [pid for (pid,) in admin.execute(query, (name,))]
    with paused_processes(pids):
        # The units that wait end at their deadline.
        time.sleep(30)
        yield


@contextmanager
def failed_over(cluster: Cluster, _name: str) -> Iterator[None]:
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
def read_only(cluster: Cluster, name: str) -> Iterator[None]:
    """Make all connections read-only, new ones too."""
    cluster.run(
        f"ALTER ROLE school IN DATABASE {name} SET default_transaction_read_only = on",
        END_CONNECTIONS,
    )
    yield
    cluster.run(f"ALTER ROLE school IN DATABASE {name} RESET default_transaction_read_only")


@contextmanager
def limited_to_four(cluster: Cluster, _name: str) -> Iterator[None]:
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
def cluster() -> Iterator[Cluster]:
    with running_cluster(NO_SYNC) as cluster:
        cluster.run("CREATE ROLE school LOGIN")
        yield cluster


def read_names(address: str) -> list[str]:
    with psycopg.connect(address) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM courses ORDER BY id")]


def serve(address: str, data: Path) -> Process:
    return Process("--demo", "--media", "none", data=data, database=address)


def check_answers(calls: list[Answer]) -> None:
    """Check that each call was done or answered that it should be sent again."""
    assert NO_ANSWER not in {call.text for call in calls}
    assert all(call.is_right or call.text.startswith("503 errno 114") for call in calls)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_calls_and_probes_answer(
    cluster: Cluster, tmp_path: Path, fault: Fault, report_row: Report
) -> None:
    address = cluster.fresh("school")
    name = psycopg.conninfo.conninfo_to_dict(address)["dbname"]
    server = serve(address.replace(f"user={SUPERUSER}", "user=school"), tmp_path)
    try:
        title = f"PostgreSQL {fault.__name__.replace('_', ' ')}"
        outcome = endure(server, title, fault(cluster, str(name)), lambda: read_names(address))
        report_row(outcome.row)
        assert not outcome.row.lost
        check_answers(outcome.calls)
        assert server.stop() == 0
    finally:
        server.kill()


@pytest.mark.parametrize(
    ("place", "reason"),
    [("data", "the disk is full"), ("wal", "there is no connection to the database")],
)
def test_what_calls_answer_while_the_disk_of_postgresql_is_full(
    tmp_path: Path, place: str, reason: str, report_row: Report
) -> None:
    """The server goes on when there is no room for tables, and ends when its log has none."""
    with cluster_folder() as folder:
        owner = f"uid={folder.stat().st_uid}"
        try:
            with mounted_memory(folder / place, "80m", "mode=0700", owner) as disk:
                make_cluster(folder, f"--waldir={folder / 'wal'}", "--wal-segsize=1")
                with closing(Cluster(folder, NO_SYNC, "wal_recycle=off")) as cluster:
                    outcome = measure_full_disk(cluster, disk, tmp_path)
        except CannotMountError as failure:
            pytest.skip(f"only root can mount a disk: {failure}")
    report_row(outcome.row)
    assert not outcome.row.lost
    check_answers(outcome.calls)
    assert any(reason in call.text for call in outcome.calls)


def measure_full_disk(cluster: Cluster, disk: Path, data: Path) -> Outcome:
    address = cluster.fresh()
    server = serve(address, data)

    @contextmanager
    def full() -> Iterator[None]:
        with filled(disk):
            # The next write needs a new file of the log.
            with suppress(psycopg.Error):
                cluster.run("SELECT pg_switch_wal()")
            yield
        if not cluster.is_running:
            cluster.start()

    try:
        title = f"PostgreSQL {disk.name} disk full"
        outcome = endure(server, title, full(), lambda: read_names(address), seconds=15)
        assert server.stop() == 0
    finally:
        server.kill()
    return outcome


@pytest.mark.skipif(PGBOUNCER is None, reason="no PgBouncer here: install Debian's `pgbouncer`")
def test_what_calls_answer_behind_a_pooler_that_loses_its_server(
    cluster: Cluster, tmp_path: Path, report_row: Report
) -> None:
    address = cluster.fresh()
    name = psycopg.conninfo.conninfo_to_dict(address)["dbname"]
    with running_pgbouncer(cluster.folder) as port:
        server = serve(f"postgresql://{SUPERUSER}@127.0.0.1:{port}/{name}", tmp_path)
        try:
            fault = stopped_immediately(cluster, str(name))
            title = "PostgreSQL behind PgBouncer stopped immediately"
            outcome = endure(server, title, fault, lambda: read_names(address))
            report_row(outcome.row)
            assert not outcome.row.lost
            assert server.stop() == 0
        finally:
            server.kill()
