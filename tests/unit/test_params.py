"""Parsing single values and lists: any text gives a value or a message with what was expected."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.contract import lists, params
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.lists import (
    EntriesReader,
    InvalidEntry,
    SeparateEntriesReader,
    read_ids,
    read_ids_separately,
    read_json_list,
)
from homeroom.contract.params import (
    InvalidValueError,
    ParamError,
    ParamListError,
    Params,
    ParamsReader,
    ParamType,
)

Read = Callable[[Any], Any]
READERS: Final = {
    slot.param.read for action in ACTIONS for slot in ParamsReader(action.params).fields
} - {id}
SCALARS: Final = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON: Final = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)


def refused(read: Read, raw: object) -> str:
    """Return in which words a reader refuses a value."""
    with pytest.raises((ParamError, InvalidValueError)) as error:
        read(raw)
    return str(error.value)


@pytest.mark.parametrize(
    ("read", "raw", "value"),
    [
        (params.read_whole_number, "12", 12),
        (params.read_whole_number, "-12", -12),
        (params.read_whole_number, "007", 7),
        (params.read_whole_number, 5, 5),
        (params.read_whole_number, "9" * 18, 10**18 - 1),
        (params.read_id, "1", 1),
        (params.read_optional_id, "0", None),
        (params.read_optional_id, 3, 3),
        (params.read_timestamp, "0", 0),
        (params.read_flag, "1", True),
        (params.read_flag, 1, True),
        (params.read_flag, "0", False),
        (params.read_flag, "True", False),
        (params.read_flag, "2", False),
        (params.read_loose_flag, "2", None),
        (params.read_strict_flag, "0", False),
        (params.read_text, " a ", "a"),
        (params.read_text, 12, "12"),
        (params.read_text_cut_to(2), "代数课", "代数"),
        (params.read_choice(1, 2), "2", 2),
        (params.read_choice_or_default(0, 1, 2), "x", 0),
        (params.read_choice_or_default(0, 1, 2), "7", 0),
        (params.read_text_of_length(1, 2), "ab", "ab"),
        (params.read_md5, "A" * 32, "a" * 32),
    ],
)
def test_value(read: Read, raw: object, value: object) -> None:
    assert read(raw) == value
    assert type(read(raw)) is type(value)


@pytest.mark.parametrize(
    ("read", "raw", "word"),
    [
        (params.read_whole_number, "1.0", "whole number"),
        (params.read_whole_number, 1.0, "whole number"),
        (params.read_whole_number, True, "whole number"),
        (params.read_whole_number, "-", "whole number"),
        (params.read_whole_number, "--1", "whole number"),
        (params.read_whole_number, "+1", "whole number"),
        (params.read_whole_number, "1_0", "whole number"),
        (params.read_whole_number, "\uff11", "whole number"),
        (params.read_whole_number, "9" * 19, "whole number"),
        (params.read_whole_number, 10**18, "whole number"),
        (params.read_whole_number, None, "whole number"),
        (params.read_id, "0", "above zero"),
        (params.read_id, "-1", "above zero"),
        (params.read_optional_id, "-1", "above zero"),
        (params.read_timestamp, "-1", "since 1970"),
        (params.read_strict_flag, "2", "0 or 1"),
        (params.read_text, ["a"], "text"),
        (params.read_text, 1.5, "text"),
        (params.read_choice(1, 2), "3", "one of 1, 2"),
        (params.read_text_of_length(1, 2), "abc", "1 to 2 characters"),
        (params.read_md5, "g" * 32, "md5"),
    ],
)
def test_value_that_is_none(read: Read, raw: object, word: str) -> None:
    assert word in refused(read, raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("[1,2]", [1, 2]),
        (' [ "1" , 2 ] ', ["1", 2]),
        ("['1','2']", ["1", "2"]),
        ("['1', 2,]", ["1", "2"]),
        ("[1,2,]", ["1", "2"]),
        ("[a, b]", ["a", "b"]),
        ('["代"]', ["代"]),
        ('["\\u4ee3"]', ["代"]),
        ('[{"a": [1]}]', [{"a": [1]}]),
        ([1], [1]),
    ],
)
def test_list(raw: object, value: list[Any]) -> None:
    assert read_json_list(raw) == value


@pytest.mark.parametrize(
    "raw",
    ["", "[", "]", "[]", "[,]", "[ ]", "{}", "1", '"x"', "['1]", "[1 2]", '["\\q"]', "[a\\b]"],
)
def test_list_that_is_none_or_empty(raw: str) -> None:
    with pytest.raises(ParamListError):
        read_json_list(raw)


def test_list_within_its_limits() -> None:
    assert len(read_json_list(json.dumps([0] * lists.MAX_ENTRIES))) == lists.MAX_ENTRIES
    deepest = "[" * lists.MAX_DEPTH + "0" + "]" * lists.MAX_DEPTH
    assert read_json_list(deepest)
    assert "1000 entries" in refused(read_json_list, json.dumps([0] * (lists.MAX_ENTRIES + 1)))
    assert "8 levels" in refused(read_json_list, f"[{deepest}]")
    assert "8 levels" in refused(read_json_list, "[" * 100_000)
    assert "NUL" in refused(read_json_list, '["\\u0000"]')
    assert "NUL" in refused(read_json_list, '[{"\\u0000": 1}]')


def test_list_of_ids() -> None:
    assert read_ids("[]") == ()
    assert read_ids('[1, "2"]') == (1, 2)
    assert "JSON list" in refused(read_ids, "x")
    one, two = read_ids_separately('[" 1 ", "x"]')
    assert one == 1
    assert two == InvalidEntry("x", "must be a whole number")


class Entry(Params, frozen=True, kw_only=True):
    """An entry of a list."""

    number: Annotated[int, ParamType(params.read_id, "id").with_names("number", "Number")]
    spelled: Annotated[
        str, ParamType(params.read_text, "", ("number", "Number"), is_spelling=True)
    ] = ""
    kind: Annotated[int, ParamType(params.read_choice(1, 2), "", zero_is_absent=True)] = 1
    kept: Annotated[str | None, ParamType(params.read_text, "", keeps_empty=True)] = None


def test_entries() -> None:
    (one,) = EntriesReader(Entry)('[{" Number ": " 7 ", "kind": 0, "kept": ""}]')
    assert one == Entry(number=7, spelled="Number", kind=1, kept="")
    assert "number: is missing" in refused(EntriesReader(Entry), '[{"number": ""}]')
    good, bad, none = SeparateEntriesReader(Entry)('[{"number": 1}, {"number": "x"}, 5]')
    assert good == Entry(number=1, spelled="number")
    assert isinstance(bad, InvalidEntry)
    assert (bad.reason, bad.get_value("Number", "number")) == (
        "number: must be a whole number",
        "x",
    )
    assert isinstance(none, InvalidEntry)
    assert none.get_value("number") is None


def test_reader_names_the_first_parameter_that_is_not_in_order() -> None:
    reader = ParamsReader(Entry)
    with pytest.raises(ParamError, match="Number: must be a whole number"):
        reader.read({"Number": "x", "kind": "x"})
    with pytest.raises(ParamError, match="kind: must be one of 1, 2"):
        reader.read({"number": "1", "kind": "3"})
    assert reader.read({"number": "", "Number": "2"}).number == 2


@given(raw=JSON | st.builds(json.dumps, JSON))
def test_any_value_is_read_or_refused(raw: object) -> None:
    for read in READERS:
        with suppress(ParamError, InvalidValueError):
            read(raw)
