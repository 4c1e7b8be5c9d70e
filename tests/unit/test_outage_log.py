"""The log while a database cannot be used: its cause, once, and no traceback."""

import json
import logging

import pytest

from homeroom.base.log import REPEAT_SECONDS, JSONFormatter, OutageFilter
from homeroom.store.engine import ContendedError, StoreError, UnavailableError
from homeroom.store.outages import OutageCause

FULL = UnavailableError(OutageCause.DISK_FULL)


def make_record(failure: Exception, message: str = "a loop failed") -> logging.LogRecord:
    info = (type(failure), failure, None)
    return logging.LogRecord("homeroom", logging.ERROR, "", 0, message, (), info)


@pytest.fixture
def outages() -> OutageFilter:
    return OutageFilter()


def test_an_outage_has_a_reason_and_a_defect_a_traceback() -> None:
    formatter = JSONFormatter()
    outage = json.loads(formatter.format(make_record(FULL)))
    assert outage["reason"] == "the disk is full"
    assert "traceback" not in outage
    defect = json.loads(formatter.format(make_record(StoreError("no such table"))))
    assert "no such table" in defect["traceback"]
    assert "reason" not in defect


def test_the_same_outage_is_logged_once_a_minute_by_each_place(outages: OutageFilter) -> None:
    first, again, later = make_record(FULL), make_record(FULL), make_record(FULL)
    again.created = first.created + REPEAT_SECONDS - 1
    later.created = first.created + REPEAT_SECONDS
    assert [outages.filter(record) for record in (first, again, later)] == [True, False, True]
    assert outages.filter(make_record(FULL, "another loop failed"))
    assert outages.filter(make_record(ContendedError()))


def test_defects_are_always_logged(outages: OutageFilter) -> None:
    assert all(outages.filter(make_record(ValueError("x"))) for _ in range(3))
    plain = logging.LogRecord("homeroom", logging.INFO, "", 0, "call", (), None)
    assert all(outages.filter(plain) for _ in range(3))
