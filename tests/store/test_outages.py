"""The causes of errors of the drivers, and SQLite behind a lock of another program."""

import errno
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from homeroom.base.settings import Settings
from homeroom.folder import open_store
from homeroom.store import sqlite
from homeroom.store.engine import QueuedUnit, StoreError, UnavailableError
from homeroom.store.outages import (
    OutageCause,
    find_connection_cause,
    find_os_cause,
    find_postgresql_cause,
    find_sqlite_cause,
)
from homeroom.store.sqlite import SqliteEngine
from homeroom.store.unit_of_work import Store, UnitOfWork
from tests.support.postgres import Postgres
from tests.support.process import CommandFailed, typed


def save(uow: UnitOfWork) -> None:
    uow.server_state.save("a key", "a value")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(Settings(data=tmp_path)) as store:
        yield store


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (sqlite3.SQLITE_FULL, OutageCause.DISK_FULL),
        (sqlite3.SQLITE_READONLY_DBMOVED, OutageCause.READ_ONLY),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, OutageCause.LOCKED),
        (sqlite3.SQLITE_CORRUPT_INDEX, OutageCause.DAMAGED),
        (sqlite3.SQLITE_NOTADB, OutageCause.DAMAGED),
        (sqlite3.SQLITE_IOERR_FSYNC, OutageCause.DISK_FAILED),
        (sqlite3.SQLITE_IOERR_NOMEM, OutageCause.OUT_OF_MEMORY),
        (sqlite3.SQLITE_CANTOPEN, OutageCause.CANNOT_OPEN),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, None),
        (sqlite3.SQLITE_ERROR, None),
        (None, None),
    ],
)
def test_codes_of_sqlite(code: int | None, cause: OutageCause | None, tmp_path: Path) -> None:
    assert find_sqlite_cause(code, tmp_path) is cause


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("53100", OutageCause.DISK_FULL),
        ("53300", OutageCause.NO_FREE_CONNECTION),
        ("53400", OutageCause.OVERLOADED),
        ("25006", OutageCause.READ_ONLY),
        ("25001", None),
        ("57P01", OutageCause.NO_CONNECTION),
        ("57P03", OutageCause.NO_CONNECTION),
        ("08006", OutageCause.NO_CONNECTION),
        ("40P01", OutageCause.CONTENDED),
        ("23505", None),
        ("42601", None),
        ("", None),
    ],
)
def test_codes_of_postgresql(state: str, cause: OutageCause | None) -> None:
    assert find_postgresql_cause(state) is cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("FATAL:  sorry, too many clients already", OutageCause.NO_FREE_CONNECTION),
        ('FATAL:  too many connections for role "homeroom"', OutageCause.NO_FREE_CONNECTION),
        ('FATAL:  password authentication failed for user "x"', OutageCause.NO_LOGIN),
        ('FATAL:  role "x" does not exist', OutageCause.NO_LOGIN),
        ('FATAL:  database "role" does not exist', OutageCause.NO_DATABASE),
        ("FATAL:  the database system is starting up", OutageCause.NO_CONNECTION),
        ("connection refused", OutageCause.NO_CONNECTION),
    ],
)
def test_refused_connections_of_postgresql(text: str, cause: OutageCause) -> None:
    assert find_connection_cause(text) is cause


def test_a_failed_disk_that_has_no_room_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_options: object) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert find_sqlite_cause(sqlite3.SQLITE_IOERR_SHMSIZE, tmp_path) is OutageCause.DISK_FULL


def test_other_failures_of_the_system_have_no_cause() -> None:
    assert find_os_cause(OSError(errno.EROFS, "")) is OutageCause.FOLDER_READ_ONLY
    assert find_os_cause(OSError(errno.ENOENT, "")) is None


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "homeroom.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(UnavailableError, match="the database is damaged"):
        SqliteEngine(tmp_path / "homeroom.db")


