"""Classes on the wire."""

from typing import Annotated

from msgspec import UNSET, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, UserId
from homeroom.contract.action import Action
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
    ParamError,
    Params,
    ParamType,
    read_choice,
    read_choice_or_default,
    read_optional_id,
    read_text_cut_to,
    read_whole_number,
)

SECOND_CAMERA = 3
SMART = 2
"""Values of isDc and of teachMode."""
MALFORMED_SEATS = -1
"""What a seat number that is no number is read as, for errno 121601007."""


def read_seats(raw: object) -> int:
    """Read a number of seats; what is none is told apart by errno, not as a parameter."""
    try:
        return max(read_whole_number(raw), MALFORMED_SEATS)
    except ValueError:
        return MALFORMED_SEATS


def read_one_co_teacher(raw: object) -> tuple[UserId, ...]:
    """Read one UID as a list of one; empty and 0 are the empty list."""
    uid = None if raw == "" else read_optional_id(raw)
    return () if uid is None else (UserId(uid),)


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


class AddCourseClass(Params, frozen=True, kw_only=True):
    """The parameters of addCourseClass."""

    course_id: Annotated[CourseId, ID]
    class_name: Annotated[str, ParamType(read_text_cut_to(90), "text, cut to 90 characters")]
    begin_time: Annotated[Moment, TIMESTAMP]
    end_time: Annotated[Moment, TIMESTAMP]
    teacher_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    teacher_account: Annotated[str | None, TEXT] = None
    folder_id: Annotated[FolderId | None, OPTIONAL_ID] = None
    seat_num: Annotated[int, SEATS] = 6
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

    def check(self) -> None:
        """Ask for a teacher, and for co-teachers in one of their two forms only."""
        if self.teacher_uid is None and self.teacher_account is None:
            raise ParamError("teacherUid", "is missing or empty")
        if self.assistant_uid and self.assistant_uids:
            raise ParamError("assistantUid", "must not be sent together with assistantUids")


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
    record: Annotated[bool | None, FLAG] = None
    record_scene: Annotated[bool | None, FLAG] = None
    live: Annotated[bool | None, FLAG] = None
    replay: Annotated[bool | None, FLAG] = None
    teach_mode: Annotated[int | None, TEACH_MODE] = None
    is_auto_onstage: Annotated[bool | None, FLAG] = None
    omo_station_broadcast: Annotated[bool | None, LOOSE_FLAG] = None
    class_introduce: Annotated[str | None, INTRODUCTION] = None
    watch_by_login: Annotated[bool | None, LOOSE_FLAG] = None
    allow_unlogged_chat: Annotated[bool | None, LOOSE_FLAG] = None

    def check(self) -> None:
        """Refuse a start without an end, and co-teachers in both of their forms."""
        if self.begin_time is not None and self.end_time is None:
            raise ParamError("endTime", "must be sent together with beginTime")
        if self.assistant_uid and self.assistant_uids:
            raise ParamError("assistantUid", "must not be sent together with assistantUids")


class DelCourseClass(Params, frozen=True, kw_only=True):
    """The parameters of delCourseClass."""

    course_id: Annotated[CourseId, ID]
    class_id: Annotated[LessonId, ID]


TIMES = (
    Errno.ENDS_BEFORE_IT_BEGINS,
    Errno.BEGINS_TOO_SOON,
    Errno.BEGINS_TOO_LATE,
    Errno.LESSON_LENGTH,
    Errno.MAINTENANCE_OVERLAP,
)
TEACHER = (
    Errno.BAD_DATA,
    Errno.NOT_A_TEACHER_OF_SCHOOL,
    Errno.TEACHER_CANCELLED,
    Errno.TEACHER_STOPPED,
    Errno.TEACHER_STOPPING,
    Errno.TEACHER_IS_COURSE_STUDENT,
    Errno.TEACHER_IS_COURSE_AUDITOR,
)
CO_TEACHER_CHECKS = (
    Errno.CO_TEACHER_TWICE,
    Errno.TOO_MANY_CO_TEACHERS,
    Errno.CO_TEACHER_IS_TEACHER,
    Errno.CO_TEACHER_NOT_OF_SCHOOL,
    Errno.CO_TEACHER_CANCELLED,
    Errno.CO_TEACHER_STOPPED,
    Errno.CO_TEACHER_STOPPING,
    Errno.CO_TEACHER_IS_STUDENT,
    Errno.CO_TEACHER_IS_AUDITOR,
)
PLAN = (
    Errno.LIVE_NOT_IN_PLAN,
    Errno.SCENE_NOT_IN_PLAN,
    Errno.SEATS_INVALID,
    Errno.CO_TEACHERS_NOT_IN_PLAN,
    Errno.REPLAY_NOT_IN_PLAN,
    Errno.RECORDING_NOT_IN_PLAN,
    Errno.DUAL_CAMERA_NOT_IN_PLAN,
    Errno.RESOLUTION_NOT_IN_PLAN,
    Errno.BROADCAST_NOT_IN_PLAN,
    Errno.NOT_IN_PLAN,
    Errno.MONTHLY_LIMIT_UPGRADE,
    Errno.MONTHLY_LIMIT,
)
BOOKKEEPING = (
    Errno.FAILED,
    Errno.SERVER_FAULT,
    Errno.CO_TEACHER_NOT_BOOKED,
    Errno.TEACHER_NOT_LISTED,
    Errno.CO_TEACHER_NOT_LISTED,
    Errno.CO_TEACHER_ACCOUNT_MALFORMED,
)

