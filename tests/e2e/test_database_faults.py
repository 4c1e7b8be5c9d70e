"""A server as a process, whose PostgreSQL stands still, restarts, or has no connection left."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from homeroom.base.clock import SystemClock
from tests.support.cluster import NO_SYNC, Cluster, NoPostgresError, running_cluster
from tests.support.postgres import Postgres
from tests.support.postgres_faults import paused_backends
from tests.support.process import STOP_SECONDS, Process, run
from tests.support.wire import Partner

pytestmark = [pytest.mark.e2e, pytest.mark.pg]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    try:
        with running_cluster(NO_SYNC) as cluster:
            yield cluster
    except NoPostgresError as none:
        pytest.skip(str(none))


def serve(address: str, data: Path) -> Process:
    return Process("--demo", "--media", "none", data=data, database=address)


def client(server: Process) -> Partner:
    return Partner(server.url, server.sid, server.secret, SystemClock())


def test_a_signal_ends_a_server_whose_database_stands_still(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Case O4: the calls in flight are answered, and the process ends with 0 within ten seconds."""
    address = postgres.fresh()
    server = serve(address, tmp_path)
    api = client(server)
    assert api.call("addCourse", courseName="before").errno == 1
    with paused_backends(postgres, address), ThreadPoolExecutor(1) as thread:
        call = thread.submit(api.call, "addCourse", courseName="x")
        wait_until_stuck(server)
        begin = time.monotonic()
        code = server.stop()
        assert time.monotonic() - begin < STOP_SECONDS
        reply = call.result(5)
    assert code == 0
    assert (reply.status, reply.errno) == (httpx.codes.SERVICE_UNAVAILABLE, 114)
    assert "Traceback" not in server.log
    api.close()


def wait_until_stuck(server: Process) -> None:
    """Wait until a probe is not ready: then a call that was sent before it is stuck too."""
    for _ in range(100):
        if httpx.get(f"{server.url}/readyz", trust_env=False, timeout=20).status_code != 200:
            return
    pytest.fail("the server is ready, and its database stands still")


def test_calls_are_right_after_each_restart_of_the_database(
    cluster: Cluster, tmp_path: Path
) -> None:
    """Calls fail while PostgreSQL is away, with 503, and no longer."""
    server = serve(cluster.fresh(), tmp_path)
    api = client(server)
    try:
        courses = [api.call("addCourse", courseName="before").data]
        for stop in (cluster.stop_immediately, cluster.close):
            stop()
            reply = api.call("addCourse", courseName="meanwhile")
            assert (reply.status, reply.errno) == (httpx.codes.SERVICE_UNAVAILABLE, 114)
            assert reply.reason == "there is no connection to the database"
            cluster.start()
            reply = api.call("addCourse", courseName="after")
            assert reply.errno == 1
            courses.append(reply.data)
        assert len(set(courses)) == 3
        assert server.stop() == 0
        assert "Traceback" not in server.log
    finally:
        server.kill()
        api.close()


def test_a_paused_database_does_not_hold_a_command(cluster: Cluster, tmp_path: Path) -> None:
    """The whole server stands still: a command ends with one line."""
    address = cluster.fresh()
    with cluster.paused():
        done = run("doctor", "--data", str(tmp_path), "--database", address)
        assert done.returncode == 1
        assert "timeout" in done.stdout or "in time" in done.stdout
        assert "Traceback" not in done.stderr


def test_a_command_without_a_connection_says_so(postgres: Postgres, tmp_path: Path) -> None:
    """The role has one connection, and another program has it."""
    address = postgres.fresh()
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute("CREATE ROLE single LOGIN CONNECTION LIMIT 1")
    address = address.replace("user=postgres", "user=single")
    with psycopg.connect(address):
        done = run("migrate", "--data", str(tmp_path), "--database", address)
    assert done.returncode == 1
    assert "no connection to the database is free" in done.stderr
    assert "Traceback" not in done.stderr
