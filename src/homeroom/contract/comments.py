"""A teacher's comments on the students of a class, on the wire and in the read-back."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from homeroom.base.ids import LessonId, UserId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry, SeparateEntriesReader
from homeroom.contract.paged import ReadBack, SchoolsQuery
from homeroom.contract.params import (
    CUSTOM_COLUMN,
    ID,
    OPTIONAL_ID,
    TEXT,
    ParamError,
    Params,
    ParamType,
    read_text_cut_to,
    read_whole_number,
)
from homeroom.contract.results import CustomColumn, Entry, EntryErrno, EntryError, Result
from homeroom.contract.rows import Account, IdNumber, ReadBackRow, Timestamp

MAX_STARS = 5


def read_stars(raw: object) -> int:
    """Read a number of stars; one outside 0 to 5 becomes the nearest."""
    return min(max(read_whole_number(raw), 0), MAX_STARS)


class CommentEntry(Params, frozen=True, kw_only=True):
    """A comment on a student: by UID, which wins, or by account."""

    custom_column: Annotated[str | None, CUSTOM_COLUMN] = None
    student_uid: Annotated[UserId | None, OPTIONAL_ID] = None
    student_account: Annotated[str | None, TEXT] = None
    stars: Annotated[
        int,
        ParamType(
            read_stars, "0 to 5; a number outside becomes the nearest", ("starNum", "startNum")
        ),
    ]
    comment: Annotated[str, ParamType(read_text_cut_to(1000), "text, cut to 1000 characters")]

    def validate(self) -> None:
        """Ask for the student in one of two forms."""
        if self.student_uid is None and self.student_account is None:
            raise ParamError("studentUid", "is missing or empty")


class UpdateClassStudentComment(Params, frozen=True, kw_only=True):
    """The parameters of updateClassStudentComment (READINGS Q69)."""

    class_id: Annotated[LessonId, ID]
    comments: Annotated[
        tuple[CommentEntry | InvalidEntry, ...],
        ParamType(
            SeparateEntriesReader(CommentEntry),
            "JSON list of up to 1,000 comments",
            ("commentJson",),
        ),
    ]


class CommentResult(Entry, frozen=True, kw_only=True):
    """Result of one entry of updateClassStudentComment; it names the student as the entry does."""

    student_uid: Annotated[
        str | UnsetType, Meta(description="The UID as text, where the entry has one.")
    ] = UNSET
    student_account: Annotated[
        str | UnsetType, Meta(description="The account, where the entry has no UID.")
    ] = UNSET
    custom_column: CustomColumn = UNSET
    errno: EntryErrno
    error: EntryError


class CommentResults(Result, frozen=True, kw_only=True):
    """Result of updateClassStudentComment."""

    data: Annotated[
        list[CommentResult], Meta(description="One result for each comment, in their order.")
    ]


UPDATE_CLASS_STUDENT_COMMENT = Action(
    name="updateClassStudentComment",
    title="Comment on the students of a class",
    params=UpdateClassStudentComment,
    result=CommentResults,
    entry=CommentResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        Check(Errno.LESSON_NOT_IN_SCHOOL, "the school has no such class, or it was deleted"),
        Check(Errno.KIND_NOT_SUPPORTED, "the course or the class is public or dual-teacher"),
    ),
    entry_checks=(
        Check(
            Errno.BAD_DATA, "the entry has no student, stars or comment, or no user is the student"
        ),
        Check(Errno.NOT_A_STUDENT_OF_SCHOOL, "the user is no student of the school"),
        Check(
            Errno.NOT_IN_LESSON,
            "the user is no student of the class: not of the course, an auditor, or transferred "
            "out",
        ),
    ),
    faults=(Errno.FAILED,),
)


class CommentsQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which comments."""

    class_id: Annotated[LessonId | None, ID] = None
    student_uid: Annotated[UserId | None, ID] = None


class CommentRow(ReadBackRow, frozen=True, kw_only=True):
    """The last comment on a student of a class."""

    sid: IdNumber = msgspec.field(name="SID")
    class_id: IdNumber
    student_uid: IdNumber
    account: Account
    star_num: Annotated[int, Meta(description="0 to 5.")]
    comment: str
    created_time: Annotated[Timestamp, Meta(description="Of the first comment.")]
    changed_time: Annotated[Timestamp, Meta(description="Of this comment.")]


COMMENTS = ReadBack(
    "listComments",
    "/comments",
    "Comments on the students of classes",
    CommentsQuery,
    CommentRow,
    "in the order of the first comment on each student of a class",
)
