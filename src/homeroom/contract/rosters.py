"""Students and auditors of courses on the wire."""

from typing import Annotated

from msgspec import UNSET, Meta

from homeroom.base.ids import CourseId, UserId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import (
    CHANGEABLE_COURSE,
    COURSE_EXISTS,
    COURSE_KIND,
    COURSE_NOT_DELETED,
    COURSE_NOT_EXPIRED,
    COURSE_OF_SCHOOL,
    LIST_CHECK,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import (
    InvalidEntry,
    SeparateEntriesReader,
    read_ids_separately,
    read_json_list,
    read_texts_separately,
)
from homeroom.contract.params import (
    CUSTOM_COLUMN,
    ID,
    NAME,
    OPTIONAL_ID,
    OPTIONAL_ROLE,
    ROLE,
    TEXT,
    ParamError,
    Params,
    ParamType,
    defer_errors,
    read_id,
)
from homeroom.contract.results import (
    CustomColumn,
    EmptyResult,
    Entry,
    EntryErrno,
    EntryError,
    PlainEntry,
    Result,
)


def read_one_uid(raw: object) -> UserId:
    """Read a UID, or a list with a single UID; an empty list is `Errno.LIST_EMPTY`."""
    if isinstance(raw, str) and raw.startswith("["):
        uids = read_json_list(raw)
        return UserId(read_id(uids[0] if len(uids) == 1 else None))
    return UserId(read_id(raw))


class PersonEntry(Params, frozen=True, kw_only=True):
    """A person to add: by UID, which wins, or by account."""

    custom_column: Annotated[str | None, CUSTOM_COLUMN] = None
    uid: Annotated[UserId | None, OPTIONAL_ID] = None
    account: Annotated[str | None, TEXT] = None

    def validate(self) -> None:
        """Ask for the person in one of two forms."""
        if self.uid is None and self.account is None:
            raise ParamError("uid", "is missing or empty")


class MemberEntry(PersonEntry, frozen=True, kw_only=True):
    """A person to add to a course, with the name of an auditor."""

    name: Annotated[str | None, NAME] = None


class AddCourseStudent(Params, frozen=True, kw_only=True):
    """The parameters of addCourseStudent."""

    course_id: Annotated[CourseId, ID]
    identity: Annotated[int, ROLE]
    student_uid: Annotated[UserId | None, ParamType(read_one_uid, "id", zero_is_absent=True)] = None
    student_account: Annotated[str | None, TEXT] = None
    student_name: Annotated[str | None, NAME] = None

    def validate(self) -> None:
        """Ask for the person in one of two forms."""
        if self.student_uid is None and self.student_account is None:
            raise ParamError("studentUid", "is missing or empty")


class AddCourseStudentMultiple(Params, frozen=True, kw_only=True):
    """The parameters of addCourseStudentMultiple."""

    course_id: Annotated[CourseId, ID]
    identity: Annotated[int, OPTIONAL_ROLE] = 1
    students: Annotated[
        tuple[MemberEntry | InvalidEntry, ...],
        ParamType(
            SeparateEntriesReader(MemberEntry),
            "JSON list of up to 1,000 persons",
            ("studentJson",),
        ),
    ]


UID_LIST = ParamType(read_ids_separately, "JSON list of up to 1,000 UIDs", ("studentUidJson",))
ACCOUNT_LIST = ParamType(
    defer_errors("studentJson", read_texts_separately),
    "JSON list of up to 1,000 accounts",
    ("studentJson",),
)
UidList = Annotated[tuple[UserId | InvalidEntry, ...] | None, UID_LIST]
AccountList = Annotated[tuple[str | InvalidEntry, ...] | ParamError | None, ACCOUNT_LIST]


def choose_persons(
    uids: tuple[UserId | InvalidEntry, ...] | None,
    accounts: tuple[str | InvalidEntry, ...] | ParamError | None,
) -> tuple[UserId | str | InvalidEntry, ...]:
    """Return the persons to remove: the list of UIDs wins (READINGS Q12).

    Errors in the accounts count only without UIDs. Raises `ParamError`, also without both lists.
    """
    if uids is not None:
        return uids
    if accounts is None:
        raise ParamError("studentUidJson", "is missing or empty")
    if isinstance(accounts, ParamError):
        raise accounts
    return accounts


class ModifyGroupMemberNickname(Params, frozen=True, kw_only=True):
    """The parameters of modifyGroupMemberNickname."""

    course_id: Annotated[CourseId, ID]


class DelCourseStudent(Params, frozen=True, kw_only=True):
    """The parameters of delCourseStudent."""

    course_id: Annotated[CourseId, ID]
    identity: Annotated[int, ROLE]
    student_uid: Annotated[UserId, ID]


class DelCourseStudentMultiple(Params, frozen=True, kw_only=True):
    """The parameters of delCourseStudentMultiple."""

    course_id: Annotated[CourseId, ID]
    identity: Annotated[int, ROLE]
    uids: UidList = None
    accounts: AccountList = None

    def validate(self) -> None:
        """Ask for one of the two lists."""
        self.get_persons()

    def get_persons(self) -> tuple[UserId | str | InvalidEntry, ...]:
        """Return the persons to remove."""
        return choose_persons(self.uids, self.accounts)


class MemberResult(Entry, frozen=True, kw_only=True):
    """Result of one person to add."""

    custom_column: CustomColumn = UNSET
    errno: EntryErrno
    error: EntryError


class AddedMembers(Result, frozen=True, kw_only=True):
    """Result of an addition of several persons."""

    data: Annotated[
        list[MemberResult], Meta(description="One result for each person, in their order.")
    ]


class RemovedMembers(Result, frozen=True, kw_only=True):
    """Result of a removal of several persons."""

    data: Annotated[
        list[PlainEntry], Meta(description="One result for each person, in their order.")
    ]


PERSON_CHECKS = (
    Check(Errno.STUDENT_CANCELLED, "the account was cancelled, and a student is to be added"),
    Check(Errno.AUDITOR_CANCELLED, "the account was cancelled, and an auditor is to be added"),
    Check(Errno.NOT_A_STUDENT_OF_SCHOOL, "the person is no student of the school"),
    Check(Errno.ALREADY_A_STUDENT, "the person is a student of the course already"),
    Check(Errno.ALREADY_AN_AUDITOR, "the person is an auditor of the course already"),
    Check(
        Errno.HEAD_TEACHER_AS_STUDENT,
        "the person, named by UID, is head teacher of the course, and a student is to be added",
    ),
    Check(
        Errno.COURSE_TEACHER_AS_MEMBER,
        "the person, named by UID, is a teacher or co-teacher of the course",
    ),
    Check(
        Errno.TEACHER_AS_STUDENT,
        "the person, named by account, is a teacher of the course, and a student is to be added",
    ),
    Check(
        Errno.TEACHER_AS_AUDITOR,
        "the person, named by account, is a teacher of the course, and an auditor is to be added",
    ),
    Check(Errno.TOO_MANY_MEMBERS, "the course has as many such members as the plan allows"),
)
NICKNAME_WARNING = Check(
    Errno.NICKNAME_NOT_SYNCED,
    "the class nickname is to follow the school's list of students, which has no such person",
)

ADD_COURSE_STUDENT = Action(
    name="addCourseStudent",
    title="Add one student or auditor to a course",
    params=AddCourseStudent,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        Check(Errno.LIST_EMPTY, "studentUid is an empty list"),
        *CHANGEABLE_COURSE,
        Check(Errno.PHONE_MALFORMED, "the account is malformed"),
        Check(Errno.ACCOUNT_NOT_REGISTERED, "no user has the account"),
        Check(Errno.BAD_DATA, "no user has the UID"),
        *PERSON_CHECKS,
    ),
    warnings=(NICKNAME_WARNING,),
)

