"""Teachers of a course on the wire."""

from typing import Annotated

from msgspec import Meta

from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.contract.action import V2JSON, Action, APIPath, Check, V1Form
from homeroom.contract.checks import (
    CHANGEABLE_COURSE,
    COURSE_EXISTS,
    COURSE_FOREIGN,
    COURSE_KIND,
    COURSE_NOT_DELETED,
    COURSE_OF_SCHOOL,
    COURSE_STANDARD,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import read_all_ids
from homeroom.contract.params import ID, OPTIONAL_ID, TEXT, ParamError, Params, ParamType
from homeroom.contract.results import (
    CodedEntry,
    EmptyResult,
    Entry,
    EntryErrno,
    EntryError,
    Result,
)


class CourseTeacherParams(Params, frozen=True, kw_only=True):
    """The parameters of modifyCourseTeacher and removeCourseTeacher; the UID wins."""

    course_id: Annotated[CourseId, ID]
    teacher_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    teacher_account: Annotated[str | None, TEXT] = None

    def validate(self) -> None:
        """Ask for a teacher."""
        if self.teacher_uid is None and self.teacher_account is None:
            raise ParamError("teacherUid", "is missing or empty")


class LessonTeacherResult(Entry, frozen=True, kw_only=True):
    """Result of modifyCourseTeacher for one class."""

    class_id: Annotated[LessonId, Meta(description="The class.")]
    errno: EntryErrno
    error: EntryError


class LessonTeacherResults(Result, frozen=True, kw_only=True):
    """Result of modifyCourseTeacher."""

    data: Annotated[
        list[LessonTeacherResult],
        Meta(description="One result for each class that has not begun, in the order of the ids."),
    ]


MODIFY_COURSE_TEACHER = Action(
    name="modifyCourseTeacher",
    title="Replace the teacher of all classes that have not begun",
    params=CourseTeacherParams,
    result=LessonTeacherResults,
    entry=LessonTeacherResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        COURSE_EXISTS,
        COURSE_OF_SCHOOL,
        COURSE_NOT_DELETED,
        Check(Errno.COURSE_ENDED, "the course was ended"),
        Check(Errno.COURSE_EXPIRED, "the course has expired"),
        COURSE_KIND,
        Check(Errno.PHONE_MALFORMED, "teacherAccount is no account (teacherUid wins)"),
        Check(Errno.BAD_DATA, "no user has the UID or the account"),
        Check(Errno.NOT_A_TEACHER_OF_SCHOOL, "the user is no teacher of the school"),
        Check(Errno.TEACHER_CANCELLED, "the teacher's account was cancelled"),
        Check(Errno.TEACHER_STOPPED, "the teacher is deactivated"),
        Check(Errno.HEAD_TEACHER_STOPPING, "the teacher is being deactivated"),
        Check(Errno.NO_LESSON_TO_COME, "the course has no class whose start lies ahead"),
    ),
    entry_checks=(
        Check(Errno.KIND_NOT_SUPPORTED, "the class is one of dual-teacher classes"),
        Check(Errno.LESSON_MADE_ELSEWHERE, "the class was made by a client or by the LMS calls"),
        Check(Errno.TEACHER_IS_COURSE_STUDENT, "the teacher is a student of the course"),
        Check(Errno.TEACHER_IS_COURSE_AUDITOR, "the teacher is an auditor of the course"),
        Check(Errno.TEACHER_IS_LESSON_STUDENT, "the teacher is a guest of the class"),
        Check(Errno.TEACHER_IS_CO_TEACHER, "the teacher is a co-teacher of the class"),
    ),
    entry_faults=(Errno.TEACHER_NOT_CHANGED, Errno.TEACHER_NOT_LISTED),
    faults=(Errno.FAILED, Errno.SERVER_FAULT, Errno.COURSE_UNFINISHED),
)

REMOVE_COURSE_TEACHER = Action(
    name="removeCourseTeacher",
    title="Remove a teacher from a course",
    params=CourseTeacherParams,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        *CHANGEABLE_COURSE,
        Check(Errno.TEACHER_ACCOUNT_MALFORMED, "teacherAccount is no account (teacherUid wins)"),
        Check(Errno.BAD_DATA, "no user has the UID or the account"),
        Check(Errno.NOT_A_TEACHER_OF_SCHOOL, "the user is no teacher of the school"),
        Check(Errno.NOT_A_COURSE_TEACHER, "the teacher is not in the course's list of teachers"),
        Check(Errno.TEACHER_NOT_REMOVED, "the teacher is the head teacher of the course"),
        Check(
            Errno.TEACHER_HAS_LESSONS,
            "the teacher teaches or co-teaches a class of the course that is not over",
        ),
    ),
)


class AddCourseTeacher(Params, frozen=True, kw_only=True):
    """The parameters of addCourseTeacher."""

    course_id: Annotated[CourseId, ID]
    teacher_uids: Annotated[
        tuple[UserId, ...], ParamType(read_all_ids, "JSON list of up to 1,000 UIDs")
    ]


class CourseTeacherEntry(CodedEntry, frozen=True, kw_only=True, rename="camel"):
    """The outcome of adding one teacher."""

    teacher_uid: Annotated[UserId, Meta(description="The UID of the teacher, as sent.")]


class AddedCourseTeachers(Result, frozen=True, kw_only=True):
    """The result of addCourseTeacher."""

    data: Annotated[list[CourseTeacherEntry], Meta(description="An entry for each UID.")]


ADD_COURSE_TEACHER = Action(
    name="addCourseTeacher",
    title="Add teachers to a course",
    params=AddCourseTeacher,
    result=AddedCourseTeachers,
    entry=CourseTeacherEntry,
    bindings=(V2JSON("/course/addCourseTeacher", missing=Errno.PARAM_MISSING),),
    checks=(
        COURSE_EXISTS,
        COURSE_FOREIGN,
        COURSE_NOT_DELETED,
        Check(Errno.COURSE_ENDED_OR_EXPIRED, "the course was ended, or has expired"),
        COURSE_STANDARD,
    ),
    entry_checks=(
        Check(Errno.NOT_A_TEACHER_OF_SCHOOL, "the person is no teacher of the school"),
        Check(Errno.TEACHER_CANCELLED, "the account was cancelled"),
        Check(Errno.TEACHER_STOPPED, "the teacher is stopped, or being stopped"),
        Check(Errno.TEACHER_IS_COURSE_STUDENT, "the person is a student of the course"),
        Check(Errno.TEACHER_IS_COURSE_AUDITOR, "the person is an auditor of the course"),
        Check(Errno.IS_HEAD_TEACHER, "the person is the head teacher of the course"),
        Check(Errno.ALREADY_EXISTS, "the person is a teacher of the course, or named before"),
    ),
    faults=(Errno.FAILED, Errno.COURSE_NOT_IN_SCHOOL, Errno.SCHOOL_TYPE_UNREADABLE),
)
