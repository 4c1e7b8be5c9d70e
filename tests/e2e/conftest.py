"""Fixtures of the end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.support.process import Process


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run `homeroom serve --demo --sandbox` for the tests of a file."""
    running = Process("--demo", "--sandbox", data=tmp_path_factory.mktemp("server"))
    yield running
    running.stop()
