"""Teachers of a school on the wire."""

from typing import Annotated

from msgspec import Meta

from homeroom.base.ids import UserId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import (
    REPEATED,
    TEACHER_QUOTA,
    UNFINISHED_REGISTRATION,
)
from homeroom.contract.errno import Errno
from homeroom.contract.params import ID, NAME, OPTIONAL_ID, TEXT, ParamError, Params
from homeroom.contract.results import (
    EmptyResult,
    Result,
)
from homeroom.contract.upload import FILE, Upload


class TeacherParams(Params, frozen=True, kw_only=True):
    """A teacher by UID, which wins, or by account."""

    teacher_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    teacher_account: Annotated[str | None, TEXT] = None

    def validate(self) -> None:
        """Ask for the teacher in one of the two forms."""
        if self.teacher_uid is None and self.teacher_account is None:
            raise ParamError("teacherUid", "is missing or empty")


class AddTeacher(TeacherParams, frozen=True, kw_only=True):
    """The parameters of addTeacher (READINGS Q25)."""

    teacher_name: Annotated[str, NAME]
    picture: Annotated[Upload | None, FILE.with_names("Filedata")] = None


class EditTeacher(Params, frozen=True, kw_only=True):
    """The parameters of editTeacher."""

    teacher_uid: Annotated[UserId, ID]
    teacher_name: Annotated[str, NAME]
    picture: Annotated[Upload | None, FILE.with_names("Filedata")] = None


class AddedTeacher(Result, frozen=True, kw_only=True):
    """Result of addTeacher."""

    data: Annotated[
        int,
        Meta(description="The id of the teacher's entry in the school; it is not the UID."),
    ]


ACCOUNT_CHECK = Check(Errno.TEACHER_ACCOUNT_MALFORMED, "teacherAccount is malformed")
OWN_TEACHER = (
    ACCOUNT_CHECK,
    Check(Errno.BAD_DATA, "no user has the UID or the account"),
    Check(Errno.NOT_A_TEACHER_OF_SCHOOL, "the user is no teacher of the school"),
)

ADD_TEACHER = Action(
    name="addTeacher",
    title="Add a registered user as school teacher",
    params=AddTeacher,
    result=AddedTeacher,
    bindings=(V1Form(APIPath.COURSE, takes_file=True),),
    checks=(
        REPEATED,
        UNFINISHED_REGISTRATION,
        ACCOUNT_CHECK,
        Check(Errno.PHONE_RANGE, "no mainland number begins like this one"),
        Check(Errno.PICTURE_NOT_STORED, "the photo is no jpg, png or gif"),
        Check(Errno.BAD_DATA, "no user has the UID"),
        Check(Errno.ACCOUNT_NOT_REGISTERED, "no user has the account"),
        Check(Errno.TEACHER_CANCELLED, "the account was cancelled"),
        Check(Errno.ALREADY_EXISTS, "the user is a teacher of the school already"),
        TEACHER_QUOTA,
    ),
)

EDIT_TEACHER = Action(
    name="editTeacher",
    title="Rename a school teacher or replace the photo",
    params=EditTeacher,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE, takes_file=True),),
    checks=(
        Check(Errno.NO_SUCH_TEACHER, "the user is no teacher of the school"),
        Check(Errno.PICTURE_NOT_STORED, "the photo is no jpg, png or gif"),
    ),
    faults=(Errno.FAILED,),
)

STOP_USING_TEACHER = Action(
    name="stopUsingTeacher",
    title="Deactivate a school teacher",
    params=TeacherParams,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        *OWN_TEACHER,
        Check(Errno.SCHOOL_ACCOUNT_NOT_STOPPABLE, "it is the school's own account"),
        Check(Errno.SUB_ACCOUNT_NOT_STOPPABLE, "it is a sub-account of the school"),
        Check(
            Errno.TEACHER_HAS_LESSONS,
            "the teacher or co-teacher of a class that is not over, its overtime included",
        ),
        Check(Errno.TEACHER_HAS_COURSES, "the head teacher of a course neither ended nor expired"),
    ),
)

RESTART_USING_TEACHER = Action(
    name="restartUsingTeacher",
    title="Reactivate a school teacher",
    params=TeacherParams,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        *OWN_TEACHER,
        Check(Errno.TEACHER_STOPPING, "the teacher is still being deactivated"),
    ),
)
