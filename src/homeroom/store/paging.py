"""Lists in pages: filters that may be combined, and a place to go on from that stays true.

A page goes on after the key of the last row shown, never after a count of rows, so rows that come
or go meanwhile move no others. Each combination of filters is one statement, compiled once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, FromClause, Text, bindparam, func, select, tuple_

from homeroom.store.engine import Tx, Value
from homeroom.store.statement import Statement

R = TypeVar("R")
Key = tuple[int, ...]
Filters = Mapping[str, Value]

SCHOOL = "school"
FIRST = -1
"""Less than any key."""


@dataclass(frozen=True)
class Listed(Generic[R]):
    """A list: where its rows come from, what of them is shown, and what may be asked."""

    name: str
    make: Callable[..., R]
    columns: tuple[ColumnElement[Any], ...]
    source: FromClause
    school: ColumnElement[int]
    """The column that says whose a row is; it leads the order of several schools."""
    order: tuple[ColumnElement[int], ...]
    """What orders the rows of one school; an index begins with the school and these."""
    filters: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)
    """Conditions by name; each takes the parameter of its own name, and `now`."""
    narrow: frozenset[str] = frozenset()
    """Filters with an index of their own, which the one by school must not keep from use."""
    narrow_school: ColumnElement[int] | None = None
    """What says whose a row is when a narrow filter is used: a column of another table."""
    by_time: tuple[ColumnElement[int], ...] = ()
    """What orders the rows of one school instead when a filter of `timed` is used."""
    timed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Span:
    """Which page: how long, and after which row of which order; `now` is for states."""

    limit: int
    after: Key | None = None
    order: str | None = None
    now: int = 0


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some rows, and the key of the last of them where more follow."""

    rows: list[R]
    next: Key | None
    order: str


class OtherOrder(Exception):
    """The place to go on from belongs to another list, or to the same in another order."""


_STATEMENTS: dict[tuple[str, str, frozenset[str]], Statement] = {}
"""Bounded: by the lists and the combinations of their filters that a door lets through."""


def page(tx: Tx, listed: Listed[R], filters: Filters, span: Span) -> Page[R]:
    """Return one page of a list."""
    shape = frozenset(filters)
    order = _order_name(listed, shape)
    width = len(_order(listed, order))
    after = (FIRST,) * width if span.after is None else span.after
    if span.after is not None and (span.order, len(after)) != (order, width):
        raise OtherOrder
    values: dict[str, Value] = {
        **filters,
        **{f"after_{place}": key for place, key in enumerate(after)},
        "now": span.now,
        "row_limit": span.limit + 1,
    }
    rows = tx.all(_statement(listed, order, shape), values)
    shown = rows[: span.limit]
    following = tuple(shown[-1][:width]) if len(rows) > span.limit else None
    return Page([listed.make(*row[width:]) for row in shown], following, order)


def _order_name(listed: Listed[Any], shape: frozenset[str]) -> str:
    if SCHOOL not in shape:
        return f"{listed.name} of all"
    if shape & listed.timed and not shape & listed.narrow:
        return f"{listed.name} by time"
    return listed.name


def _order(listed: Listed[Any], name: str) -> tuple[ColumnElement[int], ...]:
    if name.endswith(" of all"):
        columns = (listed.school, *listed.order)
        return columns if listed.school is not listed.order[0] else listed.order
    return listed.by_time if name.endswith(" by time") else listed.order


def _statement(listed: Listed[Any], order: str, shape: frozenset[str]) -> Statement:
    key = (listed.name, order, shape)
    statement = _STATEMENTS.get(key)
    if statement is None:
        statement = _STATEMENTS[key] = _built(listed, order, shape)
    return statement


def _built(listed: Listed[Any], order: str, shape: frozenset[str]) -> Statement:
    keys = _order(listed, order)
    school = listed.school
    if listed.narrow_school is not None and shape & listed.narrow:
        school = listed.narrow_school
    held = {SCHOOL: school == bindparam(SCHOOL), **listed.filters}
    after = [bindparam(f"after_{place}", type_=BigInteger()) for place in range(len(keys))]
    comes_after = keys[0] > after[0] if len(keys) == 1 else tuple_(*keys) > tuple_(*after)
    return Statement(
        select(*keys, *listed.columns)
        .select_from(listed.source)
        .where(comes_after, *(held[name] for name in sorted(shape)))
        .order_by(*keys)
        .limit(bindparam("row_limit"))
    )


def is_deleted(moment: ColumnElement[int | None]) -> ColumnElement[bool]:
    """Ask for rows with a moment of deletion, or for those without: 1 or 0 is given."""
    return moment.is_not(None) == (bindparam("deleted") == 1)


def has_part(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Ask for a part of a text; capitals of the Latin alphabet do not matter."""
    wanted = func.lower(bindparam(name, type_=Text()))
    return func.lower(column).like(wanted, escape="\\")


def part(text: str) -> str:
    """Return what finds a text anywhere in another, for `has_part`."""
    for special in "\\%_":
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
