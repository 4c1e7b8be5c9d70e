"""Migrations: bring a database to the tables of this version. Both engines share one history."""

import logging
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

from homeroom.store.databases import find_database
from homeroom.store.engine import StoreError

HEAD = "0018"
FOLDER = Path(__file__).parent / "migrations"


def is_current(address: str | Path) -> bool:
    """Return whether a database has the tables of this version."""
    return find_database(address).find_version() == HEAD


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
    database = find_database(address)
    engine = database.create_migration_engine()
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
        error = database.translate_error(failure.orig)
        raise StoreError(f"the tables were not brought up to date: {error}") from failure
    finally:
        engine.dispose()


def _disable_driver_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
