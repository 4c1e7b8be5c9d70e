"""Sub classes of dual-teacher classes on the wire (READINGS Q85)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.contract.action import V2JSON, Action, Check
from homeroom.contract.checks import (
    COURSE_EXISTS,
    COURSE_NOT_DELETED,
    COURSE_NOT_EXPIRED,
    COURSE_OF_SCHOOL,
    COURSE_STANDARD,
    LESSON_IN_COURSE,
    MAINTENANCE_CHECK,
)
from homeroom.contract.dual_teacher import (
    AUTO_STAGE,
    BOOKKEEPING_FAULTS,
    CALL_FAULTS,
    DUAL_CAMERA,
    DUAL_CO_TEACHER_CHECKS,
    DUAL_TEACHER_CHECKS,
    HD,
    LESSON_FOREIGN,
    NAME,
    OFF_STAGE,
    PLAN_CHECKS,
    RECORD_TYPE,
    RESOLUTION_PLAN,
    RESOLUTION_SEATS,
    SEAT_NUMBER,
    SERVICE_TERM,
    UIDS,
    WINDOW_CHECKS,
    DualLiveInfo,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry, SeparateEntriesReader
from homeroom.contract.params import ID, IDENTITY, STRICT_FLAG, Params, ParamType
from homeroom.contract.results import Entry, EntryErrno, EntryError, Result


def note_presence(_raw: object) -> bool:
    """Note that a parameter was sent; its value does not matter."""
    return True


SENT = ParamType(note_presence, "not for sub classes: they follow their main class")


class SubClassParams(Params, frozen=True, kw_only=True):
    """A sub class to add."""

    course_id: Annotated[CourseId, ID]
    class_name: Annotated[str, NAME]
    assistant_uids: Annotated[tuple[UserId, ...], UIDS] = ()
    camera_hide: Annotated[bool, STRICT_FLAG] = False
    is_auto_onstage: Annotated[int, AUTO_STAGE] = OFF_STAGE
    seat_num: Annotated[int, SEAT_NUMBER] = 7
    is_hd: Annotated[int, HD] = 0
    is_dc: Annotated[int, DUAL_CAMERA] = 0
    use_co_main_record: Annotated[bool | None, STRICT_FLAG] = None
    record_state: Annotated[bool | None, STRICT_FLAG] = None
    record_type: Annotated[int | None, RECORD_TYPE] = None
    live_state: Annotated[bool | None, STRICT_FLAG] = None
    open_state: Annotated[bool | None, STRICT_FLAG] = None
    unique_identity: Annotated[str | None, IDENTITY] = None
    teacher_uid: Annotated[bool, SENT] = False
    start_time: Annotated[bool, SENT] = False
    end_time: Annotated[bool, SENT] = False


class AddClass(Params, frozen=True, kw_only=True):
    """The parameters of lms.onlineDoubleTeacher.addClass."""

    main_course_id: Annotated[CourseId, ID]
    main_class_id: Annotated[LessonId, ID]
    sub_classes: Annotated[
        tuple[SubClassParams | InvalidEntry, ...],
        ParamType(
            SeparateEntriesReader(SubClassParams), "list of up to 20 classes", ("subClassJson",)
        ),
    ]


class AddedSubClass(Entry, frozen=True, kw_only=True):
    """Result of one sub class to add."""

    class_id: Annotated[int, Meta(description="New or earlier; 0 where the entry was refused.")]
    course_id: Annotated[int, Meta(description="The course of the entry.")]
    class_name: Annotated[str, Meta(description="The name of the entry.")]
    live_url: Annotated[str, Meta(description="The page of the class; empty without recording.")]
    live_info: DualLiveInfo
    unique_identity: Annotated[str, Meta(description="The caller's own; empty without one.")]
    code: EntryErrno
    msg: EntryError


class AddedSubClasses(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A main class and the sub classes to add, in their order."""

    main_class_id: Annotated[LessonId, Meta(description="The main class.")]
    main_course_id: Annotated[CourseId, Meta(description="The course of the main class.")]
    sub_class_data: Annotated[
        list[AddedSubClass], Meta(description="One result for each sub class, in their order.")
    ]


