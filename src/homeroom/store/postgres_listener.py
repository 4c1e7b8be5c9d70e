"""A connection to PostgreSQL on which this process hears announcements (LISTEN)."""

import logging
import select
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from homeroom.store.engine import StoreError
from homeroom.store.postgres_connection import ConnectionCutter, connect

if TYPE_CHECKING:
    from homeroom.store.engine import Row

log = logging.getLogger("homeroom.store")

FIRST_PAUSE_SECONDS = 0.5
"""Pause before a lost connection is opened again; each later one is twice as long."""
MAX_PAUSE_SECONDS = 30.0
CLOSE_SECONDS = 1.0
"""Longest wait for the thread to end; while it opens a connection, it is left to the process."""


class PostgresListener:
    """Hears the announcements of a channel in a thread, and connects again when that fails.

    What is announced in between is lost: a listener saves a server time, and no server may depend
    on one. A pooler gives each transaction another connection, so behind it nothing is heard.
    """

    def __init__(self, address: str, channel: str, on_announced: Callable[[str], None]) -> None:
        """Begin to listen; `on_announced` gets each text, in the thread."""
        self._address = address
        self._channel = channel
        self._on_announced = on_announced
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._cutter: ConnectionCutter | None = None
        self.is_listening = False
        # A daemon: a server that never answers must not hold the process.
        self._thread = threading.Thread(target=self._run, name="store-listener", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """True until it is closed, or finds a pooler."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End the connection and the thread."""
        self._closing.set()
        with self._lock:
            if self._cutter is not None:
                self._cutter.disconnect()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        pause, is_reported = FIRST_PAUSE_SECONDS, False
        while not self._closing.is_set():
            try:
                self._listen()
            except (psycopg.Error, StoreError) as failure:
                if self.is_listening:
                    pause, is_reported, self.is_listening = FIRST_PAUSE_SECONDS, False, False
                if not is_reported and not self._closing.is_set():
                    log.warning("listener_lost: chats are polled", extra={"reason": str(failure)})
                    is_reported = True
                self._closing.wait(pause)
                pause = min(2 * pause, MAX_PAUSE_SECONDS)
            else:
                return

    def _listen(self) -> None:
        """Hear announcements until the connection is lost; return at once behind a pooler."""
        with connect(self._address) as connection:
            if _is_pooled(connection):
                log.info("listener_off: behind a pooler, chats are polled")
                return
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            cutter = ConnectionCutter(connection)
            with self._lock:
                self._cutter = cutter
            try:
                self._hear(connection)
            finally:
                with self._lock:
                    self._cutter = None
                cutter.close()

    def _hear(self, connection: "psycopg.Connection[Row]") -> None:
        # The driver's own wait wakes up ten times a second.
        readable = select.poll()
        readable.register(connection.fileno(), select.POLLIN)
        self.is_listening = True
        log.info("listener_started")
        while not self._closing.is_set():
            connection.pgconn.consume_input()
            while (announced := connection.pgconn.notifies()) is not None:
                self._on_announced(announced.extra.decode())
            readable.poll()


def _is_pooled(connection: "psycopg.Connection[Row]") -> bool:
    """Return whether a pooler is in between: it makes up the process id of the handshake."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row is None or row[0] != connection.info.backend_pid
