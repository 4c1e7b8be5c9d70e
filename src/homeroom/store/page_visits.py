"""Visits of pages that have not ended; each server renews those of its own viewers."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import ClauseElement, bindparam, delete, select, tuple_

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, VisitId
from homeroom.domain.page_visits import PageVisit, VisitKey
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import page_visits

_rows = ListParameter("rows")
_COLUMNS = (
    "lesson_id",
    "visit_key",
    "is_replay",
    "client_type",
    "started_at",
    "address",
    "account",
    "nickname",
)
_INTEGERS = frozenset({"lesson_id", "is_replay", "client_type", "started_at"})
_RENEWED = ("client_type", "address", "account", "nickname", "last_seen_at")


def _save(insert: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    new = insert(page_visits).from_select(
        [*_COLUMNS, "beat", "last_seen_at"],
        select(
            *(
                (_rows.integer if name in _INTEGERS else _rows.text)(place)
                for place, name in enumerate(_COLUMNS)
            ),
            bindparam("beat", 1, type_=page_visits.c.beat.type),
            bindparam("now", type_=page_visits.c.last_seen_at.type),
        )
        .select_from(_rows.source)
        # Without a WHERE, SQLite would read the ON of ON CONFLICT as the condition of a join.
        .where(_rows.integer(0) > 0)
        # Always in one order, so that two servers cannot deadlock.
        .order_by(_rows.integer(0), _rows.text(1)),
    )
    upsert: ClauseElement = new.on_conflict_do_update(
        index_elements=["lesson_id", "visit_key"],
        set_={name: new.excluded[name] for name in _RENEWED} | {"beat": page_visits.c.beat + 1},
    )
    return upsert


_ended = (
    page_visits.c.lesson_id,
    page_visits.c.visit_key,
    page_visits.c.is_replay,
    page_visits.c.client_type,
    page_visits.c.started_at,
    page_visits.c.address,
    page_visits.c.account,
    page_visits.c.nickname,
    page_visits.c.last_seen_at,
)
_SAVE = Statement(_save)
# Pairs, and not EXISTS: SQLite would read all pairs again for each visit.
_END = Statement(
    delete(page_visits)
    .where(
        tuple_(page_visits.c.lesson_id, page_visits.c.visit_key).in_(
            select(_rows.integer(0), _rows.text(1)).select_from(_rows.source)
        )
    )
    .returning(*_ended)
)
_END_OF_BEAT = Statement(
    delete(page_visits)
    .where(
        tuple_(page_visits.c.id, page_visits.c.beat).in_(
            select(_rows.integer(0), _rows.integer(1)).select_from(_rows.source)
        )
    )
    .returning(*_ended)
)
_LIST_BEATS = Statement(select(page_visits.c.id, page_visits.c.beat))


class PageVisits:
    """Repository of the visits of pages."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def save(self, visits: Collection[PageVisit], now: Moment) -> None:
        """Add visits, or renew those that are there: their viewers are on the page now."""
        rows = [
            [
                visit.key.lesson,
                visit.key.text,
                int(visit.is_replay),
                visit.client_type,
                visit.started_at,
                visit.address,
                visit.account,
                visit.nickname,
            ]
            for visit in visits
        ]
        self._tx.execute(_SAVE, {"rows": msgspec.json.encode(rows).decode(), "now": now})

    def end(self, keys: Collection[VisitKey]) -> list[tuple[PageVisit, Moment]]:
        """Delete visits, and return them with the moments at which they were renewed last."""
        rows = [[key.lesson, key.text] for key in keys]
        values = {"rows": msgspec.json.encode(rows).decode()}
        return [_read_visit(row) for row in self._tx.fetch_all(_END, values)]

    def end_if_silent(self, beats: Mapping[VisitId, int]) -> list[tuple[PageVisit, Moment]]:
        """Delete the visits that still have these beats, and return them, as `end` does."""
        rows = [[*pair] for pair in beats.items()]
        values = {"rows": msgspec.json.encode(rows).decode()}
        return [_read_visit(row) for row in self._tx.fetch_all(_END_OF_BEAT, values)]

    def list_beats(self) -> dict[VisitId, int]:
        """Return the beats of all visits."""
        return {VisitId(visit): beat for visit, beat in self._tx.fetch_all(_LIST_BEATS, {})}


def _read_visit(row: Row) -> tuple[PageVisit, Moment]:
    lesson, text, is_replay, client_type, started_at, address, account, nickname, seen_at = row
    visit = PageVisit(
        VisitKey(LessonId(lesson), text),
        bool(is_replay),
        client_type,
        started_at,
        address,
        account,
        nickname,
    )
    return visit, seen_at
