"""Who watches classes on the public pages, and what these show, in the database."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ClauseElement, and_, bindparam, case, delete, func, null, or_, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId, ViewerId
from homeroom.domain.lessons import MARGIN, Lesson
from homeroom.domain.schools import Plan
from homeroom.domain.viewers import ViewerKind
from homeroom.store.engine import Row, Tx
from homeroom.store.lessons import COLUMNS as LESSON_COLUMNS
from homeroom.store.lessons import lesson_from
from homeroom.store.schools import read_plan
from homeroom.store.statement import Rows, Statement
from homeroom.store.tables import (
    chat_entries,
    courses,
    lessons,
    schools,
    teachers,
    users,
    viewers,
)

_teacher = func.coalesce(teachers.c.name, users.c.nickname)
# Who was registered without a name is called by their account: that is not for everybody.
_SEEN = (
    schools.c.name,
    schools.c.plan,
    courses.c.name,
    courses.c.key,
    case((_teacher.in_((users.c.telephone, users.c.email)), ""), else_=_teacher),
    *LESSON_COLUMNS,
)
_seen = (
    lessons.join(courses, courses.c.id == lessons.c.course_id)
    .join(schools, schools.c.id == lessons.c.school_id)
    .join(users, users.c.id == lessons.c.teacher_id)
    .outerjoin(
        teachers,
        and_(
            teachers.c.school_id == lessons.c.school_id,
            teachers.c.user_id == lessons.c.teacher_id,
        ),
    )
)
_SEEN_BY_KEY = Statement(
    select(*_SEEN).select_from(_seen).where(lessons.c.key == bindparam("lesson_key"))
)
_asked = Rows("seen_lessons")
_SEEN_SEVERAL = Statement(
    select(*_SEEN).select_from(_seen).where(_asked.hold(lessons.c.id)).order_by(lessons.c.id)
)
_is_past = lessons.c.ends_at + MARGIN <= bindparam("now")
# Those that run or come, the soonest first; then the past ones, the newest first.
_SEEN_IN_COURSE = Statement(
    select(*_SEEN)
    .select_from(_seen)
    .where(
        courses.c.key == bindparam("course_key"),
        courses.c.deleted_at.is_(None),
        lessons.c.deleted_at.is_(None),
        lessons.c.record == 1,
    )
    .order_by(
        case((_is_past, 1), else_=0),
        case((_is_past, -lessons.c.begins_at), else_=lessons.c.begins_at),
        lessons.c.id,
    )
    .limit(bindparam("limit"))
)
_COURSE = Statement(
    select(courses.c.id, courses.c.name, courses.c.key, courses.c.deleted_at, schools.c.id)
    .select_from(courses.join(schools, schools.c.id == courses.c.school_id))
    .where(courses.c.key == bindparam("course_key"))
)
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
_speaking = Rows("speaking")
_MUTED = Statement(
    select(viewers.c.id).where(_speaking.hold(viewers.c.id), viewers.c.muted_at.is_not(None))
)


def _put(insert: Any) -> ClauseElement:  # noqa: ANN401  the engine's own insert
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
    put: ClauseElement = new.on_conflict_do_update(
        index_elements=["lesson_id", "identity"],
        set_={
            "name": new.excluded.name,
            "telephone": func.coalesce(new.excluded.telephone, viewers.c.telephone),
            "last_seen_at": new.excluded.last_seen_at,
        },
    ).returning(*_COLUMNS)
    return put


_rows = Rows("watched_rows")


def _add_watched(insert: Any) -> ClauseElement:  # noqa: ANN401  the engine's own insert
    new = insert(viewers).from_select(
        ["lesson_id", "identity", "kind", "name", "user_id", "watched", "first_seen_at",
         "last_seen_at"],
        select(
            _rows.whole(0), _rows.text(1), _rows.text(2), _rows.text(3), _rows.whole(4),
            _rows.whole(5), _rows.whole(6), _rows.whole(7),
        )
        .select_from(_rows.source)
        # A class may have been removed meanwhile. (Without a WHERE, SQLite would take the ON of
        # the conflict for that of a join.)
        .where(select(lessons.c.id).where(lessons.c.id == _rows.whole(0)).exists())
        .order_by(_rows.whole(0), _rows.text(1)),
    )  # fmt: skip
    added: ClauseElement = new.on_conflict_do_update(
        index_elements=["lesson_id", "identity"],
        set_={
            "watched": viewers.c.watched + new.excluded.watched,
            "last_seen_at": new.excluded.last_seen_at,
        },
    )
    return added


_PUT = Statement(_put)
_ADD_WATCHED = Statement(_add_watched)
_muted = viewers.alias()
# A guest is known by their number, however often they come as somebody new.
_number = select(_muted.c.telephone).where(
    _muted.c.id == bindparam("viewer"), _muted.c.lesson_id == bindparam("lesson")
)
_MUTE = Statement(
    update(viewers)
    .where(
        viewers.c.lesson_id == bindparam("lesson"),
        or_(viewers.c.id == bindparam("viewer"), viewers.c.telephone == _number.scalar_subquery()),
    )
    .values(muted_at=bindparam("moment"))
)
_MUTED_AT = Statement(
    select(func.max(viewers.c.muted_at)).where(
        viewers.c.lesson_id == bindparam("lesson"),
        viewers.c.telephone == bindparam("telephone"),
    )
)
_overdue_lessons = select(lessons.c.id).where(
    lessons.c.school_id == bindparam("school"),
    lessons.c.ends_at + MARGIN <= bindparam("over_by"),
)
_OVERDUE = Statement(
    select(viewers.c.id)
    .where(
        viewers.c.lesson_id.in_(_overdue_lessons), viewers.c.last_seen_at <= bindparam("over_by")
    )
    .limit(bindparam("limit"))
)
_gone = Rows("gone_viewers")
_FORGET_AUTHORS = Statement(
    update(chat_entries).where(_gone.hold(chat_entries.c.viewer_id)).values(viewer_id=null())
)
_FORGET = Statement(delete(viewers).where(_gone.hold(viewers.c.id)))


@dataclass(frozen=True, slots=True)
class Seen:
    """A class, and what else its page shows."""

    lesson: Lesson
    school_name: str
    plan: Plan
    course_name: str
    course_key: str
    teacher_name: str


@dataclass(frozen=True, slots=True)
class SeenCourse:
    """A course as its page needs it."""

    id: CourseId
    school: SchoolId
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who watches a class."""

    id: ViewerId
    lesson: LessonId
    identity: str
    kind: ViewerKind
    name: str
    telephone: str | None
    is_muted: bool


