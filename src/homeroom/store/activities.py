"""Activities of the units of courses.

The row of a class is made together with the class. Its name, teacher and times stand in the class,
and the class says whether it was deleted.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import (
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    not_,
    null,
    select,
    update,
)

from homeroom.base.clock import Moment
from homeroom.base.ids import ActivityId, CourseId, LessonId, SchoolId, UnitId, UserId
from homeroom.domain.activities import Activity, ActivityKind, NewActivity
from homeroom.domain.courses import Course
from homeroom.domain.units import Unit
from homeroom.store.engine import Row, Transaction
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import activities, activity_absences, lessons, units

default_units = units.alias("default_units")
JOINED = activities.outerjoin(lessons, lessons.c.id == activities.c.lesson_id).outerjoin(
    default_units,
    and_(default_units.c.course_id == activities.c.course_id, default_units.c.is_default == 1),
)
"""Activities with their classes, and with the default units of their courses."""
UNIT = func.coalesce(activities.c.unit_id, default_units.c.id)
NAME = func.coalesce(lessons.c.name, activities.c.name)
TEACHER = func.coalesce(lessons.c.teacher_id, activities.c.teacher_id)
BEGINS_AT = func.coalesce(lessons.c.begins_at, activities.c.starts_at)
ENDS_AT = func.coalesce(lessons.c.ends_at, activities.c.ends_at)
DELETED_AT = func.coalesce(lessons.c.deleted_at, activities.c.deleted_at)
COLUMNS = (
    activities.c.id,
    activities.c.school_id,
    activities.c.course_id,
    UNIT,
    activities.c.kind,
    activities.c.lesson_id,
    NAME,
    TEACHER,
    BEGINS_AT,
    ENDS_AT,
    lessons.c.closed_at,
    activities.c.is_published,
    activities.c.created_at,
    DELETED_AT,
)
_selected = select(*COLUMNS).select_from(JOINED)
_GET = Statement(_selected.where(activities.c.id == bindparam("activity")))
_GET_OF_LESSON = Statement(_selected.where(activities.c.lesson_id == bindparam("lesson")))
_activity_ids = ListParameter("activity_ids")
_GET_MANY = Statement(
    select(*COLUMNS).select_from(
        _activity_ids.source.join(JOINED, activities.c.id == _activity_ids.integer())
    )
)


def _of_unit(name: str) -> Select[tuple[int]]:
    """Return the query of the activities of a unit that are not deleted."""
    return (
        select(activities.c.id)
        .outerjoin(lessons, lessons.c.id == activities.c.lesson_id)
        .where(
            activities.c.unit_id == bindparam(name),
            activities.c.deleted_at.is_(None),
            lessons.c.deleted_at.is_(None),
        )
    )


_COUNT = Statement(_of_unit("unit").with_only_columns(func.count()))
_HAS_HELD_LESSON = Statement(
    select(activities.c.id)
    .join(lessons, lessons.c.id == activities.c.lesson_id)
    .where(
        activities.c.unit_id == bindparam("unit"),
        lessons.c.deleted_at.is_(None),
        not_(LIFECYCLE.is_coming(bindparam("now"))),
    )
    .limit(1)
)
_ADD = Statement(
    insert(activities)
    .values({column: bindparam(column.name) for column in activities.c if column.name != "id"})
    .returning(activities.c.id)
)
_SAVE_UNIT_OF_LESSON = Statement(
    update(activities)
    .where(activities.c.lesson_id == bindparam("lesson"))
    .values(unit_id=bindparam("new_unit"))
    .returning(activities.c.id)
)
_MOVE_ALL = Statement(
    update(activities)
    .where(activities.c.unit_id == bindparam("unit"))
    .values(unit_id=bindparam("new_unit"))
)
_PUBLISH = Statement(
    update(activities).where(_activity_ids.contains(activities.c.id)).values(is_published=1)
)
_delete = update(activities).values(deleted_at=bindparam("moment"))
_DELETE = Statement(_delete.where(activities.c.id == bindparam("activity")))
_DELETE_OF_UNIT = Statement(
    _delete.where(
        activities.c.unit_id == bindparam("unit"),
        activities.c.lesson_id.is_(None),
        activities.c.deleted_at.is_(None),
    )
)
_lessons_of_unit = (
    update(lessons)
    .where(
        lessons.c.id.in_(
            select(activities.c.lesson_id).where(
                activities.c.unit_id == bindparam("unit"), activities.c.lesson_id.is_not(None)
            )
        ),
        lessons.c.deleted_at.is_(None),
    )
    .values(deleted_at=bindparam("moment"))
    .returning(lessons.c.id)
)
_DELETE_LESSONS_OF_UNIT = Statement(_lessons_of_unit.values(unique_identity=null()))
_DELETE_LESSONS_OF_UNIT_KEEPING_IDENTITIES = Statement(_lessons_of_unit)
_absent_uids = ListParameter("absent_uids")
_ADD_ABSENCES = Statement(
    lambda insert: (
        insert(activity_absences)
        .from_select(
            ["activity_id", "user_id"],
            select(_absent_uids.integer(0), _absent_uids.integer(1))
            .select_from(_absent_uids.source)
            .order_by(_absent_uids.integer(1)),
        )
        .on_conflict_do_nothing()
    )
)
_present_uids = ListParameter("present_uids")
_DELETE_ABSENCES = Statement(
    delete(activity_absences).where(
        activity_absences.c.activity_id == bindparam("activity"),
        _present_uids.contains(activity_absences.c.user_id),
    )
)


def read_activity(row: Row) -> Activity:
    """Return the activity of a row of `COLUMNS`."""
    (
        number, school, course, unit, kind, lesson, name, teacher,
        begins_at, ends_at, closed_at, published, created_at, deleted_at,
    ) = row  # fmt: skip
    return Activity(
        id=ActivityId(number),
        school=SchoolId(school),
        course=CourseId(course),
        unit=UnitId(unit),
        kind=ActivityKind(kind),
        lesson=lesson,
        name=name,
        teacher=UserId(teacher),
        begins_at=begins_at,
        ends_at=ends_at,
        closed_at=closed_at,
        is_published=bool(published),
        created_at=created_at,
        deleted_at=deleted_at,
    )


def _stored_unit(unit: Unit) -> UnitId | None:
    """Return the value of the column: NULL stands for the default unit."""
    return None if unit.is_default else unit.id


class Activities:
    """Repository of activities."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, activity: ActivityId) -> Activity | None:
        """Return an activity of any course, a deleted one too, or None."""
        rows = self._tx.fetch_all(_GET, {"activity": activity})
        return read_activity(rows[0]) if rows else None

    def get_many(self, ids: Iterable[ActivityId]) -> dict[ActivityId, Activity]:
        """Return the activities, of any course, that exist of some ids."""
        text = msgspec.json.encode(list(set(ids))).decode()
        rows = map(read_activity, self._tx.fetch_all(_GET_MANY, {"activity_ids": text}))
        return {activity.id: activity for activity in rows}

    def get_of_lesson(self, lesson: LessonId) -> Activity:
        """Return the activity that a class is."""
        return read_activity(self._tx.fetch_all(_GET_OF_LESSON, {"lesson": lesson})[0])

    def count(self, unit: UnitId) -> int:
        """Return the number of activities of a unit other than a default one."""
        return int(self._tx.fetch_all(_COUNT, {"unit": unit})[0][0])

    def has_held_lesson(self, unit: UnitId, now: Moment) -> bool:
        """Return whether a class of the unit is running or over."""
        return bool(self._tx.fetch_all(_HAS_HELD_LESSON, {"unit": unit, "now": now}))

    def add(self, course: Course, unit: Unit, new: NewActivity, now: Moment) -> ActivityId:
        """Add a draft of an activity that is no class, and return its id."""
        values = {
            "school_id": course.school,
            "course_id": course.id,
            "unit_id": _stored_unit(unit),
            "lesson_id": None,
            "kind": new.kind.value,
            "name": new.name,
            "teacher_id": new.teacher,
            "starts_at": new.begins_at,
            "ends_at": new.ends_at,
            "is_published": 0,
            "created_at": now,
            "deleted_at": None,
        }
        return ActivityId(self._tx.fetch_all(_ADD, values)[0][0])

    def save_unit_of_lesson(self, lesson: LessonId, unit: Unit) -> ActivityId:
        """Put a class into a unit, and return its activity."""
        values = {"lesson": lesson, "new_unit": _stored_unit(unit)}
        return ActivityId(self._tx.fetch_all(_SAVE_UNIT_OF_LESSON, values)[0][0])

    def move_all(self, unit: UnitId, target: Unit) -> None:
        """Move all activities of a unit to another one."""
        self._tx.execute(_MOVE_ALL, {"unit": unit, "new_unit": _stored_unit(target)})

    def publish(self, ids: Iterable[ActivityId]) -> None:
        """Publish some activities."""
        text = msgspec.json.encode(list(ids)).decode()
        self._tx.execute(_PUBLISH, {"activity_ids": text})

    def delete(self, activity: ActivityId, now: Moment) -> None:
        """Mark an activity that is no class as deleted."""
        self._tx.execute(_DELETE, {"activity": activity, "moment": now})

    def delete_of_unit(
        self, unit: UnitId, now: Moment, *, keeps_identities: bool
    ) -> list[LessonId]:
        """Mark all activities of a unit as deleted, its classes too; return the classes."""
        self._tx.execute(_DELETE_OF_UNIT, {"unit": unit, "moment": now})
        statement = (
            _DELETE_LESSONS_OF_UNIT_KEEPING_IDENTITIES
            if keeps_identities
            else _DELETE_LESSONS_OF_UNIT
        )
        rows = self._tx.fetch_all(statement, {"unit": unit, "moment": now})
        return sorted(LessonId(row[0]) for row in rows)

    def add_absences(self, activity: ActivityId, users: Iterable[UserId]) -> None:
        """Take members of the course out of an activity that is no class."""
        rows = [(activity, user) for user in users]
        if rows:
            self._tx.execute(_ADD_ABSENCES, {"absent_uids": msgspec.json.encode(rows).decode()})

    def delete_absences(self, activity: ActivityId, users: Iterable[UserId]) -> None:
        """Bring members of the course back into an activity that is no class."""
        uids = list(users)
        if uids:
            text = msgspec.json.encode(uids).decode()
            self._tx.execute(_DELETE_ABSENCES, {"activity": activity, "present_uids": text})
