"""Nicknames of students in their courses on the wire."""

from typing import Annotated

from msgspec import Meta

from homeroom.base.ids import UserId
from homeroom.contract.action import V2JSON, Action, Check
from homeroom.contract.errno import Errno
from homeroom.contract.lists import read_all_ids
from homeroom.contract.params import Params, ParamType
from homeroom.contract.results import CodedEntry, Result

MAX_SYNCED_STUDENTS = 100


def _read_uids(raw: object) -> tuple[UserId, ...]:
    """Read UIDs; of a list that is too long one more than it may have."""
    uids = raw[: MAX_SYNCED_STUDENTS + 1] if isinstance(raw, list) else raw
    return tuple(map(UserId, read_all_ids(uids)))


class ModifyCourseStudentNickName(Params, frozen=True, kw_only=True):
    """The parameters of modifyCourseStudentNickName."""

    student_uids: Annotated[
        tuple[UserId, ...], ParamType(_read_uids, f"JSON list of up to {MAX_SYNCED_STUDENTS} UIDs")
    ]


class NicknameEntry(CodedEntry, frozen=True, kw_only=True, rename="camel"):
    """The outcome for one student."""

    student_uid: Annotated[UserId, Meta(description="The UID of the student, as sent.")]


class ModifiedNicknames(Result, frozen=True, kw_only=True):
    """The result of modifyCourseStudentNickName."""

    data: Annotated[list[NicknameEntry], Meta(description="An entry for each UID.")]


MODIFY_COURSE_STUDENT_NICK_NAME = Action(
    name="modifyCourseStudentNickName",
    title="Copy the school's names of students into their nicknames in courses",
    params=ModifyCourseStudentNickName,
    result=ModifiedNicknames,
    entry=NicknameEntry,
    bindings=(
        V2JSON(
            "/schooluser/modifyCourseStudentNickName",
            missing=Errno.MALFORMED_REQUEST,
            wrong=Errno.MALFORMED_REQUEST,
        ),
    ),
    checks=(Check(Errno.TOO_MANY_STUDENTS, f"more than {MAX_SYNCED_STUDENTS} students are named"),),
    entry_checks=(
        Check(Errno.STUDENT_NOT_OF_SCHOOL, "the person is no student of the school"),
        Check(Errno.NICKNAME_SYNC_FAILED, "the account was cancelled"),
    ),
    faults=(Errno.SERVICE_CALL_FAILED, Errno.NO_SUCH_SCHOOL),
)
