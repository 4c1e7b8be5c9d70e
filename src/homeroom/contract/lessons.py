"""Classes on the wire."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, UserId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import (
    CHANGEABLE_COURSE,
    CO_TEACHER_CHECKS,
    CO_TEACHER_COUNT,
    CO_TEACHER_IS_ANOTHER,
    COURSE_KIND,
    FOLDER_OF_SCHOOL,
    LENGTH_CHECK,
    LESSON_OF_COURSE,
    MAINTENANCE_CHECK,
    OWN_COURSE,
    TEACHER_CHECKS,
    identity_checks,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import read_ids
from homeroom.contract.params import (
    FLAG,
    ID,
    IDENTITY,
    INTRODUCTION,
    LOOSE_FLAG,
    OPTIONAL_ID,
    TEXT,
    TIMESTAMP,
    InvalidValueError,
    ParamError,
    Params,
    ParamType,
    read_choice,
    read_choice_or_default,
    read_optional_id,
    read_text_cut_to,
    read_whole_number,
)
from homeroom.contract.results import (
    EmptyResult,
    LiveAddresses,
    Result,
)
from homeroom.contract.switches import SceneSwitch, Switch

SECOND_CAMERA = 3
SMART = 2
"""Values of isDc and of teachMode."""
MALFORMED_SEATS = -1
"""The value of a seat number that is no number; the answer is `Errno.SEATS_INVALID`."""


def read_seats(raw: object) -> int:
    """Read a number of seats; `MALFORMED_SEATS` for anything else, which has its own errno."""
    try:
        return max(read_whole_number(raw), MALFORMED_SEATS)
    except InvalidValueError:
        return MALFORMED_SEATS


def read_one_co_teacher(raw: object) -> tuple[UserId, ...]:
    """Read one UID as a list of one; empty and 0 are the empty list."""
    uid = None if raw == "" else read_optional_id(raw)
    return (UserId(uid),) if uid is not None else ()


def read_other_co_teacher(raw: object) -> tuple[UserId, ...] | UnsetType:
    """Read a change of co-teacher: empty takes them away, 0 is what clients send for "not sent"."""
    return () if raw == "" else read_one_co_teacher(raw) or UNSET


def read_co_teachers(raw: object) -> tuple[int, ...]:
    """Read a list of UIDs; empty is the empty list."""
    return () if raw == "" else read_ids(raw)


SEATS = ParamType(read_seats, "whole number, 0 and above")
HD = ParamType(read_choice_or_default(0, 1, 2), "0 standard, 1 HD, 2 full HD; anything else is 0")
DUAL_CAMERA = ParamType(
    read_choice_or_default(0, SECOND_CAMERA), "0 off, 3 second camera; anything else is 0"
)
TEACH_MODE = ParamType(
    read_choice(1, SMART), "1 online classroom, 2 smart classroom", zero_is_absent=True
)
ONE_CO_TEACHER = ParamType(read_one_co_teacher, "UID; send this or assistantUids", keeps_empty=True)
OTHER_CO_TEACHER = ParamType(
    read_other_co_teacher, "UID; empty removes; send this or assistantUids", keeps_empty=True
)
CO_TEACHERS = ParamType(read_co_teachers, "JSON list of UIDs", keeps_empty=True)


class NewLessonParams(Params, frozen=True, kw_only=True):
    """A class to add, of a call or of an entry."""

    class_name: Annotated[str, ParamType(read_text_cut_to(90), "text, cut to 90 characters")]
    begin_time: Annotated[Moment, TIMESTAMP]
    end_time: Annotated[Moment, TIMESTAMP]
    teacher_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    teacher_account: Annotated[str | None, TEXT] = None
    folder_id: Annotated[FolderId | None, OPTIONAL_ID] = None
    seat_num: Annotated[int | None, SEATS] = None
    assistant_uid: Annotated[tuple[UserId, ...], ONE_CO_TEACHER] = ()
    assistant_uids: Annotated[tuple[UserId, ...], CO_TEACHERS] = ()
    record: Annotated[bool, FLAG] = False
    record_scene: Annotated[bool, FLAG] = False
    live: Annotated[bool, FLAG] = False
    replay: Annotated[bool, FLAG] = False
    is_auto_onstage: Annotated[bool, FLAG] = False
    is_hd: Annotated[int, HD] = 0
    is_dc: Annotated[int, DUAL_CAMERA] = 0
    teach_mode: Annotated[int, TEACH_MODE] = 1
    omo_station_broadcast: Annotated[bool, FLAG] = False
    course_unique_identity: Annotated[str | None, IDENTITY] = None
    class_introduce: Annotated[str, INTRODUCTION] = ""
    watch_by_login: Annotated[bool | None, LOOSE_FLAG] = None
    allow_unlogged_chat: Annotated[bool | None, LOOSE_FLAG] = None

    def validate(self) -> None:
        """Ask for a teacher, and for co-teachers in one of their two forms only."""
        if self.teacher_uid is None and self.teacher_account is None:
            raise ParamError("teacherUid", "is missing or empty")
        if self.assistant_uid and self.assistant_uids:
            raise ParamError("assistantUid", "must not be sent together with assistantUids")


# Not `kw_only`: the fields of its own are then read, and documented, before the others.
class AddCourseClass(NewLessonParams, frozen=True):
    """The parameters of addCourseClass."""

    course_id: Annotated[CourseId, ID]


class EditCourseClass(Params, frozen=True, kw_only=True):
    """The parameters of editCourseClass; what is not sent stays as it is (READINGS Q29)."""

    course_id: Annotated[CourseId, ID]
    class_id: Annotated[LessonId, ID]
    class_name: Annotated[
        str | None, ParamType(read_text_cut_to(50), "text, cut to 50 characters")
    ] = None
    begin_time: Annotated[Moment | None, TIMESTAMP] = None
    end_time: Annotated[Moment | None, TIMESTAMP] = None
    teacher_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    folder_id: Annotated[FolderId | None, OPTIONAL_ID] = None
    assistant_uid: Annotated[tuple[UserId, ...] | UnsetType, OTHER_CO_TEACHER] = UNSET
    assistant_uids: Annotated[tuple[UserId, ...] | UnsetType, CO_TEACHERS] = UNSET
    record: Switch = UNSET
    record_scene: SceneSwitch = None
    live: Switch = UNSET
    replay: Switch = UNSET
    teach_mode: Annotated[int | None, TEACH_MODE] = None
    is_auto_onstage: Annotated[bool | None, FLAG] = None
    omo_station_broadcast: Annotated[bool | None, LOOSE_FLAG] = None
    class_introduce: Annotated[str | None, INTRODUCTION] = None
    watch_by_login: Annotated[bool | None, LOOSE_FLAG] = None
    allow_unlogged_chat: Annotated[bool | None, LOOSE_FLAG] = None

    def validate(self) -> None:
        """Refuse a start without an end, and co-teachers in both of their forms."""
        if self.begin_time is not None and self.end_time is None:
            raise ParamError("endTime", "must be sent together with beginTime")
        if self.assistant_uid and self.assistant_uids:
            raise ParamError("assistantUid", "must not be sent together with assistantUids")


class DelCourseClass(Params, frozen=True, kw_only=True):
    """The parameters of delCourseClass and delEndCourseClass."""

    course_id: Annotated[CourseId, ID]
    class_id: Annotated[LessonId, ID]


class AddedLesson(Result, frozen=True, kw_only=True):
    """Result of addCourseClass."""

    data: Annotated[LessonId, Meta(description="The id of the class, new or earlier.")]
    more_data: LiveAddresses


class EditedLesson(Result, frozen=True, kw_only=True):
    """Result of editCourseClass."""

    more_data: LiveAddresses


TIME_CHECKS = (
    Check(Errno.ENDS_BEFORE_IT_BEGINS, "the end is not later than the start"),
    Check(Errno.BEGINS_TOO_SOON, "the start is less than one minute ahead"),
    Check(Errno.BEGINS_TOO_LATE, "the start is more than three years ahead"),
    LENGTH_CHECK,
    MAINTENANCE_CHECK,
)
LESSON_TEACHER_CHECKS = (
    Check(Errno.BAD_DATA, "no user has the UID of the teacher"),
    *TEACHER_CHECKS,
)
LESSON_CO_TEACHER_CHECKS = (
    Check(Errno.CO_TEACHER_TWICE, "a co-teacher is listed twice"),
    CO_TEACHER_COUNT,
    CO_TEACHER_IS_ANOTHER,
    *CO_TEACHER_CHECKS,
)
PLAN_CHECKS = (
    Check(Errno.LIVE_NOT_IN_PLAN, "live is on, which the school's plan does not have"),
    Check(Errno.SCENE_NOT_IN_PLAN, "recordScene is on, which the plan does not have"),
    Check(Errno.CO_TEACHERS_NOT_IN_PLAN, "there are co-teachers, which the plan does not have"),
    Check(Errno.REPLAY_NOT_IN_PLAN, "replay is on, which the plan does not have"),
    Check(Errno.RECORDING_NOT_IN_PLAN, "record is on, which the plan does not have"),
    Check(
        Errno.DUAL_CAMERA_NOT_IN_PLAN,
        "the class has a second camera, which the plan does not have",
    ),
    Check(Errno.RESOLUTION_NOT_IN_PLAN, "the resolution is higher than the plan allows"),
    Check(Errno.BROADCAST_NOT_IN_PLAN, "omoStationBroadcast is on, which the plan does not have"),
    Check(Errno.NOT_IN_PLAN, "the class is in a smart classroom, which the plan does not have"),
)
MONTHLY_CHECKS = (
    Check(
        Errno.MONTHLY_LIMIT_UPGRADE,
        "the classes of the month are used up, and a larger plan exists",
    ),
    Check(Errno.MONTHLY_LIMIT, "the classes of the month are used up"),
)
SEAT_CHECKS = (
    Check(Errno.SEATS_INVALID, "seatNum is no number, or is below zero"),
    Check(Errno.TOO_MANY_SEATS, "seatNum is above what the school's plan allows"),
    Check(Errno.NO_DUAL_CAMERA_HERE, "isDc is 3 and seatNum is not 1"),
    Check(Errno.SEATS_FORBID_HD, "isHd is 1 or 2 and seatNum is neither 1 nor 6"),
)
HOURS_WARNING = Check(
    Errno.HOURS_USED_UP, "the classroom hours of the school's plan are used up this month"
)
NEW_LESSON_CHECKS = (
    *LESSON_TEACHER_CHECKS,
    *LESSON_CO_TEACHER_CHECKS,
    *SEAT_CHECKS,
    FOLDER_OF_SCHOOL,
    *PLAN_CHECKS,
    Check(Errno.TOO_MANY_LESSONS, "the course has as many classes as the plan allows"),
    *MONTHLY_CHECKS,
)
"""Checks of a class to add, after those of its identity, its course and its times."""
NEW_LESSON_WARNINGS = (
    Check(
        Errno.ADDED_WITHOUT_RECORDING,
        "record is on, and the school's storage is used up or the video service does not work",
    ),
    Check(Errno.ADDED_WITH_BAD_RECORDING, "live or replay is on and record is off"),
    Check(
        Errno.ADDED_WITHOUT_INTRODUCTION,
        "the introduction has characters that no database keeps",
    ),
    HOURS_WARNING,
)
IDENTITY_WARNING = Check(
    Errno.IDENTITY_NOT_RELEASED,
    "the class has an identity, and the school's plan never releases one",
)
BOOKKEEPING_FAULTS = (
    Errno.FAILED,
    Errno.SERVER_FAULT,
    Errno.CO_TEACHER_NOT_BOOKED,
    Errno.TEACHER_NOT_LISTED,
    Errno.CO_TEACHER_NOT_LISTED,
    Errno.CO_TEACHER_ACCOUNT_MALFORMED,
)
LESSON_MADE_ELSEWHERE = Check(
    Errno.LESSON_MADE_ELSEWHERE, "the class was made by a client or by the LMS calls"
)
V1_LESSON = (*LESSON_OF_COURSE, LESSON_MADE_ELSEWHERE)
"""Checks of a class that the v1 wire may change."""

ADD_COURSE_CLASS = Action(
    name="addCourseClass",
    title="Create a class",
    params=AddCourseClass,
    unused_names=("teacherName",),
    result=AddedLesson,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        *identity_checks("class"),
        *CHANGEABLE_COURSE,
        *TIME_CHECKS,
        *NEW_LESSON_CHECKS,
    ),
    warnings=NEW_LESSON_WARNINGS,
    faults=BOOKKEEPING_FAULTS,
)

EDIT_COURSE_CLASS = Action(
    name="editCourseClass",
    title="Edit a class",
    params=EditCourseClass,
    result=EditedLesson,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        OWN_COURSE,
        COURSE_KIND,
        *V1_LESSON,
        Check(Errno.LESSON_IS_OVER, "the class is over, and more than its teachers is to change"),
        Check(Errno.LESSON_IS_RUNNING, "the class is running, and a frozen field is to change"),
        Check(
            Errno.LESSON_FROZEN,
            "the class begins within 20 minutes, and a frozen field is to change",
        ),
        Check(Errno.TEACHERS_FROZEN, "the planned end has passed, and the teachers are to change"),
        *TIME_CHECKS,
        *LESSON_TEACHER_CHECKS,
        Check(Errno.TEACHER_IS_GUEST, "the teacher is a guest of the class"),
        Check(Errno.TEACHER_IS_CO_TEACHER, "the teacher is a co-teacher of the class"),
        *LESSON_CO_TEACHER_CHECKS,
        Check(Errno.CO_TEACHER_IS_GUEST, "a co-teacher is a guest of the class"),
        Check(
            Errno.CO_TEACHER_NOT_UNBOOKED,
            "the class is running, and a co-teacher whose account was cancelled is to be removed",
        ),
        FOLDER_OF_SCHOOL,
        Check(
            Errno.TEACH_MODE_NOT_CHANGED,
            "the class has two cameras and is to move to a smart classroom",
        ),
        Check(
            Errno.AUTO_STAGE_NOT_CHANGED,
            "the class is in a smart classroom, and students are to enter on stage",
        ),
        Check(
            Errno.SEATS_INVALID,
            "the times change, and the class has more seats than the plan allows by now",
        ),
        *PLAN_CHECKS,
        *MONTHLY_CHECKS,
    ),
    warnings=(
        Check(
            Errno.EDITED_WITHOUT_RECORDING,
            "record is switched on, and the school's storage is used up or the video service "
            "does not work",
        ),
        Check(Errno.EDITED_WITH_BAD_RECORDING, "live or replay is on and record is off"),
        Check(
            Errno.EDITED_RECORDING_FROZEN,
            "recording or live changes later than 20 minutes before the start",
        ),
        Check(
            Errno.EDITED_WITHOUT_INTRODUCTION,
            "the introduction has characters that no database keeps",
        ),
        HOURS_WARNING,
    ),
    faults=BOOKKEEPING_FAULTS,
)

DEL_COURSE_CLASS = Action(
    name="delCourseClass",
    title="Delete a class that has not been held",
    params=DelCourseClass,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        OWN_COURSE,
        COURSE_KIND,
        *V1_LESSON,
        Check(Errno.LESSON_IS_RUNNING, "the class is running, its 20 minutes of overtime included"),
        Check(Errno.LESSON_IS_OVER, "the class is over"),
    ),
    warnings=(IDENTITY_WARNING,),
)
