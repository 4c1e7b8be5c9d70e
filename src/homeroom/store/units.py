"""Units of courses. A deleted unit keeps its row, and its name can be used again."""

from sqlalchemy import and_, bindparam, func, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId, UnitId
from homeroom.domain.courses import Course
from homeroom.domain.units import Unit
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import units

_COLUMNS = (
    units.c.id,
    units.c.school_id,
    units.c.course_id,
    units.c.name,
    units.c.content,
    units.c.is_published,
    units.c.is_default,
    units.c.created_at,
    units.c.deleted_at,
)
_GET = Statement(select(*_COLUMNS).where(units.c.id == bindparam("unit")))
# A literal: the index of the default units does not serve a parameter.
_GET_DEFAULT = Statement(
    select(*_COLUMNS).where(units.c.course_id == bindparam("course"), units.c.is_default == 1)
)
_of_course = and_(units.c.course_id == bindparam("course"), units.c.deleted_at.is_(None))
_FIND_BY_NAME = Statement(
    select(*_COLUMNS).where(_of_course, units.c.name == bindparam("unit_name"))
)
_COUNT = Statement(
    select(func.count()).select_from(units).where(_of_course, units.c.is_default == 0)
)
_ADD = Statement(
    insert(units)
    .values({column: bindparam(column.name) for column in units.c if column.name != "id"})
    .returning(units.c.id)
)
_SAVE = Statement(
    update(units)
    .where(units.c.id == bindparam("unit"))
    .values({name: bindparam(f"new_{name}") for name in ("name", "content", "is_published")})
)
_DELETE = Statement(
    update(units).where(units.c.id == bindparam("unit")).values(deleted_at=bindparam("moment"))
)


def _read_unit(row: Row) -> Unit:
    number, school, course, name, content, published, default, created_at, deleted_at = row
    return Unit(
        UnitId(number),
        SchoolId(school),
        CourseId(course),
        name,
        content,
        bool(published),
        bool(default),
        created_at,
        deleted_at,
    )


class Units:
    """Repository of units."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, unit: UnitId) -> Unit | None:
        """Return a unit of any course, a deleted one too, or None."""
        rows = self._tx.fetch_all(_GET, {"unit": unit})
        return _read_unit(rows[0]) if rows else None

    def get_default(self, course: CourseId) -> Unit:
        """Return the default unit of a course; each course has one."""
        return _read_unit(self._tx.fetch_all(_GET_DEFAULT, {"course": course})[0])

    def find_by_name(self, course: CourseId, name: str) -> Unit | None:
        """Return the unit of a course with a name, or None."""
        rows = self._tx.fetch_all(_FIND_BY_NAME, {"course": course, "unit_name": name})
        return _read_unit(rows[0]) if rows else None

    def count(self, course: CourseId) -> int:
        """Return the number of units of a course, without the default unit."""
        return int(self._tx.fetch_all(_COUNT, {"course": course})[0][0])

    def add(
        self, course: Course, name: str, content: str, now: Moment, *, published: bool
    ) -> UnitId:
        """Add a unit to a course and return its id."""
        values = {
            "school_id": course.school,
            "course_id": course.id,
            "name": name,
            "content": content,
            "is_published": int(published),
            "is_default": 0,
            "created_at": now,
            "deleted_at": None,
        }
        return UnitId(self._tx.fetch_all(_ADD, values)[0][0])

    def save(self, unit: Unit) -> None:
        """Save a changed unit."""
        values = {
            "unit": unit.id,
            "new_name": unit.name,
            "new_content": unit.content,
            "new_is_published": int(unit.is_published),
        }
        self._tx.execute(_SAVE, values)

    def delete(self, unit: UnitId, now: Moment) -> None:
        """Mark a unit as deleted."""
        self._tx.execute(_DELETE, {"unit": unit, "moment": now})
