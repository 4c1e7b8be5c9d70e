"""Several new classes on the wire."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from homeroom.base.ids import CourseId, LessonId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import CHANGEABLE_COURSE, LIST_CHECK, identity_checks
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import (
    NEW_LESSON_CHECKS,
    NEW_LESSON_WARNINGS,
    TIME_CHECKS,
    NewLessonParams,
)
from homeroom.contract.lists import FirstEntries, FirstEntriesReader
from homeroom.contract.params import (
    CUSTOM_COLUMN,
    ID,
    Params,
    ParamType,
    read_text_cut_to,
)
from homeroom.contract.results import (
    CustomColumn,
    Entry,
    EntryErrno,
    EntryError,
    LiveAddresses,
    Result,
)

MAX_NEW_LESSONS = 50
"""Classes that one call adds; further entries are dropped."""
CLASS_NAME = ParamType(read_text_cut_to(50), "text, cut to 50 characters")


class NewLessonEntry(NewLessonParams, frozen=True, kw_only=True):
    """One class to add."""

    class_name: Annotated[str, CLASS_NAME]
    custom_column: Annotated[str | None, CUSTOM_COLUMN] = None


class AddCourseClassMultiple(Params, frozen=True, kw_only=True):
    """The parameters of addCourseClassMultiple."""

    course_id: Annotated[CourseId, ID]
    lessons: Annotated[
        FirstEntries,
        ParamType(
            FirstEntriesReader(NewLessonEntry, MAX_NEW_LESSONS),
            f"JSON list of classes; those past the first {MAX_NEW_LESSONS} are dropped",
            ("classJson",),
        ),
    ]


class NewLessonResult(Entry, frozen=True, kw_only=True):
    """Result of one entry of addCourseClassMultiple."""

    data: Annotated[
        LessonId | UnsetType,
        Meta(description="The id of the class, new or earlier; absent where it was refused."),
    ] = UNSET
    class_name: Annotated[str, Meta(description="The name as it was cut; empty without one.")]
    custom_column: CustomColumn = UNSET
    more_data: Annotated[
        LiveAddresses | UnsetType, Meta(description="The addresses of the class in data.")
    ] = msgspec.field(name="more_data", default=UNSET)
    errno: EntryErrno
    error: EntryError


class NewLessonResults(Result, frozen=True, kw_only=True):
    """Result of addCourseClassMultiple."""

    data: Annotated[
        list[NewLessonResult], Meta(description="One result for each class, in their order.")
    ]


ADD_COURSE_CLASS_MULTIPLE = Action(
    name="addCourseClassMultiple",
    title="Create several classes in one course",
    params=AddCourseClassMultiple,
    unused_names=("teacherName",),
    result=NewLessonResults,
    entry=NewLessonResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(LIST_CHECK, *CHANGEABLE_COURSE),
    entry_checks=(
        Check(Errno.BAD_PARAMS, "the entry is malformed"),
        Check(Errno.ALREADY_EXISTS, "an earlier entry has the same identity"),
        *identity_checks("class"),
        *TIME_CHECKS,
        Check(Errno.TEACHER_ACCOUNT_MALFORMED, "teacherAccount is no account (teacherUid wins)"),
        *NEW_LESSON_CHECKS,
        *NEW_LESSON_WARNINGS,
    ),
    entry_faults=(
        Errno.LESSON_NOT_ADDED,
        Errno.CLIENT_LESSON_NOT_ADDED,
        Errno.TEACHER_NOT_LISTED,
        Errno.CO_TEACHER_NOT_LISTED,
        Errno.CO_TEACHER_ACCOUNT_MALFORMED,
    ),
)
