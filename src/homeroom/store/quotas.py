"""What counts against a school's limits, in the database."""

from sqlalchemy import bindparam, func, select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId
from homeroom.store.engine import Tx
from homeroom.store.statement import Statement
from homeroom.store.tables import lessons

_CREATED = Statement(
    select(func.count())
    .select_from(lessons)
    .where(
        lessons.c.school_id == bindparam("school"),
        lessons.c.created_at >= bindparam("since"),
        lessons.c.created_at < bindparam("until"),
    )
)
_SECONDS = Statement(
    select(func.coalesce(func.sum(lessons.c.ends_at - lessons.c.begins_at), 0)).where(
        lessons.c.school_id == bindparam("school"),
        lessons.c.begins_at >= bindparam("since"),
        lessons.c.begins_at < bindparam("until"),
        lessons.c.deleted_at.is_(None),
    )
)
_OF_COURSE = Statement(
    select(func.count())
    .select_from(lessons)
    .where(lessons.c.course_id == bindparam("course"), lessons.c.deleted_at.is_(None))
)


class Quotas:
    """What counts against limits, in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def created_between(self, school: SchoolId, since: Moment, until: Moment) -> int:
        """Return how many classes the school created in a span, deleted ones included."""
        values = {"school": school, "since": since, "until": until}
        return int(self._tx.all(_CREATED, values)[0][0])

    def seconds_between(self, school: SchoolId, since: Moment, until: Moment) -> int:
        """Return the seconds of all classes of the school that begin in a span."""
        values = {"school": school, "since": since, "until": until}
        return int(self._tx.all(_SECONDS, values)[0][0])

    def count_in(self, course: CourseId) -> int:
        """Return how many classes a course has."""
        return int(self._tx.all(_OF_COURSE, {"course": course})[0][0])
