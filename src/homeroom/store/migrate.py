"""Migrations: bring a database to the tables of this version. Both engines share one history."""

import logging
import sqlite3
from pathlib import Path

import psycopg
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from homeroom.store import postgres, sqlite
from homeroom.store.engine import StoreError

HEAD = "0004"
FOLDER = Path(__file__).parent / "migrations"


def is_current(address: str | Path) -> bool:
    """Return whether a database has the tables of this version."""
    query = "SELECT version_num FROM alembic_version"
    try:
        if isinstance(address, Path):
            if not address.exists():
                return False
            connection = sqlite3.connect(f"file:{address}?mode=ro", uri=True)
            try:
                row = connection.execute(query).fetchone()
            finally:
                connection.close()
        else:
            with psycopg.connect(address, connect_timeout=10) as server:
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
    config.set_main_option("script_location", str(FOLDER))
    engine = create_engine(sqlalchemy_url(address), poolclass=NullPool)
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
        return postgres.translate_error(failure)
    return StoreError(str(failure))


def _disable_driver_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def sqlalchemy_url(address: str | Path) -> str:
    """Return the URL of a database for SQLAlchemy."""
    if isinstance(address, Path):
        return f"sqlite:///{address}"
    scheme, rest = address.split("://", 1)
    del scheme
    return f"postgresql+psycopg://{rest}"
