"""Activities of courses on the wire; those that are classes are created in `classrooms.py`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.clock import Moment
from homeroom.base.ids import ActivityId, CourseId, UnitId, UserId
from homeroom.contract.action import V2JSON, Action, Check
from homeroom.contract.checks import ACTIVITY_COURSE
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry, read_ids_separately, read_json_list
from homeroom.contract.params import (
    ID,
    TIMESTAMP,
    Params,
    ParamType,
    read_choice,
    read_id,
)
from homeroom.contract.results import EmptyResult, Entry, EntryErrno, EntryError, Result
from homeroom.contract.units import V2_NAME, UnitNumber


def read_all_ids(raw: object) -> tuple[int, ...]:
    """Read a list of ids; an invalid one makes the whole list invalid."""
    return tuple(map(read_id, read_json_list(raw)))


def read_activity_ids(raw: object) -> tuple[int, ...]:
    """Read one id, or a list of ids (READINGS Q22)."""
    if isinstance(raw, list) or (isinstance(raw, str) and raw.lstrip().startswith("[")):
        return read_all_ids(raw)
    return (read_id(raw),)


KIND = ParamType(
    read_choice(2, 3, 4, 5, 6, 7, 8),
    "2 homework, 3 test, 4 recorded lesson, 5 material, 6 discussion, 7 answer sheet, 8 check-in",
)
ACTIVITY_IDS = ParamType(
    read_activity_ids,
    "id, or JSON list of up to 1,000 ids",
    ("activityIds", "activityId"),
)


ActivityNumber = Annotated[int, Meta(description="The id of the activity.")]
ActivityName = Annotated[str, Meta(description="The name of the activity.")]


class CreateActivity(Params, frozen=True, kw_only=True):
    """The parameters of lms.activity.createActivityNoClass."""

    course_id: Annotated[CourseId, ID]
    unit_id: Annotated[UnitId, ID]
    activity_type: Annotated[int, KIND]
    name: Annotated[str, V2_NAME]
    teacher_uid: Annotated[UserId, ID]
    start_time: Annotated[Moment | None, TIMESTAMP] = None
    end_time: Annotated[Moment | None, TIMESTAMP] = None


class ReleaseActivities(Params, frozen=True, kw_only=True):
    """The parameters of lms.activity.release."""

    course_id: Annotated[CourseId, ID]
    activity_ids: Annotated[tuple[ActivityId, ...], ACTIVITY_IDS]


class DeleteActivity(Params, frozen=True, kw_only=True):
    """The parameters of lms.activity.delete."""

    course_id: Annotated[CourseId, ID]
    activity_id: Annotated[ActivityId, ID]


class AddActivityStudents(Params, frozen=True, kw_only=True):
    """The parameters of lms.activity.addStudent."""

    course_id: Annotated[CourseId, ID]
    activity_id: Annotated[ActivityId, ID]
    student_uids: Annotated[
        tuple[UserId | InvalidEntry, ...],
        ParamType(read_ids_separately, "list of up to 1,000 UIDs"),
    ]


class DeleteActivityStudents(Params, frozen=True, kw_only=True):
    """The parameters of lms.activity.deleteStudent."""

    course_id: Annotated[CourseId, ID]
    activity_id: Annotated[ActivityId, ID]
    student_uids: Annotated[tuple[UserId, ...], ParamType(read_all_ids, "list of up to 1,000 UIDs")]


class NewActivityData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new activity."""

    name: ActivityName
    activity_id: ActivityNumber
    unit_id: UnitNumber


