"""The engines when the database fails, and servers that share a database."""

import shutil
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from homeroom.base.clock import SystemClock
from homeroom.base.settings import Settings
from homeroom.folder import StartupError, lock_data_folder, open_store
from homeroom.store.databases import find_database
from homeroom.store.migrate import migrate
from homeroom.store.sqlite import SqliteEngine
from homeroom.store.tables import metadata
from homeroom.store.unit_of_work import Store, UnitOfWork
from tests.support.postgres import Postgres


def count_jobs(uow: UnitOfWork) -> int:
    return uow.jobs.count()


def test_a_reader_that_cannot_open_the_database_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    store = Store(SqliteEngine(folder / "homeroom.db"), SystemClock())
    shutil.rmtree(folder)

    with pytest.raises(Exception, match="cannot be opened"):
        store.read(count_jobs)

    store.close()


@pytest.mark.pg
def test_connections_that_postgresql_cut_are_replaced(postgres: Postgres, tmp_path: Path) -> None:
    address = postgres.fresh()
    with open_store(Settings(data=tmp_path, database=address)) as store:
        counts = [store.read(count_jobs) for _ in range(20)]
        with psycopg.connect(address, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        assert [store.read(count_jobs) for _ in range(20)] == counts
        assert [store.write(count_jobs) for _ in range(20)] == counts


def test_servers_on_one_postgresql_share_a_data_folder(tmp_path: Path) -> None:
    shared = Settings(data=tmp_path, database="postgresql://somewhere/homeroom")

    with (
        lock_data_folder(shared),
        lock_data_folder(shared),
        pytest.raises(StartupError, match="another server"),
        lock_data_folder(Settings(data=tmp_path)),
    ):
        pass


def test_a_secret_of_the_server_is_made_once(tmp_path: Path) -> None:
    with open_store(Settings(data=tmp_path)) as store:
        assert store.write(lambda uow: uow.server_state.get_or_add("a key", "first")) == "first"
        assert store.write(lambda uow: uow.server_state.get_or_add("a key", "second")) == "first"


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def test_a_migrated_database_has_the_tables_of_this_version(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    where: Path | str = tmp_path / "homeroom.db"
    if engine == "postgresql":
        where = request.getfixturevalue("postgres").fresh()
    migrate(where)

    database = find_database(where).create_migration_engine()
    with database.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert differences == []
