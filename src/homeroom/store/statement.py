"""Statements: written once in SQLAlchemy Core, compiled once for each engine, run as plain SQL.

SQLAlchemy compiles a statement and takes no part in running it: the driver gets the SQL and the
values. No value needs converting, because the tables hold only integers and text, and both drivers
return those as they are.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple, cast

from sqlalchemy import BigInteger, Dialect, ScalarSelect, Text, bindparam, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, ColumnElement, TableValuedAlias
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

SQLITE = "sqlite"
POSTGRESQL = "postgresql"


class _Dialect(NamedTuple):
    """How SQLAlchemy writes statements for an engine."""

    compiles_for: Dialect
    insert: Callable[..., Any]
    """The dialect's own insert; that of Core has no ON CONFLICT."""


@cache
def _find_dialect(engine: str) -> _Dialect:
    if engine == SQLITE:
        return _Dialect(sqlite.dialect(paramstyle="qmark"), sqlite.insert)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  it takes 30 ms to import
    from sqlalchemy.dialects.postgresql import psycopg  # noqa: PLC0415  it takes 30 ms to import

    dialect: Dialect = psycopg.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it so
    return _Dialect(dialect, postgresql.insert)


Parameters = tuple[Any, ...] | dict[str, Any]
"""The parameters of a statement as the driver takes them: by position, or by name."""
Binder = Callable[[dict[str, Any]], Parameters]
"""Returns the parameters for named values; it adds the constants of the statement."""


def _bind_nothing(_values: dict[str, Any]) -> Parameters:
    return ()


class CompiledStatement(NamedTuple):
    """The SQL of a statement for one driver, and what makes its parameters."""

    sql: str
    bind: Binder = _bind_nothing


class Statement:
    """A statement of SQLAlchemy Core, or a function that builds it with the dialect's insert."""

    def __init__(self, build: ClauseElement | Callable[[Any], ClauseElement]) -> None:
        self._build = build
        self._texts: dict[str, CompiledStatement] = {}

    def compile_for(self, engine: str) -> CompiledStatement:
        """Return the statement for an engine; it is compiled at its first use."""
        compiled_text = self._texts.get(engine)
        if compiled_text is None:
            dialect, insert = _find_dialect(engine)
            core = self._build(insert) if callable(self._build) else self._build
            compiled = cast(
                "SQLCompiler",
                core.compile(dialect=dialect, compile_kwargs={"render_postcompile": True}),
            )
            constants = {
                name: value
                for name, value in compiled.params.items()
                if value is not None or not compiled.binds[name].required
            }
            bind = _make_binder(constants, compiled.positiontup)
            compiled_text = self._texts[engine] = CompiledStatement(str(compiled), bind)
        return compiled_text


def _make_binder(constants: dict[str, Any], names: Sequence[str] | None) -> Binder:
    """Return the binder of a statement: by position, or by name if there are no positions.

    By position is faster: SQLite's driver looks up the name of each parameter at each call.
    """
    if names is None:
        return lambda values: {**constants, **values}
    if not names:
        return _bind_nothing
    # With one name, `itemgetter` returns no tuple.
    order = itemgetter(*names) if len(names) > 1 else _get_single(names[0])
    return (lambda values: order({**constants, **values})) if constants else order


def _get_single(name: str) -> Binder:
    return lambda values: (values[name],)


# --- list parameters: one statement reads or writes many rows ---------------------------------


class _JSONItems(FunctionElement[Any]):
    """The items of a JSON list, passed as text, as a table with one row for each item."""

    name = "json_items"
    inherit_cache = True


@compiles(_JSONItems, SQLITE)
def _items_sqlite(element: _JSONItems, compiler: SQLCompiler, **kw: object) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_JSONItems, POSTGRESQL)
def _items_postgresql(element: _JSONItems, compiler: SQLCompiler, **kw: object) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **kw)} AS JSONB))"


class _ItemField(ColumnElement[Any]):
    """A member of an item that is a list; without an index, the item itself."""

    inherit_cache = False

    def __init__(self, item: ColumnElement[Any], index: int | None, *, is_integer: bool) -> None:
        self.item = item
        self.index = index
        self.is_integer = is_integer
        self.type = BigInteger() if is_integer else Text()


@compiles(_ItemField, SQLITE)
def _item_field_sqlite(element: _ItemField, compiler: SQLCompiler, **kw: object) -> str:
    item = compiler.process(element.item, **kw)
    return f"json_extract({item}, '$[{element.index}]')" if element.index is not None else item


@compiles(_ItemField, POSTGRESQL)
def _item_field_postgresql(element: _ItemField, compiler: SQLCompiler, **kw: object) -> str:
    item = compiler.process(element.item, **kw)
    sql = f"{item} #>> '{{}}'" if element.index is None else f"{item} ->> {element.index}"
    return f"CAST({sql} AS BIGINT)" if element.is_integer else f"({sql})"


class _InList(ColumnElement[bool]):
    """The condition that a list contains the value of a column.

    PostgreSQL gets the list as an array, because it looks up an array's members by index. It does
    not know how long a JSON list is, and might go through the whole list for each row.
    """

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], items: ScalarSelect[Any]) -> None:
        self.column = column
        self.items = items


@compiles(_InList, SQLITE)
def _in_list_sqlite(element: _InList, compiler: SQLCompiler, **kw: object) -> str:
    return f"{compiler.process(element.column, **kw)} IN {compiler.process(element.items, **kw)}"


@compiles(_InList, POSTGRESQL)
def _in_list_postgresql(element: _InList, compiler: SQLCompiler, **kw: object) -> str:
    items = compiler.process(element.items, **kw)
    return f"{compiler.process(element.column, **kw)} = ANY(ARRAY{items})"


class ListParameter:
    """A parameter that holds a list, as a table: each item is a list of values, or one value."""

    def __init__(self, parameter: str) -> None:
        self.source: TableValuedAlias = _JSONItems(bindparam(parameter, type_=Text())).table_valued(
            "value", name=f"list_{parameter}"
        )

    def integer(self, index: int | None = None) -> ColumnElement[int]:
        """Return the integer at an index of the item, or the item itself."""
        return _ItemField(self.source.c.value, index, is_integer=True)

    def text(self, index: int | None = None) -> ColumnElement[str]:
        """Return the text at an index of the item, or the item itself."""
        return _ItemField(self.source.c.value, index, is_integer=False)

    def contains(self, column: ColumnElement[int]) -> ColumnElement[bool]:
        """Return the condition that the list, of integers, contains the value of a column."""
        return _InList(column, select(self.integer()).select_from(self.source).scalar_subquery())
