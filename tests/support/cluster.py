"""PostgreSQL clusters that belong to one test run: private, real and gone at the end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg

SUPERUSER: Final = "postgres"
STARTS_WITHIN: Final = 30.0
STOPS_WITHIN: Final = 15.0
NO_SYNC: Final = "fsync=off"
"""Setting of a cluster whose server may crash, but not the machine."""


class NoPostgresError(Exception):
    """This machine has no PostgreSQL server to start."""


class Cluster:
    """The server of a cluster, which a test may stop, pause and start again.

    It is reached through a socket in its folder, which only its owner may enter.
    """

    def __init__(self, folder: Path, *settings: str) -> None:
        """Start the server with settings such as `fsync=off`."""
        self.folder: Final = folder
        self.data: Final = folder / "data"
        self._settings = (
            "listen_addresses=",
            f"unix_socket_directories={folder}",
            "max_connections=200",
            "timezone=UTC",
            *settings,
        )
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def is_running(self) -> bool:
        """Whether the server runs; it ends itself when its log cannot be written."""
        return self._server is not None and self._server.poll() is None

    def url(self, database: str = "postgres") -> str:
        """Name a database of this cluster as libpq wants it."""
        return f"postgresql:///{database}?host={self.folder}&user={SUPERUSER}"

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as the superuser."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def fresh(self, owner: str = SUPERUSER) -> str:
        """Make a database and return its URL."""
        name = f"test_{time.monotonic_ns()}"
        self.run(f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0")
        return self.url(name)

    def start(self) -> None:
        """Start the server."""
        log = self.folder / "log"
        with log.open("wb") as output:
            self._server = subprocess.Popen(
                [
                    *_dies_with_us(),
                    find_postgres() / "postgres",
                    *("-D", self.data),
                    *(word for setting in self._settings for word in ("-c", setting)),
                ],
                cwd=self.folder,
                **server_user(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_ready(self._server)
        except BaseException as failure:
            self.close()
            message = f"PostgreSQL did not start:\n{log.read_text(errors='replace')}"
            raise RuntimeError(message) from failure

    def close(self) -> None:
        """Stop the server in order, if it runs."""
        # SIGINT ends open sessions and shuts down in order; SIGQUIT does not wait for that.
        self._stop(signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

    def stop_immediately(self) -> None:
        """Stop the server as a crash does: the next start recovers from its log."""
        self._stop(signal.SIGQUIT, signal.SIGKILL)

    def kill(self) -> None:
        """End the server and all its processes at once, as a machine that loses its power."""
        for pid in self._list_processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._stop(signal.SIGKILL)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause the server and all its processes until the block ends."""
        with paused_processes(self._list_processes()):
            yield

    def _list_processes(self) -> list[int]:
        assert self._server is not None
        pid = self._server.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def _stop(self, *signals: signal.Signals) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        for number in signals:
            server.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                server.wait(STOPS_WITHIN)
                return

    def _wait_until_ready(self, server: "subprocess.Popen[bytes]") -> None:
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + STARTS_WITHIN
        while server.poll() is None and time.monotonic() < deadline:
            with suppress(FileNotFoundError):
                # A server that was killed leaves such a file too.
                lines = pid_file.read_text().splitlines()
                if lines[:1] == [str(server.pid)] and lines[-1].strip() in ("ready", "standby"):
                    return
            time.sleep(0.02)
        raise TimeoutError


def find_postgres() -> Path:
    """Return the folder of the newest server's binaries, as Debian lays them out."""
    found = list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return max(found, key=lambda path: int(path.parts[-3])).parent
    if beside := shutil.which("initdb"):
        return Path(beside).resolve().parent
    raise NoPostgresError("no PostgreSQL server here: install Debian's package `postgresql`")


@contextmanager
def running_cluster(*settings: str) -> Iterator[Cluster]:
    """Make a cluster of our own and start it; stop and remove it whatever happens."""
    with cluster_folder() as folder:
        make_cluster(folder)
        with closing(Cluster(folder, *settings)) as cluster:
            yield cluster


@contextmanager
def running_standby(primary: Cluster, *settings: str) -> Iterator[Cluster]:
    """Copy a running cluster and start the copy, which follows it until it is promoted."""
    with cluster_folder() as folder:
        _run(
            "pg_basebackup",
            f"--pgdata={folder / 'data'}",
            f"--host={primary.folder}",
            f"--username={SUPERUSER}",
            "--checkpoint=fast",
            "--write-recovery-conf",
            "--no-sync",
            folder=folder,
        )
        with closing(Cluster(folder, *settings)) as standby:
            yield standby


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """Make a folder for a cluster, and remove it at the end."""
    find_postgres()
    # A socket's path may have 107 bytes, so pytest's own long folders will not do.
    folder = Path(tempfile.mkdtemp(prefix="homeroom-pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SUPERUSER)
        yield folder
    finally:
        shutil.rmtree(folder)


def make_cluster(folder: Path, *options: str) -> None:
    """Make the files of a cluster, with further options of `initdb`."""
    _run(
        "initdb",
        f"--pgdata={folder / 'data'}",
        f"--username={SUPERUSER}",
        "--auth=trust",  # the folder's own mode, 0700, keeps others out
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",  # this skips one sync of an empty cluster; the server syncs all its writes
        "--no-instructions",
        *options,
        folder=folder,
    )


def _run(program: str, *options: str, folder: Path) -> None:
    done = subprocess.run(
        [find_postgres() / program, *options],
        cwd=folder,
        **server_user(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program} failed:\n{done.stdout}")


@contextmanager
def paused_processes(pids: list[int]) -> Iterator[None]:
    """Pause processes until the block ends (SIGSTOP)."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


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
