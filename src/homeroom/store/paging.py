"""Lists in pages, with filters that can be combined.

Paging is by key: the next page begins after the key of the last row of this page, not after a
number of rows. Rows that are added or deleted between two pages therefore shift no others. Each
combination of filters is one statement, compiled once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Text,
    bindparam,
    func,
    select,
)

from homeroom.base.errors import HomeroomError
from homeroom.base.values import Value
from homeroom.store.engine import Row, SQLValue, Transaction
from homeroom.store.plan_hints import come_after, hide_from_indexes
from homeroom.store.statement import Statement

R = TypeVar("R")
PageKey = tuple[int, ...]
Keys = tuple[ColumnElement[int], ...]
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
    """Filters that have an index of their own, in the order of the rows of one school."""
    parameters: frozenset[str] = frozenset()
    """Values, passed as filters, that the table itself needs; they are no conditions."""
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


_STATEMENTS: dict[tuple[str, str, frozenset[str], int], Statement] = {}
"""Compiled statements; the lists and filters of the read-back API bound their number."""
_OF_ALL = " of all"
_BY_TIME = " by time"


def fetch_page(
    tx: Transaction, definition: ListDefinition[R], filters: Filters, request: PageRequest
) -> Page[R]:
    """Return one page of a list.

    Raises `CursorMismatchError` if the key to continue after is not one of this list and order.
    """
    order = _order_name(definition, frozenset(filters))
    groups = _group_keys(definition, order)
    width = sum(map(len, groups))
    after = request.after if request.after is not None else (BEFORE_FIRST,) * width
    if request.after is not None and (request.order, len(after)) != (order, width):
        raise CursorMismatchError
    values: dict[str, SQLValue] = {
        **filters,
        **{f"after_{place}": key for place, key in enumerate(after)},
        "now": request.now,
    }
    rows: list[Row] = []
    for depth in range(len(groups) - 1 if request.after is not None else 0, -1, -1):
        missing = request.limit + 1 - len(rows)
        if missing:
            statement = _get_statement(definition, order, frozenset(filters), depth)
            rows += tx.fetch_all(statement, {**values, "row_limit": missing})
    visible = rows[: request.limit]
    next_key = tuple(visible[-1][:width]) if len(rows) > request.limit else None
    return Page([definition.make_row(*row[width:]) for row in visible], next_key, order)


def _order_name(definition: ListDefinition[Any], filter_names: frozenset[str]) -> str:
    if filter_names & definition.selective_filters:
        return definition.name
    if SCHOOL not in filter_names:
        return definition.name + _OF_ALL
    if filter_names & definition.time_filters:
        return definition.name + _BY_TIME
    return definition.name


def _group_keys(definition: ListDefinition[Any], order: str) -> list[Keys]:
    """Return the columns that order a list, in groups that an index can have together.

    The columns of another table are another group, and so is the school in a list of all schools.
    A page has first the rest of the group that the page before ended in, then the groups after it.
    """
    columns = definition.time_order if order.endswith(_BY_TIME) else definition.order
    groups = [tuple(group) for _, group in groupby(columns, lambda column: column.table)]
    if order.endswith(_OF_ALL) and columns[0] is not definition.school:
        groups.insert(0, (definition.school,))
    return groups


def _get_statement(
    definition: ListDefinition[Any], order: str, filter_names: frozenset[str], depth: int
) -> Statement:
    key = (definition.name, order, filter_names, depth)
    statement = _STATEMENTS.get(key)
    if statement is None:
        statement = _STATEMENTS[key] = _build_statement(definition, order, filter_names, depth)
    return statement


def _build_statement(
    definition: ListDefinition[Any], order: str, filter_names: frozenset[str], depth: int
) -> Statement:
    """Return the statement for rows with the same keys up to a group, and later ones in it."""
    groups = _group_keys(definition, order)
    keys = [key for group in groups for key in group]
    after = [bindparam(f"after_{place}", type_=BigInteger()) for place in range(len(keys))]
    fixed = sum(map(len, groups[:depth]))
    same = list(zip(keys[:fixed], after[:fixed], strict=True))
    conditions = [
        definition.filters[name] for name in sorted(filter_names - {SCHOOL} - definition.parameters)
    ]
    order_by = keys
    if SCHOOL in filter_names:
        school = bindparam(SCHOOL, type_=BigInteger())
        if filter_names & definition.selective_filters:
            conditions.append(hide_from_indexes(definition.school) == school)
        else:
            same.insert(0, (definition.school, school))
            order_by = [definition.school, *keys]
    return Statement(
        select(*keys, *definition.columns)
        .select_from(definition.source)
        .where(come_after(same, groups[depth], after[fixed:]), *conditions)
        .order_by(*order_by)
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
