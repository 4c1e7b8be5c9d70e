"""Integrity checks of SQLite's files, for `homeroom doctor` and the metrics."""

import sqlite3
from pathlib import Path

from homeroom.store.sqlite import translate_error

MAX_PROBLEMS = 5
"""Problems that are listed; a broken database has many."""


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a SQLite file that must be there, to read it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def find_sqlite_problems(path: Path) -> list[str]:
    """Return the first problems of a file, as sentences."""
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
