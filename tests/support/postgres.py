"""The cluster that the tests of a run share: each gets databases of its own in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from tests.support.cluster import NO_SYNC, Cluster, running_cluster


class Postgres:
    """A running cluster and its databases."""

    def __init__(self, cluster: Cluster) -> None:
        self.folder: Final = cluster.folder
        self.url: Final = cluster.url
        """Names a database as libpq wants it."""
        self._numbers = count(1)
        self._templates: dict[str, str] = {}
        self._admin = psycopg.connect(self.url(), autocommit=True)

    def fresh(self, template: str = "template0") -> str:
        """Make a database, a copy of the template, and return its URL."""
        name = f"test_{next(self._numbers)}"
        self._say("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url(name)

    def template(self, name: str, prepare: Callable[[str], None]) -> str:
        """Prepare a database once a run, and return its name as a template for `fresh`.

        `prepare` gets its URL and must close what it opens: a database in use cannot be copied.
        """
        if name not in self._templates:
            url = self.fresh()
            prepare(url)
            self._templates[name] = _database(url)
        return self._templates[name]

    def drop(self, url: str) -> None:
        """Remove a database at once, with the connections that are still open to it."""
        self._say("DROP DATABASE IF EXISTS {} WITH (FORCE)", _database(url))

    def close(self) -> None:
        """Close the connection; the cluster keeps running."""
        self._admin.close()

    def _say(self, statement: LiteralString, *names: str) -> None:
        self._admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a cluster of our own, and stop and remove it whatever happens."""
    with running_cluster(NO_SYNC) as cluster:
        postgres = Postgres(cluster)
        try:
            yield postgres
        finally:
            postgres.close()


def _database(url: str) -> str:
    return url.removeprefix("postgresql:///").partition("?")[0]