@dataclass(frozen=True, slots=True)
class NewViewer:
    """Somebody who is to be known in a class."""

    lesson: LessonId
    identity: str
    kind: ViewerKind
    name: str
    telephone: str | None = None
    user: UserId | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """How long somebody has watched since it was last written, in whole seconds."""

    viewer: NewViewer
    seconds: int


def _seen_from(row: Row) -> Seen:
    school_name, plan, course_name, course_key, teacher_name, *lesson = row
    return Seen(
        lesson_from(tuple(lesson)),
        school_name,
        read_plan(plan),
        course_name,
        course_key,
        teacher_name,
    )


def _viewer(row: Row) -> Viewer:
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
    """Viewers in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def seen(self, key: str) -> Seen | None:
        """Return the class of a page's key, a deleted one too, or none."""
        rows = self._tx.all(_SEEN_BY_KEY, {"lesson_key": key})
        return _seen_from(rows[0]) if rows else None

    def seen_several(self, lessons: Collection[LessonId]) -> dict[LessonId, Seen]:
        """Return classes as their pages show them."""
        if not lessons:
            return {}
        text = msgspec.json.encode(list(lessons)).decode()
        rows = self._tx.all(_SEEN_SEVERAL, {"seen_lessons": text})
        return {seen.lesson.id: seen for seen in map(_seen_from, rows)}

    def course(self, key: str) -> SeenCourse | None:
        """Return the living course of a page's key, or none."""
        rows = self._tx.all(_COURSE, {"course_key": key})
        if not rows or rows[0][3] is not None:
            return None
        number, name, key, _, school = rows[0]
        return SeenCourse(CourseId(number), SchoolId(school), name, key)

    def in_course(self, key: str, now: Moment, limit: int) -> list[Seen]:
        """Return the recorded classes of a course: those to come, then past ones, newest first."""
        values = {"course_key": key, "now": now, "limit": limit}
        return [_seen_from(row) for row in self._tx.all(_SEEN_IN_COURSE, values)]

    def find(self, lesson: LessonId, identity: str) -> Viewer | None:
        """Return a viewer of a class, or none."""
        rows = self._tx.all(_FIND, {"lesson": lesson, "identity": identity})
        return _viewer(rows[0]) if rows else None

    def get(self, viewer: ViewerId) -> Viewer | None:
        """Return a viewer by id, or none."""
        rows = self._tx.all(_GET, {"viewer": viewer})
        return _viewer(rows[0]) if rows else None

    def muted(self, asked: Collection[ViewerId]) -> set[ViewerId]:
        """Return which of some viewers are muted."""
        if not asked:
            return set()
        given = {"speaking": msgspec.json.encode(list(asked)).decode()}
        return {ViewerId(row[0]) for row in self._tx.all(_MUTED, given)}

    def put(self, new: NewViewer, now: Moment) -> Viewer:
        """Write a viewer, or what is new of one who is known already."""
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
        return _viewer(self._tx.all(_PUT, values)[0])

    def add_watched(self, watched: Iterable[Watched], now: Moment) -> None:
        """Add to how long several viewers have watched; those not known yet are written."""
        rows = [
            [
                one.viewer.lesson,
                one.viewer.identity,
                one.viewer.kind.value,
                one.viewer.name,
                one.viewer.user,
                one.seconds,
                now - one.seconds,
                now,
            ]
            for one in watched
        ]
        if rows:
            self._tx.run(_ADD_WATCHED, {"watched_rows": msgspec.json.encode(rows).decode()})

    def mute(self, lesson: LessonId, viewer: ViewerId, moment: Moment | None) -> bool:
        """Mute a viewer of a class, or at no moment unmute; tells whether there is one.

        Whoever has left the same telephone number in the class is the same viewer.
        """
        values = {"lesson": lesson, "viewer": viewer, "moment": moment}
        return self._tx.run(_MUTE, values) > 0

    def muted_at(self, lesson: LessonId, telephone: str) -> Moment | None:
        """Return since when a telephone number is muted in a class, none where it is not."""
        rows = self._tx.all(_MUTED_AT, {"lesson": lesson, "telephone": telephone})
        moment: Moment | None = rows[0][0]
        return moment

    def overdue(self, school: SchoolId, over_by: Moment, limit: int) -> list[ViewerId]:
        """Return viewers of classes of a school that were over by a moment."""
        values = {"school": school, "over_by": over_by, "limit": limit}
        return [ViewerId(row[0]) for row in self._tx.all(_OVERDUE, values)]

    def forget(self, gone: Collection[ViewerId]) -> None:
        """Remove viewers; what they said stays, under the name they had."""
        given = {"gone_viewers": msgspec.json.encode(list(gone)).decode()}
        self._tx.run(_FORGET_AUTHORS, given)
        self._tx.run(_FORGET, given)
