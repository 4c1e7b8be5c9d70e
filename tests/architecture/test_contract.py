"""The catalogue against the contract it was written from: no action, number or name gets lost.

`tests/contract/contract.json` holds the contract's facts of every action: its address, the names
of its parameters, the numbers it may answer with their labels, and the actions withdrawn.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from homeroom.contract.action import BEFORE_DISPATCH, Action
from homeroom.contract.catalogue import ACTIONS, WITHDRAWN
from homeroom.contract.errno import BY_NUMBER, Errno
from homeroom.contract.groupings import TeamsReader
from homeroom.contract.lists import EntriesReader
from homeroom.contract.params import ParamsReader

CONTRACT: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "contract" / "contract.json").read_text()
)
ROWS: Final[dict[str, dict[str, Any]]] = {row["name"]: row for row in CONTRACT["actions"]}

NOT_ANSWERED: Final = {
    ("deleteClassVideo", 369): "READINGS Q5: it answers 269, as the seed prints it",
}
"""Numbers of the contract that an action does not answer, and why."""

NOT_READ: Final = {
    ("addCourseClass", "teacherName"): "READINGS Q15: accepted and ignored",
}
"""Parameters of the contract that an action does not read, and why."""

LABELS_OF_OURS: Final = {
    Errno.IN_MAINTENANCE: "the contract has no Chinese label for 901",
}
"""Rows whose label is our own, and why."""

NOT_OF_PARAMS: Final = {"lms.onlineDoubleTeacher.addClass": {Errno.PARAM_MISSING.number}}
"""Numbers of parameter errors that mean something else in an action (READINGS Q76)."""

each_v2_action = pytest.mark.parametrize(
    "action", [action for action in ACTIONS if action.is_v2], ids=lambda action: action.name
)
each_action = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)


@each_action
def test_an_action_answers_exactly_the_numbers_of_its_contract(action: Action[Any, Any]) -> None:
    documented = set(ROWS[action.name]["errnos"])
    waived = {number for name, number in NOT_ANSWERED if name == action.name}
    assert waived <= documented
    assert {errno.number for errno in action.errnos} == documented - waived


@each_action
def test_an_action_reads_every_parameter_of_its_contract(action: Action[Any, Any]) -> None:
    row = ROWS[action.name]
    waived = {name for asker, name in NOT_READ if asker == action.name}
    assert set(row["params"]) - _names(action.reader()) == waived
    for parameter, items in row.get("items", {}).items():
        of_entry = _reader_of_entries(action, parameter)
        # The members of teams are lists in a list: `[][].studentUid`.
        assert {item.removeprefix("[][].") for item in items} <= _names(of_entry), parameter


@each_action
def test_an_action_is_served_at_its_contracts_address(action: Action[Any, Any]) -> None:
    assert action.binding.path == ROWS[action.name]["path"]


def test_every_action_is_answered_or_withdrawn() -> None:
    names = [*(action.name for action in ACTIONS), *WITHDRAWN]
    assert len(names) == len(set(names))
    assert set(names) == ROWS.keys() | set(CONTRACT["withdrawn"])
    assert set(CONTRACT["withdrawn"]) == WITHDRAWN


@each_v2_action
def test_a_parameter_error_is_the_first_that_the_call_lists(action: Action[Any, Any]) -> None:
    documented = set(ROWS[action.name]["errnos"]) - NOT_OF_PARAMS.get(action.name, set())

    def choose(*preferred: Errno) -> Errno:
        return next(errno for errno in preferred if errno.number in documented)

    malformed, wrong, missing = Errno.MALFORMED_REQUEST, Errno.BAD_VALUE, Errno.PARAM_MISSING
    assert action.v2.malformed is choose(malformed, wrong)
    assert action.v2.missing is choose(missing, wrong, malformed)
    assert action.v2.wrong is choose(wrong, malformed)


@each_v2_action
def test_a_result_of_the_v2_wire_is_data_and_nothing_else(action: Action[Any, Any]) -> None:
    assert action.result.__struct_fields__ in ((), ("data",))


@pytest.mark.parametrize("errno", Errno, ids=lambda errno: errno.name)
def test_a_number_travels_with_the_label_of_the_contract(errno: Errno) -> None:
    label = CONTRACT["labels"][str(errno.number)]
    if errno in LABELS_OF_OURS:
        assert label is None
        assert errno.zh
    else:
        assert errno.zh == label


def test_the_catalogue_holds_the_numbers_of_the_built_actions_and_no_other() -> None:
    documented = {number for action in ACTIONS for number in ROWS[action.name]["errnos"]}
    before_dispatch = {errno.number for errno in BEFORE_DISPATCH}
    assert BY_NUMBER.keys() == documented | before_dispatch


def _names(reader: ParamsReader[Any]) -> set[str]:
    return {name for slot in reader.fields for name in slot.names}


def _reader_of_entries(action: Action[Any, Any], parameter: str) -> ParamsReader[Any]:
    """Return the reader of the objects in a list."""
    param = next(slot.param for slot in action.reader().fields if parameter in slot.names)
    assert isinstance(param.read, EntriesReader | TeamsReader), f"{param.read} reads no entries"
    return param.read.reader
