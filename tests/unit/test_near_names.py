"""Near misses of documented names (READINGS Q53)."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.contract.action import Action
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.near_names import find_near_miss, is_near_miss
from homeroom.contract.params import ParamsReader

LETTERS = st.sampled_from("abcxyzABC01")


@pytest.mark.parametrize(
    ("name", "documented", "expected"),
    [
        ("fileId[]", "fileId", True),
        ("asistantUid", "assistantUid", True),
        ("assistantUids[]", "assistantUids", True),
        ("COURSE-ID", "courseId", True),
        ("course id", "courseId", True),
        ("liv", "live", False),
        ("LIVE", "live", True),
        ("live[]", "live", True),
        ("lvie", "live", False),
        ("fileId", "fileId", False),
        ("fieldIds", "fileId", False),
        ("", "fileId", False),
        ("[]", "fileId", False),
        ("fileIdfileId", "fileId", False),
    ],
)
def test_examples(name: str, documented: str, *, expected: bool) -> None:
    assert is_near_miss(name, documented) is expected


@given(name=st.text(LETTERS, min_size=5, max_size=12), place=st.integers(0, 11), letter=LETTERS)
def test_one_edit_is_a_near_miss(name: str, place: int, letter: str) -> None:
    place = min(place, len(name) - 1)
    start, rest = name[:place], name[place:]
    edits = {start + letter + rest, start + rest[1:], start + letter + rest[1:]}
    edits.add(start + rest[1:2] + rest[:1] + rest[2:])
    for edit in edits - {name}:
        assert is_near_miss(edit, name)


@given(name=st.text(), documented=st.sampled_from(["fileId", "assistantUids", "live"]))
def test_any_text_is_compared(name: str, documented: str) -> None:
    assert is_near_miss(name, documented) in {True, False}
    if is_near_miss(name, documented):
        assert abs(len(name) - len(documented)) <= 1 or not name.isalnum()


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_guards_are_of_optional_parameters(action: Action[Any, Any]) -> None:
    """A parameter that narrows what is destroyed must not shut out another one of its action."""
    reader = ParamsReader(action.params)
    names = [name for slot in reader.fields for name in slot.names]
    for name in names:
        assert find_near_miss(f"{name}[]", [name]) == name
    for slot in reader.fields:
        assert not slot.param.guard_words or not slot.required


def test_endless_names_cost_little() -> None:
    began = time.perf_counter()
    for name in ("[" * 10**6, "fileId" * 10**5, "_" * 10**6, "fileId[" + "]" * 10**6):
        is_near_miss(name, "fileId")
    assert time.perf_counter() - began < 1
