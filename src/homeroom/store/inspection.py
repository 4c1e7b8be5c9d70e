"""Integrity checks of the database, for `homeroom doctor`."""

import sqlite3
from pathlib import Path

import psycopg

from homeroom.store.engine import StoreError
from homeroom.store.postgres_connection import open_briefly
from homeroom.store.sqlite import translate_error

MAX_PROBLEMS = 5
"""Problems that are listed; a broken database has many."""


def check_database(address: str | Path) -> list[str]:
    """Return the first problems of a database, as sentences."""
    if isinstance(address, Path):
        return _check_sqlite(address)
    return _check_postgresql(address)


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a SQLite file that must be there, to read it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _check_sqlite(path: Path) -> list[str]:
    try:
        connection = open_read_only(path)
    except sqlite3.Error as failure:
        return [str(failure)]
    try:
        broken = [
            str(row[0])
            for row in connection.execute(f"PRAGMA integrity_check({MAX_PROBLEMS})")
            if row[0] != "ok"
        ]
        dangling = [
            f"row {row} of {table} names a row of {parent} that is not there"
            for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(
                MAX_PROBLEMS
            )
        ]
    except sqlite3.Error as failure:
        return [str(failure)]
    finally:
        connection.close()
    return broken + dangling


def _check_postgresql(address: str) -> list[str]:
    """PostgreSQL keeps its own keys; what can be wrong is a constraint that was never checked."""
    unchecked = (
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE NOT convalidated AND connamespace = current_schema()::regnamespace"
    )
    try:
        with open_briefly(address) as server:
            rows = server.execute(unchecked).fetchmany(MAX_PROBLEMS)
    except (psycopg.Error, StoreError) as failure:
        return [" ".join(str(failure).split())]
    return [f"{name} of {table} was never checked" for table, name in rows]


def get_wal_bytes(path: Path) -> int:
    """Return the bytes of the write-ahead log of SQLite on the disk."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def count_wal_backlog(path: Path) -> int:
    """Return the bytes of the write-ahead log of SQLite that cannot be moved to the database yet.

    A program that has been reading since before they were written keeps them there.
    """
    connection = sqlite3.connect(path, timeout=1)
    try:
        _, frames, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    except sqlite3.Error as failure:
        raise translate_error(failure, path) from failure
    finally:
        connection.close()
    return max(int(frames) - int(moved), 0) * int(page_bytes)
