"""Teachers of a school on the wire."""

from typing import Annotated

from homeroom.base.ids import UserId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.params import NAME, OPTIONAL_ID, TEXT, ParamError, Params
from homeroom.contract.upload import FILE, Upload


class TeacherParams(Params, frozen=True, kw_only=True):
    """A teacher by UID, which wins, or by account."""

    teacher_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    teacher_account: Annotated[str | None, TEXT] = None

    def check(self) -> None:
        """Ask for the teacher in one of the two forms."""
        if self.teacher_uid is None and self.teacher_account is None:
            raise ParamError("teacherUid", "is missing or empty")


class AddTeacher(TeacherParams, frozen=True, kw_only=True):
    """The parameters of addTeacher (READINGS Q25)."""

    teacher_name: Annotated[str, NAME]
    picture: Annotated[Upload | None, FILE.with_names("Filedata")] = None


ADD_TEACHER = Action(
    name="addTeacher",
    title="Add a registered user as school teacher",
    params=AddTeacher,
    refuses=(
        Errno.REPEATED_TOO_SOON,
        Errno.TEACHER_ACCOUNT_MALFORMED,
        Errno.PHONE_RANGE,
        Errno.PICTURE_NOT_STORED,
        Errno.REGISTRATION_FAILED,
        Errno.BAD_DATA,
        Errno.ACCOUNT_NOT_REGISTERED,
        Errno.TEACHER_CANCELLED,
        Errno.ALREADY_EXISTS,
        Errno.TOO_MANY_TEACHERS,
    ),
    answer="data: the id of the teacher's entry in the school, a number; it is not the UID",
    order=(
        "presence and format (100), the same parameters within 5 seconds (101003002), an account "
        "whose registration is still unfinished after one second (131), the account name (122, "
        "288), a photo that is no picture (103), a UID that nobody has (400), an account that "
        "nobody registered (113), a cancelled one (884), a teacher already (133), the quota of "
        "active teachers (845)"
    ),
    takes_file=True,
)

STOP_USING_TEACHER = Action(
    name="stopUsingTeacher",
    title="Deactivate a school teacher",
    params=TeacherParams,
    refuses=(
        Errno.TEACHER_ACCOUNT_MALFORMED,
        Errno.BAD_DATA,
        Errno.NOT_A_TEACHER_OF_SCHOOL,
        Errno.SCHOOL_ACCOUNT_NOT_STOPPABLE,
        Errno.SUB_ACCOUNT_NOT_STOPPABLE,
        Errno.TEACHER_HAS_LESSONS,
        Errno.TEACHER_HAS_COURSES,
    ),
    order=(
        "presence and format (100), the account name (122), a user that does not exist (400), not "
        "a teacher of the school (136), the school account (386), a sub-account (402), a class not "
        "over, overtime included, held or helped in (317), a course neither ended nor expired "
        "headed (339); a teacher already stopping or stopped answers 1 (READINGS Q13)"
    ),
)

RESTART_USING_TEACHER = Action(
    name="restartUsingTeacher",
    title="Reactivate a school teacher",
    params=TeacherParams,
    refuses=(
        Errno.TEACHER_ACCOUNT_MALFORMED,
        Errno.BAD_DATA,
        Errno.NOT_A_TEACHER_OF_SCHOOL,
        Errno.TEACHER_STOPPING,
    ),
    order=(
        "presence and format (100), the account name (122), a user that does not exist (400), not "
        "a teacher of the school (136), a stop not finished yet (800); an active teacher answers 1"
    ),
)
