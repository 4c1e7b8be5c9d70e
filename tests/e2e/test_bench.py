"""The servers that `make bench` compares answer its requests, on a small set of data."""

import pytest

from bench.contest import Contestant, Field, running_contestants
from bench.databases import open_databases
from bench.dataset import Sizes
from bench.load import drive
from bench.rows import Row, find_row

pytestmark = pytest.mark.e2e

SIZES = Sizes(newcomers=64, singles=64, members=4000, over=64)
ROWS = [
    find_row(name)
    for name in (
        "addCourseClass",
        "addCourseClassMultiple of 30",
        "addCourseStudent",
        "deleteClassVideo",
        "delCourseStudentMultiple of 100",
    )
]


def answer_some(contestant: Contestant, row: Row) -> int:
    """Send a few requests of a row, and return how many are answered as they should be."""
    plan = contestant.build_plan(row, connections=2, seconds=0)
    measured = drive(plan)
    assert measured.other == [], (contestant.name, row.name)
    contestant.use(row, plan, measured.answers)
    return measured.answers


def test_each_server_of_the_bench_answers_its_requests() -> None:
    """A yardstick whose statements fail would make the ratios look good."""
    with (
        open_databases("sqlite") as databases,
        running_contestants(databases, Field(), SIZES) as contestants,
    ):
        assert [each.name for each in contestants] == ["homeroom", "thin", "tutorial"]
        counts = {
            (each.name, row.name): answer_some(each, row)
            for each in contestants
            for row in ROWS
            if each.answers(row)
        }
    assert len(counts) == 11
    assert all(counts.values())
