"""Fixtures of the tests of the media engine."""

from collections.abc import Iterator

import pytest

from homeroom.media.engine.stream import LiveStream
from tests.support.listening import Listener, running_listener


@pytest.fixture(scope="module")
def running() -> Iterator[Listener]:
    """Run the media listener for the tests of a file; each asks for it fresh."""
    with running_listener() as listener:
        yield listener


@pytest.fixture
def listener(running: Listener) -> Listener:
    """Give the listener with no streams."""
    running.fresh()
    return running


@pytest.fixture
def stream(listener: Listener) -> LiveStream:
    """Give one stream of it, without anything in it."""
    return listener.stream("s")
