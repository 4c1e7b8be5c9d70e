"""Migrations: bring a database to the tables of this version. Both engines share one history."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from homeroom.store import postgres_errors, sqlite
from homeroom.store.engine import StoreError
from homeroom.store.inspection import open_read_only
from homeroom.store.postgres_connection import connect, open_briefly

HEAD = "0011"
FOLDER = Path(__file__).parent / "migrations"


def is_current(address: str | Path) -> bool:
    """Return whether a database has the tables of this version."""
    query = "SELECT version_num FROM alembic_version"
    try:
        if isinstance(address, Path):
            if not address.exists():
                return False
            with closing(open_read_only(address)) as connection:
                row = connection.execute(query).fetchone()
        else:
            with open_briefly(address) as server:
                row = server.execute(query).fetchone()
    except psycopg.errors.UndefinedTable:
        return False
    except (sqlite3.Error, psycopg.Error) as failure:
        if getattr(failure, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
            return False  # no such table
        raise _translate_error(failure, address) from failure
    return row is not None and row[0] == HEAD


def migrate(address: str | Path) -> None:
    """Run the migrations that a database lacks; a path is SQLite, a URL is PostgreSQL."""
    # Alembic logs a dozen lines, some of them at import; an operator needs none of them.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Alembic is a tenth of what a start loads, and most starts have nothing to migrate.
    from alembic import command  # noqa: PLC0415  Alembic takes 0.2 s to import and is rarely needed
    from alembic.config import Config  # noqa: PLC0415  Alembic takes 0.2 s to import and is rarely needed
    from alembic.util import CommandError  # noqa: PLC0415  Alembic takes 0.2 s to import and is rarely needed

    config = Config()
    # The parser of options replaces what follows a percent sign.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    engine = open_database(address)
    if isinstance(address, Path):
        # By default Python's driver commits before each CREATE TABLE. An interrupted migration
        # would leave half of the tables, and the next start would fail on them.
        event.listen(engine, "connect", _disable_driver_transactions)
        event.listen(engine, "begin", _begin_immediate)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as failure:
        raise StoreError(f"the tables are of another version of Homeroom: {failure}") from failure
    except DBAPIError as failure:
        # Its own text quotes the SQL, and a page of a library.
        error = _translate_error(failure.orig, address)
        raise StoreError(f"the tables were not brought up to date: {error}") from failure
    finally:
        engine.dispose()


def _translate_error(failure: BaseException | None, address: str | Path) -> StoreError:
    if isinstance(failure, sqlite3.Error) and isinstance(address, Path):
        return sqlite.translate_error(failure, address)
    if isinstance(failure, psycopg.Error):
        return postgres_errors.translate_error(failure)
    return StoreError(str(failure))


def _disable_driver_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def open_database(address: str | Path) -> Engine:
    """Return SQLAlchemy's engine for a database.

    The drivers open the connections themselves: neither a path nor an address of libpq needs to be
    written as a URL of SQLAlchemy.
    """
    if isinstance(address, Path):
        return create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(address), poolclass=NullPool
        )
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(address, autocommit=False),
        poolclass=NullPool,
    )
