"""SQLite without statistics: a plan of a query does not depend on what an ANALYZE once counted.

ANALYZE counts rows, and SQLite chooses plans by its counts from then on, whatever is added later.
Counts of nearly empty tables make it scan tables in half of our statements: the reads of a roster
call took 1,750 ms instead of 0.8 ms. Without counts SQLite uses the indexes that we made for each
query. So the counts that another program has left are deleted, and we never run ANALYZE, nor
`PRAGMA optimize`, which does nothing else.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

_WAIT_SECONDS = 0.25
"""Longest wait for another program that holds the database: bad plans are slow, not wrong."""


def has_statistics(connection: sqlite3.Connection) -> bool:
    """Return whether a database has statistics, or lacks the table for them.

    A connection reads statistics when it is opened, and again when the table is created. So the
    table must be there, empty, before another program runs ANALYZE.
    """
    try:
        return connection.execute("SELECT 1 FROM sqlite_stat1 LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return True  # no such table; any other cause will fail the first unit of work, too


def delete_statistics(path: Path) -> None:
    """Delete the statistics of a database; nothing happens while that is not possible."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(path, isolation_level=None, timeout=_WAIT_SECONDS)) as connection,
    ):
        connection.execute("ANALYZE sqlite_schema")  # creates the table, and counts nothing
        connection.execute("DELETE FROM sqlite_stat1")