ADD_COURSE_STUDENT_MULTIPLE = Action(
    name="addCourseStudentMultiple",
    title="Add several students or auditors to a course",
    params=AddCourseStudentMultiple,
    result=AddedMembers,
    entry=MemberResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        LIST_CHECK,
        Check(
            Errno.MEMBERS_BEING_CHANGED,
            "another addition to the course is unfinished after one second",
        ),
        *CHANGEABLE_COURSE,
    ),
    entry_checks=(
        Check(Errno.BAD_DATA, "the entry is malformed, or no user has the UID"),
        Check(
            Errno.STUDENT_PHONE_MALFORMED, "the account is malformed, and a student is to be added"
        ),
        Check(Errno.PHONE_MALFORMED, "the account is malformed, and an auditor is to be added"),
        Check(Errno.PHONE_RANGE, "no mainland number begins like this one"),
        Check(
            Errno.REGISTRATION_FAILED,
            "another request still registers the account after one second",
        ),
        Check(Errno.ACCOUNT_NOT_REGISTERED, "no user has the account"),
        Check(Errno.ALREADY_EXISTS, "an earlier entry names the same person"),
        *PERSON_CHECKS,
        NICKNAME_WARNING,
    ),
)

MODIFY_GROUP_MEMBER_NICKNAME = Action(
    name="modifyGroupMemberNickname",
    title="Copy the names of the school into the class nicknames of a course",
    params=ModifyGroupMemberNickname,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        COURSE_EXISTS,
        COURSE_OF_SCHOOL,
        COURSE_NOT_DELETED,
        COURSE_NOT_EXPIRED,
        Check(Errno.STUDENTS_DELETED, "the accounts of all members were cancelled"),
        Check(
            Errno.NO_NICKNAME_CHANGED,
            "all members are on no list of students of the school, or were cancelled",
        ),
    ),
    warnings=(
        Check(
            Errno.SOME_NICKNAMES_NOT_CHANGED,
            "some members are on no list of students of the school, or were cancelled",
        ),
    ),
    faults=(Errno.FAILED,),
)

DEL_COURSE_STUDENT = Action(
    name="delCourseStudent",
    title="Remove one student or auditor from a course",
    params=DelCourseStudent,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        *CHANGEABLE_COURSE,
        Check(Errno.BAD_DATA, "no user has the UID"),
        Check(Errno.NOT_A_MEMBER, "the person is no member in this role"),
    ),
    faults=(Errno.FAILED, Errno.NO_DATA, Errno.SERVER_FAULT),
)

DEL_COURSE_STUDENT_MULTIPLE = Action(
    name="delCourseStudentMultiple",
    title="Remove several students or auditors from a course",
    params=DelCourseStudentMultiple,
    result=RemovedMembers,
    entry=PlainEntry,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        LIST_CHECK,
        Check(Errno.NO_SUCH_COURSE, "there is no such course, or it was deleted"),
        COURSE_OF_SCHOOL,
        COURSE_NOT_EXPIRED,
        COURSE_KIND,
    ),
    entry_checks=(
        Check(Errno.PHONE_MALFORMED, "the account is malformed"),
        Check(Errno.BAD_DATA, "the UID is malformed, or no user has it"),
        Check(
            Errno.NOT_A_MEMBER,
            "the person is no member in this role, or an earlier entry names the same person",
        ),
    ),
)
