"""Classroom activities on the wire: classes of the v2 wire (READINGS Q81, Q82)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.clock import Moment
from homeroom.base.ids import ActivityId, CourseId, UnitId, UserId
from homeroom.base.values import replace
from homeroom.contract.action import V2JSON, Action, Check
from homeroom.contract.activities import ActivityName, ActivityNumber
from homeroom.contract.checks import (
    ACTIVITY_COURSE,
    CO_TEACHER_CHECKS,
    CO_TEACHER_COUNT,
    CO_TEACHER_IS_ANOTHER,
    COURSE_FOREIGN,
    COURSE_STANDARD,
    LENGTH_CHECK,
    MAINTENANCE_CHECK,
    TEACHER_CHECKS,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import MONTHLY_CHECKS, SECOND_CAMERA, read_co_teachers
from homeroom.contract.params import (
    ID,
    IDENTITY,
    STRICT_FLAG,
    TIMESTAMP,
    IncompleteGroupError,
    MissingParamError,
    ParamError,
    Params,
    ParamType,
    read_choice,
    read_id,
)
from homeroom.contract.results import LiveInfo, Result
from homeroom.contract.units import OTHER_NAME, V2_NAME


def _keep_empty(param: ParamType) -> ParamType:
    """Return the rule of an optional parameter whose empty value is a wrong one."""
    return replace(param, keeps_empty=True)


UNIT = _keep_empty(ID)
FLAG = _keep_empty(STRICT_FLAG)
SEATS = ParamType(
    read_id,
    "seats, that of the teacher included; more than the school's plan has are lowered to those",
    keeps_empty=True,
)
HD = ParamType(read_choice(0, 1, 2), "0 standard, 1 HD, 2 full HD", keeps_empty=True)
DUAL_CAMERA = ParamType(read_choice(0, SECOND_CAMERA), "0 off, 3 second camera", keeps_empty=True)
RECORD_TYPE = ParamType(read_choice(0, 1, 2), "0 classroom, 1 scene, 2 both", keeps_empty=True)
CO_TEACHERS = ParamType(read_co_teachers, "list of UIDs, each once")


class _RecordingParams(Params, frozen=True, kw_only=True):
    """The recording group, which is sent as a whole or not at all."""

    record_type: Annotated[int | None, RECORD_TYPE] = None
    record_state: Annotated[bool | None, FLAG] = None
    live_state: Annotated[bool | None, FLAG] = None
    open_state: Annotated[bool | None, FLAG] = None
    assistant_uids: Annotated[tuple[UserId, ...] | None, CO_TEACHERS] = None

    def validate(self) -> None:
        """Refuse a co-teacher who is named twice, and an incomplete recording group."""
        co_teachers = self.assistant_uids or ()
        if len(set(co_teachers)) < len(co_teachers):
            raise ParamError("assistantUids", "must name each co-teacher once")
        group = (self.record_type, self.record_state, self.live_state, self.open_state)
        if len({value is None for value in group}) > 1:
            raise IncompleteGroupError(
                "recordType", "send recordType, recordState, liveState and openState together"
            )


class CreateClass(_RecordingParams, frozen=True, kw_only=True):
    """The parameters of lms.activity.createClass."""

    course_id: Annotated[CourseId, ID]
    name: Annotated[str, V2_NAME]
    teacher_uid: Annotated[UserId, ID]
    start_time: Annotated[Moment, TIMESTAMP]
    end_time: Annotated[Moment, TIMESTAMP]
    unit_id: Annotated[UnitId | None, UNIT] = None
    camera_hide: Annotated[bool, FLAG] = False
    is_auto_onstage: Annotated[bool, FLAG] = True
    seat_num: Annotated[int, SEATS] = 7
    is_hd: Annotated[int, HD] = 0
    is_dc: Annotated[int, DUAL_CAMERA] = 0
    is_allow_check: Annotated[bool, FLAG] = True
    unique_identity: Annotated[str | None, _keep_empty(IDENTITY)] = None
    omo_station_broadcast: Annotated[bool, FLAG] = False


class UpdateClass(_RecordingParams, frozen=True, kw_only=True):
    """The parameters of lms.activity.updateClass; what is not sent stays as it is."""

    course_id: Annotated[CourseId, ID]
    activity_id: Annotated[ActivityId, ID]
    unit_id: Annotated[UnitId | None, UNIT] = None
    name: Annotated[str | None, OTHER_NAME] = None
    teacher_uid: Annotated[UserId | None, _keep_empty(ID)] = None
    start_time: Annotated[Moment | None, _keep_empty(TIMESTAMP)] = None
    end_time: Annotated[Moment | None, _keep_empty(TIMESTAMP)] = None
    camera_hide: Annotated[bool | None, FLAG] = None
    is_auto_onstage: Annotated[bool | None, FLAG] = None
    seat_num: Annotated[int | None, SEATS] = None
    is_hd: Annotated[int | None, HD] = None
    is_dc: Annotated[int | None, DUAL_CAMERA] = None
    is_allow_check: Annotated[bool | None, FLAG] = None
    omo_station_broadcast: Annotated[bool | None, FLAG] = None

    def validate(self) -> None:
        """Refuse a call that changes nothing."""
        super().validate()
        sent = msgspec.structs.asdict(self)
        if all(sent[name] is None for name in sent.keys() - {"course_id", "activity_id"}):
            raise MissingParamError("name", "send what is to change")


class UpdatedClassData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A classroom activity with the addresses of its class."""

    activity_id: ActivityNumber
    name: ActivityName
    live_url: Annotated[
        str, Meta(description="The page of the class; empty where it is not recorded.")
    ] = msgspec.field(name="live_url")
    live_info: Annotated[LiveInfo, Meta(description="The pull addresses of the stream.")] = (
        msgspec.field(name="live_info")
    )


