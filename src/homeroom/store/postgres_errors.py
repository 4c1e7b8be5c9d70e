"""Errors of PostgreSQL and of its driver, and what follows from each."""

import psycopg

from homeroom.store.engine import StoreError, UnavailableError
from homeroom.store.outages import find_connection_cause, find_postgresql_cause

CONFLICTS = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.UniqueViolation,
    psycopg.errors.ForeignKeyViolation,
)
"""Another unit has just added or deleted a row that this one needs: when it is run again, it sees
that row."""


def translate_error(failure: psycopg.Error) -> StoreError:
    """Return an error of the driver as one of the store, with its cause if it has one."""
    if failure.sqlstate is None:
        text = str(failure)
        if isinstance(failure, psycopg.OperationalError | psycopg.InterfaceError):
            # No connection, or one that has just been lost.
            return UnavailableError(find_connection_cause(text), text)
        if isinstance(failure, psycopg.ProgrammingError):
            return StoreError(f"the address of the database is wrong: {' '.join(text.split())}")
    cause = find_postgresql_cause(failure.sqlstate or "")
    # Without the detail, which may quote values of rows.
    text = failure.diag.message_primary or type(failure).__name__
    return UnavailableError(cause, text) if cause is not None else StoreError(text)


def is_lost(failure: psycopg.Error) -> bool:
    """Return whether a failure is one of the connection or its server, not of the statement.

    The server is shutting down, or starting (57P0x), has become read-only (25006), or has ended
    the connection (FATAL); or a pooler or libpq has no connection to it (08xxx, or none at all).
    """
    code = failure.sqlstate
    if code is None:
        return isinstance(failure, psycopg.OperationalError | psycopg.InterfaceError)
    return (
        code.startswith(("08", "57P0"))
        or code == "25006"
        or failure.diag.severity_nonlocalized in ("FATAL", "PANIC")
    )
