"""A statement for several units of work gives each the rows that it gets alone."""

import gc
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any, Final

import msgspec
import psycopg
import pytest
from sqlalchemy import BigInteger, SmallInteger

import homeroom.store
from homeroom.store import job_queue, lessons, viewers
from homeroom.store.migrate import migrate
from homeroom.store.postgres_batches import build_batch
from homeroom.store.postgres_connection import PostgresTransaction
from homeroom.store.statement import POSTGRESQL, Statement
from homeroom.store.tables import metadata
from tests.support.postgres import Postgres

pytestmark = pytest.mark.pg

ROWS: Final = 8
UNITS: Final = 6
TEXTS: Final = ("a", "b", "数学", "it's 100 %", 'back\\slash "quoted"', "")
INSERT: Final = re.compile(r"INSERT INTO (\w+) \((.*)\) VALUES \((.*)\) RETURNING (.*)", re.DOTALL)
PARAMETER: Final = re.compile(r"%\((\w+)\)s(?:::(\w+))?")
WITHOUT_RULES: Final = """
DO $$ DECLARE rule record; BEGIN
  FOR rule IN SELECT conrelid::regclass AS owner, conname FROM pg_constraint
      WHERE contype IN ('c', 'f', 'u') AND connamespace = 'public'::regnamespace LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', rule.owner, rule.conname);
  END LOOP;
  FOR rule IN SELECT indexrelid::regclass AS name FROM pg_index JOIN pg_class ON oid = indexrelid
      WHERE indisunique AND NOT indisprimary AND relnamespace = 'public'::regnamespace LOOP
    EXECUTE format('DROP INDEX %s', rule.name);
  END LOOP;
END $$
"""
"""Any values may stand in any row: the statements need not make sense."""


def list_batched() -> list[Statement]:
    """Return the statements of all modules of the store that can be batched."""
    for module in pkgutil.iter_modules(homeroom.store.__path__, "homeroom.store."):
        importlib.import_module(module.name)
    lessons.build_add_all(1)
    statements = [each for each in gc.get_objects() if isinstance(each, Statement)]
    batched = [each for each in statements if build_batch(each) is not None]
    return sorted(batched, key=lambda each: each.compile_for(POSTGRESQL).sql)


