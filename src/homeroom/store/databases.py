"""A database as a whole: what is done to it beside units of work, on each engine."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine as MigrationEngine
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from homeroom.store.engine import Engine, StoreError
from homeroom.store.inspection import find_sqlite_problems, open_read_only
from homeroom.store.sqlite import SqliteEngine, translate_error

_LOCK_SECONDS = 5
"""Longest wait for a program that holds the database, when its free pages are erased."""


class Database(Protocol):
    """A database of one engine; the methods raise `StoreError`."""

    def open_engine(self) -> Engine:
        """Open the engine that runs units of work."""
        ...

    def find_version(self) -> str | None:
        """Return the number of the last migration; None before the first."""
        ...

    def find_problems(self) -> list[str]:
        """Return the first problems of the database, as sentences."""
        ...

    def erase_free_pages(self) -> None:
        """Rewrite the tables with secrets, without the free pages that may contain old ones."""
        ...

    def create_migration_engine(self) -> MigrationEngine:
        """Return the engine of SQLAlchemy that Alembic uses.

        The driver opens the connections itself: neither a path nor an address of libpq needs to be
        written as a URL of SQLAlchemy.
        """
        ...

    def translate_error(self, failure: BaseException | None) -> StoreError:
        """Return an error of the driver as one of the store."""
        ...


def find_database(address: str | Path) -> Database:
    """Return the database at an address; a path is SQLite, everything else PostgreSQL."""
    if isinstance(address, Path):
        return SqliteDatabase(address)
    from homeroom.store.postgres_database import (  # noqa: PLC0415  the driver takes 10 MB and 50 ms, and SQLite needs none
        PostgresDatabase,
    )

    return PostgresDatabase(address)


class SqliteDatabase:
    """A file of SQLite."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open_engine(self) -> Engine:
        """Open the engine that runs units of work."""
        return SqliteEngine(self._path)

    def find_version(self) -> str | None:
        """Return the number of the last migration; None before the first."""
        if not self._path.exists():
            return None
        try:
            with closing(open_read_only(self._path)) as connection:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.Error as failure:
            if getattr(failure, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
                return None  # no such table
            raise self.translate_error(failure) from failure
        return row[0] if row is not None else None

    def find_problems(self) -> list[str]:
        """Return the first problems of the database, as sentences."""
        return find_sqlite_problems(self._path)

    def erase_free_pages(self) -> None:
        """Rewrite the file, without free pages."""
        try:
            with closing(
                sqlite3.connect(self._path, isolation_level=None, timeout=_LOCK_SECONDS)
            ) as connection:
                connection.execute("VACUUM")
                checkpoint = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as failure:
            raise self.translate_error(failure) from failure
        is_busy, _pages, _done = checkpoint
        if is_busy:
            raise StoreError("another program reads the database")

    def create_migration_engine(self) -> MigrationEngine:
        """Return the engine of SQLAlchemy that Alembic uses."""
        return create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(self._path), poolclass=NullPool
        )

    def translate_error(self, failure: BaseException | None) -> StoreError:
        """Return an error of the driver as one of the store."""
        if isinstance(failure, sqlite3.Error):
            return translate_error(failure, self._path)
        return StoreError(str(failure))
