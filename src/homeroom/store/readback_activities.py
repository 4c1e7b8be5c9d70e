"""Lists of the read-back API: units and activities."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import and_, bindparam, func, select, union_all

from homeroom.base.ids import ActivityId, UserId
from homeroom.store import activities as activity_store
from homeroom.store.engine import Transaction
from homeroom.store.paging import (
    Filters,
    ListDefinition,
    Page,
    PageRequest,
    deletion_filter,
    fetch_page,
    substring_filter,
)
from homeroom.store.readback_records import ActivityRecord, UnitRecord
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    activities,
    activity_absences,
    courses,
    lesson_absences,
    units,
)

_unit_deleted_at = func.coalesce(units.c.deleted_at, courses.c.deleted_at)
UNITS = ListDefinition(
    "units",
    UnitRecord,
    (
        units.c.school_id,
        units.c.id,
        units.c.course_id,
        units.c.name,
        units.c.content,
        units.c.is_published,
        units.c.is_default,
        units.c.created_at,
        _unit_deleted_at,
    ),
    units.outerjoin(courses, courses.c.id == units.c.course_id),
    school=units.c.school_id,
    order=(units.c.id,),
    filters={
        "unit": units.c.id == bindparam("unit"),
        "course": units.c.course_id == bindparam("course"),
        "name": substring_filter(units.c.name, "name"),
        "deleted": deletion_filter(_unit_deleted_at),
    },
    selective_filters=frozenset({"unit", "course"}),
)
_activity_deleted_at = func.coalesce(activity_store.DELETED_AT, courses.c.deleted_at)
_course_of_unit = select(units.c.course_id).where(units.c.id == bindparam("unit")).scalar_subquery()
ACTIVITIES = ListDefinition(
    "activities",
    ActivityRecord,
    (
        activities.c.school_id,
        activities.c.id,
        activities.c.course_id,
        activity_store.UNIT,
        activities.c.kind,
        activities.c.lesson_id,
        activity_store.NAME,
        activity_store.TEACHER,
        activity_store.BEGINS_AT,
        activity_store.ENDS_AT,
        activities.c.is_published,
        activities.c.created_at,
        _activity_deleted_at,
    ),
    activity_store.JOINED.outerjoin(courses, courses.c.id == activities.c.course_id),
    school=activities.c.school_id,
    order=(activities.c.id,),
    filters={
        "activity": activities.c.id == bindparam("activity"),
        "course": activities.c.course_id == bindparam("course"),
        # The course of the unit leads to the rows: those of a default unit do not name it.
        "unit": and_(
            activities.c.course_id == _course_of_unit, bindparam("unit") == activity_store.UNIT
        ),
        "lesson": activities.c.lesson_id == bindparam("lesson"),
        "activity_type": activities.c.kind == bindparam("activity_type"),
        "name": substring_filter(activity_store.NAME, "name"),
        "deleted": deletion_filter(_activity_deleted_at),
    },
    selective_filters=frozenset({"activity", "course", "unit", "lesson"}),
)
_activity_ids = ListParameter("activity_ids")
_FIND_ABSENT = Statement(
    union_all(
        select(activity_absences.c.activity_id, activity_absences.c.user_id).select_from(
            _activity_ids.source.join(
                activity_absences, activity_absences.c.activity_id == _activity_ids.integer()
            )
        ),
        select(activities.c.id, lesson_absences.c.user_id).select_from(
            _activity_ids.source.join(activities, activities.c.id == _activity_ids.integer()).join(
                lesson_absences, lesson_absences.c.lesson_id == activities.c.lesson_id
            )
        ),
    )
)


class ActivityLists:
    """Repository of the read-back API's lists of units and activities."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_units(self, filters: Filters, request: PageRequest) -> Page[UnitRecord]:
        """Return a page of units."""
        return fetch_page(self._tx, UNITS, filters, request)

    def list_activities(self, filters: Filters, request: PageRequest) -> Page[ActivityRecord]:
        """Return a page of activities."""
        return fetch_page(self._tx, ACTIVITIES, filters, request)

    def find_absent(self, ids: Iterable[ActivityId]) -> dict[ActivityId, list[UserId]]:
        """Return the members of the course who were taken out of each activity, by UID."""
        result: dict[ActivityId, list[UserId]] = {activity: [] for activity in ids}
        text = msgspec.json.encode(list(result)).decode()
        for activity, user in sorted(self._tx.fetch_all(_FIND_ABSENT, {"activity_ids": text})):
            result[activity].append(user)
        return result
