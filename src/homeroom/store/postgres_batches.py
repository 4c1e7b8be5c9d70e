"""One statement on PostgreSQL for several units of work that run it with different values.

The values of all units travel as one list of records. A SELECT is joined to the records laterally.
An INSERT with RETURNING gets its ids before it runs: by them its rows find their records, since the
order of RETURNING is not promised. Other writes count the rows of each record. A write is batched
only if it reads nothing that another unit's one may change.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from homeroom.store.engine import Row
from homeroom.store.statement import POSTGRESQL, Binder, Statement
from homeroom.store.tables import metadata

_PARAMETER: Final = re.compile(r"%\((\w+)\)s(?:::(\w+))?")
_INSERT: Final = re.compile(r"INSERT INTO (\w+) \((.*)\) VALUES \((.*)\) RETURNING (.*)", re.DOTALL)
_WRITE: Final = re.compile(r"(?:INSERT INTO|DELETE FROM|UPDATE) (\w+)")
_INSERT_LISTED: Final = re.compile(r"INSERT INTO (\w+) \((.*?)\) (SELECT .*)", re.DOTALL)
_DELETE: Final = re.compile(r"DELETE FROM (\w+) WHERE (.*)", re.DOTALL)
_UPDATE_ONE: Final = re.compile(r'UPDATE (\w+) SET (.*) WHERE (\1\.id = batch\."(\w+)")', re.DOTALL)
"""An UPDATE of the row with an id."""
_encode = msgspec.json.Encoder().encode


class Batch(NamedTuple):
    """A statement for several units; its parameter `records` is a list as JSON."""

    sql: bytes
    bind_unit: Binder
    first_column: int = 0
    """The first column of the rows that the units get; 0: they get the number of their rows.
    Column 0 is the number of the unit."""
    key: str = ""
    """The parameter that names the row to write, if there is one."""

    def can_take(self, values: Sequence[dict[str, Any]], *, has_rows: bool) -> bool:
        """Tell whether it does for these units what the statement does for each of them."""
        if has_rows != bool(self.first_column):
            return False
        # One statement writes a row only once.
        return not self.key or len({each[self.key] for each in values}) == len(values)

    def bind(self, values: Sequence[dict[str, Any]]) -> dict[str, str]:
        """Return the parameter for the values of each unit."""
        records = [
            self.bind_unit({**each, "batch_number": place}) for place, each in enumerate(values)
        ]
        return {"records": _encode(records).decode()}

    def split_rows(self, rows: Sequence[Row], count: int) -> list[Any]:
        """Return the rows of each unit, or their number."""
        if not self.first_column:
            counts: dict[int, int] = dict(rows)
            return [counts.get(place, 0) for place in range(count)]
        by_unit: list[list[Row]] = [[] for _ in range(count)]
        for row in rows:
            by_unit[row[0]].append(row[self.first_column :])
        return by_unit


@lru_cache(maxsize=512)
def build_batch(statement: Statement) -> Batch | None:
    """Return a statement for several units, or None if there is none that surely does the same."""
    sql, bind_unit = statement.compile_for(POSTGRESQL)
    types: dict[str, str] = {}
    for name, kind in _PARAMETER.findall(sql):
        types[name] = kind or types.get(name, "")
    if not all(types.values()):
        return None  # the type of a value is not known here
    columns = ", ".join(["batch_number INTEGER", *(f'"{name}" {types[name]}' for name in types)])
    source = f"jsonb_to_recordset(CAST(%(records)s AS JSONB)) AS batch({columns})"
    body = _PARAMETER.sub(r'batch."\1"', sql)
    if body.startswith("SELECT ") and " FOR " not in body:
        # A subquery with an order is run for each record, and its rows keep that order.
        lateral = f"CROSS JOIN LATERAL ({body}) AS results"
        return Batch(
            f"SELECT batch_number, results.* FROM {source} {lateral}".encode(),  # noqa: S608  SQL of our own
            bind_unit,
            1,
        )
    if (insert := _INSERT.fullmatch(body)) and " ON CONFLICT " not in body:
        return _build_insert(insert, source, bind_unit)
    return _build_write(body, source, bind_unit)


def _build_insert(insert: re.Match[str], source: str, bind_unit: Binder) -> Batch | None:
    table, columns, values, returning = insert.groups()
    key = metadata.tables[table].autoincrement_column
    if key is None or key.name in columns.split(", "):
        return None
    sql = (
        f"WITH batch AS MATERIALIZED (SELECT nextval('{table}_{key.name}_seq') AS batch_id, batch.*"  # noqa: S608  SQL of our own
        f" FROM {source}), results AS (INSERT INTO {table} ({key.name}, {columns})"
        f" SELECT batch_id, {values} FROM batch ORDER BY batch_number"
        f" RETURNING {key.name} AS batch_id, {returning})"
        " SELECT batch_number, results.* FROM batch JOIN results USING (batch_id)"
    )
    return Batch(sql.encode(), bind_unit, 2)


def _build_write(body: str, source: str, bind_unit: Binder) -> Batch | None:
    """Return a batch of writes that return no rows."""
    head = _WRITE.match(body)
    if head is None or " RETURNING " in body:
        return None
    if re.search(rf"\b{head[1]}\b(?!\.)", body[head.end() :]):
        return None  # it reads rows that another unit may write
    key, more = "", ""
    if insert := _INSERT_LISTED.fullmatch(body):
        table, columns, select = insert.groups()
        if " ON CONFLICT " in select:
            return None
        rows = (
            f"SELECT batch_number, results.* FROM {source}"  # noqa: S608  SQL of our own
            f" CROSS JOIN LATERAL ({select}) AS results({columns})"
        )
        more = f", written AS (INSERT INTO {table} ({columns}) SELECT {columns} FROM results)"  # noqa: S608  SQL of our own
    elif delete := _DELETE.fullmatch(body):
        table, condition = delete.groups()
        rows = f"DELETE FROM {table} USING {source} WHERE {condition} RETURNING batch_number"  # noqa: S608  SQL of our own
    elif update := _UPDATE_ONE.fullmatch(body):
        table, values, condition, key = update.groups()
        rows = f"UPDATE {table} SET {values} FROM {source} WHERE {condition} RETURNING batch_number"  # noqa: S608  SQL of our own
    else:
        return None
    counts = "SELECT batch_number, count(*) FROM results GROUP BY batch_number"
    return Batch(f"WITH results AS ({rows}){more} {counts}".encode(), bind_unit, key=key)
