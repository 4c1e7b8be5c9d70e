"""Dual-teacher classes on the wire: main classes and their sub classes (READINGS Q85)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.contract.action import V2JSON, Action, Check
from homeroom.contract.checks import (
    CO_TEACHER_CHECKS,
    CO_TEACHER_COUNT,
    CO_TEACHER_IS_ANOTHER,
    COURSE_EXISTS,
    COURSE_FOREIGN,
    COURSE_NOT_DELETED,
    COURSE_OF_SCHOOL,
    COURSE_STANDARD,
    LESSON_EXISTS,
    LESSON_IN_COURSE,
    MAINTENANCE_CHECK,
    TEACHER_IN_SERVICE,
    TEACHER_OF_SCHOOL,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import read_ids
from homeroom.contract.params import (
    ID,
    STRICT_FLAG,
    TIMESTAMP,
    InvalidValueError,
    MissingParamError,
    Params,
    ParamType,
    read_choice,
    read_number_between,
    read_text,
)
from homeroom.contract.results import Entry, EntryErrno, EntryError, Result

MAX_SEAT_NUMBER = 1001
SECOND_CAMERA = 3
OFF_STAGE = 1
"""Values of isDc and of isAutoOnstage."""


def read_name(raw: object) -> str:
    """Read a name, which has one character at least."""
    name = read_text(raw)
    if not name:
        raise InvalidValueError("must not be empty")
    return name


NAME = ParamType(read_name, "text of 1 to 50 characters")
UIDS = ParamType(read_ids, "list of UIDs")
AUTO_STAGE = ParamType(read_choice(1, 2), "1 students enter off stage, 2 on stage")
SEAT_NUMBER = ParamType(
    read_number_between(1, MAX_SEAT_NUMBER),
    "seats with that of the teacher, 1 and above; lowered to what the plan allows",
)
HD = ParamType(read_choice(0, 1, 2), "0 standard, 1 HD, 2 full HD")
DUAL_CAMERA = ParamType(read_choice(0, SECOND_CAMERA), "0 off, 3 second camera")
RECORD_TYPE = ParamType(read_choice(0, 1, 2), "0 classroom, 1 scene, 2 both")


class EditClass(Params, frozen=True, kw_only=True):
    """The parameters of lms.onlineDoubleTeacher.editClass; what is not sent stays as it is."""

    course_id: Annotated[CourseId, ID]
    class_id: Annotated[LessonId, ID]
    class_name: Annotated[str | None, NAME] = None
    teacher_uid: Annotated[UserId | None, ID] = None
    start_time: Annotated[Moment | None, TIMESTAMP] = None
    end_time: Annotated[Moment | None, TIMESTAMP] = None
    assistant_uids: Annotated[tuple[UserId, ...] | None, UIDS] = None
    camera_hide: Annotated[bool | None, STRICT_FLAG] = None
    is_auto_onstage: Annotated[int | None, AUTO_STAGE] = None
    seat_num: Annotated[int | None, SEAT_NUMBER] = None
    is_hd: Annotated[int | None, HD] = None
    is_dc: Annotated[int | None, DUAL_CAMERA] = None
    use_co_main_record: Annotated[bool | None, STRICT_FLAG] = None
    record_type: Annotated[int | None, RECORD_TYPE] = None
    record_state: Annotated[bool | None, STRICT_FLAG] = None
    live_state: Annotated[bool | None, STRICT_FLAG] = None
    open_state: Annotated[bool | None, STRICT_FLAG] = None

    def validate(self) -> None:
        """Ask for something to change."""
        optional = self.__struct_fields__[2:]
        if all(getattr(self, name) is None for name in optional):
            raise MissingParamError("className", "or another field to change must be given")


class DeleteClass(Params, frozen=True, kw_only=True):
    """The parameters of lms.onlineDoubleTeacher.deleteClass."""

    course_id: Annotated[CourseId, ID]
    class_id: Annotated[LessonId, ID]


class DualLiveInfo(msgspec.Struct, frozen=True, kw_only=True, rename="upper", omit_defaults=True):
    """Pull addresses of a live stream; no members without a stream (READINGS Q9)."""

    rtmp: str = ""
    hls: str = ""
    flv: str = ""


class EditedDualClass(Entry, frozen=True, kw_only=True):
    """A class after an edit."""

    is_main_class: Annotated[int, Meta(description="1 the main class, 0 a sub class.")]
    class_id: Annotated[LessonId, Meta(description="The class.")]
    live_url: Annotated[str, Meta(description="The page of the class; empty without recording.")]
    live_info: DualLiveInfo
    code: EntryErrno
    msg: EntryError


class EditedDualLessonList(Result, frozen=True, kw_only=True):
    """Result of lms.onlineDoubleTeacher.editClass."""

    data: Annotated[
        list[EditedDualClass],
        Meta(description="The class; after a main class its sub classes, by their ids."),
    ]


class DeletedDualClass(Entry, frozen=True, kw_only=True):
    """A class that was deleted."""

    class_id: Annotated[LessonId, Meta(description="The class.")]
    code: EntryErrno
    msg: EntryError


class DeletedDualLessonList(Result, frozen=True, kw_only=True):
    """Result of lms.onlineDoubleTeacher.deleteClass."""

    data: Annotated[
        list[DeletedDualClass],
        Meta(description="The sub classes, by their ids; then the main class."),
    ]


LESSON_FOREIGN = Check(Errno.LESSON_OF_ANOTHER_SCHOOL, "the class belongs to another school")
WINDOW_CHECKS = (
    Check(Errno.TIMES_FROZEN, "the class begins within a minute, and its times are concerned"),
    Check(Errno.LESSON_FROZEN_SOON, "the class begins within five minutes"),
    Check(Errno.LESSON_FROZEN, "the class begins within 20 minutes"),
)
SERVICE_TERM = Check(
    Errno.ENDS_AFTER_SERVICE, "the class ends after the service of the school's plan"
)
DUAL_TEACHER_CHECKS = (
    *TEACHER_IN_SERVICE,
    Check(Errno.TEACHER_IS_COURSE_STUDENT, "the teacher is a student of a course concerned"),
    Check(Errno.TEACHER_IS_COURSE_AUDITOR, "the teacher is an auditor of a course concerned"),
)
DUAL_CO_TEACHER_CHECKS = (*CO_TEACHER_CHECKS, CO_TEACHER_COUNT)
RESOLUTION_SEATS = Check(Errno.SEATS_FORBID_HD, "isHd is 1 or 2 and seatNum is neither 2 nor 7")
RESOLUTION_PLAN = Check(
    Errno.RESOLUTION_NOT_IN_PLAN, "the resolution is higher than the plan allows"
)
PLAN_CHECKS = (
    Check(Errno.LIVE_NOT_IN_PLAN, "liveState is 1, which the school's plan does not have"),
    Check(Errno.SCENE_NOT_IN_PLAN, "the scene is recorded, which the plan does not have"),
    Check(Errno.CO_TEACHERS_NOT_IN_PLAN, "there are co-teachers, which the plan does not have"),
    Check(Errno.REPLAY_NOT_IN_PLAN, "openState is 1, which the plan does not have"),
    Check(
        Errno.RECORDING_NOT_IN_PLAN,
        "recordState is 1, which the plan does not have; in an edit, also where the video service "
        "does not work or has no room left",
    ),
)
CALL_FAULTS = (Errno.KIND_NOT_SUPPORTED_FOR_VIDEO, Errno.TOO_MANY_ENTRIES)
BOOKKEEPING_FAULTS = (
    Errno.RECORDING_NOT_CHANGED_BY_CLIENT,
    Errno.LESSON_NOT_CHANGED_BY_CLIENT,
    Errno.TEACHER_NOT_LISTED,
    Errno.CO_TEACHER_NOT_LISTED,
    Errno.COVER_NOT_STORED,
    Errno.HEAD_TEACHER_IS_ANOTHER,
    Errno.LENGTH_NOT_ALLOWED,
    Errno.NO_SUBJECTS_HERE,
    Errno.NO_SUCH_SUBJECT,
    Errno.TEACHER_DELETED,
    Errno.LESSON_NOT_PROCESSED,
)

EDIT_CLASS = Action(
    name="lms.onlineDoubleTeacher.editClass",
    title="Edit a dual-teacher class",
    params=EditClass,
    result=EditedDualLessonList,
    bindings=(V2JSON("/lms/onlineDoubleTeacher/editClass", malformed=Errno.BAD_VALUE),),
    checks=(
        COURSE_EXISTS,
        COURSE_FOREIGN,
        Check(Errno.COURSE_NOT_IN_SCHOOL, "the course was deleted"),
        Check(
            Errno.COURSE_EXPIRED,
            "the course, or that of a sub class which is to follow, was ended or has expired",
        ),
        COURSE_STANDARD,
        LESSON_EXISTS,
        LESSON_FOREIGN,
        LESSON_IN_COURSE,
        Check(Errno.NOT_A_DUAL_LESSON, "the class is neither a main nor a sub class"),
        Check(Errno.LESSON_OVER_OR_DELETED, "the class is over or deleted"),
        Check(Errno.LESSON_IS_RUNNING, "the class is running, and a frozen field is to change"),
        *WINDOW_CHECKS,
        Check(Errno.TEACHERS_FROZEN, "the planned end has passed, and the teachers are to change"),
        Check(Errno.LESSON_NAME_TOO_LONG, "className has more than 50 characters"),
        Check(Errno.SUB_LESSON_FOLLOWS_MAIN, "a sub class is to change its teacher or its times"),
        Check(
            Errno.MAIN_RECORDING_MISMATCH,
            "some of the recording fields are missing, useCoMainRecord was sent for a main class, "
            "or it is 1 beside another that is not 0",
        ),
        Check(
            Errno.LESSON_LENGTH,
            "the end is not later than the start, or the class is shorter than 15 minutes or "
            "longer than 24 hours",
        ),
        Check(Errno.BEGINS_TOO_LATE, "the start is more than two years ahead"),
        SERVICE_TERM,
        MAINTENANCE_CHECK,
        Check(
            Errno.NO_DUAL_CAMERA_HERE,
            "the class gets two cameras, and has other seats than one or a plan without them",
        ),
        RESOLUTION_SEATS,
        RESOLUTION_PLAN,
        Check(Errno.REPLAY_OF_UNRECORDED, "liveState or openState is 1 without recordState"),
        *PLAN_CHECKS,
        Check(Errno.NO_SUCH_TEACHER, "no user has the UID of the teacher"),
        TEACHER_OF_SCHOOL,
        *DUAL_TEACHER_CHECKS,
        Check(Errno.TEACHER_IS_GUEST, "the teacher is a guest of a class concerned"),
        Check(Errno.TEACHER_IS_CO_TEACHER, "the teacher is a co-teacher of a class concerned"),
        CO_TEACHER_IS_ANOTHER,
        *DUAL_CO_TEACHER_CHECKS,
    ),
    faults=(
        Errno.FAILED,
        *CALL_FAULTS,
        *BOOKKEEPING_FAULTS,
        Errno.LESSON_IS_OVER,
        Errno.LESSON_DELETED,
        Errno.TEACHER_OF_ANOTHER_SCHOOL,
    ),
)

DELETE_CLASS = Action(
    name="lms.onlineDoubleTeacher.deleteClass",
    title="Delete a dual-teacher class",
    params=DeleteClass,
    result=DeletedDualLessonList,
    bindings=(V2JSON("/lms/onlineDoubleTeacher/deleteClass", malformed=Errno.BAD_VALUE),),
    checks=(
        COURSE_EXISTS,
        COURSE_OF_SCHOOL,
        COURSE_NOT_DELETED,
        COURSE_STANDARD,
        LESSON_EXISTS,
        LESSON_FOREIGN,
        LESSON_IN_COURSE,
        Check(Errno.NOT_A_DUAL_LESSON, "the class is neither a main nor a sub class"),
        Check(Errno.LESSON_OVER_OR_DELETED, "the class is over or deleted"),
        Check(Errno.NOT_PERMITTED, "the class is running"),
    ),
    faults=(Errno.FAILED, Errno.TOO_MANY_TO_DELETE),
)
