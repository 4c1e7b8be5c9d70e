"""Students of single classes on the wire."""

from typing import Annotated

from msgspec import Meta

from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import (
    COURSE_KIND,
    COURSE_NOT_DELETED,
    COURSE_NOT_EXPIRED,
    LIST_CHECK,
    OWN_COURSE,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import LESSON_MADE_ELSEWHERE, V1_LESSON
from homeroom.contract.lists import InvalidEntry, SeparateEntriesReader, read_ids_separately
from homeroom.contract.params import (
    ID,
    OPTIONAL_ID,
    TEXT,
    ParamError,
    Params,
    ParamType,
    read_whole_number,
)
from homeroom.contract.results import PlainEntry, Result
from homeroom.contract.rosters import (
    AccountList,
    AddedMembers,
    MemberResult,
    PersonEntry,
    RemovedMembers,
    UidList,
    choose_persons,
)

CLASS_ROLE = ParamType(read_whole_number, "1 student")
"""Another number has an errno of its own."""


class AddClassStudentMultiple(Params, frozen=True, kw_only=True):
    """The parameters of addClassStudentMultiple."""

    course_id: Annotated[CourseId, ID]
    class_id: Annotated[LessonId, ID]
    identity: Annotated[int, CLASS_ROLE] = 1
    students: Annotated[
        tuple[PersonEntry | InvalidEntry, ...],
        ParamType(
            SeparateEntriesReader(PersonEntry),
            "JSON list of up to 1,000 persons",
            ("studentJson",),
        ),
    ]


class DelClassStudentMultiple(Params, frozen=True, kw_only=True):
    """The parameters of delClassStudentMultiple."""

    course_id: Annotated[CourseId, ID]
    class_id: Annotated[LessonId, ID]
    identity: Annotated[int, CLASS_ROLE]
    uids: UidList = None
    accounts: AccountList = None

    def validate(self) -> None:
        """Ask for one of the two lists."""
        self.get_persons()

    def get_persons(self) -> tuple[UserId | str | InvalidEntry, ...]:
        """Return the persons to remove."""
        return choose_persons(self.uids, self.accounts)


class AddCourseClassStudent(Params, frozen=True, kw_only=True):
    """The parameters of addCourseClassStudent."""

    course_id: Annotated[CourseId, ID]
    student_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    student_account: Annotated[str | None, TEXT] = None
    lessons: Annotated[
        tuple[LessonId | InvalidEntry, ...],
        ParamType(read_ids_separately, "JSON list of up to 1,000 class ids", ("classJson",)),
    ]

    def validate(self) -> None:
        """Ask for the person in one of two forms."""
        if self.student_uid is None and self.student_account is None:
            raise ParamError("studentUid", "is missing or empty")


class AddedToLessons(Result, frozen=True, kw_only=True):
    """Result of addCourseClassStudent."""

    data: Annotated[
        list[PlainEntry], Meta(description="One result for each class, in their order.")
    ]


ONLY_STUDENTS = Check(Errno.ONLY_STUDENTS_IN_LESSONS, "identity is a number other than 1")
LESSON_NOT_OVER = Check(Errno.LESSON_IS_OVER, "the class is over")
OPEN_LESSON = (OWN_COURSE, COURSE_KIND, *V1_LESSON, LESSON_NOT_OVER)
"""Checks of a class whose students are to be changed."""
ACCOUNT_UNKNOWN = Check(Errno.ACCOUNT_NOT_REGISTERED, "no user has the account")
CANCELLED = Check(Errno.STUDENT_CANCELLED, "the account was cancelled")
NOT_OF_SCHOOL = Check(
    Errno.NOT_A_STUDENT_OF_SCHOOL, "the person is no student of the school, nor its own account"
)
IS_AUDITOR = Check(Errno.ALREADY_AN_AUDITOR, "the person is an auditor of the course")
NO_TEACHER = (
    Check(Errno.HEAD_TEACHER_AS_STUDENT, "the person, named by UID, is head teacher of the course"),
    Check(
        Errno.COURSE_TEACHER_AS_MEMBER,
        "the person, named by UID, is a teacher or co-teacher of the course",
    ),
    Check(Errno.TEACHER_AS_STUDENT, "the person, named by account, is a teacher of the course"),
)
CLASS_IS_FULL = Check(
    Errno.TOO_MANY_CLASS_STUDENTS, "the class has as many students and guests as the plan allows"
)

ADD_CLASS_STUDENT_MULTIPLE = Action(
    name="addClassStudentMultiple",
    title="Add several guests to one class",
    params=AddClassStudentMultiple,
    result=AddedMembers,
    entry=MemberResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(LIST_CHECK, ONLY_STUDENTS, *OPEN_LESSON),
    entry_checks=(
        Check(Errno.BAD_DATA, "the entry is malformed, or no user has the UID"),
        Check(Errno.STUDENT_PHONE_MALFORMED, "the account is malformed"),
        Check(Errno.PHONE_RANGE, "no mainland number begins like this one"),
        Check(
            Errno.REGISTRATION_FAILED,
            "another request still registers the account after one second",
        ),
        ACCOUNT_UNKNOWN,
        CANCELLED,
        NOT_OF_SCHOOL,
        IS_AUDITOR,
        Check(
            Errno.ALREADY_IN_LESSON,
            "the person is a student of the class already, or an earlier entry names them",
        ),
        Check(Errno.CO_TEACHER_AS_STUDENT, "the person is a co-teacher of the class"),
        *NO_TEACHER,
        CLASS_IS_FULL,
    ),
    faults=(Errno.SERVER_FAULT,),
    entry_faults=(Errno.STUDENT_NOT_ADDED_TO_LESSON,),
)

DEL_CLASS_STUDENT_MULTIPLE = Action(
    name="delClassStudentMultiple",
    title="Remove several students from one class",
    params=DelClassStudentMultiple,
    result=RemovedMembers,
    entry=PlainEntry,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(LIST_CHECK, ONLY_STUDENTS, *OPEN_LESSON),
    entry_checks=(
        Check(Errno.BAD_DATA, "the UID is malformed, or no user has it"),
        Check(Errno.ACCOUNT_NOT_REGISTERED, "the account is malformed, or no user has it"),
        Check(
            Errno.NOT_IN_LESSON,
            "the person is no student of the class, or an earlier entry names the same person",
        ),
    ),
    faults=(Errno.SERVER_FAULT,),
    entry_faults=(Errno.STUDENT_NOT_REMOVED_FROM_LESSON,),
)

ADD_COURSE_CLASS_STUDENT = Action(
    name="addCourseClassStudent",
    title="Add one student to several classes",
    params=AddCourseClassStudent,
    result=AddedToLessons,
    entry=PlainEntry,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        LIST_CHECK,
        OWN_COURSE,
        COURSE_NOT_DELETED,
        COURSE_NOT_EXPIRED,
        COURSE_KIND,
        Check(Errno.PHONE_MALFORMED, "the account is malformed"),
        ACCOUNT_UNKNOWN,
        Check(Errno.BAD_DATA, "no user has the UID"),
        CANCELLED,
        NOT_OF_SCHOOL,
        *NO_TEACHER,
    ),
    entry_checks=(
        Check(Errno.LESSON_NOT_IN_COURSE, "the course has no such class"),
        Check(Errno.LESSON_DELETED, "the class was deleted"),
        LESSON_MADE_ELSEWHERE,
        LESSON_NOT_OVER,
        IS_AUDITOR,
        Check(
            Errno.ALREADY_IN_LESSON,
            "the person is a student of the class already, or an earlier entry names the class",
        ),
        CLASS_IS_FULL,
    ),
    faults=(Errno.SERVER_FAULT,),
    entry_faults=(Errno.STUDENT_NOT_ADDED_TO_LESSON,),
    unused_names=("studentName",),
)
