"""Open classrooms: signs of life of the persons in them, and which ones are to be closed."""

from collections.abc import Collection
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BindParameter,
    ClauseElement,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId, UserId
from homeroom.domain.classroom_events import SignOfLife
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from homeroom.store.engine import Transaction
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import classroom_signs, courses, lessons, open_classrooms

_lesson_ids = ListParameter("lesson_ids")


def _open(insert: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    new = insert(open_classrooms).from_select(
        ["lesson_id", "is_closed"],
        select(_lesson_ids.integer(), literal_column("0"))
        .select_from(_lesson_ids.source)
        .where(_lesson_ids.integer() > 0)
        .order_by(_lesson_ids.integer()),
    )
    statement: ClauseElement = new.on_conflict_do_nothing()
    return statement


def _add_sign(insert: Any) -> ClauseElement:  # noqa: ANN401  the insert of either dialect
    statement: ClauseElement = (
        insert(classroom_signs)
        .values(
            lesson_id=bindparam("lesson"),
            user_id=bindparam("user"),
            source=bindparam("source"),
            beat=1,
        )
        .on_conflict_do_update(
            index_elements=["lesson_id", "user_id", "source"],
            set_={"beat": classroom_signs.c.beat + 1},
        )
    )
    return statement


_of_person = (
    classroom_signs.c.lesson_id == bindparam("lesson"),
    classroom_signs.c.user_id == bindparam("user"),
)
_of_source = (*_of_person, classroom_signs.c.source == bindparam("source"))
_now: BindParameter[int] = bindparam("now")
_OPEN: Final = Statement(_open)
_LIST_DUE: Final = Statement(
    select(lessons.c.school_id, lessons.c.id)
    .select_from(
        open_classrooms.join(lessons, lessons.c.id == open_classrooms.c.lesson_id).join(
            courses, courses.c.id == lessons.c.course_id
        )
    )
    .where(
        or_(
            and_(
                open_classrooms.c.is_closed == 0,
                or_(
                    LIFECYCLE.is_over(_now),
                    func.coalesce(lessons.c.deleted_at, courses.c.deleted_at).is_not(None),
                ),
            ),
            lessons.c.ends_at <= _now - OVERTIME_SECONDS,
        )
    )
    .order_by(lessons.c.ends_at, lessons.c.id)
)
_IS_OPEN: Final = Statement(
    select(
        exists().where(
            open_classrooms.c.lesson_id == bindparam("lesson"), open_classrooms.c.is_closed == 0
        )
    )
)
_CLOSE: Final = Statement(
    update(open_classrooms)
    .where(open_classrooms.c.lesson_id == bindparam("lesson"), open_classrooms.c.is_closed == 0)
    .values(is_closed=1)
)
_DELETE: Final = Statement(
    delete(open_classrooms).where(open_classrooms.c.lesson_id == bindparam("lesson"))
)
_ADD_SIGN: Final = Statement(_add_sign)
_RENEW_SIGN: Final = Statement(
    update(classroom_signs).where(*_of_source).values(beat=classroom_signs.c.beat + 1)
)
_LIST_SIGNS: Final = Statement(
    select(
        classroom_signs.c.lesson_id,
        classroom_signs.c.user_id,
        classroom_signs.c.source,
        classroom_signs.c.beat,
    )
)
_DELETE_SIGN: Final = Statement(delete(classroom_signs).where(*_of_source))
_DELETE_SIGN_OF_BEAT: Final = Statement(
    delete(classroom_signs).where(*_of_source, classroom_signs.c.beat == bindparam("beat"))
)
_DELETE_SIGNS: Final = Statement(
    delete(classroom_signs).where(classroom_signs.c.lesson_id == bindparam("lesson"))
)
_HAS_SIGN: Final = Statement(select(exists().where(*_of_person)))


class OpenClassrooms:
    """Repository of open classrooms, and of the signs of life in them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def open(self, ids: Collection[LessonId]) -> None:
        """Let something be sent at the closing of some classes."""
        self._tx.execute(_OPEN, {"lesson_ids": msgspec.json.encode(list(ids)).decode()})

    def list_due(self, now: Moment) -> list[tuple[SchoolId, LessonId]]:
        """Return the classes that are to be closed, or whose summary is due; the oldest first."""
        rows = self._tx.fetch_all(_LIST_DUE, {"now": now})
        return [(SchoolId(school), LessonId(lesson)) for school, lesson in rows]

    def is_open(self, lesson: LessonId) -> bool:
        """Return whether a class is to be closed, and was not yet."""
        return bool(self._tx.fetch_all(_IS_OPEN, {"lesson": lesson})[0][0])

    def close(self, lesson: LessonId) -> bool:
        """Save that all have left a class; return False if that is saved already."""
        self._tx.execute(_DELETE_SIGNS, {"lesson": lesson})
        return self._tx.execute(_CLOSE, {"lesson": lesson}) > 0

    def delete(self, lesson: LessonId) -> bool:
        """Save that nothing more is to be sent for a class; return False if that is saved."""
        return self._tx.execute(_DELETE, {"lesson": lesson}) > 0

    # --- signs of life ---------------------------------------------------------------------------

    def add_sign(self, lesson: LessonId, user: UserId, source: str) -> None:
        """Add the sign of a person, or let it beat."""
        self._tx.execute(_ADD_SIGN, {"lesson": lesson, "user": user, "source": source})

    def renew_sign(self, lesson: LessonId, user: UserId, source: str) -> bool:
        """Let a sign beat; return False if it does not exist."""
        values = {"lesson": lesson, "user": user, "source": source}
        return self._tx.execute(_RENEW_SIGN, values) > 0

    def list_signs(self) -> list[SignOfLife]:
        """Return the signs of all persons in all classes."""
        return [
            SignOfLife(LessonId(lesson), UserId(user), source, beat)
            for lesson, user, source, beat in self._tx.fetch_all(_LIST_SIGNS, {})
        ]

    def delete_sign(
        self, lesson: LessonId, user: UserId, source: str, beat: int | None = None
    ) -> bool:
        """Delete a sign, unless it has beaten since; return False if there was none."""
        values: dict[str, Any] = {"lesson": lesson, "user": user, "source": source}
        if beat is None:
            return self._tx.execute(_DELETE_SIGN, values) > 0
        return self._tx.execute(_DELETE_SIGN_OF_BEAT, {**values, "beat": beat}) > 0

    def has_sign(self, lesson: LessonId, user: UserId) -> bool:
        """Return whether a person has a sign in a class."""
        return bool(self._tx.fetch_all(_HAS_SIGN, {"lesson": lesson, "user": user})[0][0])
