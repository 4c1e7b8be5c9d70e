"""Recipes: the statements of one call of an action, for a server that runs nothing else.

They are traced from a real call. A parameter whose value came from the form becomes a slot, so that
each call of the thin server has its own; what the call made up (key, signature) is a slot too.
"""

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from homeroom.base.clock import SystemClock
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.settings import Settings
from homeroom.domain.webcasts import Hosts
from homeroom.folder import database_address, unlock
from homeroom.partner.routes import CallContext
from homeroom.partner.table import V1_TABLE
from homeroom.store.engine import Engine
from homeroom.store.postgres import PostgresEngine
from homeroom.store.sqlite import SqliteEngine
from homeroom.store.statement import CompiledStatement
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases.dependencies import Dependencies

CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
MIN_WIDTH = 8
"""Characters from which a value is taken to come from the form where it is equal."""
CREDENTIALS = ("SID", "safeKey", "timeStamp")
KEY, SIGNATURE = "#key", "#signature"
"""Slots for what a call makes up: the key of a class, and the signature of its pull URL."""
MADE_UP = {KEY: re.compile(r"lessonKey=(\w+)"), SIGNATURE: re.compile(r"txSecret=(\w+)")}
FINISH_JOB, JOB = "#finish", "#job"
"""The second transaction of deleteClassVideo, after the file was erased, and its slot."""
HOSTS = Hosts("http://localhost", "rtmp://localhost", "http://localhost")


class Slot(msgspec.Struct):
    """A parameter that has another value in each call."""

    at: int | str
    """The position or the name of the parameter."""
    field: str
    """The field of the form, `KEY` or `SIGNATURE`."""
    before: str
    after: str
    """What stands around the value of the field."""
    is_number: bool


class Step(msgspec.Struct):
    """One statement with the parameters that it had in the traced call."""

    sql: str
    parameters: list[Any] | dict[str, Any]
    slots: list[Slot]


class Recipe(msgspec.Struct):
    """What a yardstick needs to answer calls of one school."""

    database: str
    """A file of SQLite, or the URL of a PostgreSQL database."""
    sid: int
    secret: str
    actions: dict[str, list[Step]]
    has_pool: bool = False
    """Whether PgBouncer shares the connections, so that nothing can be prepared on them."""


def trace_actions(
    settings: Settings, sid: int, forms: dict[str, dict[str, str]]
) -> dict[str, list[Step]]:
    """Return the statements of a call of each action; the calls change the database."""
    where = database_address(settings)
    seen: list[tuple[str, Any]] = []

    def trace(compiled: CompiledStatement, values: dict[str, Any]) -> None:
        if not compiled.sql.startswith(CONTROL):
            seen.append((compiled.sql, compiled.bind(values)))

    engine: Engine
    if isinstance(where, Path):
        engine = SqliteEngine(where)
        engine.tx.trace = trace
    else:
        engine = PostgresEngine(where, trace)
    recipes: dict[str, list[Step]] = {}
    with closing(Store(engine, SystemClock())) as store:
        unlock(store, settings)
        for action, form in forms.items():
            seen.clear()
            result = _call(store, SchoolId(sid), action, form)
            sources = {
                name: value
                for name, value in form.items()
                if len(value) >= MIN_WIDTH and name not in CREDENTIALS
            }
            for slot, pattern in MADE_UP.items():
                if match := pattern.search(repr(result)):
                    sources[slot] = match[1]
            recipes[action] = [_make_step(sql, values, sources) for sql, values in seen]
    recipes[FINISH_JOB] = [_finish_job(is_named=settings.database is not None)]
    return recipes


def _finish_job(*, is_named: bool) -> Step:
    """Return the statement that deletes a job which is done."""
    slot = Slot("job" if is_named else 0, JOB, "", "", is_number=True)
    if is_named:
        return Step("DELETE FROM jobs WHERE id = %(job)s RETURNING id", {"job": 0}, [slot])
    return Step("DELETE FROM jobs WHERE id = ? RETURNING id", [0], [slot])


def _call(store: Store, school: SchoolId, action: str, form: dict[str, str]) -> object:
    route = next(route for route in V1_TABLE if route.action.name == action)
    params = route.reader.read(form)
    # No action of the bench prepares anything from files.
    no_storage: Any = None
    prepared = route.prepare(no_storage, params) if route.prepare else None
    deps = Dependencies(KeyGenerator(), KeyGenerator().secret(), 0)
    results: list[object] = []

    def unit(uow: UnitOfWork) -> None:
        results.append(route.handler(CallContext(uow, school, deps, HOSTS, prepared), params))

    store.write(unit, school)
    return results[0]


def _make_step(
    sql: str, parameters: tuple[Any, ...] | dict[str, Any], sources: dict[str, str]
) -> Step:
    is_named = isinstance(parameters, dict)
    items = parameters.items() if isinstance(parameters, dict) else enumerate(parameters)
    slots = [slot for at, value in items if (slot := _find_slot(at, value, sources))]
    return Step(sql, dict(parameters) if is_named else list(parameters), slots)


def _find_slot(at: int | str, value: object, sources: dict[str, str]) -> Slot | None:
    text = str(value)
    for field, source in sources.items():
        before, is_there, after = text.partition(source)
        if is_there and not (isinstance(value, int) and text != source):
            return Slot(at, field, before, after, isinstance(value, int))
    return None
