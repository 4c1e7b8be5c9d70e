"""Months in a school's own time (the plan's monthly limits count by them)."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from homeroom.base.clock import DAY, HOUR, Moment
from homeroom.domain.schools import Plan, month_bounds


def moment(zone: str, *date: int) -> Moment:
    """Return the moment at which clocks of a zone show a date."""
    year, month, day, hour, minute, second = (*date, *(0,) * (6 - len(date)))
    return int(datetime(year, month, day, hour, minute, second, tzinfo=ZoneInfo(zone)).timestamp())


def test_a_month_is_that_of_shanghai_unless_set() -> None:
    first = moment("Asia/Shanghai", 2026, 5, 1)
    assert first == moment("UTC", 2026, 4, 30, 16)
    following = moment("Asia/Shanghai", 2026, 6, 1)
    assert month_bounds(first, Plan()) == (first, following)
    assert month_bounds(following - 1, Plan()) == (first, following)
    assert month_bounds(following, Plan())[0] == following


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("Europe/Berlin", -1),
        ("America/New_York", -1),
        ("Asia/Shanghai", 0),
        ("UTC", 0),
        ("Asia/Kolkata", 0),
    ],
)
def test_the_month_in_which_clocks_go_forward_is_an_hour_short(zone: str, hours: int) -> None:
    since, until = month_bounds(moment(zone, 2026, 3, 15, 12), Plan(time_zone=zone))
    assert (since, until) == (moment(zone, 2026, 3, 1), moment(zone, 2026, 4, 1))
    assert until - since == 31 * DAY + hours * HOUR


@pytest.mark.parametrize(("zone", "month"), [("Europe/Berlin", 10), ("America/New_York", 11)])
def test_the_month_in_which_clocks_go_back_is_an_hour_long(zone: str, month: int) -> None:
    plan = Plan(time_zone=zone)
    # Both passes through the hour that comes twice are in the month.
    for day in (1, 25, 28):
        since, until = month_bounds(moment(zone, 2026, month, day, 2, 30), plan)
        assert (until - since) % DAY == HOUR
        assert since == moment(zone, 2026, month, 1)


def test_a_month_that_begins_in_the_hour_that_comes_twice_begins_at_its_first_pass() -> None:
    # In 2026 the clocks of New York go back on November 1st, at two o'clock.
    zone = "America/New_York"
    since, until = month_bounds(moment(zone, 2026, 11, 1, 5), Plan(time_zone=zone))
    assert (since, until) == (moment(zone, 2026, 11, 1), moment(zone, 2026, 12, 1))
    assert until - since == 30 * DAY + HOUR


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Pacific/Kiritimati", "Pacific/Marquesas"])
def test_december_is_followed_by_january(zone: str) -> None:
    plan = Plan(time_zone=zone)
    since, until = month_bounds(moment(zone, 2026, 12, 31, 23, 59, 59), plan)
    assert until == moment(zone, 2027, 1, 1)
    assert month_bounds(until, plan) == (until, moment(zone, 2027, 2, 1))
    assert since == moment(zone, 2026, 12, 1)


def test_months_follow_each_other_without_a_gap_whatever_the_zone() -> None:
    for zone in ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"):
        plan = Plan(time_zone=zone)
        since, until = month_bounds(moment(zone, 2024, 1, 20), plan)
        for _ in range(30):
            assert month_bounds(until - 1, plan) == (since, until)
            since, until = month_bounds(until, plan)
