"""A server of `homeroom.testing`, and the engine that it runs on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.applications import Starlette

from homeroom.base.clock import Moment
from homeroom.bootstrap.sandbox import sandbox_routes
from homeroom.bootstrap.site import build_site
from homeroom.testing.clock import START, ManualClock
from homeroom.testing.server import ThreadedServer
from tests.support.shortcuts import without_syncing

ON_SQLITE: Final = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
"""For a test of what only SQLite has."""
ON_POSTGRESQL: Final = pytest.mark.parametrize(
    "house", [pytest.param("postgresql", marks=pytest.mark.pg)], indirect=True
)
"""For a test of what only PostgreSQL has."""


class House(ThreadedServer):
    """A running server, by the name of its database engine."""

    def __init__(self, data: Path, engine: str, **settings: Any) -> None:  # noqa: ANN401  settings of any type
        super().__init__(data, **settings)
        self.engine = engine


def build_whole_site(server: ThreadedServer) -> Starlette:
    """Return everything that a server has but the partner API."""

    async def follow() -> None:
        server.services.follow_sandbox()

    return build_site(server.services, sandbox_routes(server.services, server.main, follow))


@contextmanager
def running_house(
    folder: Path,
    database: str | None,
    engine: str,
    *,
    moment: Moment | None = None,
    host: str = "127.0.0.1",
    sandbox: bool = True,
    media_api: str | None = None,
    **more_settings: Any,  # noqa: ANN401  settings of any type
) -> Iterator[House]:
    """Run a server until the block ends."""
    with (
        without_syncing(),
        House(
            folder,
            engine,
            clock=ManualClock(START if moment is None else moment),
            database=database,
            host=host,
            sandbox=sandbox,
            media_api=media_api,
            **more_settings,
        ) as house,
    ):
        yield house


@contextmanager
def running_two_houses(folder: Path, database: str) -> Iterator[tuple[House, House]]:
    """Run two servers on one PostgreSQL until the block ends; they share a key file."""
    key_file = folder / "shared.key"
    with (
        running_house(folder / "first", database, "postgresql", key_file=key_file) as first,
        running_house(folder / "second", database, "postgresql", key_file=key_file) as second,
    ):
        yield first, second
