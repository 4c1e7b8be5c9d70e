"""The limit: the statements of one addCourseClass, replayed through the plain driver without HTTP.

They are captured from a real call by tracing the engine; 32 units make a commit. What must be
unique has a fresh value in each unit, all else is as the call had it.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.target import Account, Place, lesson_form
from homeroom.base.clock import SystemClock
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.settings import Settings
from homeroom.contract.lessons import ADD_COURSE_CLASS
from homeroom.domain.webcasts import Hosts
from homeroom.folder import database_address
from homeroom.partner.handlers.lessons import add_course_class
from homeroom.partner.routes import CallContext
from homeroom.store.engine import Engine
from homeroom.store.postgres import PostgresEngine
from homeroom.store.postgres_connection import PostgresTransaction
from homeroom.store.sqlite import SqliteEngine, SqliteTransaction
from homeroom.store.statement import CompiledStatement, Parameters
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases.dependencies import Dependencies

UNITS = 32
FRESH = ("identity", "unique_identity", "key", "stream", "stream_signature")
"""Parameters with a fresh value in each unit; most are under unique indexes."""
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True)
class Traced:
    """One statement as it reached the driver."""

    compiled: CompiledStatement
    values: dict[str, Any]

    def fresh(self, number: int) -> Parameters:
        """Return the parameters of another unit, each as wide as it was."""
        mine = self.values.copy()
        for name in FRESH:
            old = mine.get(name)
            if old is not None:
                mine[name] = f"{number:0{len(old)}d}"
        return self.compiled.bind(mine)


def capture_statements(settings: Settings, account: Account, place: Place) -> list[Traced]:
    """Return the statements of one call, a course that has classes already."""
    seen: list[Traced] = []

    def trace(compiled: CompiledStatement, values: dict[str, Any]) -> None:
        if not compiled.sql.startswith(CONTROL):
            seen.append(Traced(compiled, values))

    where = database_address(settings)
    engine: Engine
    if isinstance(where, Path):
        engine = SqliteEngine(where)
        engine.tx.trace = trace
    else:
        engine = PostgresEngine(where, trace)
    with closing(Store(engine, SystemClock())) as store:
        for number in range(3):
            seen.clear()
            _add(store, account, place, number)
    return seen


def _add(store: Store, account: Account, place: Place, number: int) -> None:
    form = lesson_form(account, place)
    form["courseUniqueIdentity"] = f"trace {time.time_ns()} {number}"[-9:]
    params = ADD_COURSE_CLASS.reader().read(form)
    school = SchoolId(account.sid)
    deps = Dependencies(KeyGenerator(), KeyGenerator().secret(), 0)

    def unit(uow: UnitOfWork) -> None:
        hosts = Hosts("http://localhost", "rtmp://localhost", "http://localhost")
        add_course_class(CallContext(uow, school, deps, hosts, None), params)

    store.write(unit, school)


def replay_statements(
    settings: Settings, unit: list[Traced], first_number: int, seconds: float
) -> float:
    """Return units per second of the plain driver, `UNITS` to a commit."""
    where = database_address(settings)
    tx = SqliteTransaction(where) if isinstance(where, Path) else PostgresTransaction(where)
    with closing(tx.connection):
        run = _runner(tx)
        spent = 0.0
        count = 0
        while spent < seconds:
            # Making the values is no work of the driver, so it is not in the measured time.
            numbers = range(first_number + count, first_number + count + UNITS)
            group = [(each.compiled.sql, each.fresh(number)) for number in numbers for each in unit]
            began = time.perf_counter()
            if isinstance(tx, SqliteTransaction):
                tx.control("BEGIN IMMEDIATE")
            else:
                tx.begin_write()
            for sql, parameters in group:
                run(sql, parameters)
            tx.connection.execute("COMMIT")
            spent += time.perf_counter() - began
            count += UNITS
    return count / spent


def _runner(tx: SqliteTransaction | PostgresTransaction) -> Callable[[str, Parameters], object]:
    if isinstance(tx, SqliteTransaction):
        execute = tx.connection.execute
        return lambda sql, parameters: execute(sql, parameters).fetchall()
    cursor = tx.cursor
    encoded: dict[str, bytes] = {}

    def run(sql: str, parameters: Parameters) -> object:
        cursor.execute(encoded.setdefault(sql, sql.encode()), parameters)
        return cursor.fetchall()

    return run
