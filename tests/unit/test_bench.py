"""The profile of `python -m bench.profile` names functions that exist."""

from importlib import import_module
from operator import attrgetter

import pytest

from bench.profiled import LOOP, WRITER


@pytest.mark.parametrize("place", [p for places in (LOOP | WRITER).values() for p in places])
def test_a_stage_of_the_profile_is_a_function_of_the_server(place: str) -> None:
    """A function with another name would be missing from the table without a word."""
    module, _, path = place.partition(":")
    assert callable(attrgetter(path)(import_module(module)))
