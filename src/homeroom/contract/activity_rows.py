"""Read-back of units and activities."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.ids import ActivityId, CourseId, LessonId, UnitId
from homeroom.contract.paged import DELETED, PART, ReadBack, SchoolsQuery
from homeroom.contract.params import ID, ParamType, read_choice
from homeroom.contract.rows import (
    IdNumber,
    ReadBackRow,
    Switch,
    Timestamp,
    describe_choice,
)

KIND = ParamType(read_choice(1, 2, 3, 4, 5, 6, 7, 8), "1 class, 2 to 8 as activityType")
PublishFlag = Annotated[int, describe_choice("0 draft, 2 published.", 0, 2)]


class UnitsQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which units."""

    unit_id: Annotated[UnitId | None, ID] = None
    course_id: Annotated[CourseId | None, ID] = None
    name: Annotated[str | None, PART] = None
    deleted: Annotated[bool | None, DELETED] = None


class ActivitiesQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which activities."""

    activity_id: Annotated[ActivityId | None, ID] = None
    course_id: Annotated[CourseId | None, ID] = None
    unit_id: Annotated[UnitId | None, ID] = None
    class_id: Annotated[LessonId | None, ID] = None
    activity_type: Annotated[int | None, KIND] = None
    name: Annotated[str | None, PART] = None
    deleted: Annotated[bool | None, DELETED] = None


class UnitRow(ReadBackRow, frozen=True, kw_only=True):
    """A unit of a course."""

    sid: IdNumber = msgspec.field(name="SID")
    unit_id: IdNumber
    course_id: IdNumber
    name: str
    content: str
    publish_flag: PublishFlag
    is_default: Annotated[Switch, Meta(description="1: the unit that the course was made with.")]
    created_time: Timestamp
    deleted_time: Timestamp | None


class ActivityRow(ReadBackRow, frozen=True, kw_only=True):
    """An activity of a course."""

    sid: IdNumber = msgspec.field(name="SID")
    activity_id: IdNumber
    course_id: IdNumber
    unit_id: IdNumber
    activity_type: Annotated[
        int,
        describe_choice(
            "1 class, 2 homework, 3 test, 4 recorded lesson, 5 material, 6 discussion, "
            "7 answer sheet, 8 check-in.",
            *(1, 2, 3, 4, 5, 6, 7, 8),
        ),
    ]
    class_id: Annotated[int | None, Meta(description="null: the activity is no class.")]
    name: str
    teacher_uid: IdNumber
    start_time: Timestamp | None
    end_time: Timestamp | None
    publish_flag: PublishFlag
    absent_uids: Annotated[
        list[int], Meta(description="Members of the course who were taken out of it.")
    ]
    created_time: Timestamp
    deleted_time: Timestamp | None


UNITS = ReadBack("listUnits", "/units", "Units", UnitsQuery, UnitRow, "by unitId")
ACTIVITIES = ReadBack(
    "listActivities", "/activities", "Activities", ActivitiesQuery, ActivityRow, "by activityId"
)
