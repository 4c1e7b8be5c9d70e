"""The plugin of pytest, in a test run of its own."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
RUN_SECONDS: Final = 120
pytestmark = pytest.mark.e2e
TESTS: Final = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_a_school_is_alone(homeroom_school, number):
    course = homeroom_school.course(courseName=f"Course {{number}}")
    message = homeroom_school.inbox.wait_for("course_changed")
    assert message.fields["CourseId"] == course
    (only,) = homeroom_school.inbox.read("course_changed")
    assert only.fields["opData"]["courseName"] == f"Course {{number}}"
"""
FAILING: Final = """
def test_that_fails(homeroom_school):
    homeroom_school.api.call("addCourse")
    assert False
"""


def run_tests(folder: Path, content: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a file as an integrator does."""
    (folder / "test_own.py").write_text(content)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )


def test_processes_of_a_run_have_servers_and_tests_have_schools_of_their_own(
    tmp_path: Path,
) -> None:
    run = run_tests(tmp_path, TESTS.format(count=10), "-n", "2")
    assert "10 passed" in run.stdout, run.stdout + run.stderr


def test_the_report_of_a_failed_test_has_the_calls_of_its_school(tmp_path: Path) -> None:
    run = run_tests(tmp_path, FAILING)
    assert "1 failed" in run.stdout, run.stdout + run.stderr
    assert re.search(r"Calls of the school.*\naddCourse 100 .*courseName", run.stdout)


def test_the_readme_shows_a_test_that_passes(tmp_path: Path) -> None:
    examples = {
        tuple(re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.DOTALL))
        for name in ("README.md", "README.zh.md")
    }
    ((example,),) = examples
    run = run_tests(tmp_path, example)
    assert "1 passed" in run.stdout, run.stdout + run.stderr


def test_a_run_that_needs_no_server_imports_none(tmp_path: Path) -> None:
    test = """
import sys

def test_nothing():
    assert "homeroom.testing" not in sys.modules
"""
    run = run_tests(tmp_path, test)
    assert "1 passed" in run.stdout, run.stdout + run.stderr


@pytest.mark.soak
def test_two_hundred_tests_in_eight_processes_do_not_meet(tmp_path: Path) -> None:
    run = run_tests(tmp_path, TESTS.format(count=200), "-n", "8")
    assert "200 passed" in run.stdout, run.stdout + run.stderr
