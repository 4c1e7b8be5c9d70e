"""A pooler between the server and PostgreSQL, whose transactions share a few connections."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from homeroom.store.migrate import is_current, migrate
from homeroom.store.postgres_connection import PostgresTransaction
from tests.support.counting import count_up, opened, read_count, run_side_by_side
from tests.support.postgres import Postgres
from tests.support.postgres_faults import PGBOUNCER, running_pgbouncer
from tests.support.process import Process

pytestmark = [
    pytest.mark.pg,
    pytest.mark.skipif(PGBOUNCER is None, reason="no PgBouncer here: install Debian's `pgbouncer`"),
]


@pytest.fixture
def pooled(postgres: Postgres) -> Iterator[str]:
    """Return the address of an empty database, as reached through PgBouncer."""
    name = psycopg.conninfo.conninfo_to_dict(postgres.fresh())["dbname"]
    with running_pgbouncer(postgres.folder) as port:
        yield f"postgresql://postgres@127.0.0.1:{port}/{name}"


def test_transactions_may_share_connections(pooled: str) -> None:
    """Case O6: no statement, setting or lock of one transaction is missing in the next."""
    migrate(pooled)
    assert is_current(pooled)
    with opened(pooled) as store:
        for first in (1, 41):
            assert run_side_by_side(store, 40) == list(range(first, first + 40))
        assert store.read(read_count) == 80


def test_the_settings_are_those_of_the_transaction(pooled: str) -> None:
    tx = PostgresTransaction(pooled)
    try:
        assert tx.is_pooled
        for begin in (tx.begin_read, tx.begin_write):
            begin()
            tx.cursor.execute("SELECT current_setting('enable_seqscan'), 1")
            assert tx.cursor.fetchone() == ("off", 1)
            tx.commit()
        tx.cursor.execute("SELECT current_setting('enable_seqscan')")
        assert tx.cursor.fetchone() == ("on",)
    finally:
        tx.close()


def test_a_direct_connection_prepares_its_statements(postgres: Postgres) -> None:
    tx = PostgresTransaction(postgres.fresh())
    assert not tx.is_pooled
    assert tx.connection.prepare_threshold == 1
    tx.begin_write()
    tx.cursor.execute("SELECT current_setting('enable_seqscan'), current_setting('lock_timeout')")
    assert tx.cursor.fetchone() == ("off", "1s")
    tx.commit()
    tx.close()


def test_a_unit_survives_a_restart_of_the_pooler_and_its_server_connections(
    pooled: str, postgres: Postgres
) -> None:
    """PgBouncer reports a server connection that was lost as 08P01."""
    migrate(pooled)
    with opened(pooled) as store:
        assert store.write(count_up) == 1
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (psycopg.conninfo.conninfo_to_dict(pooled)["dbname"],),
            )
        assert store.write(count_up) == 2


@pytest.mark.e2e
def test_a_server_works_behind_a_pooler(pooled: str, tmp_path: Path) -> None:
    """Case O6, as an operator starts it."""
    server = Process("--demo", "--media", "none", data=tmp_path, database=pooled)
    try:
        assert httpx.get(f"{server.url}/readyz", trust_env=False).status_code == httpx.codes.OK
        assert "ok    tables" in server.cli("doctor")
    finally:
        assert server.stop() == 0
        shutil.rmtree(tmp_path)