@pytest.fixture(scope="module")
def tx(postgres: Postgres) -> Iterator[PostgresTransaction]:
    """Return a connection to a database with random rows."""
    address = postgres.fresh()
    migrate(address)
    random = Random(12)
    with psycopg.connect(address) as connection:
        connection.execute(WITHOUT_RULES)
        for table in metadata.sorted_tables:
            columns = [column for column in table.c if column is not table.autoincrement_column]
            names = ", ".join(f'"{column.name}"' for column in columns)
            marks = ", ".join(["%s"] * len(columns))
            insert = f"INSERT INTO {table.name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608  names of our own
            for number in range(ROWS):
                row = [
                    random.choice([number, random.randrange(4)])
                    if isinstance(column.type, BigInteger | SmallInteger)
                    else random.choice(TEXTS) + str(number // 2)
                    for column in columns
                ]
                connection.execute(insert.encode(), row)
    tx = PostgresTransaction(address)
    yield tx
    tx.close()


@contextmanager
def rolled_back(tx: PostgresTransaction) -> Iterator[None]:
    tx.begin_write()
    try:
        yield
    finally:
        tx.reset()


def make_values(sql: str, random: Random) -> dict[str, Any]:
    """Return values for the parameters of a statement."""
    types: dict[str, str] = {}
    for name, kind in PARAMETER.findall(sql):
        types[name] = kind or types.get(name, "")
    return {name: make_value(sql, name, kind, random) for name, kind in types.items()}


def make_value(sql: str, name: str, kind: str, random: Random) -> int | str | None:
    if f"CAST(%({name})s::{kind} AS JSONB)" in sql:
        return msgspec.json.encode(make_items(sql, name, random)).decode()
    if kind == "VARCHAR":
        return random.choice((*TEXTS, None) if sql.startswith("SELECT") else TEXTS)
    return random.randrange(ROWS)


def make_items(sql: str, name: str, random: Random) -> list[Any]:
    """Return a list parameter, of values or of lists, as the statement reads them."""
    fields = re.findall(rf"(CAST\()?list_{name}\.value ->> (\d+)", sql)
    count = random.randrange(4)
    if not fields:
        return [random.randrange(ROWS) for _ in range(count)]
    is_integer = {int(index): bool(cast) for cast, index in fields}
    width = max(is_integer) + 1
    return [
        [
            random.randrange(ROWS) if is_integer.get(index, True) else random.choice(TEXTS)
            for index in range(width)
        ]
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_reads_of_several_units_are_those_of_each_alone(tx: PostgresTransaction, seed: int) -> None:
    random = Random(seed)
    compared = 0
    for statement in list_batched():
        sql = statement.compile_for(POSTGRESQL).sql
        if not sql.startswith("SELECT"):
            continue
        values = [make_values(sql, random) for _ in range(UNITS)]
        with rolled_back(tx), suppress(psycopg.errors.CardinalityViolation):
            alone = [tx.fetch_all(statement, each) for each in values]
            batch = tx.run_batch(statement, values, has_rows=True)
            compared += 1
            if "LIMIT" in sql and "ORDER BY" not in sql:  # any rows will do
                assert list(map(len, batch)) == list(map(len, alone)), sql
            elif "ORDER BY" in sql:
                assert batch == alone, sql
            else:
                assert list(map(Counter, batch)) == list(map(Counter, alone)), sql
    assert compared > 50


@pytest.mark.parametrize("seed", range(4))
def test_each_unit_gets_the_row_that_it_inserted(tx: PostgresTransaction, seed: int) -> None:
    random = Random(seed)
    tables = set()
    for statement in list_batched():
        sql = statement.compile_for(POSTGRESQL).sql
        if " RETURNING " not in sql:
            continue
        table, columns, placeholders, returning = INSERT.findall(sql)[0]
        assert returning.endswith(f"{table}.id")
        tables.add(table)
        values = [make_values(sql, random) for _ in range(UNITS)]
        compiled = statement.compile_for(POSTGRESQL)
        expected = f"SELECT {placeholders}"
        with rolled_back(tx):
            rows = tx.run_batch(statement, values, has_rows=True)
            for each, [(*_, number)] in zip(values, rows, strict=True):
                inserted = f"SELECT {columns} FROM {table} WHERE id = {number}"  # noqa: S608  names of our own
                row = tx.cursor.execute(inserted.encode()).fetchall()
                assert row == tx.cursor.execute(expected.encode(), compiled.bind(each)).fetchall()
    assert "lessons" in tables


@pytest.mark.parametrize("seed", range(4))
def test_writes_of_several_units_are_those_of_each_in_turn(
    tx: PostgresTransaction, seed: int
) -> None:
    random = Random(seed)
    compared: Counter[str] = Counter()
    for statement in list_batched():
        sql = statement.compile_for(POSTGRESQL).sql
        if sql.startswith("SELECT") or " RETURNING " in sql:
            continue
        kind, table = re.findall(r"(INSERT INTO|DELETE FROM|UPDATE) (\w+)", sql)[0]
        generated = metadata.tables[table].autoincrement_column
        columns = ", ".join(c.name for c in metadata.tables[table].c if c is not generated)
        values = [make_values(sql, random) for _ in range(UNITS)]
        if kind == "UPDATE":
            key = re.findall(r"\.id = %\((\w+)\)", sql)[0]
            for number, each in enumerate(values):
                each[key] = number
            batch = build_batch(statement)
            assert batch is not None
            assert batch.can_take(values, has_rows=False)
            assert not batch.can_take([*values, values[0]], has_rows=False)
        outcomes: list[object] = []
        for write in (
            lambda: [tx.execute(statement, each) for each in values],  # noqa: B023  called at once
            lambda: tx.run_batch(statement, values, has_rows=False),  # noqa: B023  called at once
        ):
            with rolled_back(tx):
                try:
                    counts = write()
                except psycopg.errors.UniqueViolation:
                    outcomes.append((0, Counter()))
                    continue
                rows = tx.cursor.execute(f"SELECT {columns} FROM {table}".encode()).fetchall()  # noqa: S608  names of our own
                # Of two units that delete a row, either may count it.
                outcomes.append((sum(counts) if kind == "DELETE FROM" else counts, Counter(rows)))
        assert outcomes[0] == outcomes[1], sql
        compared[kind] += outcomes[0] != (0, Counter())
    assert min(compared["INSERT INTO"], compared["DELETE FROM"], compared["UPDATE"]) > 1, compared


def test_only_statements_that_surely_do_the_same_are_batched() -> None:
    kinds = {each.compile_for(POSTGRESQL).sql.split()[0] for each in list_batched()}
    assert kinds == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert build_batch(viewers._SAVE) is None  # noqa: SLF001  an INSERT with ON CONFLICT
    assert build_batch(job_queue._DUE) is None  # noqa: SLF001  a SELECT that locks
