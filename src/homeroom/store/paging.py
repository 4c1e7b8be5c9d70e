"""Lists in pages, with filters that can be combined.

Paging is by key: the next page begins after the key of the last row of this page, not after a
number of rows. Rows that are added or deleted between two pages therefore shift no others. Each
combination of filters is one statement, compiled once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, FromClause, Text, bindparam, func, select, tuple_

from homeroom.base.errors import HomeroomError
from homeroom.base.values import Value
from homeroom.store.engine import SQLValue, Transaction
from homeroom.store.statement import Statement

R = TypeVar("R")
PageKey = tuple[int, ...]
Filters = Mapping[str, SQLValue]

SCHOOL = "school"
BEFORE_FIRST = -1
"""A value below every key."""


@dataclass(frozen=True)
class ListDefinition(Generic[R]):
    """Definition of a list: its table, its columns, its order and its filters."""

    name: str
    make_row: Callable[..., R]
    columns: tuple[ColumnElement[Any], ...]
    source: FromClause
    school: ColumnElement[int]
    """Column of the school that a row belongs to. A list of all schools is ordered by it first."""
    order: tuple[ColumnElement[int], ...]
    """Columns that order the rows of one school. An index covers the school and these columns."""
    filters: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)
    """Conditions by name. Each uses the parameter of its own name, and may use `now`."""
    selective_filters: frozenset[str] = frozenset()
    """Filters that have an index of their own; the index by school must not be used instead."""
    selective_school: ColumnElement[int] | None = None
    """Column of the school to use with a selective filter: one of another table."""
    time_order: tuple[ColumnElement[int], ...] = ()
    """Columns that order the rows of one school if one of `time_filters` is used."""
    time_filters: frozenset[str] = frozenset()


class PageRequest(Value, frozen=True):
    """The page to read: at most `limit` rows after the key `after`, in an order."""

    limit: int
    after: PageKey | None = None
    order: str | None = None
    now: int = 0


class Page(Value, Generic[R], frozen=True):
    """Rows of a list; `next` is the key to continue after, None on the last page."""

    rows: list[R]
    next: PageKey | None
    order: str


class CursorMismatchError(HomeroomError):
    """The key to continue after belongs to another list, or to another order of this list."""


_STATEMENTS: dict[tuple[str, str, frozenset[str]], Statement] = {}
"""Compiled statements; the lists and filters of the read-back API bound their number."""


def fetch_page(
    tx: Transaction, definition: ListDefinition[R], filters: Filters, request: PageRequest
) -> Page[R]:
    """Return one page of a list.

    Raises `CursorMismatchError` if the key to continue after is not one of this list and order.
    """
    filter_names = frozenset(filters)
    order = _order_name(definition, filter_names)
    width = len(_order(definition, order))
    after = request.after if request.after is not None else (BEFORE_FIRST,) * width
    if request.after is not None and (request.order, len(after)) != (order, width):
        raise CursorMismatchError
    values: dict[str, SQLValue] = {
        **filters,
        **{f"after_{place}": key for place, key in enumerate(after)},
        "now": request.now,
        "row_limit": request.limit + 1,
    }
    rows = tx.fetch_all(_statement(definition, order, filter_names), values)
    visible = rows[: request.limit]
    next_key = tuple(visible[-1][:width]) if len(rows) > request.limit else None
    return Page([definition.make_row(*row[width:]) for row in visible], next_key, order)


def _order_name(definition: ListDefinition[Any], filter_names: frozenset[str]) -> str:
    if SCHOOL not in filter_names:
        return f"{definition.name} of all"
    if filter_names & definition.time_filters and not filter_names & definition.selective_filters:
        return f"{definition.name} by time"
    return definition.name


def _order(definition: ListDefinition[Any], name: str) -> tuple[ColumnElement[int], ...]:
    if name.endswith(" of all"):
        columns = (definition.school, *definition.order)
        return columns if definition.school is not definition.order[0] else definition.order
    return definition.time_order if name.endswith(" by time") else definition.order


def _statement(
    definition: ListDefinition[Any], order: str, filter_names: frozenset[str]
) -> Statement:
    key = (definition.name, order, filter_names)
    statement = _STATEMENTS.get(key)
    if statement is None:
        statement = _STATEMENTS[key] = _build_statement(definition, order, filter_names)
    return statement


def _build_statement(
    definition: ListDefinition[Any], order: str, filter_names: frozenset[str]
) -> Statement:
    keys = _order(definition, order)
    school = definition.school
    if definition.selective_school is not None and filter_names & definition.selective_filters:
        school = definition.selective_school
    conditions = {SCHOOL: school == bindparam(SCHOOL), **definition.filters}
    after = [bindparam(f"after_{place}", type_=BigInteger()) for place in range(len(keys))]
    comes_after = keys[0] > after[0] if len(keys) == 1 else tuple_(*keys) > tuple_(*after)
    return Statement(
        select(*keys, *definition.columns)
        .select_from(definition.source)
        .where(comes_after, *(conditions[name] for name in sorted(filter_names)))
        .order_by(*keys)
        .limit(bindparam("row_limit"))
    )


def deletion_filter(moment: ColumnElement[int | None]) -> ColumnElement[bool]:
    """Return the condition that a row is deleted (parameter `deleted` is 1) or is not (0)."""
    return moment.is_not(None) == (bindparam("deleted") == 1)


def substring_filter(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Return the condition that a text contains a parameter; the case of A to Z does not matter."""
    pattern = func.lower(bindparam(name, type_=Text()))
    return func.lower(column).like(pattern, escape="\\")


def like_pattern(text: str) -> str:
    """Return the LIKE pattern that finds a text anywhere, for `substring_filter`."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
