"""Databases for a run: files of SQLite, or a private PostgreSQL with PgBouncer before it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import psycopg

from bench.cpu import find_child, read_tree_seconds
from homeroom.base.settings import Settings
from tests.support.cluster import SUPERUSER, Cluster, running_cluster
from tests.support.postgres_faults import running_pgbouncer

POOL_SIZE = 16
"""Connections that PgBouncer opens for each database."""


class Databases:
    """Makes databases and copies of them, each with a data folder of its own."""

    def __init__(self, folder: Path, cluster: Cluster | None, pool_port: int | None) -> None:
        self.has_pool = pool_port is not None
        self._folder = folder
        self._cluster = cluster
        self._pool_port = pool_port
        self._processes: list[int] = []
        if cluster is not None:
            # Its first line is the number of the process.
            self._processes.append(int((cluster.data / "postmaster.pid").read_text().split()[0]))
        if self.has_pool:
            self._processes.append(find_child("pgbouncer"))

    @property
    def engine(self) -> str:
        return "sqlite" if self._cluster is None else "postgresql"

    def create(self) -> Settings:
        """Return the settings of an empty database."""
        return Settings(
            data=Path(tempfile.mkdtemp(dir=self._folder)),
            database=self._cluster.fresh() if self._cluster else None,
        )

    def copy(self, settings: Settings) -> Settings:
        """Copy a data folder and its database, which no server may have open."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        shutil.copytree(settings.data, folder, dirs_exist_ok=True)
        folder.chmod(0o700)
        database = settings.database
        if self._cluster is not None and database is not None:
            name = f"{_get_name(database)}_{folder.name.lower()}"
            self._cluster.run(f'CREATE DATABASE "{name}" TEMPLATE "{_get_name(database)}"')
            database = self._cluster.url(name)
        return msgspec.structs.replace(settings, data=folder, database=database)

    def reach(self, settings: Settings) -> Settings:
        """Return the settings for a server, which goes through PgBouncer where there is one."""
        if self._pool_port is None or settings.database is None:
            return settings
        place = f"127.0.0.1:{self._pool_port}/{_get_name(settings.database)}"
        return msgspec.structs.replace(
            settings, database=f"postgresql://{SUPERUSER}@{place}?sslmode=disable"
        )

    def read_cpu_seconds(self) -> float:
        """Return the processor time of PostgreSQL and PgBouncer; 0 for SQLite."""
        return sum(map(read_tree_seconds, self._processes))


@contextmanager
def open_databases(engine: str, *, pgbouncer: bool = False) -> Iterator[Databases]:
    """Start what an engine needs; PostgreSQL syncs each commit, as it does in production."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homeroom-bench-")))
        cluster = stack.enter_context(running_cluster()) if engine == "postgresql" else None
        port = None
        if cluster is not None and pgbouncer:
            port = stack.enter_context(running_pgbouncer(cluster.folder, POOL_SIZE))
        yield Databases(folder, cluster, port)


def _get_name(database: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(database)["dbname"])
