"""Read-back of the members of classes, and of the groupings of courses."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.ids import CourseId, GroupingId, UserId
from homeroom.contract.paged import ACCOUNT, PART, PageQuery, ReadBack, SchoolsQuery
from homeroom.contract.params import ID, ROLE, ParamType, read_word
from homeroom.contract.rows import (
    Account,
    Cancelled,
    IdNumber,
    ReadBackRow,
    Switch,
    Timestamp,
    describe_choice,
)

STATES = ("student", "guest", "auditor", "transferred_out")
STATE = ParamType(read_word(*STATES), "student, guest, auditor or transferred_out")


class ClassMembersQuery(PageQuery, frozen=True, kw_only=True):
    """Which members of a class."""

    identity: Annotated[int | None, ROLE] = None
    state: Annotated[str | None, STATE] = None
    uid: Annotated[UserId | None, ID] = None
    account: Annotated[str | None, ACCOUNT] = None


class GroupsQuery(SchoolsQuery, frozen=True, kw_only=True):
    """Which groupings."""

    course_id: Annotated[CourseId | None, ID] = None
    group_id: Annotated[GroupingId | None, ID] = None
    group_name: Annotated[str | None, PART] = None


class ClassMemberRow(ReadBackRow, frozen=True, kw_only=True):
    """A student, a guest or an auditor of a class, or a student transferred out of it."""

    class_id: IdNumber
    uid: IdNumber
    account: Account
    identity: Annotated[int, describe_choice("1 student, 2 auditor.", 1, 2)]
    state: Annotated[
        str,
        describe_choice(
            "guest: of this class only; transferred_out: of the course, but not of this class.",
            *STATES,
        ),
    ]
    name: Annotated[str | None, Meta(description="As it was given with the member.")]
    nickname: Annotated[
        str | None,
        Meta(description="As the course shows it; of a guest, as the school's list of students."),
    ]
    is_cancelled: Cancelled
    joined_time: Annotated[
        Timestamp | None, Meta(description="When they joined the course; null: a guest.")
    ]


class TeamMemberRow(ReadBackRow, frozen=True, kw_only=True):
    """A student in a team."""

    student_uid: IdNumber
    is_leader: Switch


class GroupRow(ReadBackRow, frozen=True, kw_only=True):
    """The grouping of a course."""

    sid: IdNumber = msgspec.field(name="SID")
    course_id: IdNumber
    group_id: IdNumber
    group_name: str
    group_list: Annotated[
        list[list[TeamMemberRow]],
        Meta(description="The teams; those who have left the course are in none."),
    ]
    created_time: Timestamp


CLASS_MEMBERS = ReadBack(
    "listClassMembers",
    "/classes/{classId}/members",
    "Students, guests and auditors of a class, and students transferred out of it",
    ClassMembersQuery,
    ClassMemberRow,
    "by UID",
)
GROUPINGS = ReadBack(
    "listGroups", "/groups", "Groupings of courses", GroupsQuery, GroupRow, "by groupId"
)
