"""The causes for which a database cannot run a unit of work, and the codes that tell of them.

The same few sentences stand in the answers of calls, in `/readyz`, in `homeroom doctor` and in the
log. An error of a driver without a cause is a defect of this program.
"""

import errno
import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Self


class OutageCause(StrEnum):
    """A cause that retrying can mend, or the operator; the value is its label in the metrics."""

    sentence: str
    retry_after_seconds: int
    """When a client may try again."""

    def __new__(cls, label: str, sentence: str, retry_after_seconds: int = 5) -> Self:
        """Make a member of its label and its sentence."""
        cause = str.__new__(cls, label)
        cause._value_ = label
        cause.sentence = sentence
        cause.retry_after_seconds = retry_after_seconds
        return cause

    DISK_FULL = "disk_full", "the disk is full"
    DISK_FAILED = "disk_failed", "the disk cannot be read or written"
    FOLDER_READ_ONLY = "folder_read_only", "the data folder cannot be written"
    READ_ONLY = "read_only", "the database is read-only"
    LOCKED = "locked", "another program holds the database"
    DAMAGED = "damaged", "the database is damaged"
    CANNOT_OPEN = "cannot_open", "the database file cannot be opened"
    NO_PERMISSION = "no_permission", "the database user lacks a right"
    NO_DATABASE = "no_database", "the database does not exist"
    NO_LOGIN = "no_login", "the database refuses the login"
    NO_CONNECTION = "no_connection", "there is no connection to the database"
    NO_FREE_CONNECTION = "no_free_connection", "no connection to the database is free"
    TIMEOUT = "timeout", "the database does not answer in time"
    CONTENDED = "contended", "another transaction holds what this one needs", 1
    OUTCOME_UNKNOWN = "outcome_unknown", "the database may or may not have done it: no answer came"
    OUT_OF_MEMORY = "out_of_memory", "the database is out of memory"
    OVERLOADED = "overloaded", "the database is overloaded"
    SHUTTING_DOWN = "shutting_down", "the server is shutting down"


_BY_ERRNO = {
    errno.ENOSPC: OutageCause.DISK_FULL,
    errno.EDQUOT: OutageCause.DISK_FULL,
    errno.EFBIG: OutageCause.DISK_FULL,
    errno.EROFS: OutageCause.FOLDER_READ_ONLY,
    errno.EACCES: OutageCause.FOLDER_READ_ONLY,
    errno.EPERM: OutageCause.FOLDER_READ_ONLY,
    errno.ENOMEM: OutageCause.OUT_OF_MEMORY,
    errno.EIO: OutageCause.DISK_FAILED,
}
# https://sqlite.org/rescode.html: the lower eight bits are the primary code.
_SQLITE_NOMEM_IN_IO = 3082
_BY_SQLITE_CODE = {
    3: OutageCause.NO_PERMISSION,  # PERM
    5: OutageCause.LOCKED,  # BUSY
    6: OutageCause.LOCKED,  # LOCKED
    7: OutageCause.OUT_OF_MEMORY,  # NOMEM
    8: OutageCause.READ_ONLY,  # READONLY
    9: OutageCause.TIMEOUT,  # INTERRUPT
    10: OutageCause.DISK_FAILED,  # IOERR
    11: OutageCause.DAMAGED,  # CORRUPT
    13: OutageCause.DISK_FULL,  # FULL
    14: OutageCause.CANNOT_OPEN,  # CANTOPEN
    15: OutageCause.LOCKED,  # PROTOCOL
    26: OutageCause.DAMAGED,  # NOTADB
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html: the longest prefix counts.
_BY_SQLSTATE = {
    "08": OutageCause.NO_CONNECTION,
    "25006": OutageCause.READ_ONLY,
    "28": OutageCause.NO_LOGIN,
    "3D000": OutageCause.NO_DATABASE,
    "40": OutageCause.CONTENDED,
    "42501": OutageCause.NO_PERMISSION,
    "53": OutageCause.OVERLOADED,
    "53100": OutageCause.DISK_FULL,
    "53200": OutageCause.OUT_OF_MEMORY,
    "53300": OutageCause.NO_FREE_CONNECTION,
    "55P03": OutageCause.CONTENDED,
    "57014": OutageCause.TIMEOUT,
    "57P": OutageCause.NO_CONNECTION,
    "57P04": OutageCause.NO_DATABASE,
    "58": OutageCause.DISK_FAILED,
    "XX001": OutageCause.DAMAGED,
    "XX002": OutageCause.DAMAGED,
}
# A refused connection has no SQLSTATE in libpq, only the text of the server.
_BY_CONNECTION_TEXT = {
    "too many clients": OutageCause.NO_FREE_CONNECTION,
    "too many connections": OutageCause.NO_FREE_CONNECTION,
    "connection slots": OutageCause.NO_FREE_CONNECTION,
    "authentication failed": OutageCause.NO_LOGIN,
    "no password supplied": OutageCause.NO_LOGIN,
    "pg_hba.conf": OutageCause.NO_LOGIN,
    "permission denied for database": OutageCause.NO_LOGIN,
    'role "': OutageCause.NO_LOGIN,
    'database "': OutageCause.NO_DATABASE,
}


def find_sqlite_cause(code: int | None, folder: Path) -> OutageCause | None:
    """Return the cause of an extended result code of SQLite, or None for a defect."""
    if code is None:
        return None
    if code == _SQLITE_NOMEM_IN_IO:
        return OutageCause.OUT_OF_MEMORY
    cause = _BY_SQLITE_CODE.get(code & 0xFF)
    if cause in (OutageCause.DISK_FAILED, OutageCause.CANNOT_OPEN):
        # SQLite says so of a quota too, of its shared memory on a full disk, and of a folder in
        # which it may make no file.
        return find_disk_cause(folder) or cause
    return cause


def find_disk_cause(folder: Path) -> OutageCause | None:
    """Return the cause for which nothing can be written into a folder, or None if it can be."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as failure:
        return find_os_cause(failure)
    return None


def find_os_cause(failure: OSError) -> OutageCause | None:
    """Return the cause of a failed call of the operating system, or None for any other failure."""
    return _BY_ERRNO.get(failure.errno or 0)


def find_postgresql_cause(sqlstate: str) -> OutageCause | None:
    """Return the cause of a SQLSTATE of PostgreSQL, or None for a defect."""
    for length in (5, 3, 2):
        cause = _BY_SQLSTATE.get(sqlstate[:length])
        if cause is not None:
            return cause
    return None


def find_connection_cause(text: str) -> OutageCause:
    """Return the cause for which PostgreSQL, or the network, refused a connection."""
    _, fatal, message = text.partition("FATAL:")
    if fatal:
        for phrase, cause in _BY_CONNECTION_TEXT.items():
            if phrase in message:
                return cause
    return OutageCause.NO_CONNECTION