def test_units_behind_a_foreign_lock_fail_together(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case O9."""
    monkeypatch.setattr(sqlite, "LOCK_WAIT_SECONDS", 0.3)
    failures: list[BaseException | None] = []
    last = threading.Event()

    def on_done(_result: object, failure: BaseException | None) -> None:
        failures.append(failure)
        if len(failures) == 200:
            last.set()

    with closing(sqlite3.connect(tmp_path / "homeroom.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(200):
            store.submit_write(save, on_done)
        assert last.wait(10)
    assert {str(failure) for failure in failures} == {"another program holds the database"}
    assert len({id(failure) for failure in failures}) == 200
    store.write(save)


def test_a_unit_that_waited_for_a_short_lock_is_committed(store: Store, tmp_path: Path) -> None:
    done = threading.Event()
    with closing(sqlite3.connect(tmp_path / "homeroom.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.submit_write(save, lambda _result, _failure: done.set())
        assert not done.wait(0.05)
    assert done.wait(10)
    assert store.read(lambda uow: uow.server_state.get("a key")) == "a value"


def test_an_urgent_unit_does_not_wait_for_those_before_it(store: Store) -> None:
    order: list[str] = []
    gate, last = threading.Event(), threading.Event()
    store.submit_write(lambda _uow: gate.wait(10), lambda _result, _failure: None)
    for number in range(200):
        store.submit_write(save, lambda _result, _failure: order.append("other"))
        if number == 199:
            store.submit_write(save, lambda _result, _failure: order.append("urgent"), urgent=True)
    store.submit_write(save, lambda _result, _failure: last.set())
    gate.set()
    assert last.wait(10)
    assert order.index("urgent") < 100


def test_closing_does_not_wait_for_a_foreign_lock(tmp_path: Path) -> None:
    with open_store(Settings(data=tmp_path)):
        pass
    engine = SqliteEngine(tmp_path / "homeroom.db")
    failures: list[BaseException | None] = []
    unit = QueuedUnit(lambda _tx: None, lambda _result, failure: failures.append(failure))
    with closing(sqlite3.connect(tmp_path / "homeroom.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        engine.write(unit)
        engine.close()
    engine.write(unit)
    engine.read(unit)
    assert [str(failure) for failure in failures] == [
        "another program holds the database",
        "the server is shutting down",
        "the server is shutting down",
    ]


def test_the_write_ahead_log_shrinks_after_a_large_transaction(
    store: Store, tmp_path: Path
) -> None:
    """Case O17."""
    wal = tmp_path / "homeroom.db-wal"
    store.write(lambda uow: uow.server_state.save("large", "x" * 40_000_000))
    assert wal.stat().st_size > 40_000_000
    store.write(save)
    assert wal.stat().st_size <= sqlite.MAX_KEPT_WAL_BYTES


def test_an_error_of_the_driver_without_a_cause_is_a_defect(store: Store) -> None:
    with pytest.raises(StoreError, match="no such table") as failure:
        store.write(lambda uow: uow.server_state._tx.control("DELETE FROM x"))  # type: ignore[attr-defined]  # noqa: SLF001  of SQLite only
    assert not isinstance(failure.value, UnavailableError)


@pytest.mark.pg
def test_a_database_that_is_not_there_is_named(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.url("nowhere")
    with (
        pytest.raises(UnavailableError, match="the database does not exist"),
        open_store(Settings(data=tmp_path, database=url)),
    ):
        pass


@pytest.mark.pg
def test_a_migration_without_rights_ends_in_one_sentence(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Case O17."""
    url = postgres.fresh()
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("DROP ROLE IF EXISTS visitor")
        server.execute("CREATE ROLE visitor LOGIN")
    visitor = url.replace("user=postgres", "user=visitor")
    with pytest.raises(CommandFailed) as failure:
        typed("migrate", "--data", str(tmp_path), "--database", visitor)
    assert failure.value.code == 1
    assert failure.value.stderr == (
        "homeroom: the tables were not brought up to date: the database user lacks a right"
        " (permission denied for schema public)\n"
    )
