"""Swept rows: what the retention deleted, kept as JSON until it is restored or erased.

The rows leave their own tables, so that no page, list or export can show them by mistake.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    ClauseElement,
    ColumnElement,
    Table,
    bindparam,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId
from homeroom.domain.retention import SweptScope, SweptSort, SweptSummary
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    chat_entries,
    lessons,
    pushes,
    reservations,
    swept_rows,
    users,
    viewers,
)

_TABLES = {
    SweptSort.VIEWERS: viewers,
    SweptSort.CHATS: chat_entries,
    SweptSort.PUSHES: pushes,
}
RESTORE_ORDER = (SweptSort.PUSHES, SweptSort.CHATS, SweptSort.VIEWERS)
"""Messages before their authors: a viewer who is restored finds them."""
_row_ids = ListParameter("row_ids")


def _list_of(table: Table) -> Statement:
    return Statement(
        select(lessons.c.school_id, *table.c)
        .select_from(table.join(lessons, lessons.c.id == table.c.lesson_id))
        .where(_row_ids.contains(table.c.id))
        .order_by(table.c.id)
    )


_LIST_OF = {sort: _list_of(table) for sort, table in _TABLES.items()}
_DELETE_FROM = {
    sort: Statement(delete(table).where(_row_ids.contains(table.c.id)))
    for sort, table in _TABLES.items()
}
_LIST_AUTHORED = Statement(
    select(chat_entries.c.viewer_id, chat_entries.c.id).where(
        _row_ids.contains(chat_entries.c.viewer_id)
    )
)
_DETACH_AUTHORS = Statement(
    update(chat_entries).where(_row_ids.contains(chat_entries.c.viewer_id)).values(viewer_id=null())
)
# They end with the class: a viewer who is restored needs none.
_DELETE_RESERVATIONS = Statement(
    delete(reservations).where(_row_ids.contains(reservations.c.viewer_id))
)
_ATTACH_AUTHOR = Statement(
    update(chat_entries)
    .where(_row_ids.contains(chat_entries.c.id), chat_entries.c.viewer_id.is_(None))
    .values(viewer_id=bindparam("viewer"))
)
_new_rows = ListParameter("new_rows")
_KEEP = Statement(
    insert(swept_rows).from_select(
        ["school_id", "lesson_id", "sort", "content", "swept_at", "erase_after"],
        select(
            _new_rows.integer(0),
            _new_rows.integer(1),
            _new_rows.text(2),
            _new_rows.text(3),
            _new_rows.integer(4),
            _new_rows.integer(5),
        ).select_from(_new_rows.source),
    )
)


def _find_existing(column: ColumnElement[int], parameter: BindParameter[int]) -> Any:  # noqa: ANN401  a scalar subquery
    return select(column).where(column == parameter).scalar_subquery()


def _restore_into(table: Table) -> Statement:
    """Return the insert of a row that was swept; what it referred to may be gone since."""
    values: dict[str, Any] = {column.name: bindparam(f"old_{column.name}") for column in table.c}
    for name, target in (("user_id", users), ("viewer_id", viewers)):
        if name in values:
            values[name] = _find_existing(target.c.id, values[name])

    def build(insert_of_dialect: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
        new = insert_of_dialect(table).values(values)
        if table is viewers:
            # The viewer may have come back since: then both rows are one.
            new = new.on_conflict_do_update(
                index_elements=["lesson_id", "identity"],
                set_={
                    "watched": viewers.c.watched + new.excluded.watched,
                    "first_seen_at": new.excluded.first_seen_at,
                    "telephone": func.coalesce(viewers.c.telephone, new.excluded.telephone),
                    "muted_at": func.coalesce(viewers.c.muted_at, new.excluded.muted_at),
                },
            )
        else:
            new = new.on_conflict_do_nothing()
        returning: ClauseElement = new.returning(table.c.id)
        return returning

    return Statement(build)


_RESTORE_INTO = {sort: _restore_into(table) for sort, table in _TABLES.items()}
_school: BindParameter[int] = bindparam("school")
_lesson: BindParameter[int] = bindparam("lesson")
# An id is above 0, and 0 is no limit: PostgreSQL cannot tell the type of a parameter that is NULL.
_IN_SCOPE = (
    or_(_school == 0, swept_rows.c.school_id == _school),
    or_(_lesson == 0, swept_rows.c.lesson_id == _lesson),
    swept_rows.c.swept_at >= bindparam("since"),
)
_LIST = Statement(
    select(swept_rows.c.id, swept_rows.c.content)
    .where(*_IN_SCOPE, swept_rows.c.sort == bindparam("row_sort"))
    .order_by(swept_rows.c.id)
    .limit(bindparam("limit"))
)
_SUMMARIZE = Statement(
    select(
        swept_rows.c.school_id,
        swept_rows.c.lesson_id,
        swept_rows.c.sort,
        func.count(),
        func.max(swept_rows.c.swept_at),
        func.min(swept_rows.c.erase_after),
    )
    .where(*_IN_SCOPE)
    .group_by(swept_rows.c.school_id, swept_rows.c.lesson_id, swept_rows.c.sort)
    .order_by(swept_rows.c.school_id, swept_rows.c.lesson_id, swept_rows.c.sort)
    .limit(bindparam("limit"))
)
_DELETE = Statement(delete(swept_rows).where(_row_ids.contains(swept_rows.c.id)))
_ERASE = Statement(delete(swept_rows).where(*_IN_SCOPE))
_LIST_SCHOOLS_TO_ERASE = Statement(
    select(swept_rows.c.school_id).where(swept_rows.c.erase_after <= bindparam("now")).distinct()
)
_LIST_TO_ERASE = Statement(
    select(swept_rows.c.id)
    .where(swept_rows.c.school_id == _school, swept_rows.c.erase_after <= bindparam("now"))
    .limit(bindparam("limit"))
)


class SweptRows:
    """Repository of swept rows."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def sweep(
        self, sort: SweptSort, ids: Collection[int], now: Moment, erase_after: Moment
    ) -> None:
        """Move rows out of their table; messages of a swept viewer stay, under their names."""
        if not ids:
            return
        row_ids = {"row_ids": msgspec.json.encode(list(ids)).decode()}
        table = _TABLES[sort]
        authored: dict[int, list[int]] = {}
        if sort is SweptSort.VIEWERS:
            for viewer, entry in self._tx.fetch_all(_LIST_AUTHORED, row_ids):
                authored.setdefault(viewer, []).append(entry)
            self._tx.execute(_DETACH_AUTHORS, row_ids)
            self._tx.execute(_DELETE_RESERVATIONS, row_ids)
        new_rows = []
        for school, *values in self._tx.fetch_all(_LIST_OF[sort], row_ids):
            row = dict(zip(table.c.keys(), values, strict=True))
            content = {"row": row, "messages": authored.get(row["id"], [])}
            text = msgspec.json.encode(content).decode()
            new_rows.append([school, row["lesson_id"], sort.value, text, now, erase_after])
        self._tx.execute(_KEEP, {"new_rows": msgspec.json.encode(new_rows).decode()})
        self._tx.execute(_DELETE_FROM[sort], row_ids)

    def restore(self, sort: SweptSort, scope: SweptScope, limit: int) -> int:
        """Put some swept rows of a sort back into their table; return how many were taken."""
        values = {**_scope_values(scope), "row_sort": sort.value, "limit": limit}
        rows = self._tx.fetch_all(_LIST, values)
        for _, text in rows:
            content = msgspec.json.decode(text)
            old = {f"old_{name}": value for name, value in content["row"].items()}
            restored = self._tx.fetch_all(_RESTORE_INTO[sort], old)
            if sort is SweptSort.VIEWERS and restored and content["messages"]:
                messages = msgspec.json.encode(content["messages"]).decode()
                self._tx.execute(_ATTACH_AUTHOR, {"row_ids": messages, "viewer": restored[0][0]})
        self._delete([number for number, _ in rows])
        return len(rows)

    def summarize(self, scope: SweptScope, limit: int) -> list[SweptSummary]:
        """Count the swept rows by school, class and sort."""
        rows = self._tx.fetch_all(_SUMMARIZE, {**_scope_values(scope), "limit": limit})
        return [
            SweptSummary(
                SchoolId(school), LessonId(lesson), SweptSort(sort), count, swept_at, erase_after
            )
            for school, lesson, sort, count, swept_at, erase_after in rows
        ]

    def erase(self, scope: SweptScope) -> int:
        """Erase swept rows for good; return their number."""
        return self._tx.execute(_ERASE, _scope_values(scope))

    def list_schools_to_erase(self, now: Moment) -> list[SchoolId]:
        """Return the schools with swept rows that are to be erased by now."""
        return [
            SchoolId(row[0]) for row in self._tx.fetch_all(_LIST_SCHOOLS_TO_ERASE, {"now": now})
        ]

    def erase_some(self, school: SchoolId, now: Moment, limit: int) -> list[int]:
        """Erase some swept rows of a school that are to be erased by now; return their ids."""
        values = {"school": school, "now": now, "limit": limit}
        ids = [row[0] for row in self._tx.fetch_all(_LIST_TO_ERASE, values)]
        self._delete(ids)
        return ids

    def _delete(self, ids: list[int]) -> None:
        if ids:
            self._tx.execute(_DELETE, {"row_ids": msgspec.json.encode(ids).decode()})


def _scope_values(scope: SweptScope) -> dict[str, Any]:
    return {"school": scope.school or 0, "lesson": scope.lesson or 0, "since": scope.since}
