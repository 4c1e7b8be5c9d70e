"""Who watches classes on the public pages, and what these show, in the database."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ClauseElement, and_, bindparam, case, delete, func, null, or_, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId, ViewerId
from homeroom.domain.lessons import Lesson
from homeroom.domain.schools import Plan
from homeroom.domain.viewers import ViewerKind
from homeroom.store.engine import Row, Transaction
from homeroom.store.lessons import COLUMNS as LESSON_COLUMNS
from homeroom.store.lessons import read_lesson
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.schools import read_plan
from homeroom.store.statement import ListParameter, Statement
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
_PAGE_COLUMNS = (
    schools.c.name,
    schools.c.plan,
    courses.c.name,
    courses.c.key,
    case((_teacher.in_((users.c.telephone, users.c.email)), ""), else_=_teacher),
    *LESSON_COLUMNS,
)
_joined_page = (
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
_FIND_LESSON = Statement(
    select(*_PAGE_COLUMNS).select_from(_joined_page).where(lessons.c.key == bindparam("lesson_key"))
)
_lesson_ids = ListParameter("lesson_ids")
_GET_LESSONS = Statement(
    select(*_PAGE_COLUMNS)
    .select_from(_joined_page)
    .where(_lesson_ids.contains(lessons.c.id))
    .order_by(lessons.c.id)
)
_is_past = LIFECYCLE.is_over(bindparam("now"))
# Those that run or come, the soonest first; then the past ones, the newest first.
_LIST_LESSONS_OF_COURSE = Statement(
    select(*_PAGE_COLUMNS)
    .select_from(_joined_page)
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
_FIND_COURSE = Statement(
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
_viewer_ids = ListParameter("viewer_ids")
_FIND_MUTED = Statement(
    select(viewers.c.id).where(_viewer_ids.contains(viewers.c.id), viewers.c.muted_at.is_not(None))
)


def _save_viewer(insert: Any) -> ClauseElement:  # noqa: ANN401  the engine's own insert
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


def _add_watch_time(insert: Any) -> ClauseElement:  # noqa: ANN401  the engine's own insert
    new = insert(viewers).from_select(
        ["lesson_id", "identity", "kind", "name", "user_id", "watched", "first_seen_at",
         "last_seen_at"],
        select(
            _times.integer(0), _times.text(1), _times.text(2), _times.text(3), _times.integer(4),
            _times.integer(5), _times.integer(6), _times.integer(7),
        )
        .select_from(_times.source)
        # A class may have been removed meanwhile. (Without a WHERE, SQLite would take the ON of
        # the conflict for that of a join.)
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
# A guest is known by their number, however often they come as somebody new.
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
_FIND_MUTED_AT = Statement(
    select(func.max(viewers.c.muted_at)).where(
        viewers.c.lesson_id == bindparam("lesson"),
        viewers.c.telephone == bindparam("telephone"),
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
_purged_ids = ListParameter("purged_ids")
_DETACH_AUTHORS = Statement(
    update(chat_entries)
    .where(_purged_ids.contains(chat_entries.c.viewer_id))
    .values(viewer_id=null())
)
_PURGE = Statement(delete(viewers).where(_purged_ids.contains(viewers.c.id)))


@dataclass(frozen=True, slots=True)
class LessonPage:
    """A class, and what else its page shows."""

    lesson: Lesson
    school_name: str
    plan: Plan
    course_name: str
    course_key: str
    teacher_name: str


@dataclass(frozen=True, slots=True)
class CoursePage:
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
class WatchTime:
    """How long somebody has watched since it was last written, in whole seconds."""

    viewer: NewViewer
    seconds: int


def _read_lesson_page(row: Row) -> LessonPage:
    school_name, plan, course_name, course_key, teacher_name, *lesson = row
    return LessonPage(
        read_lesson(tuple(lesson)),
        school_name,
        read_plan(plan),
        course_name,
        course_key,
        teacher_name,
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
    """Viewers in one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def find_lesson(self, key: str) -> LessonPage | None:
        """Return the class of a page's key, a deleted one too, or none."""
        rows = self._tx.fetch_all(_FIND_LESSON, {"lesson_key": key})
        return _read_lesson_page(rows[0]) if rows else None

    def get_lessons(self, lessons: Collection[LessonId]) -> dict[LessonId, LessonPage]:
        """Return classes as their pages show them."""
        if not lessons:
            return {}
        text = msgspec.json.encode(list(lessons)).decode()
        rows = self._tx.fetch_all(_GET_LESSONS, {"lesson_ids": text})
        return {page.lesson.id: page for page in map(_read_lesson_page, rows)}

    def find_course(self, key: str) -> CoursePage | None:
        """Return the living course of a page's key, or none."""
        rows = self._tx.fetch_all(_FIND_COURSE, {"course_key": key})
        if not rows or rows[0][3] is not None:
            return None
        number, name, key, _, school = rows[0]
        return CoursePage(CourseId(number), SchoolId(school), name, key)

    def list_lessons_of_course(self, key: str, now: Moment, limit: int) -> list[LessonPage]:
        """Return the recorded classes of a course: those to come, then past ones, newest first."""
        values = {"course_key": key, "now": now, "limit": limit}
        return [
            _read_lesson_page(row) for row in self._tx.fetch_all(_LIST_LESSONS_OF_COURSE, values)
        ]

    def find(self, lesson: LessonId, identity: str) -> Viewer | None:
        """Return a viewer of a class, or none."""
        rows = self._tx.fetch_all(_FIND, {"lesson": lesson, "identity": identity})
        return _read_viewer(rows[0]) if rows else None

    def get(self, viewer: ViewerId) -> Viewer | None:
        """Return a viewer by id, or none."""
        rows = self._tx.fetch_all(_GET, {"viewer": viewer})
        return _read_viewer(rows[0]) if rows else None

    def find_muted(self, ids: Collection[ViewerId]) -> set[ViewerId]:
        """Return which of some viewers are muted."""
        if not ids:
            return set()
        values = {"viewer_ids": msgspec.json.encode(list(ids)).decode()}
        return {ViewerId(row[0]) for row in self._tx.fetch_all(_FIND_MUTED, values)}

    def save(self, new: NewViewer, now: Moment) -> Viewer:
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
        return _read_viewer(self._tx.fetch_all(_SAVE, values)[0])

    def add_watch_time(self, watch_times: Iterable[WatchTime], now: Moment) -> None:
        """Add to how long several viewers have watched; those not known yet are written."""
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
        """Mute a viewer of a class, or at no moment unmute; tells whether there is one.

        Whoever has left the same telephone number in the class is the same viewer.
        """
        values = {"lesson": lesson, "viewer": viewer, "moment": moment}
        return self._tx.execute(_MUTE, values) > 0

    def find_muted_at(self, lesson: LessonId, telephone: str) -> Moment | None:
        """Return since when a telephone number is muted in a class, none where it is not."""
        rows = self._tx.fetch_all(_FIND_MUTED_AT, {"lesson": lesson, "telephone": telephone})
        moment: Moment | None = rows[0][0]
        return moment

    def list_overdue(self, school: SchoolId, over_by: Moment, limit: int) -> list[ViewerId]:
        """Return viewers of classes of a school that were over by a moment."""
        values = {"school": school, "over_by": over_by, "limit": limit}
        return [ViewerId(row[0]) for row in self._tx.fetch_all(_LIST_OVERDUE, values)]

    def purge(self, ids: Collection[ViewerId]) -> None:
        """Remove viewers; what they said stays, under the name they had."""
        values = {"purged_ids": msgspec.json.encode(list(ids)).decode()}
        self._tx.execute(_DETACH_AUTHORS, values)
        self._tx.execute(_PURGE, values)
