"""The limit on calls within any 60 seconds (READINGS Q81)."""

import pytest

from homeroom.base.ids import SchoolId
from homeroom.partner import rate_limits
from homeroom.partner.rate_limits import CallCounter

SCHOOL, OTHER = SchoolId(1), SchoolId(2)


def test_no_sixty_seconds_have_more_calls_than_the_limit() -> None:
    counter = CallCounter()
    moments = [0, 0, 30, 59, 59, 60, 60, 61, 89, 90, 118, 119, 120]
    allowed = [moment for moment in moments if counter.add(SCHOOL, "action", 3, moment)]
    assert allowed == [0, 0, 30, 60, 60, 90, 120]
    for start in range(121):
        assert sum(start <= moment < start + 60 for moment in allowed) <= 3


def test_a_refused_call_does_not_count() -> None:
    counter = CallCounter()
    assert counter.add(SCHOOL, "action", 1, 0)
    assert not any(counter.add(SCHOOL, "action", 1, moment) for moment in range(60))
    assert counter.add(SCHOOL, "action", 1, 60)


def test_schools_and_actions_count_apart() -> None:
    counter = CallCounter()
    assert counter.add(SCHOOL, "action", 1, 0)
    assert counter.add(OTHER, "action", 1, 0)
    assert counter.add(SCHOOL, "other", 1, 0)
    counter.forget(SCHOOL)
    assert counter.add(SCHOOL, "action", 1, 1)
    assert not counter.add(OTHER, "action", 1, 1)


def test_a_clock_that_goes_back_does_not_shut_a_school_out() -> None:
    counter = CallCounter()
    assert counter.add(SCHOOL, "action", 1, 1000)
    assert not counter.add(SCHOOL, "action", 1, 990)
    assert counter.add(SCHOOL, "action", 1, 900)


def test_schools_without_recent_calls_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_KEYS", 2)
    counter = CallCounter()
    for school in range(1, 5):
        counter.add(SchoolId(school), "action", 1, school * 100)
    assert not counter.add(SchoolId(4), "action", 1, 401)
    assert counter.add(SchoolId(1), "action", 1, 100)
