"""Fixtures of all tests."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final, TypeVar

import hypothesis
import pytest
from hypothesis import HealthCheck

from tests.support.browser import Browser, NoBrowserError, running_browser
from tests.support.cluster import NoPostgresError
from tests.support.given import Given
from tests.support.postgres import Postgres, running_postgres
from tests.support.serving import House, running_house
from tests.support.shortcuts import shortcuts
from tests.support.wire import OBSERVED

# A busy machine is no fault of an example: neither its own time nor that of its data is limited.
hypothesis.settings.register_profile(
    "suite", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")

HTTP_TESTS: Final = ("tests/interfaces/", "tests/contract/test_wire")
"""Tests of HTTP, not of the database: PostgreSQL runs a sample of their cases."""
FOLDERS: Final = ("e2e", "media", "matrix", "packaging", "interfaces", "store", "contract")
"""Folders with the longest files first, so that no worker is left with one at the end."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session", autouse=True)
def _shortcuts() -> Iterator[None]:
    """Save CPU time that no test can see."""
    with shortcuts():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Give a PostgreSQL cluster of our own; who asks for it is marked `pg`."""
    try:
        with running_postgres() as cluster:
            yield cluster
    except NoPostgresError as none:
        pytest.skip(str(none))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a Chromium; who asks for it is marked `browser`.

    One for a file: while it runs, no test of this process can run an event loop of its own.
    """
    try:
        with running_browser() as browser:
            yield browser
    except NoBrowserError as none:
        pytest.skip(str(none))


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    """Mark what needs PostgreSQL or a browser, and hand out to workers what waits most first."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("pg")
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    _sample(items)
    yield
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Return when the tests of a folder are handed out; workers take the rest in between."""
    folder = item.path.parent.name
    return FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)


def _sample(items: list[pytest.Item]) -> None:
    """Mark as `matrix` all cases of an HTTP test on PostgreSQL but the first; SQLite has all."""
    on_sqlite = {_test_of(item) for item in items if not item.get_closest_marker("pg")}
    sampled: set[str] = set()
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if len(parameters) < 2 or not item.get_closest_marker("pg"):  # the engine is one of them
            continue
        test = _test_of(item)
        if test.startswith(HTTP_TESTS) and test in sampled and test in on_sqlite:
            item.add_marker("matrix")
        sampled.add(test)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables to which tests added rows: `record_property(title, [columns, row])`."""
    tables: dict[str, list[list[str]]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for title, (columns, row) in report.user_properties if report.when == "call" else ():
                tables.setdefault(title, [columns]).append(row)
    for title, rows in tables.items():
        terminalreporter.section(title)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in [rows[0], *sorted(rows[1:])]:
            line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
            terminalreporter.write_line(line.rstrip())


def _test_of(item: pytest.Item) -> str:
    """Return the test that an item is a case of."""
    return item.nodeid.partition("[")[0]


def pytest_sessionfinish() -> None:
    """Leave what this process saw on the wire for `make docs`."""
    if folder := os.environ.get("HOMEROOM_OBSERVED"):
        OBSERVED.keep(Path(folder))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that is skipped where CI is set."""
    return _no_skips((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a file that is skipped where CI is set."""
    return _no_skips((yield))


def _no_skips(report: Report) -> Report:
    expected_to_fail = hasattr(report, "wasxfail")
    if os.environ.get("CI") and report.outcome == "skipped" and not expected_to_fail:
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped where CI is set: {why}"
    return report


@pytest.fixture(scope="session")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run one server for the session on SQLite."""
    with running_house(tmp_path_factory.mktemp("house"), None, "sqlite") as house:
        yield house


@pytest.fixture(scope="session")
def postgresql_house(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Run one server for the session on PostgreSQL."""
    with running_house(tmp_path_factory.mktemp("house"), postgres.fresh(), "postgresql") as house:
        yield house


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)]
)
def house(request: pytest.FixtureRequest) -> House:
    """Give the session's server of each engine; every test gets a school of its own.

    Both servers run to the end: a file that uses both in turn starts neither again.
    """
    house: House = request.getfixturevalue(f"{request.param}_house")
    return house


@pytest.fixture
def given(house: House) -> Iterator[Given]:
    """Make a fresh school."""
    school = Given(house)
    yield school
    school.close()
