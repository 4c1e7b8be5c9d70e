"""Sub classes of dual-teacher main classes."""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import bindparam, case, func, null, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.domain.courses import Course
from homeroom.domain.lessons import Hours, Lesson
from homeroom.store.courses import COLUMNS as COURSE_COLUMNS
from homeroom.store.courses import read_course
from homeroom.store.engine import Transaction
from homeroom.store.lesson_rows import COLUMNS, read_lesson
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import courses, lessons

_is_bound = func.coalesce(lessons.c.deleted_at, courses.c.deleted_at).is_(None)
_joined_course = lessons.join(courses, courses.c.id == lessons.c.course_id)
_main_ids = ListParameter("main_ids")
_LIST_IDS = Statement(
    select(lessons.c.main_lesson_id, lessons.c.id)
    .select_from(_joined_course)
    .where(_main_ids.contains(lessons.c.main_lesson_id), _is_bound)
    .order_by(lessons.c.id)
)
_LIST = Statement(
    select(*COURSE_COLUMNS, *COLUMNS)
    .select_from(_joined_course)
    .where(lessons.c.main_lesson_id == bindparam("main"), _is_bound)
    .order_by(lessons.c.id)
)
_lesson_ids = ListParameter("lesson_ids")
_SAVE_SCHEDULE = Statement(
    update(lessons)
    .where(_lesson_ids.contains(lessons.c.id))
    .values(
        begins_at=bindparam("new_begin"),
        ends_at=bindparam("new_end"),
        teacher_id=bindparam("new_teacher"),
    )
)
_kept_identity = case((bindparam("keeps") == 1, lessons.c.unique_identity), else_=null())
_DELETE = Statement(
    update(lessons)
    .where(_lesson_ids.contains(lessons.c.id))
    .values(deleted_at=bindparam("now"), unique_identity=_kept_identity)
)
_mains = lessons.alias("main_lessons")
_DELETE_WITH_MAINS = Statement(
    update(lessons)
    .where(
        lessons.c.main_lesson_id.in_(
            select(_mains.c.id).where(
                _mains.c.course_id == bindparam("course"), _mains.c.deleted_at == bindparam("now")
            )
        ),
        lessons.c.deleted_at.is_(None),
    )
    .values(deleted_at=bindparam("now"), unique_identity=_kept_identity)
    .returning(lessons.c.id, lessons.c.course_id)
)


class SubLessons:
    """Repository of the sub classes of main classes; deleted ones are none."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_ids(self, mains: Iterable[LessonId]) -> dict[LessonId, list[LessonId]]:
        """Return the ids of the sub classes of several classes, in order."""
        result: dict[LessonId, list[LessonId]] = {main: [] for main in mains}
        if result:
            text = msgspec.json.encode(list(result)).decode()
            for main, sub in self._tx.fetch_all(_LIST_IDS, {"main_ids": text}):
                result[main].append(LessonId(sub))
        return result

    def list_of(self, main: LessonId) -> list[tuple[Lesson, Course]]:
        """Return the sub classes of a class, each with its course, in order of their ids."""
        count = len(COURSE_COLUMNS)
        return [
            (read_lesson(tuple(row[count:])), read_course(tuple(row[:count])))
            for row in self._tx.fetch_all(_LIST, {"main": main})
        ]

    def save_schedule(self, lesson_ids: Iterable[LessonId], hours: Hours, teacher: UserId) -> None:
        """Save the hours and the teacher of a main class and its sub classes."""
        values = {
            "lesson_ids": msgspec.json.encode(list(lesson_ids)).decode(),
            "new_begin": hours.begin,
            "new_end": hours.end,
            "new_teacher": teacher,
        }
        self._tx.execute(_SAVE_SCHEDULE, values)

    def delete(
        self, lesson_ids: Collection[LessonId], now: Moment, *, keeps_identities: bool
    ) -> None:
        """Mark classes as deleted; their identities can be used again, unless they keep them."""
        text = msgspec.json.encode(list(lesson_ids)).decode()
        values = {"lesson_ids": text, "now": now, "keeps": int(keeps_identities)}
        self._tx.execute(_DELETE, values)

    def delete_with_mains(
        self, course: CourseId, now: Moment, *, keeps_identities: bool
    ) -> dict[LessonId, CourseId]:
        """Delete the sub classes of the classes of a course that were deleted at this moment.

        Returns their courses.
        """
        values = {"course": course, "now": now, "keeps": int(keeps_identities)}
        return dict(sorted(self._tx.fetch_all(_DELETE_WITH_MAINS, values)))
