"""Bringing a database to the tables of this version: one history for both engines."""

import sqlite3
from pathlib import Path

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from homeroom.store.engine import StoreFailed

HEAD = "0001"
FOLDER = Path(__file__).parent / "migrations"


def is_current(address: str | Path) -> bool:
    """Tell whether a database has the tables of this version."""
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
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
        return False
    except (sqlite3.DatabaseError, psycopg.Error) as failure:
        raise StoreFailed(f"no database: {' '.join(str(failure).split())}") from failure
    return row is not None and row[0] == HEAD


def migrate(address: str | Path) -> None:
    """Bring a database up to date; a path is SQLite, an address is PostgreSQL."""
    # Alembic is a tenth of what a start loads, and most starts have nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    engine = create_engine(url(address), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as failure:
        raise StoreFailed(f"the tables are of another version of Homeroom: {failure}") from failure
    except SQLAlchemyError as failure:
        raise StoreFailed(f"the tables were not brought up to date: {failure}") from failure
    finally:
        engine.dispose()


def url(address: str | Path) -> str:
    """Return the address as SQLAlchemy takes it."""
    if isinstance(address, Path):
        return f"sqlite:///{address}"
    scheme, rest = address.split("://", 1)
    del scheme
    return f"postgresql+psycopg://{rest}"
