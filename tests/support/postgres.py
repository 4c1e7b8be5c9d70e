"""A PostgreSQL cluster that belongs to one test run: private, real and gone at the end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

SUPERUSER: Final = "postgres"
STARTS_WITHIN: Final = 30.0
STOPS_WITHIN: Final = 15.0


class NoPostgresError(Exception):
    """This machine has no PostgreSQL server to start."""


class Postgres:
    """A running cluster, reached through a socket in a folder that only its owner may enter."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        self._numbers = count(1)
        self._templates: dict[str, str] = {}
        self._admin = psycopg.connect(self.url("postgres"), autocommit=True)

    def url(self, database: str) -> str:
        """Name a database of this cluster as libpq wants it."""
        return f"postgresql:///{database}?host={self.folder}&user={SUPERUSER}"

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


def find_postgres() -> Path:
    """Return the folder of the newest server's binaries, as Debian lays them out."""
    found = list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return max(found, key=lambda path: int(path.parts[-3])).parent
    if beside := shutil.which("initdb"):
        return Path(beside).resolve().parent
    raise NoPostgresError("no PostgreSQL server here: install Debian's package `postgresql`")


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a cluster of our own, and stop and remove it whatever happens."""
    binaries = find_postgres()
    # A socket's path may have 107 bytes, so pytest's own long folders will not do.
    folder = Path(tempfile.mkdtemp(prefix="homeroom-pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SUPERUSER)
        make_cluster(binaries, folder)
        with serving(binaries, folder):
            cluster = Postgres(folder)
            try:
                yield cluster
            finally:
                cluster.close()
    finally:
        shutil.rmtree(folder)


def make_cluster(binaries: Path, folder: Path) -> None:
    """Make the files of a cluster."""
    done = subprocess.run(
        [
            binaries / "initdb",
            f"--pgdata={folder / 'data'}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # the folder's own mode, 0700, keeps others out
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",  # this skips one sync of an empty cluster; the server syncs all its writes
            "--no-instructions",
        ],
        cwd=folder,
        **server_user(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}")


@contextmanager
def serving(binaries: Path, folder: Path, *options: str) -> Iterator[None]:
    """Run the server of a cluster until the block ends."""
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [
                *_dies_with_us(),
                binaries / "postgres",
                *("-D", folder / "data"),
                *("-c", "listen_addresses="),
                *("-c", f"unix_socket_directories={folder}"),
                *("-c", "max_connections=200"),
                *("-c", "timezone=UTC"),
                *options,
            ],
            cwd=folder,
            **server_user(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(server, folder, log)
        yield
    finally:
        _stop(server)


def _wait_until_ready(server: "subprocess.Popen[bytes]", folder: Path, log: Path) -> None:
    ready_line = f"{'ready':8}"  # what the server writes last into its pid file
    pid_file = folder / "data" / "postmaster.pid"
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        if pid_file.exists() and ready_line in pid_file.read_text().splitlines():
            return
        time.sleep(0.02)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    # SIGINT ends open sessions and shuts down in order; SIGQUIT does not wait for that.
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(how)
        try:
            server.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            continue
        return


def _dies_with_us() -> list[str]:
    """Have the kernel stop the server if the test run is killed and cannot stop it itself."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []


def server_user() -> dict[str, Any]:
    """Return the parameters of subprocess for the user of the server: initdb refuses root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(SUPERUSER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _database(url: str) -> str:
    return url.removeprefix("postgresql:///").partition("?")[0]
