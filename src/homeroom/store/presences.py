"""Presence of viewers, as each server of a database writes it for the others."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import ClauseElement, bindparam, delete, exists, select

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId
from homeroom.domain.presence import RoomPresence, ViewerPresence
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import presences

_rows = ListParameter("rows")


def _save(insert: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    new = insert(presences).from_select(
        ["lesson_id", "server", "beat", "viewers", "written_at"],
        select(
            _rows.integer(0), _rows.text(1), _rows.integer(2), _rows.text(3), _rows.integer(4)
        )
        .select_from(_rows.source)
        # Without a WHERE, SQLite would read the ON of ON CONFLICT as the condition of a join.
        .where(_rows.integer(0) > 0)
        .order_by(_rows.integer(0)),
    )  # fmt: skip
    upsert: ClauseElement = new.on_conflict_do_update(
        index_elements=["lesson_id", "server"],
        set_={name: new.excluded[name] for name in ("beat", "viewers", "written_at")},
    )
    return upsert


_SAVE = Statement(_save)
_DELETE = Statement(
    delete(presences).where(
        exists()
        .select_from(_rows.source)
        .where(
            presences.c.lesson_id == _rows.integer(0),
            presences.c.server == _rows.text(1),
            presences.c.beat == _rows.integer(2),
        )
    )
)
_DELETE_OLD = Statement(delete(presences).where(presences.c.written_at < bindparam("before")))
_lesson_ids = ListParameter("lesson_ids")
_LIST_ELSEWHERE = Statement(
    select(presences.c.lesson_id, presences.c.server, presences.c.beat, presences.c.viewers).where(
        _lesson_ids.contains(presences.c.lesson_id), presences.c.server != bindparam("server")
    )
)
_decode = msgspec.json.Decoder(tuple[ViewerPresence, ...]).decode


class Presences:
    """Repository of the presence of viewers."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def save(self, rooms: Iterable[RoomPresence], now: Moment) -> None:
        """Write the viewers of some rooms at a server, in place of those it wrote before."""
        rows = [
            (room.lesson, room.server, room.beat, msgspec.json.encode(room.viewers).decode(), now)
            for room in rooms
        ]
        if rows:
            self._tx.execute(_SAVE, {"rows": msgspec.json.encode(rows).decode()})

    def delete(self, rooms: Iterable[RoomPresence]) -> None:
        """Delete what servers wrote of some rooms, unless they have written again since."""
        rows = sorted((room.lesson, room.server, room.beat) for room in rooms)
        if rows:
            self._tx.execute(_DELETE, {"rows": msgspec.json.encode(rows).decode()})

    def delete_old(self, before: Moment) -> None:
        """Delete what was written before a moment, by servers that have ended."""
        self._tx.execute(_DELETE_OLD, {"before": before})

    def list_elsewhere(self, server: str, lessons: Collection[LessonId]) -> list[RoomPresence]:
        """Return what other servers wrote of some rooms."""
        values = {"lesson_ids": msgspec.json.encode(list(lessons)).decode(), "server": server}
        return [
            RoomPresence(LessonId(lesson), other, beat, _decode(viewers))
            for lesson, other, beat, viewers in self._tx.fetch_all(_LIST_ELSEWHERE, values)
        ]
