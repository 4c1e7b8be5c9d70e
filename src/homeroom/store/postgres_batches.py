"""One statement on PostgreSQL for several units of work that run it with different values.

The values of all units travel as one list of records. A SELECT is joined to the records laterally.
An INSERT with RETURNING gets its ids before it runs: by them its rows find their records, since the
order of RETURNING is not promised.
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
_encode = msgspec.json.Encoder().encode


class Batch(NamedTuple):
    """A statement for several units; its parameter `records` is a list as JSON."""

    sql: bytes
    bind_unit: Binder
    first_column: int
    """The first column of the rows that the units get; column 0 is the number of the unit."""

    def bind(self, values: Sequence[dict[str, Any]]) -> dict[str, str]:
        """Return the parameter for the values of each unit."""
        records = [
            self.bind_unit({**each, "batch_number": place}) for place, each in enumerate(values)
        ]
        return {"records": _encode(records).decode()}

    def split_rows(self, rows: Sequence[Row], count: int) -> list[list[Row]]:
        """Return the rows of each unit."""
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
    return None


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
