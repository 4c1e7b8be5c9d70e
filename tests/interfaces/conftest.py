"""Fixtures of the HTTP tests: the sandbox, and a server whose clock may be moved."""

from collections.abc import Iterator

import pytest

from tests.support.given import Given
from tests.support.sandbox import Sandbox
from tests.support.serving import House, running_house


@pytest.fixture
def sandbox(house: House) -> Iterator[Sandbox]:
    """Give the sandbox of the session's server; its clock is everybody's and stays as it is."""
    sandbox = Sandbox(house.url)
    with sandbox.http:
        yield sandbox


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def movable(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Run a server whose clock may be moved."""
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").fresh()
    folder = tmp_path_factory.mktemp("movable")
    with running_house(folder, database, request.param) as house:
        yield house


@pytest.fixture
def moved(movable: House) -> Iterator[tuple[Given, Sandbox]]:
    """Give a fresh school of a server whose clock stands at the real time, and its sandbox."""
    given, sandbox = Given(movable), Sandbox(movable.url)
    with sandbox.http:
        sandbox.move(now=given.now)
        yield given, sandbox
        sandbox.move(now=given.now)
    given.close()
