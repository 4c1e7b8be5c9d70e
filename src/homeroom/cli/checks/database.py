"""The database: it answers, its tables are current, and it is not damaged."""

from pathlib import Path

from homeroom.base.settings import Settings
from homeroom.cli.checks.result import CheckResult, CheckStatus
from homeroom.folder import database_address
from homeroom.store.engine import StoreError
from homeroom.store.inspection import check_database as find_damage
from homeroom.store.migrate import is_current


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
    wrong = find_damage(database_address(settings))
    if wrong:
        return CheckResult("integrity", CheckStatus.FAIL, "; ".join(wrong))
    return CheckResult("integrity", CheckStatus.OK, "pages, indexes and foreign keys are whole")
