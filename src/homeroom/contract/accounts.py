"""Accounts and school students on the wire."""

from typing import Annotated

from homeroom.base.ids import UserId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.lists import read_entries
from homeroom.contract.params import (
    CUSTOM_COLUMN,
    NAME,
    OPTIONAL_ID,
    STRICT_FLAG,
    TEXT,
    ParamError,
    Params,
    ParamType,
    read_choice_or_default,
    read_md5,
)
from homeroom.contract.upload import FILE, Upload

MEMBERSHIP = ParamType(
    read_choice_or_default(0, 1, 2), "0 none, 1 school student, 2 school teacher"
)
MD5_PASS = ParamType(read_md5, "md5 of the password, 32 hexadecimal digits")


class AccountParams(Params, frozen=True, kw_only=True):
    """Who is registered, and with what."""

    telephone: Annotated[str | None, TEXT] = None
    email: Annotated[str | None, TEXT] = None
    nickname: Annotated[str | None, NAME] = None
    password: Annotated[str | None, TEXT] = None
    md5pass: Annotated[str | None, MD5_PASS] = None
    add_to_school_member: Annotated[int, MEMBERSHIP] = 0

    def check(self) -> None:
        """Ask for one account name and one form of the password."""
        if self.telephone is None and self.email is None:
            raise ParamError("telephone", "or email must be given")
        if self.password is None and self.md5pass is None and not self.generates_password():
            raise ParamError("password", "or md5pass must be given")

    def generates_password(self) -> bool:
        """Tell whether the server makes up the password when none is given."""
        return False


class Register(AccountParams, frozen=True, kw_only=True):
    """The parameters of register."""

    is_sent_message: Annotated[bool, STRICT_FLAG] = False
    picture: Annotated[Upload | None, FILE.with_names("Filedata")] = None

    def generates_password(self) -> bool:
        """Tell whether the server makes up the password when none is given."""
        return self.is_sent_message


class RegisterEntry(AccountParams, frozen=True, kw_only=True):
    """One account of registerMultiple."""

    custom_column: Annotated[str | None, CUSTOM_COLUMN] = None


class RegisterMultiple(Params, frozen=True, kw_only=True):
    """The parameters of registerMultiple."""

    users: Annotated[
        tuple[RegisterEntry, ...],
        ParamType(read_entries(RegisterEntry), "JSON list of 1 to 10 accounts", ("userJson",)),
    ]
    picture: Annotated[Upload | None, FILE.with_names("Filedata")] = None


class AddSchoolStudent(Params, frozen=True, kw_only=True):
    """The parameters of addSchoolStudent (READINGS Q25)."""

    student_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    student_account: Annotated[str | None, TEXT] = None
    student_name: Annotated[str, NAME]

    def check(self) -> None:
        """Ask for the user in one of two forms."""
        if self.student_uid is None and self.student_account is None:
            raise ParamError("studentAccount", "is missing or empty")


REGISTER = Action(
    name="register",
    title="Register a user",
    params=Register,
    refuses=(
        Errno.REPEATED_TOO_SOON,
        Errno.PHONE_MALFORMED,
        Errno.PHONE_RANGE,
        Errno.PASSWORD_LENGTH,
        Errno.PICTURE_TYPE,
        Errno.PICTURE_TOO_LARGE,
        Errno.PICTURE_DIMENSIONS,
        Errno.NO_MESSAGE_POSSIBLE,
        Errno.REGISTRATION_FAILED,
        Errno.TOO_MANY_TEACHERS,
    ),
    notes=(
        Errno.PHONE_ALREADY_REGISTERED,
        Errno.EMAIL_ALREADY_REGISTERED,
        Errno.NOT_ADDED_AS_STUDENT,
        Errno.NOT_ADDED_AS_TEACHER,
        Errno.AVATAR_NOT_STORED,
    ),
    faults=(Errno.SERVER_FAULT,),
    answer="data: the UID, a number; with 135 and 461 that of the account there is",
    order=(
        "presence and format (100), the same parameters within 5 seconds (101003002), another "
        "registration of the account still unfinished after one second (131), the account name "
        "(134 also for an e-mail, 288), the password (137), the picture (342, 224, 341), the "
        "message (877), an account that exists (135 telephone, 461 e-mail; it is still added to "
        "the school as asked, but not with isSentMessage=1), the quota of teachers (845); then the "
        "account is made and what did not go with it is said: not a student (820), not a teacher "
        "(821), no avatar (340)"
    ),
    takes_file=True,
)

REGISTER_MULTIPLE = Action(
    name="registerMultiple",
    title="Register up to ten users",
    params=RegisterMultiple,
    refuses=(Errno.LIST_EMPTY, Errno.REPEATED_TOO_SOON, Errno.TOO_MANY_ENTRIES, Errno.PICTURE_TYPE),
    entries=(
        Errno.PHONE_MALFORMED,
        Errno.PHONE_RANGE,
        Errno.PASSWORD_LENGTH,
        Errno.REGISTRATION_FAILED,
        Errno.PHONE_ALREADY_REGISTERED,
        Errno.EMAIL_ALREADY_REGISTERED,
        Errno.TOO_MANY_TEACHERS,
        Errno.NOT_ADDED_AS_STUDENT,
        Errno.NOT_ADDED_AS_TEACHER,
    ),
    faults=(Errno.SERVER_FAULT,),
    answer=(
        "data: one entry per entry asked for, in order: {data: UID, telephone, empty "
        "where an e-mail was registered, customColumn, errno, error}"
    ),
    order=(
        "presence and format (100), an empty list (155), the same parameters within 5 seconds "
        "(101003002), more than ten entries (450), a picture, which this action does not take "
        "(224); then each entry as in register: the account name (134, 288), the password (137), "
        "an unfinished registration (131), an account that exists (135, 461), the quota of "
        "teachers (845), what did not go with it (820, 821)"
    ),
)

ADD_SCHOOL_STUDENT = Action(
    name="addSchoolStudent",
    title="Add a registered user as school student",
    params=AddSchoolStudent,
    refuses=(
        Errno.REPEATED_TOO_SOON,
        Errno.PHONE_MALFORMED,
        Errno.PHONE_RANGE,
        Errno.ACCOUNT_NOT_REGISTERED,
        Errno.STUDENT_CANCELLED,
        Errno.SCHOOL_ACCOUNT_AS_STUDENT,
        Errno.ALREADY_EXISTS,
    ),
    order=(
        "presence and format (100), the same parameters within 5 seconds (101003002), the account "
        "name (134, 288), a user that nobody registered (113), a cancelled one (886), the school "
        "account itself (128), a student already (133)"
    ),
)
