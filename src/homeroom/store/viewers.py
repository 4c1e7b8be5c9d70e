"""Viewers of classes: the time that each one watched, and whether the chat is muted for them.

A viewer has an identity: that of a login, of a personal link, or of a visitor's browser.
"""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from sqlalchemy import ClauseElement, bindparam, func, or_, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId, ViewerId
from homeroom.domain.viewers import ViewerKind
from homeroom.store.engine import Row, Transaction
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.records import NewViewer, Viewer, WatchTime
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import lessons, reservations, viewers

_COLUMNS = (
    viewers.c.id,
    viewers.c.lesson_id,
    viewers.c.identity,
    viewers.c.kind,
    viewers.c.name,
    viewers.c.telephone,
    viewers.c.muted_at,
)
_FIND = Statement(
    select(*_COLUMNS).where(
        viewers.c.lesson_id == bindparam("lesson"), viewers.c.identity == bindparam("identity")
    )
)
_GET = Statement(select(*_COLUMNS).where(viewers.c.id == bindparam("viewer")))
_viewer_ids = ListParameter("viewer_ids")
_LIST_BY_NAME = Statement(
    select(*_COLUMNS)
    .where(_viewer_ids.contains(viewers.c.id))
    .order_by(viewers.c.name, viewers.c.id)
    .limit(bindparam("limit"))
)
_FIND_MUTED = Statement(
    select(viewers.c.id).where(_viewer_ids.contains(viewers.c.id), viewers.c.muted_at.is_not(None))
)


