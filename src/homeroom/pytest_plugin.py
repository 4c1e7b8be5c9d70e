"""The plugin of pytest: a server for each process of a test run, and a fresh school for each test.

    def test_a_course_is_announced(homeroom_school):
        course = homeroom_school.course()
        homeroom_school.inbox.wait_for("course_changed")

The server is imported when the first test needs it. Its clock is one for all tests of a process,
and only moves on.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from homeroom.testing import SchoolBuilder, ThreadedServer

SCHOOL_FIXTURE: Final = "homeroom_school"
MAX_CALLS: Final = 20
"""Calls of a failed test that its report has."""


@pytest.fixture(scope="session")
def homeroom_server() -> "Iterator[ThreadedServer]":
    """Run a server on a free port for all tests of this process."""
    from homeroom.testing import ThreadedServer  # noqa: PLC0415  it takes half a second to import

    with ThreadedServer() as server:
        yield server


@pytest.fixture
def homeroom_school(homeroom_server: "ThreadedServer") -> "Iterator[SchoolBuilder]":
    """Create a school for one test; `homeroom_school.api` has its SID and SECRET."""
    with homeroom_server.school() as school:
        yield school


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add the last calls of its school to the report of a test that failed."""
    outcome: Any = yield
    report = outcome.get_result()
    arguments: dict[str, Any] = getattr(item, "funcargs", {})
    if report.failed and SCHOOL_FIXTURE in arguments:
        report.sections.append(("Calls of the school", _list_calls(arguments)))


def _list_calls(arguments: dict[str, Any]) -> str:
    """Return the last calls of a school from the journal of the sandbox, the oldest first."""
    school = arguments[SCHOOL_FIXTURE]
    try:
        calls = school.list_calls(MAX_CALLS)
    except Exception as failure:  # noqa: BLE001  it must not hide why the test failed
        return f"the journal could not be read: {failure}"
    return "\n".join(f"{call['action']} {call['errno']} {call['reason']}" for call in calls)
