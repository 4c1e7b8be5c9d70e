"""Savings of CPU time and of waiting in the processes of the tests, which no test can see.

A server that runs as a process of its own has none of them.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Final

import httpx
import pytest
from argon2 import PasswordHasher

from homeroom.base import passwords
from homeroom.jobs import worker
from homeroom.store import sqlite
from homeroom.store.engine import Engine
from homeroom.store.sqlite import SqliteEngine

REAL_HASHER: Final = passwords.HASHER
CHEAP_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""It hashes in 0.03 ms; the real one takes 18 ms, which is half of a test's CPU time."""


@contextmanager
def shortcuts() -> Iterator[None]:
    """Hash passwords cheaply, and read the certificates of all authorities once.

    Each client of httpx would read them again, which takes 22 ms. Jobs that a test adds beside the
    server are found sooner.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", CHEAP_HASHER)
        patch.setattr(worker, "MAX_SLEEP_SECONDS", 0.25)
        patch.setattr(
            "httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context)
        )
        yield


@contextmanager
def without_syncing() -> Iterator[None]:
    """Let SQLite not wait for the disk on connections that are opened here.

    A running server uses its connection at once: no other thread may change it then.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "SYNCHRONOUS", "OFF")
        yield


def stop_syncing(engine: Engine) -> None:
    """Let commits of SQLite not wait for the disk: in a test no machine crashes."""
    if not isinstance(engine, SqliteEngine):
        return
    # The writer may be in a transaction, where SQLite refuses to change this.
    for _ in range(1000):
        with suppress(sqlite3.OperationalError):
            engine.tx.connection.execute("PRAGMA synchronous = OFF")
            return