def _save_viewer(insert: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    new = insert(viewers).values(
        {
            **{
                column: bindparam(column.name)
                for column in viewers.c
                if column.name not in ("id", "muted_at")
            },
            viewers.c.watched: 0,
        }
    )
    upsert: ClauseElement = new.on_conflict_do_update(
        index_elements=["lesson_id", "identity"],
        set_={
            "name": new.excluded.name,
            "telephone": func.coalesce(new.excluded.telephone, viewers.c.telephone),
            "last_seen_at": new.excluded.last_seen_at,
        },
    ).returning(*_COLUMNS)
    return upsert


_times = ListParameter("watch_times")


def _add_watch_time(insert: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    new = insert(viewers).from_select(
        ["lesson_id", "identity", "kind", "name", "user_id", "watched", "first_seen_at",
         "last_seen_at"],
        select(
            _times.integer(0), _times.text(1), _times.text(2), _times.text(3), _times.integer(4),
            _times.integer(5), _times.integer(6), _times.integer(7),
        )
        .select_from(_times.source)
        # The class may have been deleted since. (And without a WHERE, SQLite would read the ON of
        # ON CONFLICT as the condition of a join.)
        .where(select(lessons.c.id).where(lessons.c.id == _times.integer(0)).exists())
        .order_by(_times.integer(0), _times.text(1)),
    )  # fmt: skip
    upsert: ClauseElement = new.on_conflict_do_update(
        index_elements=["lesson_id", "identity"],
        set_={
            "watched": viewers.c.watched + new.excluded.watched,
            "last_seen_at": new.excluded.last_seen_at,
        },
    )
    return upsert


_SAVE = Statement(_save_viewer)
_ADD_WATCH_TIME = Statement(_add_watch_time)
_muted_viewers = viewers.alias()
# Viewers with the same telephone number count as one: a new identity does not end the mute.
_muted_telephone = select(_muted_viewers.c.telephone).where(
    _muted_viewers.c.id == bindparam("viewer"), _muted_viewers.c.lesson_id == bindparam("lesson")
)
_MUTE = Statement(
    update(viewers)
    .where(
        viewers.c.lesson_id == bindparam("lesson"),
        or_(
            viewers.c.id == bindparam("viewer"),
            viewers.c.telephone == _muted_telephone.scalar_subquery(),
        ),
    )
    .values(muted_at=bindparam("moment"))
)
_GET_MUTE_TIME = Statement(
    select(func.max(viewers.c.muted_at)).where(
        viewers.c.lesson_id == bindparam("lesson"),
        viewers.c.telephone == bindparam("telephone"),
    )
)
_RESERVE = Statement(
    lambda insert: (
        insert(reservations)
        .values(
            lesson_id=bindparam("lesson"),
            viewer_id=bindparam("viewer"),
            reserved_at=bindparam("now"),
        )
        .on_conflict_do_nothing()
    )
)
_overdue_lessons = select(lessons.c.id).where(
    lessons.c.school_id == bindparam("school"),
    LIFECYCLE.is_over(bindparam("over_by")),
)
_LIST_OVERDUE = Statement(
    select(viewers.c.id)
    .where(
        viewers.c.lesson_id.in_(_overdue_lessons), viewers.c.last_seen_at <= bindparam("over_by")
    )
    .limit(bindparam("limit"))
)


def _read_viewer(row: Row) -> Viewer:
    number, lesson, identity, kind, name, telephone, muted_at = row
    return Viewer(
        ViewerId(number),
        LessonId(lesson),
        identity,
        ViewerKind(kind),
        name,
        telephone,
        is_muted=muted_at is not None,
    )


class Viewers:
    """Repository of viewers."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def find(self, lesson: LessonId, identity: str) -> Viewer | None:
        """Return the viewer of a class with an identity, or None."""
        rows = self._tx.fetch_all(_FIND, {"lesson": lesson, "identity": identity})
        return _read_viewer(rows[0]) if rows else None

    def get(self, viewer: ViewerId) -> Viewer | None:
        """Return a viewer, or None."""
        rows = self._tx.fetch_all(_GET, {"viewer": viewer})
        return _read_viewer(rows[0]) if rows else None

    def list_by_name(self, ids: Collection[ViewerId], limit: int) -> list[Viewer]:
        """Return the first of some viewers, by name."""
        values = {"viewer_ids": msgspec.json.encode(list(ids)).decode(), "limit": limit}
        return [_read_viewer(row) for row in self._tx.fetch_all(_LIST_BY_NAME, values)]

    def find_muted(self, ids: Collection[ViewerId]) -> set[ViewerId]:
        """Return those of some viewers that are muted."""
        if not ids:
            return set()
        values = {"viewer_ids": msgspec.json.encode(list(ids)).decode()}
        return {ViewerId(row[0]) for row in self._tx.fetch_all(_FIND_MUTED, values)}

    def save(self, new: NewViewer, now: Moment) -> Viewer:
        """Add a viewer, or update name, telephone number and last visit of an existing one."""
        values = {
            "lesson_id": new.lesson,
            "identity": new.identity,
            "kind": new.kind.value,
            "name": new.name,
            "telephone": new.telephone,
            "user_id": new.user,
            "first_seen_at": now,
            "last_seen_at": now,
        }
        return _read_viewer(self._tx.fetch_all(_SAVE, values)[0])

    def add_watch_time(self, watch_times: Iterable[WatchTime], now: Moment) -> None:
        """Add to the watch times of several viewers, in one statement; new viewers are added."""
        rows = [
            [
                watch_time.viewer.lesson,
                watch_time.viewer.identity,
                watch_time.viewer.kind.value,
                watch_time.viewer.name,
                watch_time.viewer.user,
                watch_time.seconds,
                now - watch_time.seconds,
                now,
            ]
            for watch_time in watch_times
        ]
        if rows:
            self._tx.execute(_ADD_WATCH_TIME, {"watch_times": msgspec.json.encode(rows).decode()})

    def mute(self, lesson: LessonId, viewer: ViewerId, moment: Moment | None) -> bool:
        """Mute a viewer of a class from a moment on; None unmutes. Return False if there was none.

        This also applies to the viewers of the class with the same telephone number.
        """
        values = {"lesson": lesson, "viewer": viewer, "moment": moment}
        return self._tx.execute(_MUTE, values) > 0

    def get_mute_time(self, lesson: LessonId, telephone: str) -> Moment | None:
        """Return since when a telephone number is muted in a class; None if it is not muted."""
        rows = self._tx.fetch_all(_GET_MUTE_TIME, {"lesson": lesson, "telephone": telephone})
        moment: Moment | None = rows[0][0]
        return moment

    def reserve(self, lesson: LessonId, viewer: ViewerId, now: Moment) -> bool:
        """Save that a viewer wants to be reminded of a class; False if that is saved already."""
        return self._tx.execute(_RESERVE, {"lesson": lesson, "viewer": viewer, "now": now}) > 0

    def list_overdue(self, school: SchoolId, over_by: Moment, limit: int) -> list[ViewerId]:
        """Return the ids of viewers to sweep: of classes that ended before a moment."""
        values = {"school": school, "over_by": over_by, "limit": limit}
        return [ViewerId(row[0]) for row in self._tx.fetch_all(_LIST_OVERDUE, values)]
