"""Queries of the public pages: the class, course and teacher that a page shows."""

from collections.abc import Collection

import msgspec
from sqlalchemy import and_, bindparam, case, func, or_, select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.store.engine import Row, Transaction
from homeroom.store.lesson_rows import COLUMNS as LESSON_COLUMNS
from homeroom.store.lesson_rows import read_lesson
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.records import PublicCourse, PublicLesson
from homeroom.store.schools import CONF, read_conf, read_plan
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import courses, lessons, schools, teachers, users

_teacher = func.coalesce(teachers.c.name, users.c.nickname)
# A user registered without a name has the account name as nickname; a public page must not show
# a telephone number or an e-mail address.
_COLUMNS = (
    schools.c.name,
    schools.c.plan,
    *CONF,
    courses.c.name,
    courses.c.key,
    case((_teacher.in_((users.c.telephone, users.c.email)), ""), else_=_teacher),
    *LESSON_COLUMNS,
)
_joined_tables = (
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
    select(*_COLUMNS).select_from(_joined_tables).where(lessons.c.key == bindparam("lesson_key"))
)
_lesson_ids = ListParameter("lesson_ids")
_GET_LESSONS = Statement(
    select(*_COLUMNS)
    .select_from(_joined_tables)
    .where(_lesson_ids.contains(lessons.c.id))
    .order_by(lessons.c.id)
)
_is_past = LIFECYCLE.is_over(bindparam("now"))
# Running and coming classes first, the soonest first; then past ones, the newest first.
_LIST_LESSONS_OF_COURSE = Statement(
    select(*_COLUMNS)
    .select_from(_joined_tables)
    .where(
        courses.c.key == bindparam("course_key"),
        courses.c.deleted_at.is_(None),
        lessons.c.deleted_at.is_(None),
        or_(lessons.c.record == 1, lessons.c.uses_main_recording == 1),
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


def _read_public_lesson(row: Row) -> PublicLesson:
    school_name, plan, replay, replay_to_new, course_name, course_key, teacher_name, *lesson = row
    return PublicLesson(
        read_lesson(tuple(lesson)),
        school_name,
        read_plan(plan),
        course_name,
        course_key,
        teacher_name,
        read_conf((replay, replay_to_new)),
    )


class PageQueries:
    """Queries of the public pages."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def find_lesson(self, key: str) -> PublicLesson | None:
        """Return the class of a key, a deleted one too, or None."""
        rows = self._tx.fetch_all(_FIND_LESSON, {"lesson_key": key})
        return _read_public_lesson(rows[0]) if rows else None

    def get_lessons(self, lessons: Collection[LessonId]) -> dict[LessonId, PublicLesson]:
        """Return several classes by id."""
        if not lessons:
            return {}
        text = msgspec.json.encode(list(lessons)).decode()
        rows = self._tx.fetch_all(_GET_LESSONS, {"lesson_ids": text})
        return {page.lesson.id: page for page in map(_read_public_lesson, rows)}

    def find_course(self, key: str) -> PublicCourse | None:
        """Return the course of a key, or None if it is missing or deleted."""
        rows = self._tx.fetch_all(_FIND_COURSE, {"course_key": key})
        if not rows or rows[0][3] is not None:
            return None
        number, name, key, _, school = rows[0]
        return PublicCourse(CourseId(number), SchoolId(school), name, key)

    def list_lessons_of_course(self, key: str, now: Moment, limit: int) -> list[PublicLesson]:
        """Return the recorded classes of a course: coming ones, then past ones, newest first.

        Sub classes that use the recording of their main class are among them.
        """
        values = {"course_key": key, "now": now, "limit": limit}
        return [
            _read_public_lesson(row) for row in self._tx.fetch_all(_LIST_LESSONS_OF_COURSE, values)
        ]
