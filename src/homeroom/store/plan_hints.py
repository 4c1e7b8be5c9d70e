"""Conditions that lead both query planners to the right index.

PostgreSQL makes a plan before it knows the values, SQLite from statistics that may be old. Both
then expect the rows of an average school.
"""

from collections.abc import Sequence

from sqlalchemy import BindParameter, ColumnElement, and_, literal_column, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from homeroom.store.statement import POSTGRESQL, SQLITE

Columns = Sequence[ColumnElement[int]]
Parameters = Sequence[BindParameter[int]]


def hide_from_indexes(column: ColumnElement[int]) -> ColumnElement[int]:
    """Return the value of a column as an expression, so that no index on the column is used.

    Without statistics, SQLite takes every index for equally good: it would look through all rows
    of a school for those of one person.
    """
    return column + literal_column("0")


def come_after(
    same: Sequence[tuple[ColumnElement[int], BindParameter[int]]], keys: Columns, after: Parameters
) -> ColumnElement[bool]:
    """Return the condition that some columns are the same, and keys come after other ones."""
    if len(same) == len(keys) == 1:
        return _ComesAfter(*same[0], keys[0], after[0])
    later = keys[0] > after[0] if len(keys) == 1 else tuple_(*keys) > tuple_(*after[: len(keys)])
    return and_(*(column == value for column, value in same), later)


class _ComesAfter(ColumnElement[bool]):
    """The condition that a row belongs to a parent and comes after a key of one column.

    With `parent = x`, PostgreSQL might read the rows of all parents in the order of the key. As a
    range of both columns, only the index that has both serves.
    """

    inherit_cache = False

    def __init__(
        self,
        parent: ColumnElement[int],
        value: BindParameter[int],
        key: ColumnElement[int],
        after: BindParameter[int],
    ) -> None:
        self.in_parent = and_(parent == value, key > after)
        self.in_range = and_(tuple_(parent, key) > tuple_(value, after), parent <= value)


@compiles(_ComesAfter, SQLITE)
def _comes_after_sqlite(element: _ComesAfter, compiler: SQLCompiler, **kw: object) -> str:
    return compiler.process(element.in_parent, **kw)


@compiles(_ComesAfter, POSTGRESQL)
def _comes_after_postgresql(element: _ComesAfter, compiler: SQLCompiler, **kw: object) -> str:
    return compiler.process(element.in_range, **kw)
