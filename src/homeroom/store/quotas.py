"""Counts that are compared with the quotas of a school's plan."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import and_, bindparam, func, select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import lessons

_COUNT_NEW_LESSONS = Statement(
    select(func.count())
    .select_from(lessons)
    .where(
        lessons.c.school_id == bindparam("school"),
        lessons.c.created_at >= bindparam("since"),
        lessons.c.created_at < bindparam("until"),
    )
)
_SUM_LESSON_SECONDS = Statement(
    select(func.coalesce(func.sum(lessons.c.ends_at - lessons.c.begins_at), 0)).where(
        lessons.c.school_id == bindparam("school"),
        lessons.c.begins_at >= bindparam("since"),
        lessons.c.begins_at < bindparam("until"),
        lessons.c.deleted_at.is_(None),
    )
)
_spans = ListParameter("spans")
_SUM_LESSON_SECONDS_OF_SPANS = Statement(
    select(
        _spans.integer(0),
        _spans.integer(1),
        func.coalesce(func.sum(lessons.c.ends_at - lessons.c.begins_at), 0),
    )
    .select_from(
        _spans.source.outerjoin(
            lessons,
            and_(
                lessons.c.school_id == bindparam("school"),
                lessons.c.begins_at >= _spans.integer(0),
                lessons.c.begins_at < _spans.integer(1),
                lessons.c.deleted_at.is_(None),
            ),
        )
    )
    .group_by(_spans.integer(0), _spans.integer(1))
)
_COUNT_LESSONS_OF_COURSE = Statement(
    select(func.count())
    .select_from(lessons)
    .where(lessons.c.course_id == bindparam("course"), lessons.c.deleted_at.is_(None))
)

_course_ids = ListParameter("course_ids")
_COUNT_LESSONS_OF_COURSES = Statement(
    select(lessons.c.course_id, func.count())
    .where(_course_ids.contains(lessons.c.course_id), lessons.c.deleted_at.is_(None))
    .group_by(lessons.c.course_id)
)


class Quotas:
    """Queries for quotas."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def count_new_lessons(self, school: SchoolId, since: Moment, until: Moment) -> int:
        """Return the number of classes that the school created in a time span, deleted ones too."""
        values = {"school": school, "since": since, "until": until}
        return int(self._tx.fetch_all(_COUNT_NEW_LESSONS, values)[0][0])

    def sum_lesson_seconds(self, school: SchoolId, since: Moment, until: Moment) -> int:
        """Return the planned seconds of all classes of the school that begin in a time span."""
        values = {"school": school, "since": since, "until": until}
        return int(self._tx.fetch_all(_SUM_LESSON_SECONDS, values)[0][0])

    def sum_lesson_seconds_of_spans(
        self, school: SchoolId, spans: Iterable[tuple[Moment, Moment]]
    ) -> dict[tuple[Moment, Moment], int]:
        """Return the planned seconds of the classes that begin in each of several time spans."""
        values = {"school": school, "spans": msgspec.json.encode(list(spans)).decode()}
        rows = self._tx.fetch_all(_SUM_LESSON_SECONDS_OF_SPANS, values)
        return {(since, until): int(seconds) for since, until, seconds in rows}

    def count_lessons_of_course(self, course: CourseId) -> int:
        """Return the number of classes of a course, without deleted ones."""
        return int(self._tx.fetch_all(_COUNT_LESSONS_OF_COURSE, {"course": course})[0][0])

    def count_lessons_of_courses(self, courses: Iterable[CourseId]) -> dict[CourseId, int]:
        """Return the number of classes of each of some courses, without deleted ones."""
        counts = dict.fromkeys(courses, 0)
        text = msgspec.json.encode(list(counts)).decode()
        rows = self._tx.fetch_all(_COUNT_LESSONS_OF_COURSES, {"course_ids": text})
        return {**counts, **{CourseId(course): count for course, count in rows}}
