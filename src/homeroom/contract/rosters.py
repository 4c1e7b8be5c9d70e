"""Students and auditors of courses on the wire."""

from typing import Annotated

from homeroom.base.ids import CourseId, UserId
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.contract.lists import (
    InvalidEntry,
    read_entries_separately,
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


def read_one_uid(raw: object) -> UserId:
    """Read a UID, or a list of one as older clients send it; an empty list is errno 155."""
    if isinstance(raw, str) and raw.startswith("["):
        uids = read_json_list(raw)
        return UserId(read_id(uids[0] if len(uids) == 1 else None))
    return UserId(read_id(raw))


class MemberEntry(Params, frozen=True, kw_only=True):
    """A person to add: by UID, which wins, or by account."""

    custom_column: Annotated[str | None, CUSTOM_COLUMN] = None
    uid: Annotated[UserId | None, OPTIONAL_ID] = None
    account: Annotated[str | None, TEXT] = None
    name: Annotated[str | None, NAME] = None

    def check(self) -> None:
        """Ask for the person in one of two forms."""
        if self.uid is None and self.account is None:
            raise ParamError("uid", "is missing or empty")


class AddCourseStudent(Params, frozen=True, kw_only=True):
    """The parameters of addCourseStudent."""

    course_id: Annotated[CourseId, ID]
    identity: Annotated[int, ROLE]
    student_uid: Annotated[UserId | None, ParamType(read_one_uid, "id", zero_is_absent=True)] = None
    student_account: Annotated[str | None, TEXT] = None
    student_name: Annotated[str | None, NAME] = None

    def check(self) -> None:
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
            read_entries_separately(MemberEntry),
            "JSON list of up to 1,000 persons",
            ("studentJson",),
        ),
    ]


class DelCourseStudentMultiple(Params, frozen=True, kw_only=True):
    """The parameters of delCourseStudentMultiple; the list of UIDs wins (READINGS Q12)."""

    course_id: Annotated[CourseId, ID]
    identity: Annotated[int, ROLE]
    uids: Annotated[
        tuple[UserId | InvalidEntry, ...] | None,
        ParamType(read_ids_separately, "JSON list of up to 1,000 UIDs", ("studentUidJson",)),
    ] = None
    accounts: Annotated[
        tuple[str | InvalidEntry, ...] | ParamError | None,
        ParamType(
            defer_errors("studentJson", read_texts_separately),
            "JSON list of up to 1,000 accounts",
            ("studentJson",),
        ),
    ] = None

    def check(self) -> None:
        """Ask for one of the two lists."""
        if self.uids is None and self.accounts is None:
            raise ParamError("studentUidJson", "is missing or empty")
        self.get_persons()

    def get_persons(self) -> tuple[UserId | str | InvalidEntry, ...]:
        """Return who is asked for; what is wrong with the accounts matters only without UIDs."""
        if self.uids is not None:
            return self.uids
        if isinstance(self.accounts, ParamError):
            raise self.accounts
        return self.accounts or ()


ADD_COURSE_STUDENT = Action(
    name="addCourseStudent",
    title="Add one student or auditor to a course",
    params=AddCourseStudent,
    refuses=(
        Errno.LIST_EMPTY,
        Errno.NO_SUCH_COURSE,
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.COURSE_DELETED,
        Errno.COURSE_EXPIRED,
        Errno.KIND_NOT_SUPPORTED,
        Errno.PHONE_MALFORMED,
        Errno.ACCOUNT_NOT_REGISTERED,
        Errno.BAD_DATA,
        Errno.STUDENT_CANCELLED,
        Errno.AUDITOR_CANCELLED,
        Errno.NOT_A_STUDENT_OF_SCHOOL,
        Errno.ALREADY_A_STUDENT,
        Errno.ALREADY_AN_AUDITOR,
        Errno.HEAD_TEACHER_AS_STUDENT,
        Errno.COURSE_TEACHER_AS_MEMBER,
        Errno.TEACHER_AS_STUDENT,
        Errno.TEACHER_AS_AUDITOR,
        Errno.TOO_MANY_MEMBERS,
    ),
    notes=(Errno.NICKNAME_NOT_SYNCED,),
    order=(
        "presence and format (100; an empty list as studentUid is 155), the course (147, 144, 149, "
        "153, 369), the person (by account: 134, 113; by UID: 400; cancelled 886 or 887; not a "
        "school student 228), a member already (163, 164), a teacher (333 head teacher as student, "
        "332 teacher or co-teacher of the course; asked for by account 129 as student, 174 as "
        "auditor), the limit of members (130); a nickname that could not be set is said (841)"
    ),
)

ADD_COURSE_STUDENT_MULTIPLE = Action(
    name="addCourseStudentMultiple",
    title="Add several students or auditors to a course",
    params=AddCourseStudentMultiple,
    refuses=(
        Errno.LIST_EMPTY,
        Errno.MEMBERS_BEING_CHANGED,
        Errno.NO_SUCH_COURSE,
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.COURSE_DELETED,
        Errno.COURSE_EXPIRED,
        Errno.KIND_NOT_SUPPORTED,
    ),
    entries=(
        Errno.BAD_DATA,
        Errno.STUDENT_PHONE_MALFORMED,
        Errno.PHONE_MALFORMED,
        Errno.PHONE_RANGE,
        Errno.REGISTRATION_FAILED,
        Errno.ACCOUNT_NOT_REGISTERED,
        Errno.ALREADY_EXISTS,
        Errno.STUDENT_CANCELLED,
        Errno.AUDITOR_CANCELLED,
        Errno.NOT_A_STUDENT_OF_SCHOOL,
        Errno.ALREADY_A_STUDENT,
        Errno.ALREADY_AN_AUDITOR,
        Errno.HEAD_TEACHER_AS_STUDENT,
        Errno.COURSE_TEACHER_AS_MEMBER,
        Errno.TEACHER_AS_STUDENT,
        Errno.TEACHER_AS_AUDITOR,
        Errno.TOO_MANY_MEMBERS,
        Errno.NICKNAME_NOT_SYNCED,
    ),
    answer="data: one entry per entry asked for, in order: {customColumn, errno, error}",
    order=(
        "presence and format (100), an empty list (155), another addition to the course unfinished "
        "after one second (464), the course (147, 144, 149, 153, 369); then each entry as in "
        "addCourseStudent, an account in the older key being 125 as student or 134 as auditor when "
        "malformed, 288 by its range, 131 while its registration is unfinished after one second, "
        "113 when nobody registered it; a person named twice is 133"
    ),
)

DEL_COURSE_STUDENT_MULTIPLE = Action(
    name="delCourseStudentMultiple",
    title="Remove several students or auditors from a course",
    params=DelCourseStudentMultiple,
    refuses=(
        Errno.LIST_EMPTY,
        Errno.NO_SUCH_COURSE,
        Errno.COURSE_NOT_IN_SCHOOL,
        Errno.COURSE_EXPIRED,
        Errno.KIND_NOT_SUPPORTED,
    ),
    entries=(Errno.PHONE_MALFORMED, Errno.BAD_DATA, Errno.NOT_A_MEMBER),
    answer="data: one entry per entry asked for, in order: {errno, error}",
    order=(
        "presence and format (100), an empty list (155), the course (147 also when it was deleted, "
        "144, 153, 369); then each entry: an account that is malformed (134), a UID that nobody "
        "has (400), not a member in that role, or named a second time (162)"
    ),
)
