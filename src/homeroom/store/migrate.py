"""Bringing a database to the tables of this version: one history for both engines."""

import sqlite3
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

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
    return row is not None and row[0] == HEAD


def migrate(address: str | Path) -> None:
    """Bring a database up to date; a path is SQLite, an address is PostgreSQL."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    engine = create_engine(url(address), poolclass=NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def url(address: str | Path) -> str:
    """Return the address as SQLAlchemy takes it."""
    if isinstance(address, Path):
        return f"sqlite:///{address}"
    scheme, rest = address.split("://", 1)
    del scheme
    return f"postgresql+psycopg://{rest}"
