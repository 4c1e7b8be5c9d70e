"""The server checks in the order that the contract declares, for every action.

The chains of tests/support/orders make several causes true at once; which errno must be answered
first is read from `Action.checks`. Two checks that change places there fail here.
"""

from collections.abc import Iterable
from contextlib import closing
from typing import Any, Final

import pytest

from homeroom.contract.action import V2_CREDENTIAL_CHECKS, Action, Check
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import Errno
from tests.support.given import Given
from tests.support.orders import (
    ORDERS,
    Chains,
    Order,
    activities,
    changed_lessons,
    class_students,
    classroom_activities,
    clips,
    comments,
    course_teachers,
    courses,
    drive,
    dual,
    entry_links,
    groupings,
    lessons,
    members,
    people,
    schools,
)

SUBJECTS: Final = (
    changed_lessons,
    class_students,
    clips,
    course_teachers,
    comments,
    courses,
    dual,
    drive,
    entry_links,
    groupings,
    lessons,
    members,
    people,
    schools,
    activities,
    classroom_activities,
)
"""Importing them declares their chains."""


V1_ACTIONS: Final = [action for action in ACTIONS if not action.is_v2]
V2_ACTIONS: Final = [action for action in ACTIONS if action.is_v2]
BATCHES: Final = [action for action in ACTIONS if action.entry is not None]


def _run(given: Given, functions: Iterable[Chains], checks: tuple[Check, ...]) -> set[int]:
    """Run chains, each function in a school of its own, and return the errnos that they cover."""
    covered: set[int] = set()
    for function in functions:
        with closing(Given(given.house)) as school:
            for chain in function(school):
                chain.run(checks)
                covered |= chain.mends.keys()
    return covered


def _count_checks_of_caller(action: Action[Any, Any]) -> int:
    """Return how many checks come before those of the parameters."""
    return 1 + len(V2_CREDENTIAL_CHECKS) if action.is_v2 else 1


def _missing(errnos: Iterable[Errno], covered: set[int], order: Order) -> set[int]:
    numbers = {errno.number for errno in errnos}
    return numbers - covered - order.apart.keys()


@pytest.mark.parametrize("action", V1_ACTIONS, ids=lambda action: action.name)
def test_credentials_are_checked_before_parameters(given: Given, action: Action[Any, Any]) -> None:
    form = {**given.api.signed(), "safeKey": "0" * 32, "SID": str(given.school.id)}
    reply = given.api.post(action.name, data=form)
    assert reply.errno == action.refusals[0].number == Errno.NOT_AUTHORISED.number


@pytest.mark.parametrize("action", V2_ACTIONS, ids=lambda action: action.name)
def test_shape_and_headers_are_checked_before_parameters(
    given: Given, action: Action[Any, Any]
) -> None:
    checks = action.ordered_checks[: _count_checks_of_caller(action)]
    wrong = {"X-EEO-SIGN": "0" * 32, "X-EEO-UID": str(given.school.id)}
    replies = [
        given.api.post(action.name, content=b"[]", headers=wrong),
        given.api.post(action.name, content=b"{}", headers=wrong),
        given.api.post(action.name, content=b"{}", headers={**wrong, "X-EEO-TS": "1"}),
        given.api.post(action.name, content=b"{}", headers={**wrong, "X-EEO-TS": str(given.now)}),
    ]
    assert [reply.errno for reply in replies] == [check.errno.number for check in checks]
    assert given.api.call(action.name).errno not in {check.errno.number for check in checks[1:]}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_the_first_check_that_fails_is_answered(given: Given, action: Action[Any, Any]) -> None:
    order = ORDERS[action.name]
    functions = order.of_call if isinstance(order.of_call, tuple) else (order.of_call,)
    checks = action.ordered_checks[_count_checks_of_caller(action) :]
    covered = _run(given, functions, (*checks, *action.warnings))
    assert not _missing([check.errno for check in checks], covered, order)


@pytest.mark.parametrize("action", BATCHES, ids=lambda action: action.name)
def test_the_first_check_of_an_entry_that_fails_is_its_errno(
    given: Given, action: Action[Any, Any]
) -> None:
    order = ORDERS[action.name]
    assert order.of_entry is not None
    covered = _run(given, (order.of_entry,), action.entry_checks)
    assert not _missing((check.errno for check in action.entry_checks), covered, order)
