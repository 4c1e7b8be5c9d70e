"""Ways in which a database of a running server fails, each real, and each undone at the end."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

import psycopg

from homeroom.folder import database_address
from homeroom.store.sqlite import SqliteEngine
from tests.support.serving import House

PAGE_BYTES = 4096
TABLES = ("courses", "server_state", "jobs")


def forget_outage(house: House) -> None:
    """Let a server that other tests use too know nothing of an outage that is over."""
    house.services.async_store.outage = None
    house.services.readiness.forget()


@contextmanager
def full_disk(house: House, tables: Sequence[str] = TABLES) -> Iterator[None]:
    """Let the database have no room for another row of some tables."""
    if house.engine == "postgresql":
        with failing_writes(house, "53100", tables):
            yield
        return
    engine = cast("SqliteEngine", house.store.engine)

    def limit(pages: int) -> None:
        # On the writer's thread, between two transactions.
        house.store.write(lambda _uow: None)
        engine.tx.connection.execute(f"PRAGMA max_page_count = {pages}")

    with closing(sqlite3.connect(sqlite_file(house), isolation_level=None)) as other:
        # A row may fit into pages that are there and free, so each row brings a larger one.
        (free_pages,) = other.execute("PRAGMA freelist_count").fetchone()
        size = 1_000_000 + free_pages * PAGE_BYTES
        other.execute("CREATE TABLE filler (content)")
        for event in ("INSERT", "UPDATE"):
            for table in tables:
                other.execute(
                    f"CREATE TRIGGER fill_{table}_{event} AFTER {event} ON {table} BEGIN"  # noqa: S608  names of this file
                    f" INSERT INTO filler VALUES (zeroblob({size})); END"
                )
        (pages,) = other.execute("PRAGMA page_count").fetchone()
        limit(pages)
        try:
            yield
        finally:
            limit(1_000_000)
            for event in ("INSERT", "UPDATE"):
                for table in tables:
                    other.execute(f"DROP TRIGGER fill_{table}_{event}")
            other.execute("DROP TABLE filler")


@contextmanager
def failing_writes(house: House, sqlstate: str, tables: Sequence[str] = TABLES) -> Iterator[None]:
    """Let PostgreSQL refuse each new row with an error of its own."""
    url = cast("str", database_address(house.services.settings))
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE 'made by a test' USING ERRCODE = '{sqlstate}'; END $$"
        )
        for table in tables:
            other.execute(
                f"CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION fail()"
            )
        try:
            yield
        finally:
            other.execute("DROP FUNCTION fail CASCADE")


@contextmanager
def foreign_lock(house: House) -> Iterator[None]:
    """Let another program hold a SQLite database, as `sqlite3 homeroom.db 'begin immediate'`."""
    with closing(sqlite3.connect(sqlite_file(house), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def sqlite_file(house: House) -> Path:
    """Return the database file of a server on SQLite."""
    return cast("Path", database_address(house.services.settings))
