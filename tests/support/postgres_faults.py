"""PostgreSQL in trouble: connections that stand still, a network that fails, a pooler."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg

from tests.support.cluster import SUPERUSER, paused_processes, server_user
from tests.support.postgres import Postgres

PGBOUNCER: Final = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def paused_backends(postgres: Postgres, address: str) -> Iterator[None]:
    """Pause the processes that serve a database now; new ones work."""
    with psycopg.connect(postgres.url("postgres")) as admin:
        rows = admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s",
            (psycopg.conninfo.conninfo_to_dict(address)["dbname"],),
        ).fetchall()
    with paused_processes([pid for (pid,) in rows]):
        yield


class Proxy:
    """A network between a client and a server's socket, which a test can break.

    `on_commit` is called when a client sends COMMIT, with the name of the cut to make: "before" it
    reaches the server, "after" the server has answered it, "" for none, "silent" to lose all
    packets from now on.
    """

    def __init__(self, server: Path) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.on_commit: Callable[[], str] = lambda: ""
        self.refuses = False
        self._sockets: list[socket.socket] = []
        self._start(self._accept)

    def url(self, database: str) -> str:
        """Name a database as reached through this proxy."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def close(self) -> None:
        """End all connections."""
        self.refuses = True
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _start(self, run: Callable[..., None], *args: object) -> None:
        threading.Thread(target=run, args=args, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                if self.refuses or server.connect_ex(str(self._server)):
                    client.close()
                    server.close()
                    continue
                self._sockets += [client, server]
                cut = [""]
                self._start(self._forward, client, server, cut)
                self._start(self._return, server, client, cut)

    def _forward(self, client: socket.socket, server: socket.socket, cut: list[str]) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if b"COMMIT" in data:
                    cut[0] = self.on_commit()
                if cut[0] == "before":
                    break
                if cut[0] != "silent":
                    server.sendall(data)
        _end(server)
        if cut[0] == "before":
            _end(client)

    def _return(self, server: socket.socket, client: socket.socket, cut: list[str]) -> None:
        with suppress(OSError):
            while (data := server.recv(65536)) and cut[0] != "after":
                if cut[0] != "silent":
                    client.sendall(data)
        if cut[0] != "silent":
            _end(client)


@contextmanager
def proxied(folder: Path) -> Iterator[Proxy]:
    """Open a way to the server's socket that a test can break."""
    proxy = Proxy(folder / ".s.PGSQL.5432")
    try:
        yield proxy
    finally:
        proxy.close()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def running_pgbouncer(server: Path, size: int = 4) -> Iterator[int]:
    """Run a PgBouncer that shares a few connections between transactions; gives its port."""
    assert PGBOUNCER is not None
    folder = Path(tempfile.mkdtemp(prefix="homeroom-pgbouncer-", dir="/tmp"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "users.txt").write_text(f'"{SUPERUSER}" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {folder}/users.txt\n"
        f"pool_mode = transaction\ndefault_pool_size = {size}\n"
    )
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, SUPERUSER)
    process = subprocess.Popen(
        [PGBOUNCER, "-q", str(folder / "pgbouncer.ini")],
        **server_user(),  # it refuses root too
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_port(port)
        yield port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def _wait_for_port(port: int) -> None:
    for _ in range(500):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens at port {port}")
