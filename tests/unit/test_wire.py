"""How single values and lists are read: any text gives a value or says what was expected."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.contract import lists, wire
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.lists import BadEntry, entries, entries_each, idents, idents_each, json_list
from homeroom.contract.wire import BadList, BadParam, Param, Reader, Unreadable, Wire

Read = Callable[[Any], Any]
READERS: Final = {slot.param.read for action in ACTIONS for slot in Reader(action.params).slots} - {
    id
}
SCALARS: Final = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON: Final = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)


def refused(read: Read, raw: object) -> str:
    """Return in which words a reader refuses a value."""
    with pytest.raises((BadParam, Unreadable)) as error:
        read(raw)
    return str(error.value)


@pytest.mark.parametrize(
    ("read", "raw", "value"),
    [
        (wire.whole, "12", 12),
        (wire.whole, "-12", -12),
        (wire.whole, "007", 7),
        (wire.whole, 5, 5),
        (wire.whole, "9" * 18, 10**18 - 1),
        (wire.ident, "1", 1),
        (wire.optional_ident, "0", None),
        (wire.optional_ident, 3, 3),
        (wire.instant, "0", 0),
        (wire.flag, "1", True),
        (wire.flag, 1, True),
        (wire.flag, "0", False),
        (wire.flag, "True", False),
        (wire.flag, "2", False),
        (wire.loose_flag, "2", None),
        (wire.strict_flag, "0", False),
        (wire.text, " a ", "a"),
        (wire.text, 12, "12"),
        (wire.cut(2), "代数课", "代数"),
        (wire.one_of(1, 2), "2", 2),
        (wire.one_of_or(0, 1, 2), "x", 0),
        (wire.one_of_or(0, 1, 2), "7", 0),
        (wire.sized(1, 2), "ab", "ab"),
        (wire.md5_text, "A" * 32, "a" * 32),
    ],
)
def test_value(read: Read, raw: object, value: object) -> None:
    assert read(raw) == value
    assert type(read(raw)) is type(value)


@pytest.mark.parametrize(
    ("read", "raw", "word"),
    [
        (wire.whole, "1.0", "whole number"),
        (wire.whole, 1.0, "whole number"),
        (wire.whole, True, "whole number"),
        (wire.whole, "-", "whole number"),
        (wire.whole, "--1", "whole number"),
        (wire.whole, "+1", "whole number"),
        (wire.whole, "1_0", "whole number"),
        (wire.whole, "\uff11", "whole number"),
        (wire.whole, "9" * 19, "whole number"),
        (wire.whole, 10**18, "whole number"),
        (wire.whole, None, "whole number"),
        (wire.ident, "0", "above zero"),
        (wire.ident, "-1", "above zero"),
        (wire.optional_ident, "-1", "above zero"),
        (wire.instant, "-1", "since 1970"),
        (wire.strict_flag, "2", "0 or 1"),
        (wire.text, ["a"], "text"),
        (wire.text, 1.5, "text"),
        (wire.one_of(1, 2), "3", "one of 1, 2"),
        (wire.sized(1, 2), "abc", "1 to 2 characters"),
        (wire.md5_text, "g" * 32, "md5"),
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
    assert json_list(raw) == value


@pytest.mark.parametrize(
    "raw",
    ["", "[", "]", "[]", "[,]", "[ ]", "{}", "1", '"x"', "['1]", "[1 2]", '["\\q"]', "[a\\b]"],
)
def test_list_that_is_none_or_empty(raw: str) -> None:
    with pytest.raises(BadList):
        json_list(raw)


def test_list_within_its_limits() -> None:
    assert len(json_list(json.dumps([0] * lists.MAX_ENTRIES))) == lists.MAX_ENTRIES
    deepest = "[" * lists.MAX_DEPTH + "0" + "]" * lists.MAX_DEPTH
    assert json_list(deepest)
    assert "1000 entries" in refused(json_list, json.dumps([0] * (lists.MAX_ENTRIES + 1)))
    assert "8 levels" in refused(json_list, f"[{deepest}]")
    assert "8 levels" in refused(json_list, "[" * 100_000)
    assert "NUL" in refused(json_list, '["\\u0000"]')
    assert "NUL" in refused(json_list, '[{"\\u0000": 1}]')


def test_list_of_ids() -> None:
    assert idents("[]") == ()
    assert idents('[1, "2"]') == (1, 2)
    assert "JSON list" in refused(idents, "x")
    one, two = idents_each('[" 1 ", "x"]')
    assert one == 1
    assert two == BadEntry("x", "must be a whole number")


class Entry(Wire, frozen=True, kw_only=True):
    """An entry of a list."""

    number: Annotated[int, Param(wire.ident, "id").named("number", "Number")]
    spelled: Annotated[str, Param(wire.text, "", ("number", "Number"), is_spelling=True)] = ""
    kind: Annotated[int, Param(wire.one_of(1, 2), "", zero_is_absent=True)] = 1
    kept: Annotated[str | None, Param(wire.text, "", keeps_empty=True)] = None


def test_entries() -> None:
    (one,) = entries(Entry)('[{" Number ": " 7 ", "kind": 0, "kept": ""}]')
    assert one == Entry(number=7, spelled="Number", kind=1, kept="")
    assert "number: is missing" in refused(entries(Entry), '[{"number": ""}]')
    good, bad, none = entries_each(Entry)('[{"number": 1}, {"number": "x"}, 5]')
    assert good == Entry(number=1, spelled="number")
    assert isinstance(bad, BadEntry)
    assert (bad.why, bad.value("Number", "number")) == ("number: must be a whole number", "x")
    assert isinstance(none, BadEntry)
    assert none.value("number") is None


def test_reader_names_the_first_parameter_that_is_not_in_order() -> None:
    reader = Reader(Entry)
    with pytest.raises(BadParam, match="Number: must be a whole number"):
        reader.read({"Number": "x", "kind": "x"})
    with pytest.raises(BadParam, match="kind: must be one of 1, 2"):
        reader.read({"number": "1", "kind": "3"})
    assert reader.read({"number": "", "Number": "2"}).number == 2


@given(raw=JSON | st.builds(json.dumps, JSON))
def test_any_value_is_read_or_refused(raw: object) -> None:
    for read in READERS:
        with suppress(BadParam, Unreadable):
            read(raw)
