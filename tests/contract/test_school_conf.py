"""Settings of a school: the case table, and the values that count (READINGS Q76, Q77)."""

from typing import Any, Final

import pytest

from homeroom.base.ids import SchoolId
from homeroom.contract.school_conf import MODIFY_SCHOOL_CONF
from homeroom.domain.school_conf import SchoolConf
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.wire import Reply, Value


def modify(given: Given, **fields: Value) -> Reply:
    """Call modifySchoolConf."""
    return given.api.call("modifySchoolConf", **fields)


def conf(given: Given) -> SchoolConf:
    """Return the settings as the store has them."""
    return given.store.read(lambda uow: uow.schools.get_conf(SchoolId(given.school.id)))


CASES: Final = (
    Case(1, lambda g: modify(g, allowViewReplay=0)),
    *common(MODIFY_SCHOOL_CONF, allowViewReplay=1),
    Case(121601030, modify),
    Case(121601020, lambda g: modify(g, allowViewReplay=2)),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_modify_school_conf(given: Given, case: Case) -> None:
    case.run(given)


def test_table_is_complete() -> None:
    check_table(MODIFY_SCHOOL_CONF, CASES)


def test_what_is_not_sent_stays_as_it_is(given: Given) -> None:
    assert conf(given) == SchoolConf()
    assert modify(given, allowViewReplay=0).data == {}
    assert conf(given) == SchoolConf(allows_replay=False)
    assert modify(given, allowNewStudentViewReplay=0, allowViewReplay=None).errno == 1
    assert conf(given) == SchoolConf(allows_replay=False, allows_replay_to_new_students=False)
    assert modify(given, allowViewReplay=1, allowNewStudentViewReplay=1).errno == 1
    assert conf(given) == conf(given.other()) == SchoolConf()


@pytest.mark.parametrize("value", [0, "0", False, 0.0])
def test_values_that_are_off(given: Given, value: Any) -> None:  # noqa: ANN401  any JSON value
    assert modify(given, allowViewReplay=value).errno == 1
    assert not conf(given).allows_replay


@pytest.mark.parametrize("value", [2, -1, "x", 0.5, [], [0], {}, "true", "1 "], ids=str)
def test_values_that_are_wrong(given: Given, value: Any) -> None:  # noqa: ANN401  any JSON value
    reply = modify(given, allowViewReplay=value, allowNewStudentViewReplay=0)
    assert (reply.errno, reply.data) == (121601020, None)
    assert reply.reason.startswith("allowViewReplay: must be 0 or 1")
    assert conf(given) == SchoolConf()


@pytest.mark.parametrize("value", ["", None], ids=str)
def test_values_that_are_absent(given: Given, value: Any) -> None:  # noqa: ANN401  any JSON value
    assert modify(given, allowViewReplay=value).errno == 121601030
