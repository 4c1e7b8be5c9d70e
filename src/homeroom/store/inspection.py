"""A look at the database from outside: whether it is whole."""

import sqlite3
from pathlib import Path

import psycopg

SHOWN = 5
"""Problems named; who has one has many."""


def problems(address: str | Path) -> list[str]:
    """Return what is wrong with a database itself, the first few, in words."""
    if isinstance(address, Path):
        return _of_sqlite(address)
    return _of_postgresql(address)


def _of_sqlite(path: Path) -> list[str]:
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.Error as failure:
        return [str(failure)]
    try:
        broken = [
            str(row[0])
            for row in connection.execute(f"PRAGMA integrity_check({SHOWN})")
            if row[0] != "ok"
        ]
        dangling = [
            f"row {row} of {table} names a row of {parent} that is not there"
            for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(
                SHOWN
            )
        ]
    except sqlite3.Error as failure:
        return [str(failure)]
    finally:
        connection.close()
    return broken + dangling


def _of_postgresql(url: str) -> list[str]:
    """PostgreSQL keeps its own keys; what can be wrong is a constraint that was never checked."""
    unchecked = (
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE NOT convalidated AND connamespace = current_schema()::regnamespace"
    )
    try:
        with psycopg.connect(url, connect_timeout=10) as server:
            rows = server.execute(unchecked).fetchmany(SHOWN)
    except psycopg.Error as failure:
        return [" ".join(str(failure).split())]
    return [f"{name} of {table} was never checked" for table, name in rows]
