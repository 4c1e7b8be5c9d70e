"""A database of PostgreSQL as a whole. Only what uses one imports this module."""

import psycopg
from sqlalchemy import Engine as MigrationEngine
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from homeroom.store.engine import Engine, StoreError
from homeroom.store.inspection import MAX_PROBLEMS
from homeroom.store.postgres import PostgresEngine
from homeroom.store.postgres_connection import connect, open_briefly
from homeroom.store.postgres_errors import translate_error

_LOCK_SECONDS = 5
"""Longest wait for a lock of a table, when its free pages are erased."""


class PostgresDatabase:
    """A database of PostgreSQL, at an address as libpq takes it."""

    def __init__(self, address: str) -> None:
        self._address = address

    def open_engine(self) -> Engine:
        """Open the engine that runs units of work."""
        return PostgresEngine(self._address)

    def find_version(self) -> str | None:
        """Return the number of the last migration; None before the first."""
        try:
            with open_briefly(self._address) as server:
                row = server.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        except psycopg.Error as failure:
            raise translate_error(failure) from failure
        return row[0] if row is not None else None

    def find_problems(self) -> list[str]:
        """Return constraints that were never checked; PostgreSQL itself keeps all others."""
        unchecked = (
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE NOT convalidated AND connamespace = current_schema()::regnamespace"
        )
        try:
            with open_briefly(self._address) as server:
                rows = server.execute(unchecked).fetchmany(MAX_PROBLEMS)
        except (psycopg.Error, StoreError) as failure:
            return [" ".join(str(failure).split())]
        return [f"{name} of {table} was never checked" for table, name in rows]

    def erase_free_pages(self) -> None:
        """Rewrite the tables with secrets, without their free pages."""
        try:
            with open_briefly(self._address) as server:
                server.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
                server.execute("VACUUM (FULL) schools, server_state")
        except psycopg.Error as failure:
            raise translate_error(failure) from failure

    def create_migration_engine(self) -> MigrationEngine:
        """Return the engine of SQLAlchemy that Alembic uses."""
        return create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect(self._address, autocommit=False),
            poolclass=NullPool,
        )

    def translate_error(self, failure: BaseException | None) -> StoreError:
        """Return an error of the driver as one of the store."""
        if isinstance(failure, psycopg.Error):
            return translate_error(failure)
        return StoreError(str(failure))