class ActivityData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An activity."""

    activity_id: ActivityNumber
    name: ActivityName


class ReleasedActivity(Entry, frozen=True, kw_only=True):
    """Result of one activity of several."""

    activity_id: ActivityNumber
    name: Annotated[str, Meta(description="Empty where the course has no such activity.")]
    code: EntryErrno
    msg: EntryError


class ActivityStudent(Entry, frozen=True, kw_only=True):
    """Result of one student."""

    student_uid: Annotated[int | str, Meta(description="As it was sent.")]
    code: EntryErrno
    msg: EntryError


class CreatedActivity(Result, frozen=True, kw_only=True):
    """Result of lms.activity.createActivityNoClass."""

    data: NewActivityData


class ActivityResult(Result, frozen=True, kw_only=True):
    """Result of lms.activity.delete."""

    data: ActivityData


class ReleasedActivities(Result, frozen=True, kw_only=True):
    """Result of lms.activity.release."""

    data: Annotated[
        ActivityData | list[ReleasedActivity],
        Meta(description="A list where more than one id was sent, in their order."),
    ]


class AddedActivityStudents(Result, frozen=True, kw_only=True):
    """Result of lms.activity.addStudent."""

    data: Annotated[
        list[ActivityStudent], Meta(description="One result for each student, in their order.")
    ]


ACTIVITY_CHECKS = (
    Check(Errno.NO_SUCH_ACTIVITY, "the course has no such activity"),
    Check(Errno.ACTIVITY_DELETED, "the activity was deleted"),
)
RELEASE_CHECKS = (
    *ACTIVITY_CHECKS,
    Check(Errno.ACTIVITY_PUBLISHED, "the activity is published already"),
)

CREATE_ACTIVITY = Action(
    name="lms.activity.createActivityNoClass",
    title="Create a draft of an activity that is no class",
    params=CreateActivity,
    result=CreatedActivity,
    bindings=(V2JSON("/lms/activity/createActivityNoClass"),),
    checks=(
        *ACTIVITY_COURSE,
        Check(Errno.NO_SUCH_UNIT, "the course has no such unit"),
        Check(Errno.UNIT_FULL, "the unit is full"),
        Check(
            Errno.BAD_VALUE,
            "the start is more than three years ahead, the end is not later than the start, or "
            "teacherUid is no teacher in service, or is a member of the course",
        ),
    ),
    faults=(),
)

RELEASE_ACTIVITIES = Action(
    name="lms.activity.release",
    title="Publish activities",
    params=ReleaseActivities,
    result=ReleasedActivities,
    entry=ReleasedActivity,
    bindings=(V2JSON("/lms/activity/release"),),
    checks=(*ACTIVITY_COURSE, *RELEASE_CHECKS),
    entry_checks=RELEASE_CHECKS,
    faults=(Errno.UNLOCK_CONDITION_IS_DRAFT,),
)

DELETE_ACTIVITY = Action(
    name="lms.activity.delete",
    title="Delete an activity",
    params=DeleteActivity,
    result=ActivityResult,
    bindings=(V2JSON("/lms/activity/delete"),),
    checks=(
        *ACTIVITY_COURSE,
        *ACTIVITY_CHECKS,
        Check(
            Errno.BAD_VALUE,
            "the activity is a main or sub class of the dual-teacher calls",
        ),
        Check(Errno.ACTIVITY_RUNNING, "the activity is a class that is running"),
        Check(Errno.ACTIVITY_HELD, "the activity is a class that is over"),
    ),
    faults=(),
)

OPEN_CHECK = Check(Errno.ACTIVITY_OVER, "the activity is over")

ADD_ACTIVITY_STUDENTS = Action(
    name="lms.activity.addStudent",
    title="Add members to an activity",
    params=AddActivityStudents,
    result=AddedActivityStudents,
    entry=ActivityStudent,
    bindings=(V2JSON("/lms/activity/addStudent", malformed=Errno.BAD_VALUE),),
    checks=(
        *ACTIVITY_COURSE,
        *ACTIVITY_CHECKS,
        Check(Errno.KIND_TAKES_NO_MEMBERS, "the activity is a homework or a test"),
        OPEN_CHECK,
    ),
    entry_checks=(
        Check(
            Errno.BAD_VALUE,
            "the UID is malformed, or of a class: no user has it, the person is no student of the "
            "school, an auditor or a teacher, or the class has as many students as the plan allows",
        ),
        Check(Errno.NOT_IN_COURSE, "the activity is no class, and the person is not in the course"),
    ),
    faults=(),
)

DELETE_ACTIVITY_STUDENTS = Action(
    name="lms.activity.deleteStudent",
    title="Remove members from an activity",
    params=DeleteActivityStudents,
    result=EmptyResult,
    bindings=(V2JSON("/lms/activity/deleteStudent", malformed=Errno.BAD_VALUE),),
    checks=(
        *ACTIVITY_COURSE,
        *ACTIVITY_CHECKS,
        Check(Errno.KIND_KEEPS_MEMBERS, "the activity is a homework or a test"),
        OPEN_CHECK,
    ),
    faults=(),
)
