"""The statements that one school's units of work issue, on either engine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from homeroom.store.postgres import PostgresEngine
from homeroom.store.sqlite import SqliteEngine
from tests.support.given import Given


@contextmanager
def traced(given: Given) -> Iterator[list[str]]:
    """Write down each statement that units of the school run until the block ends."""
    engine = given.store.engine
    issued: list[str] = []
    ours: set[int] = set()

    def on_sqlite(sql: str, _values: dict[str, Any]) -> None:
        issued.append(sql)

    def on_postgresql(sql: str, _values: dict[str, Any]) -> None:
        # Other connections look for jobs at the same time: only what begins with our turn counts.
        thread = threading.get_ident()
        if sql.startswith("BEGIN"):
            ours.discard(thread)
            if f", {given.school.id})" in sql:
                ours.add(thread)
        if thread in ours:
            issued.append(sql)

    if isinstance(engine, SqliteEngine):
        engine.tx.trace = on_sqlite
        try:
            yield issued
        finally:
            engine.tx.trace = None
        return
    assert isinstance(engine, PostgresEngine)
    engine.trace = on_postgresql
    for tx in engine._open:  # noqa: SLF001  connections held already do not ask the engine
        tx.trace = on_postgresql
    try:
        yield issued
    finally:
        engine.trace = None
        for tx in engine._open:  # noqa: SLF001  as above
            tx.trace = None
