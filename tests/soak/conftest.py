"""Fixtures of the long tests."""

from collections.abc import Callable
from typing import Final

import pytest

from tests.soak.database_faults import TABLE_HEAD, TIMEOUT_SECONDS, TableRow

ROWS: Final = pytest.StashKey[list[TableRow]]()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let callers wait longer than a unit of work may take."""
    monkeypatch.setattr("homeroom.testing.partner.TIMEOUT_SECONDS", TIMEOUT_SECONDS)


@pytest.fixture(scope="session")
def report_row(pytestconfig: pytest.Config) -> Callable[[TableRow], None]:
    """Add a row to the table of database faults, which is printed at the end."""
    return pytestconfig.stash.setdefault(ROWS, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table of database faults, for the person who runs the soak."""
    rows = config.stash.get(ROWS, [])
    if rows:
        terminalreporter.section("databases that fail")
        for line in (*TABLE_HEAD, *map(str, rows)):
            terminalreporter.write_line(line)