class AddedDualLessons(Result, frozen=True, kw_only=True):
    """Result of lms.onlineDoubleTeacher.addClass."""

    data: AddedSubClasses


ADDED_COURSE = (
    COURSE_EXISTS,
    COURSE_OF_SCHOOL,
    COURSE_NOT_DELETED,
    COURSE_NOT_EXPIRED,
    COURSE_STANDARD,
)

ADD_CLASS = Action(
    name="lms.onlineDoubleTeacher.addClass",
    title="Create dual-teacher sub classes",
    params=AddClass,
    result=AddedDualLessons,
    entry=AddedSubClass,
    bindings=(V2JSON("/lms/onlineDoubleTeacher/addClass", malformed=Errno.BAD_VALUE),),
    checks=(
        Check(Errno.NOT_PERMITTED, "the school's plan has no dual-teacher classes"),
        Check(Errno.PARAM_MISSING, "the list has more than 20 sub classes"),
        *ADDED_COURSE,
        Check(Errno.NO_SUCH_MAIN_LESSON, "there is no such class, or it is a sub class itself"),
        LESSON_FOREIGN,
        LESSON_IN_COURSE,
        Check(Errno.LESSON_DELETED, "the main class was deleted"),
        Check(Errno.LESSON_IS_OVER, "the main class is over"),
        Check(Errno.LESSON_IS_RUNNING, "the main class is running"),
        *WINDOW_CHECKS,
    ),
    entry_checks=(
        Check(Errno.BAD_VALUE, "a field of the entry is missing or has a wrong value"),
        Check(Errno.FAILED, "another request with this identity is unfinished after one second"),
        Check(Errno.IDENTITY_TAKEN, "a class has this identity; classId is that of it"),
        *ADDED_COURSE,
        Check(
            Errno.SAME_COURSE_AS_MAIN,
            "the course is that of the main class or of another sub class of it",
        ),
        Check(Errno.LESSON_NAME_TOO_LONG, "className has more than 50 characters"),
        Check(Errno.SUB_LESSON_FOLLOWS_MAIN, "teacherUid, startTime or endTime was sent"),
        Check(
            Errno.RECORDING_MISMATCH,
            "some of useCoMainRecord and the four recording fields are missing, or liveState or "
            "openState is 1 without recordState",
        ),
        Check(
            Errno.MAIN_RECORDING_MISMATCH,
            "useCoMainRecord is 1 and one of the four recording fields is not 0",
        ),
        MAINTENANCE_CHECK,
        SERVICE_TERM,
        Check(Errno.CO_TEACHER_IS_MAIN_TEACHER, "a co-teacher is the teacher of the main class"),
        *DUAL_TEACHER_CHECKS,
        *DUAL_CO_TEACHER_CHECKS,
        Check(Errno.NO_DUAL_CAMERA_HERE, "isDc is 3, and seatNum is not 2 or cameraHide is 1"),
        Check(Errno.DUAL_CAMERA_NOT_IN_PLAN, "isDc is 3, which the plan does not have"),
        RESOLUTION_SEATS,
        RESOLUTION_PLAN,
        *PLAN_CHECKS,
        Check(Errno.TOO_MANY_LESSONS, "the course has as many classes as the plan allows"),
        Check(Errno.TOO_MANY_SUB_LESSONS, "the main class has as many sub classes as one may have"),
    ),
    entry_faults=(
        *BOOKKEEPING_FAULTS,
        Errno.NOT_A_TEACHER_OF_SCHOOL,
        Errno.LESSON_LENGTH,
        Errno.NO_SUCH_TEACHER,
        Errno.REPLAY_OF_UNRECORDED,
        Errno.CO_TEACHER_IS_TEACHER,
        Errno.TEACHER_IS_GUEST,
        Errno.TEACHER_IS_CO_TEACHER,
        Errno.TEACHERS_FROZEN,
    ),
    faults=(*CALL_FAULTS, Errno.NO_SUCH_LESSON, Errno.NOT_A_DUAL_LESSON),
)