class CreatedClassData(UpdatedClassData, frozen=True, kw_only=True):
    """A new classroom activity, and the class that it is."""

    class_id: Annotated[int, Meta(description="The id of the class.")]


class CreatedClass(Result, frozen=True, kw_only=True):
    """Result of lms.activity.createClass."""

    data: CreatedClassData


class UpdatedClass(Result, frozen=True, kw_only=True):
    """Result of lms.activity.updateClass."""

    data: UpdatedClassData


INCOMPLETE_GROUP = Check(
    Errno.BAD_PARAMS,
    "some of recordType, recordState, liveState and openState are sent, and not all",
)
TEACHER_EXISTS = Check(Errno.NO_SUCH_TEACHER, "no user has the UID of the teacher")

CREATE_CLASS = Action(
    name="lms.activity.createClass",
    title="Create a classroom activity",
    params=CreateClass,
    result=CreatedClass,
    bindings=(V2JSON("/lms/activity/createClass"),),
    early_checks=(
        Check(
            Errno.TOO_MANY_REQUESTS,
            "the school made more than 1,000 such calls within 60 seconds; a call that is refused "
            "so does not count",
        ),
    ),
    checks=(
        INCOMPLETE_GROUP,
        Check(
            Errno.FAILED,
            "another request with this identity is unfinished after one second",
        ),
        Check(
            Errno.IDENTITY_TAKEN,
            "a class has this identity already; the answer is about that one",
            has_result=True,
        ),
        *ACTIVITY_COURSE,
        Check(Errno.BAD_VALUE, "the course has no such unit"),
        Check(Errno.UNIT_FULL, "the unit is full"),
        Check(Errno.ENDS_BEFORE_IT_BEGINS, "the end is not later than the start"),
        Check(Errno.BEGINS_TOO_SOON, "the start is less than one minute ahead"),
        Check(Errno.BEGINS_TOO_LATE, "the start is more than two years ahead"),
        LENGTH_CHECK,
        MAINTENANCE_CHECK,
        TEACHER_EXISTS,
        *TEACHER_CHECKS,
        CO_TEACHER_IS_ANOTHER,
        *CO_TEACHER_CHECKS,
        Check(
            Errno.TOO_MANY_CO_TEACHERS,
            "there are co-teachers, and the school's plan has none or fewer",
        ),
        Check(
            Errno.DUAL_CAMERA_REFUSED,
            "isDc is 3, and seatNum is not 2, cameraHide is 1, or the plan has no second camera",
        ),
        Check(
            Errno.BAD_VALUE,
            "isHd is 1 or 2 and seatNum is neither 2 nor 7, isHd is above the plan, or cameraHide "
            "is 1 and the plan has no smart classroom",
        ),
        Check(
            Errno.BROADCAST_NOT_IN_PLAN,
            "omoStationBroadcast is 1, which the plan does not have",
        ),
        Check(Errno.TOO_MANY_LESSONS, "the course has as many classes as the plan allows"),
        *MONTHLY_CHECKS,
    ),
    warnings=(
        Check(
            Errno.ADDED_WITHOUT_LIVE,
            "a recording switch is on that the plan does not have, that needs recordState, or for "
            "which the school's storage is used up or the video service does not work",
        ),
    ),
    faults=(
        Errno.STUDENT_NOT_ADDED_TO_LESSON,
        Errno.FOLDER_NOT_IN_DRIVE,
        Errno.LESSON_NOT_ADDED,
        Errno.CLIENT_LESSON_NOT_ADDED,
        Errno.RECORDING_NOT_CHANGED_BY_CLIENT,
        Errno.TEACHER_NOT_LISTED,
        Errno.TEACHER_IS_GUEST,
        Errno.CO_TEACHER_NOT_LISTED,
        Errno.COURSE_IS_FULL,
        Errno.COVER_NOT_STORED,
        Errno.HEAD_TEACHER_IS_ANOTHER,
        Errno.NO_SUBJECTS_HERE,
        Errno.TEACHER_DELETED,
    ),
)