ADD_COURSE_CLASS = Action(
    name="addCourseClass",
    title="Create a class",
    params=AddCourseClass,
    refuses=(
        Errno.BEING_CREATED,
        Errno.IDENTITY_TAKEN,
        Errno.NO_SUCH_COURSE,
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.COURSE_DELETED,
        Errno.COURSE_EXPIRED,
        Errno.KIND_NOT_SUPPORTED,
        *TIMES,
        *TEACHER,
        *CO_TEACHER_CHECKS,
        Errno.TOO_MANY_SEATS,
        Errno.NO_DUAL_CAMERA_HERE,
        Errno.SEATS_FORBID_HD,
        Errno.FOLDER_NOT_IN_DRIVE,
        *PLAN,
        Errno.TOO_MANY_LESSONS,
    ),
    notes=(
        Errno.ADDED_WITHOUT_RECORDING,
        Errno.ADDED_WITH_BAD_RECORDING,
        Errno.ADDED_WITHOUT_INTRODUCTION,
        Errno.HOURS_USED_UP,
    ),
    faults=BOOKKEEPING,
    answer=(
        "data: the class id, a number; more_data: {live_url, live_info: {RTMP, HLS, FLV}}, "
        "empty texts where nothing is shown; with 398 both of the earlier class"
    ),
    order=(
        "presence and format (100), the identity being used by a request unfinished after one "
        "second (460), a known identity (398, with the earlier id and its more_data, whatever else "
        "is wrong now), the course (147, 144, 149, 153, 369), the times (119, 120, 268, 165, 454), "
        "the teacher (400 no such user, 136, 884, 387, 800, 172, 173), the co-teachers (21316, "
        "21317, 322, 318, 885, 388, 804, 319, 320), seats and cameras (121601007, 259, 808, 368), "
        "the folder (160), the plan (121601005, 121601006, 121601008 to 121601012, 121604007, "
        "121601001, 121601070, then 121601003 where an upgrade exists or 121601004); of several "
        "warnings the first of 281, 280, 824, 121601002 is given"
    ),
)

EDIT_COURSE_CLASS = Action(
    name="editCourseClass",
    title="Edit a class",
    params=EditCourseClass,
    refuses=(
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.KIND_NOT_SUPPORTED,
        Errno.NO_SUCH_LESSON,
        Errno.LESSON_NOT_IN_COURSE,
        Errno.LESSON_DELETED,
        Errno.LESSON_MADE_ELSEWHERE,
        Errno.LESSON_IS_OVER,
        Errno.LESSON_IS_RUNNING,
        Errno.LESSON_FROZEN,
        Errno.TEACHERS_FROZEN,
        *TIMES,
        *TEACHER,
        Errno.TEACHER_IS_GUEST,
        Errno.TEACHER_IS_CO_TEACHER,
        *CO_TEACHER_CHECKS,
        Errno.CO_TEACHER_IS_GUEST,
        Errno.CO_TEACHER_NOT_UNBOOKED,
        Errno.FOLDER_NOT_IN_DRIVE,
        Errno.TEACH_MODE_NOT_CHANGED,
        Errno.AUTO_STAGE_NOT_CHANGED,
        *PLAN,
    ),
    notes=(
        Errno.EDITED_WITHOUT_RECORDING,
        Errno.EDITED_WITH_BAD_RECORDING,
        Errno.EDITED_RECORDING_FROZEN,
        Errno.EDITED_WITHOUT_INTRODUCTION,
        Errno.HOURS_USED_UP,
    ),
    faults=BOOKKEEPING,
    answer="more_data: {live_url, live_info: {RTMP, HLS, FLV}}, empty texts where nothing is shown",
    order=(
        "presence and format (100), the course (144 also when nobody has it, 369), the class (143, "
        "142, 212 also when its course was deleted, 466), what the phase of the class still allows "
        "(145 over, 140 running, 350 in the last 20 minutes; teachers 385 once the end has "
        "passed), the times (119, 120, 268, 165, 454), the teacher (400 no such user, 136, 884, "
        "387, 800, 172, 173, 325 a guest, 328 a co-teacher of the class), the co-teachers (21316, "
        "21317, 322, 318, 885, 388, 804, 319, 320, 321 a guest, 327 one to be removed from a "
        "running class whose account is cancelled), the folder (160), the teach mode (880 with two "
        "cameras), auto-stage (372 in a smart classroom), the plan as in addCourseClass: for what "
        "is sent, and for the whole class when its times change (121601007 when the plan no longer "
        "has its seats); of several warnings the first of 284, 282, 283, 825, 121601002 is given"
    ),
)

DEL_COURSE_CLASS = Action(
    name="delCourseClass",
    title="Delete a class that has not been held",
    params=DelCourseClass,
    refuses=(
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.KIND_NOT_SUPPORTED,
        Errno.NO_SUCH_LESSON,
        Errno.LESSON_NOT_IN_COURSE,
        Errno.LESSON_DELETED,
        Errno.LESSON_MADE_ELSEWHERE,
        Errno.LESSON_IS_RUNNING,
        Errno.LESSON_IS_OVER,
    ),
    notes=(Errno.IDENTITY_NOT_RELEASED,),
    order=(
        "presence and format (100), the course (144 also when nobody has it, 369), the class (143, "
        "142, 212, 466), running, overtime included (140), over (145); the identity becomes free "
        "unless the school keeps identities for ever (823)"
    ),
)
