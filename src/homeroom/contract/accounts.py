"""Accounts and school students on the wire."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from homeroom.base.ids import UserId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import (
    LIST_CHECK,
    REPEATED,
    TEACHER_QUOTA,
    UNFINISHED_REGISTRATION,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import EntriesReader
from homeroom.contract.params import (
    CUSTOM_COLUMN,
    ID,
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
from homeroom.contract.results import (
    CustomColumn,
    EmptyResult,
    Entry,
    EntryErrno,
    EntryError,
    Result,
)
from homeroom.contract.upload import FILE, Upload

MEMBERSHIP = ParamType(
    read_choice_or_default(0, 1, 2), "0 none, 1 school student, 2 school teacher"
)
MD5_PASS = ParamType(read_md5, "md5 of the password, 32 hexadecimal digits")


class AccountParams(Params, frozen=True, kw_only=True):
    """Parameters of one new account."""

    telephone: Annotated[str | None, TEXT] = None
    email: Annotated[str | None, TEXT] = None
    nickname: Annotated[str | None, NAME] = None
    password: Annotated[str | None, TEXT] = None
    md5pass: Annotated[str | None, MD5_PASS] = None
    add_to_school_member: Annotated[int, MEMBERSHIP] = 0

    def validate(self) -> None:
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
        ParamType(EntriesReader(RegisterEntry), "JSON list of 1 to 10 accounts", ("userJson",)),
    ]
    picture: Annotated[Upload | None, FILE.with_names("Filedata")] = None


class AddSchoolStudent(Params, frozen=True, kw_only=True):
    """The parameters of addSchoolStudent (READINGS Q25)."""

    student_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    student_account: Annotated[str | None, TEXT] = None
    student_name: Annotated[str, NAME]

    def validate(self) -> None:
        """Ask for the user in one of two forms."""
        if self.student_uid is None and self.student_account is None:
            raise ParamError("studentAccount", "is missing or empty")


class EditSchoolStudent(Params, frozen=True, kw_only=True):
    """The parameters of editSchoolStudent."""

    student_uid: Annotated[UserId, ID]
    student_name: Annotated[str, NAME]


class UserParams(Params, frozen=True, kw_only=True):
    """A user by UID, which wins, or by telephone number as older clients do."""

    uid: Annotated[UserId | None, OPTIONAL_ID] = None
    telephone: Annotated[str | None, TEXT] = None

    def validate(self) -> None:
        """Ask for the user in one of the two forms."""
        if self.uid is None and self.telephone is None:
            raise ParamError("uid", "is missing or empty")


class ModifyPassword(UserParams, frozen=True, kw_only=True):
    """The parameters of modifyPasswordByTelephone; the plain password wins (READINGS Q72)."""

    password: Annotated[str | None, TEXT] = None
    md5pass: Annotated[str | None, MD5_PASS] = None

    def validate(self) -> None:
        """Ask for the user and for one form of the password."""
        super().validate()
        if self.password is None and self.md5pass is None:
            raise ParamError("password", "or md5pass must be given")


class RegisteredUser(Result, frozen=True, kw_only=True):
    """Result of register."""

    data: Annotated[UserId, Meta(description="The UID; of the earlier account if there is one.")]


class RegisteredEntry(Entry, frozen=True, kw_only=True):
    """Result of one entry of registerMultiple."""

    data: Annotated[
        UserId | UnsetType,
        Meta(description="The UID, also of an earlier account; absent where none was registered."),
    ] = UNSET
    telephone: Annotated[
        str, Meta(description="As it was sent; empty where an e-mail address was.")
    ]
    custom_column: CustomColumn = UNSET
    errno: EntryErrno
    error: EntryError


class RegisteredUsers(Result, frozen=True, kw_only=True):
    """Result of registerMultiple."""

    data: Annotated[
        list[RegisteredEntry], Meta(description="One result for each account, in their order.")
    ]


PHONE_CHECKS = (
    Check(Errno.PHONE_MALFORMED, "the telephone number or e-mail address is malformed"),
    Check(Errno.PHONE_RANGE, "no mainland number begins like this one"),
)
TELEPHONE_CHECK = Check(
    Errno.PHONE_MALFORMED, "there is no uid, and telephone is no telephone number"
)
PASSWORD_CHECK = Check(Errno.PASSWORD_LENGTH, "the password does not have 6 to 20 characters")
ALREADY_REGISTERED = (
    Check(
        Errno.PHONE_ALREADY_REGISTERED,
        "the telephone number has an account, which is kept as it is and joins the school as "
        "asked, except with isSentMessage=1",
    ),
    Check(Errno.EMAIL_ALREADY_REGISTERED, "the same for an e-mail address"),
)
NOT_JOINED = (
    Check(Errno.NOT_ADDED_AS_STUDENT, "the school's plan adds no students at registration"),
    Check(Errno.NOT_ADDED_AS_TEACHER, "the school's plan adds no teachers at registration"),
)

REGISTER = Action(
    name="register",
    title="Register a user",
    params=Register,
    result=RegisteredUser,
    bindings=(V1Form(APIPath.COURSE, takes_file=True),),
    checks=(
        REPEATED,
        UNFINISHED_REGISTRATION,
        *PHONE_CHECKS,
        PASSWORD_CHECK,
        Check(Errno.PICTURE_TOO_LARGE, "the picture has more than 1 MB"),
        Check(Errno.PICTURE_TYPE, "the picture is no jpg, png or gif"),
        Check(Errno.PICTURE_DIMENSIONS, "the picture is not 300 by 300 pixels"),
        Check(Errno.NO_MESSAGE_POSSIBLE, "isSentMessage is 1 and addToSchoolMember is 0"),
        TEACHER_QUOTA,
    ),
    warnings=(
        *ALREADY_REGISTERED,
        *NOT_JOINED,
        Check(Errno.AVATAR_NOT_STORED, "the school's storage is used up"),
    ),
    faults=(Errno.SERVER_FAULT,),
)

REGISTER_MULTIPLE = Action(
    name="registerMultiple",
    title="Register up to ten users",
    params=RegisterMultiple,
    result=RegisteredUsers,
    entry=RegisteredEntry,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        LIST_CHECK,
        REPEATED,
        Check(Errno.TOO_MANY_ENTRIES, "there are more than ten accounts"),
        Check(Errno.PICTURE_TYPE, "a picture was sent, which this action does not take"),
    ),
    entry_checks=(
        *PHONE_CHECKS,
        PASSWORD_CHECK,
        UNFINISHED_REGISTRATION,
        *ALREADY_REGISTERED,
        TEACHER_QUOTA,
        *NOT_JOINED,
    ),
    faults=(Errno.SERVER_FAULT,),
)

ADD_SCHOOL_STUDENT = Action(
    name="addSchoolStudent",
    title="Add a registered user as school student",
    params=AddSchoolStudent,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        REPEATED,
        *PHONE_CHECKS,
        Check(Errno.ACCOUNT_NOT_REGISTERED, "no user has the UID or the account"),
        Check(Errno.STUDENT_CANCELLED, "the account was cancelled"),
        Check(Errno.SCHOOL_ACCOUNT_AS_STUDENT, "it is the school's own account"),
        Check(Errno.ALREADY_EXISTS, "the user is a student of the school already"),
    ),
)

EDIT_SCHOOL_STUDENT = Action(
    name="editSchoolStudent",
    title="Rename a school student",
    params=EditSchoolStudent,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(Check(Errno.NOT_A_STUDENT_OF_SCHOOL, "the user is no student of the school"),),
    faults=(Errno.FAILED,),
)

MODIFY_PASSWORD_BY_TELEPHONE = Action(
    name="modifyPasswordByTelephone",
    title="Set a user's password without the old one",
    params=ModifyPassword,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        TELEPHONE_CHECK,
        PASSWORD_CHECK,
        Check(Errno.ACCOUNT_NOT_REGISTERED, "no user has the telephone number"),
        Check(Errno.BAD_DATA, "no user has the UID, or the account was cancelled"),
        Check(
            Errno.PASSWORD_NOT_YOURS, "the user is neither a student nor a teacher of the school"
        ),
    ),
)
