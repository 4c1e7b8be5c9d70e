"""A school's courses and classes by commands alone, beside a running server."""

from collections.abc import Iterator

import pytest

from homeroom.base.clock import DAY, HOUR
from homeroom.contract.errno import Errno
from tests.support.operator import School, refused, run_json, told_now
from tests.support.process import Process

pytestmark = pytest.mark.e2e


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.api.close()


def add_class(server: Process, course: str, teacher: int, *options: str) -> int:
    """Add a class tomorrow, and return its id."""
    begin = told_now(server) + DAY
    times = ("--begin", str(begin), "--end", str(begin + HOUR))
    words = ("class", "add", course, "--name", "Fractions", *times, "--teacher", str(teacher))
    return int(run_json(server, *words, *options)["class"])


def test_a_week_is_planned_changed_and_cancelled_without_a_call(
    server: Process, school: School
) -> None:
    sid, teacher, helper = str(school.sid), school.person(2), school.person(2)
    course = run_json(server, "course", "add", sid, "--name", "Maths")["course"]
    lesson = add_class(server, str(course), teacher, "--record", "--live", "--seats", "1")
    other = add_class(server, str(course), teacher, "--co-teacher", str(helper))

    (row,) = run_json(server, "course", "list", sid)
    assert (row["course"], row["name"], row["state"]) == (course, "Maths", "running")
    rows = run_json(server, "class", "list", sid, "--course", str(course))
    assert [(row["class"], row["state"]) for row in rows] == [
        (lesson, "to come"),
        (other, "to come"),
    ]

    words = ("class", "edit", str(lesson))
    begin = told_now(server) + 2 * DAY
    edited = run_json(
        server, *words, "--name", "Decimals", "--begin", str(begin), "--end", str(begin + HOUR)
    )
    assert (edited["name"], edited["teacher"]) == ("Decimals", teacher)
    assert edited["live_url"] is not None
    assert run_json(server, *words, "--teacher", str(helper), "--seats", "6")["teacher"] == helper
    assert run_json(server, *words, "--no-record", "--no-live")["live_url"] is None

    run_json(server, "class", "cancel", str(other))
    assert len(run_json(server, "class", "list", sid)) == 1
    assert "is deleted" in refused(server, "class", "cancel", str(other))
    form = {"courseId": course, "classId": lesson, "className": "By a call"}
    school.done("editCourseClass", **form)

    run_json(server, "course", "edit", str(course), "--name", "Sums", "--expires", "never")
    run_json(server, "course", "cancel", str(course))
    (row,) = run_json(server, "course", "list", sid)
    assert (row["name"], row["state"]) == ("Sums", "over")
    assert run_json(server, "class", "list", sid) == []
    assert school.errno("addCourseClass", **school.form(courseId=course)) == (
        Errno.COURSE_EXPIRED.number
    )


def test_commands_keep_the_rules_of_the_calls(server: Process, school: School) -> None:
    course, student = str(school.course()), school.person(1)
    begin = told_now(server) + DAY
    words = ("class", "add", course, "--name", "x", "--begin", str(begin))
    assert "15 minutes" in refused(
        server, *words, "--end", str(begin + 60), "--teacher", str(student)
    )
    assert "not a teacher" in refused(
        server, *words, "--end", str(begin + HOUR), "--teacher", str(student)
    )
    assert run_json(server, "class", "list", str(school.sid)) == []
    lesson = str(add_class(server, course, school.person(2)))
    school.set("max_seats=2")
    assert "the school allows 2" in refused(server, "class", "edit", lesson, "--seats", "3")
    acts = [
        entry["act"] for entry in run_json(server, "audit", "list", "--school", str(school.sid))
    ]
    assert {"class add", "class edit"} <= set(acts)
