"""Courses on the wire."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, PresetId, UserId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import (
    CHANGEABLE_COURSE,
    COURSE_KIND,
    COURSE_NOT_DELETED,
    FOLDER_OF_SCHOOL,
    LESSON_OF_COURSE,
    OWN_COURSE,
    identity_checks,
)
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
from homeroom.contract.results import (
    EmptyResult,
    Result,
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
    """Parameters that addCourse and editCourse share."""

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


class AddedCourse(Result, frozen=True, kw_only=True):
    """Result of addCourse."""

    data: Annotated[CourseId, Meta(description="The id of the course, new or earlier.")]


class WebcastURL(Result, frozen=True, kw_only=True):
    """Result of getWebcastUrl."""

    data: Annotated[str, Meta(description="The address of the course's page.")]


COVER = Check(Errno.PICTURE_NOT_STORED, "the cover is no jpg, png or gif")
EXPIRY = (
    Check(Errno.EXPIRY_TOO_SOON, "the expiry is less than one day ahead"),
    Check(Errno.EXPIRY_TOO_FAR, "the expiry is more than five years ahead"),
)
HEAD_TEACHER_ACCOUNT = Check(
    Errno.HEAD_TEACHER_ACCOUNT_MALFORMED, "mainTeacherAccount is malformed"
)
HEAD_TEACHER = (
    Check(Errno.HEAD_TEACHER_NOT_OF_SCHOOL, "the head teacher is no teacher of the school"),
    Check(Errno.HEAD_TEACHER_CANCELLED, "the head teacher's account was cancelled"),
    Check(Errno.HEAD_TEACHER_STOPPED, "the head teacher is deactivated"),
    Check(Errno.HEAD_TEACHER_STOPPING, "the head teacher is being deactivated"),
)
HEAD_TEACHERS_IN_PLAN = Check(
    Errno.HEAD_TEACHER_NOT_ADDED, "the school's plan has no head teachers"
)
BELONGINGS = (
    FOLDER_OF_SCHOOL,
    Check(Errno.NO_SUCH_PRESET, "there is no such classroom preset"),
    Check(Errno.PRESET_OF_ANOTHER_SCHOOL, "the classroom preset belongs to another school"),
)

ADD_COURSE = Action(
    name="addCourse",
    title="Create a course",
    params=AddCourse,
    result=AddedCourse,
    bindings=(V1Form(APIPath.COURSE, takes_file=True),),
    checks=(
        *identity_checks("course"),
        COVER,
        *EXPIRY,
        HEAD_TEACHER_ACCOUNT,
        Check(Errno.BAD_DATA, "no user has the UID or the account of the head teacher"),
        *HEAD_TEACHER,
        HEAD_TEACHERS_IN_PLAN,
        *BELONGINGS,
    ),
)

EDIT_COURSE = Action(
    name="editCourse",
    title="Edit a course",
    params=EditCourse,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE, takes_file=True),),
    checks=(
        *CHANGEABLE_COURSE,
        Check(Errno.BAD_DATA, "catId was sent without courseName"),
        COVER,
        *EXPIRY,
        Check(Errno.EXPIRY_BEFORE_LAST_LESSON, "the expiry lies before the end of the last class"),
        HEAD_TEACHER_ACCOUNT,
        Check(Errno.NO_SUCH_HEAD_TEACHER, "no user has the UID or the account of the head teacher"),
        *HEAD_TEACHER,
        Check(Errno.HEAD_TEACHER_IS_STUDENT, "the head teacher is a student of the course"),
        Check(Errno.HEAD_TEACHER_IS_AUDITOR, "the head teacher is an auditor of the course"),
        HEAD_TEACHERS_IN_PLAN,
        Check(
            Errno.HEAD_TEACHER_HAS_LESSONS,
            "the former head teacher still has a class of the course to give",
        ),
        *BELONGINGS,
    ),
)

END_COURSE = Action(
    name="endCourse",
    title="End a course",
    params=CourseIdParams,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        *CHANGEABLE_COURSE,
        Check(
            Errno.COURSE_HAS_RUNNING_LESSON,
            "a class of the course is running, its 20 minutes of overtime included; classes that "
            "have not started are deleted with the course",
        ),
    ),
)

GET_WEBCAST_URL = Action(
    name="getWebcastUrl",
    title="Get the course live and replay page address",
    params=GetWebcastURL,
    result=WebcastURL,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(OWN_COURSE, COURSE_NOT_DELETED, COURSE_KIND, *LESSON_OF_COURSE),
    faults=(),
)
