"""The database: it answers, its tables are current, and it is not damaged."""

import os
from pathlib import Path

from homeroom.base.settings import Settings
from homeroom.cli.checks.result import CheckResult, CheckStatus
from homeroom.folder import database_address
from homeroom.store.databases import find_database
from homeroom.store.engine import StoreError
from homeroom.store.inspection import count_wal_backlog, get_wal_bytes
from homeroom.store.migrate import is_current
from homeroom.store.unit_of_work import Store
from homeroom.usecases import heartbeat

MAX_BACKLOG_BYTES = 8 * 1024 * 1024
"""Bytes of the write-ahead log that wait for readers: twice of what is there at any time."""


def check_database(settings: Settings) -> CheckResult:
    """Check that the database answers."""
    check, where = "database", database_address(settings)
    if isinstance(where, Path):
        if not where.exists():
            return CheckResult(check, CheckStatus.FAIL, f"{where} is not there")
        text = f"SQLite, {where.stat().st_size / 10**6:.1f} MB"
    else:
        text = "PostgreSQL"
    try:
        is_current(where)
    except StoreError as failure:
        return CheckResult(check, CheckStatus.FAIL, str(failure))
    return CheckResult(check, CheckStatus.OK, text)


def check_tables(settings: Settings) -> CheckResult:
    """Check that the tables are those of this version."""
    if is_current(database_address(settings)):
        return CheckResult("tables", CheckStatus.OK, "are those of this version")
    return CheckResult("tables", CheckStatus.FAIL, "are of another version: homeroom migrate")


def check_integrity(settings: Settings) -> CheckResult:
    """Check pages, indexes and foreign keys."""
    wrong = find_database(database_address(settings)).find_problems()
    if wrong:
        return CheckResult("integrity", CheckStatus.FAIL, "; ".join(wrong))
    return CheckResult("integrity", CheckStatus.OK, "pages, indexes and foreign keys are whole")


def check_writes(store: Store) -> CheckResult:
    """Check that a small write reaches the disk, as one of the server would."""
    try:
        store.write(lambda uow: heartbeat.beat(uow, os.getpid()))
    except StoreError as failure:
        return CheckResult("writes", CheckStatus.FAIL, str(failure))
    return CheckResult("writes", CheckStatus.OK, "reach the disk")


def check_backlog(settings: Settings) -> CheckResult:
    """Check that the write-ahead log of SQLite can be emptied."""
    check, where = "write-ahead log", database_address(settings)
    if not isinstance(where, Path):
        return CheckResult(check, CheckStatus.OK, "PostgreSQL looks after its own")
    try:
        backlog = count_wal_backlog(where)
    except StoreError as failure:
        return CheckResult(check, CheckStatus.FAIL, str(failure))
    text = f"{get_wal_bytes(where) / 10**6:.1f} MB on the disk"
    if backlog <= MAX_BACKLOG_BYTES:
        return CheckResult(check, CheckStatus.OK, text)
    text += f", {backlog / 10**6:.1f} MB held by a program that has been reading for a long time"
    return CheckResult(check, CheckStatus.WARN, text)
