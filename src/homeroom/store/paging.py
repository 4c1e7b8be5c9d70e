"""Lists in pages: filters that may be combined, and a place to go on from that stays true.

A page goes on after the key of the last row shown, never after a count of rows, so rows that come
or go meanwhile move no others. Each combination of filters is one statement, compiled once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, FromClause, Text, bindparam, func, select, tuple_

from homeroom.base.errors import HomeroomError
from homeroom.store.engine import Transaction, Value
from homeroom.store.statement import Statement

R = TypeVar("R")
PageKey = tuple[int, ...]
Filters = Mapping[str, Value]

SCHOOL = "school"
BEFORE_FIRST = -1
"""Less than any key."""


@dataclass(frozen=True)
class ListDefinition(Generic[R]):
    """A list: where its rows come from, what of them is shown, and what may be asked."""

    name: str
    make_row: Callable[..., R]
    columns: tuple[ColumnElement[Any], ...]
    source: FromClause
    school: ColumnElement[int]
    """The column that says whose a row is; it leads the order of several schools."""
    order: tuple[ColumnElement[int], ...]
    """What orders the rows of one school; an index begins with the school and these."""
    filters: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)
    """Conditions by name; each takes the parameter of its own name, and `now`."""
    selective_filters: frozenset[str] = frozenset()
    """Filters with an index of their own, which the one by school must not keep from use."""
    selective_school: ColumnElement[int] | None = None
    """What says whose a row is when a narrow filter is used: a column of another table."""
    time_order: tuple[ColumnElement[int], ...] = ()
    """What orders the rows of one school instead when a filter of `timed` is used."""
    time_filters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: how long, and after which row of which order; `now` is for states."""

    limit: int
    after: PageKey | None = None
    order: str | None = None
    now: int = 0


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some rows, and the key of the last of them where more follow."""

    rows: list[R]
    next: PageKey | None
    order: str


class CursorMismatchError(HomeroomError):
    """The place to go on from belongs to another list, or to the same in another order."""


_STATEMENTS: dict[tuple[str, str, frozenset[str]], Statement] = {}
"""Bounded: by the lists and the combinations of their filters that a door lets through."""


def fetch_page(
    tx: Transaction, definition: ListDefinition[R], filters: Filters, request: PageRequest
) -> Page[R]:
    """Return one page of a list."""
    filter_names = frozenset(filters)
    order = _order_name(definition, filter_names)
    width = len(_order(definition, order))
    after = (BEFORE_FIRST,) * width if request.after is None else request.after
    if request.after is not None and (request.order, len(after)) != (order, width):
        raise CursorMismatchError
    values: dict[str, Value] = {
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


def deleted_filter(moment: ColumnElement[int | None]) -> ColumnElement[bool]:
    """Ask for rows with a moment of deletion, or for those without: 1 or 0 is given."""
    return moment.is_not(None) == (bindparam("deleted") == 1)


def substring_filter(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Ask for a part of a text; capitals of the Latin alphabet do not matter."""
    pattern = func.lower(bindparam(name, type_=Text()))
    return func.lower(column).like(pattern, escape="\\")


def like_pattern(text: str) -> str:
    """Return what finds a text anywhere in another, for `has_part`."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
