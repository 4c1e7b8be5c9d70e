"""Databases of PostgreSQL for the tests of its engine; a file may override `address`."""

import psycopg
import pytest

from homeroom.store.migrate import migrate
from tests.support.postgres import Postgres


@pytest.fixture(scope="module")
def migrated(postgres: Postgres) -> str:
    address = postgres.fresh()
    migrate(address)
    return address


@pytest.fixture
def address(migrated: str) -> str:
    """Return the address of a database where nothing is counted yet."""
    with psycopg.connect(migrated) as connection:
        connection.execute("DELETE FROM server_state")
    return migrated
