"""A server whose PostgreSQL stands still: what a call says, and how the server ends."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from homeroom.base.clock import SystemClock
from tests.support.postgres import Postgres
from tests.support.process import Process
from tests.support.wire import Partner

pytestmark = [pytest.mark.e2e, pytest.mark.pg]


@contextmanager
def paused(url: str) -> Iterator[None]:
    """Stop the processes of PostgreSQL that serve a database, as a machine that hangs does."""
    query = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(url, autocommit=True) as other:
        pids: list[int] = []
        # The pool opens connections in the background: one more would answer.
        while pids != (pids := [pid for (pid,) in other.execute(query)]) or not pids:
            time.sleep(1)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_paused_database_holds_up_neither_a_call_nor_the_end(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Case O4."""
    url = postgres.fresh()
    server = Process("--demo", "--media", "none", data=tmp_path, database=url)
    api = Partner(server.url, server.sid, server.secret, SystemClock())
    assert api.call("addCourse", courseName="Course").errno == 1
    try:
        with paused(url), ThreadPoolExecutor(1) as client:
            call = client.submit(api.call, "addCourse", courseName="Course")
            answer = httpx.get(f"{server.url}/readyz", trust_env=False, timeout=10)
            assert answer.status_code == 503
            assert "the database does not answer in time" in answer.json()["reasons"]
            server.process.terminate()
            assert server.process.wait(10) == 0
            reply = call.result(1)
            assert (reply.status, reply.errno) == (503, 114)
    finally:
        server.kill()
        api.close()
    assert "Traceback" not in server.log
