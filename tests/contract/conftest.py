"""A check after each test: the contract documents every errno that the test observed."""

from collections.abc import Iterator
from typing import Final

import pytest

from homeroom.contract.action import BEFORE_DISPATCH
from homeroom.contract.catalogue import ACTIONS
from tests.support.wire import OBSERVED

NATURAL: Final = {
    action.name: {errno.number for errno in (*action.errnos, *BEFORE_DISPATCH)}
    - {errno.number for errno in (*action.faults, *action.entry_faults)}
    for action in ACTIONS
}


@pytest.fixture(autouse=True)
def _only_documented() -> Iterator[None]:
    """Fail a test that saw a number unasked which its action does not document as natural."""
    before = set(OBSERVED.pairs)
    yield
    unheard_of = {
        (action, errno)
        for action, errno, cause in OBSERVED.pairs - before
        if cause == "natural" and action in NATURAL and errno not in NATURAL[action]
    }
    assert not unheard_of, f"not in the contract, or there as a fault only: {unheard_of}"
