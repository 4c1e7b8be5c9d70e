"""Fixtures of the tests of the media engine."""

from collections.abc import Iterator

import pytest

from tests.support.listening import Listener, running_listener


@pytest.fixture(scope="module")
def running() -> Iterator[Listener]:
    """Run the media listener for the tests of a file; each asks for it fresh."""
    with running_listener() as listener:
        yield listener
