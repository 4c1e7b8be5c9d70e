"""Courses on the wire."""

from typing import Annotated

from msgspec import UNSET, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, PresetId, UserId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.params import (
    ID,
    IDENTITY,
    OPTIONAL_ID,
    STRICT_FLAG,
    TEXT,
    TIMESTAMP,
    Params,
    ParamType,
    read_choice_or_default,
    read_text_cut_to,
)
from homeroom.contract.upload import FILE, Upload

COURSE_NAME = ParamType(read_text_cut_to(90), "text, cut to 90 characters")
COURSE_INTRODUCTION = ParamType(
    read_text_cut_to(400), "text, cut to 400 characters", ("courseIntroduce",)
)
SUBJECT = ParamType(read_choice_or_default(0, *range(17), 99), "0 to 16 or 99; anything else is 0")
STAMP = ParamType(
    read_choice_or_default(1, 1, 2), "1 keep the former head teacher in the teacher list, 2 drop"
)


class CourseParams(Params, frozen=True, kw_only=True):
    """What may be said of a course when it is added and when it is edited."""

    folder_id: Annotated[FolderId | None, OPTIONAL_ID] = None
    expiry_time: Annotated[Moment | UnsetType, TIMESTAMP] = UNSET
    main_teacher_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    main_teacher_account: Annotated[str | None, TEXT] = None
    subject_id: Annotated[int | None, SUBJECT] = None
    cat_id: Annotated[int | None, OPTIONAL_ID] = None
    introduction: Annotated[str | None, COURSE_INTRODUCTION] = None
    classroom_setting_id: Annotated[PresetId | None, OPTIONAL_ID] = None
    allow_add_friend: Annotated[bool | None, STRICT_FLAG] = None
    allow_student_modify_nickname: Annotated[bool | None, STRICT_FLAG] = None
    not_allow_delete_course_student_replay: Annotated[bool | None, STRICT_FLAG] = None
    picture: Annotated[Upload | None, FILE.with_names("Filedata")] = None


class AddCourse(CourseParams, frozen=True, kw_only=True):
    """The parameters of addCourse."""

    course_name: Annotated[str, COURSE_NAME]
    course_unique_identity: Annotated[str | None, IDENTITY] = None


class EditCourse(CourseParams, frozen=True, kw_only=True):
    """The parameters of editCourse."""

    course_id: Annotated[CourseId, ID]
    course_name: Annotated[str | None, COURSE_NAME] = None
    stamp: Annotated[int, STAMP] = 1


class CourseIdParams(Params, frozen=True, kw_only=True):
    """A course by id."""

    course_id: Annotated[CourseId, ID]


class GetWebcastURL(CourseIdParams, frozen=True, kw_only=True):
    """The parameters of getWebcastUrl."""

    class_id: Annotated[LessonId | None, OPTIONAL_ID] = None


ADD_COURSE = Action(
    name="addCourse",
    title="Create a course",
    params=AddCourse,
    refuses=(
        Errno.BEING_CREATED,
        Errno.IDENTITY_TAKEN,
        Errno.PICTURE_NOT_STORED,
        Errno.EXPIRY_TOO_SOON,
        Errno.EXPIRY_TOO_FAR,
        Errno.HEAD_TEACHER_ACCOUNT_MALFORMED,
        Errno.BAD_DATA,
        Errno.HEAD_TEACHER_NOT_OF_SCHOOL,
        Errno.HEAD_TEACHER_CANCELLED,
        Errno.HEAD_TEACHER_STOPPED,
        Errno.HEAD_TEACHER_STOPPING,
        Errno.HEAD_TEACHER_NOT_ADDED,
        Errno.FOLDER_NOT_IN_DRIVE,
        Errno.NO_SUCH_PRESET,
        Errno.PRESET_OF_ANOTHER_SCHOOL,
    ),
    answer="data: the course id, a number; with 398 the earlier one",
    order=(
        "presence and format (100), the identity being used by a request unfinished after one "
        "second (460), a known identity (398 with the earlier id), a cover that is no picture "
        "(103), the expiry (151, 154), the head teacher (331, 400 no such user, 334, 883, 389, "
        "805, 260 where the plan has none), the folder (160), the classroom preset (371, 373)"
    ),
    takes_file=True,
)

EDIT_COURSE = Action(
    name="editCourse",
    title="Edit a course",
    params=EditCourse,
    refuses=(
        Errno.NO_SUCH_COURSE,
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.COURSE_DELETED,
        Errno.COURSE_EXPIRED,
        Errno.KIND_NOT_SUPPORTED,
        Errno.BAD_DATA,
        Errno.PICTURE_NOT_STORED,
        Errno.EXPIRY_TOO_SOON,
        Errno.EXPIRY_TOO_FAR,
        Errno.EXPIRY_BEFORE_LAST_LESSON,
        Errno.HEAD_TEACHER_ACCOUNT_MALFORMED,
        Errno.NO_SUCH_HEAD_TEACHER,
        Errno.HEAD_TEACHER_NOT_OF_SCHOOL,
        Errno.HEAD_TEACHER_CANCELLED,
        Errno.HEAD_TEACHER_STOPPED,
        Errno.HEAD_TEACHER_STOPPING,
        Errno.HEAD_TEACHER_IS_STUDENT,
        Errno.HEAD_TEACHER_IS_AUDITOR,
        Errno.HEAD_TEACHER_NOT_ADDED,
        Errno.HEAD_TEACHER_HAS_LESSONS,
        Errno.FOLDER_NOT_IN_DRIVE,
        Errno.NO_SUCH_PRESET,
        Errno.PRESET_OF_ANOTHER_SCHOOL,
    ),
    order=(
        "presence and format (100), the course (147, 144, 149, 153, 369), catId without courseName "
        "(400), a cover that is no picture (103), the expiry (151, 154, 152), the new head teacher "
        "(331, 310, 334, 883, 389, 805, 311, 312, 260 where the plan has none), the former one "
        "(314), the folder (160), the classroom preset (371, 373)"
    ),
    takes_file=True,
)

END_COURSE = Action(
    name="endCourse",
    title="End a course",
    params=CourseIdParams,
    refuses=(
        Errno.NO_SUCH_COURSE,
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.COURSE_DELETED,
        Errno.COURSE_EXPIRED,
        Errno.KIND_NOT_SUPPORTED,
        Errno.COURSE_HAS_RUNNING_LESSON,
    ),
    order=(
        "presence and format (100), the course (147, 144, 149, 153 also when it was ended before, "
        "369), a class of it running, overtime included (394); classes not started are deleted"
    ),
)

GET_WEBCAST_URL = Action(
    name="getWebcastUrl",
    title="Get the course live and replay page address",
    params=GetWebcastURL,
    refuses=(
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.COURSE_DELETED,
        Errno.KIND_NOT_SUPPORTED,
        Errno.NO_SUCH_LESSON,
        Errno.LESSON_NOT_IN_COURSE,
        Errno.LESSON_DELETED,
    ),
    faults=(),
    answer="data: the address of the page, text",
    order=(
        "presence and format (100), the course (144 also when nobody has it, 149, 369), the class "
        "(143, 142, 212)"
    ),
)