UPDATE_CLASS = Action(
    name="lms.activity.updateClass",
    title="Edit a classroom activity",
    params=UpdateClass,
    result=UpdatedClass,
    bindings=(V2JSON("/lms/activity/updateClass"),),
    checks=(
        INCOMPLETE_GROUP,
        Check(Errno.NO_SUCH_COURSE, "there is no such course"),
        COURSE_FOREIGN,
        Check(Errno.COURSE_NOT_IN_SCHOOL, "the course was deleted"),
        Check(Errno.COURSE_EXPIRED, "the course was ended"),
        Check(Errno.COURSE_PAST_EXPIRY, "the course has expired"),
        COURSE_STANDARD,
        Check(Errno.BAD_VALUE, "the course has no such unit"),
        Check(Errno.TOO_MANY_ENTRIES, "the unit is full"),
        Check(Errno.NO_SUCH_LESSON, "there is no such activity, or it is no class"),
        Check(Errno.LESSON_NOT_IN_COURSE, "the activity belongs to another course"),
        Check(Errno.LESSON_DELETED, "the activity was deleted"),
        Check(
            Errno.BAD_VALUE,
            "the class is a dual-teacher main or sub class, which has calls of its own",
        ),
        Check(Errno.LESSON_IS_OVER, "the class is over, and a frozen value is to change"),
        Check(Errno.LESSON_IS_RUNNING, "the class is running, and a frozen value is to change"),
        Check(
            Errno.TIMES_FROZEN, "the class begins within one minute, and its times are to change"
        ),
        Check(
            Errno.LESSON_FROZEN_SOON,
            "the class begins within 5 minutes, and a frozen value is to change",
        ),
        Check(
            Errno.LESSON_FROZEN,
            "the class begins within 20 minutes, and a frozen value is to change",
        ),
        Check(Errno.TEACHERS_FROZEN, "the planned end has passed, and the teachers are to change"),
        Check(
            Errno.LESSON_LENGTH,
            "the end is not later than the start, or the class is shorter than 15 minutes or "
            "longer than 24 hours",
        ),
        Check(Errno.BAD_VALUE, "the start is in the past, or more than two years ahead"),
        Check(Errno.ENDS_AFTER_SERVICE, "the end is later than the plan's service_until"),
        MAINTENANCE_CHECK,
        Check(
            Errno.NO_DUAL_CAMERA_HERE,
            "isDc is 3, and seatNum is not 2, cameraHide is 1, or the plan has no second camera",
        ),
        Check(Errno.SEATS_FORBID_HD, "isHd is 1 or 2 and seatNum is neither 2 nor 7"),
        Check(
            Errno.BAD_VALUE,
            "isHd is above the plan, or cameraHide is 1 and the plan has no smart classroom",
        ),
        Check(
            Errno.BROADCAST_NOT_IN_PLAN,
            "omoStationBroadcast is 1, which the plan does not have",
        ),
        Check(Errno.REPLAY_OF_UNRECORDED, "liveState or openState is 1 and recordState is 0"),
        Check(Errno.LIVE_NOT_IN_PLAN, "liveState is 1, which the plan does not have"),
        Check(Errno.SCENE_NOT_IN_PLAN, "the scene is recorded, which the plan does not have"),
        Check(Errno.CO_TEACHERS_NOT_IN_PLAN, "there are co-teachers, which the plan does not have"),
        Check(Errno.REPLAY_NOT_IN_PLAN, "openState is 1, which the plan does not have"),
        Check(
            Errno.RECORDING_NOT_IN_PLAN,
            "recordState is 1, which the plan does not have, or is switched on, and the school's "
            "storage is used up or the video service does not work",
        ),
        TEACHER_EXISTS,
        *TEACHER_CHECKS,
        Check(Errno.TEACHER_IS_GUEST, "the teacher is a guest of the class"),
        Check(Errno.TEACHER_IS_CO_TEACHER, "the teacher is a co-teacher of the class"),
        CO_TEACHER_IS_ANOTHER,
        *CO_TEACHER_CHECKS,
        Check(Errno.BAD_VALUE, "a co-teacher is a guest of the class"),
        CO_TEACHER_COUNT,
    ),
    faults=(
        Errno.TEACHER_NOT_IN_SCHOOL,
        Errno.RECORDING_NOT_CHANGED_BY_CLIENT,
        Errno.LESSON_NOT_CHANGED_BY_CLIENT,
        Errno.KIND_NOT_SUPPORTED_FOR_VIDEO,
        Errno.TEACHER_NOT_LISTED,
        Errno.CO_TEACHER_NOT_LISTED,
        Errno.COVER_NOT_STORED,
        Errno.HEAD_TEACHER_IS_ANOTHER,
        Errno.LENGTH_NOT_ALLOWED,
        Errno.NO_SUBJECTS_HERE,
        Errno.NO_SUCH_SUBJECT,
        Errno.TEACHER_DELETED,
    ),
)
