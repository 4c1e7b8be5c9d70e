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


class AttendanceQuery(PageQuery, frozen=True, kw_only=True):
    """Which stays in the classroom."""

    uid: Annotated[UserId | None, ID] = None


class AttendanceRow(ReadBackRow, frozen=True, kw_only=True):
    """A stay of a person in the classroom of a class."""

    class_id: IdNumber
    uid: IdNumber
    account: Account
    name: Annotated[str | None, Meta(description="The nickname of the account.")]
    identity: Annotated[
        int,
        Meta(description="1 student, 2 auditor, 3 teacher, 4 co-teacher; others: of the school."),
    ]
    device: Annotated[
        int, Meta(description="As in messages: 0 a computer or an encoder, 14 a web page.")
    ]
    client_id: Annotated[int, Meta(description="0: the first device of the person.")]
    entered_time: Timestamp
    left_time: Annotated[Timestamp | None, Meta(description="null: still inside.")]
    reason: Annotated[
        int | None,
        Meta(description="1 by hand, 2 closing, 4 kicked, 6 connection lost, 7 class deleted."),
    ]
    seconds: Annotated[int, Meta(description="Until now, if they are still inside.")]
    is_simulated: Annotated[Switch, Meta(description="1: a rehearsed entry.")]


ATTENDANCE = ReadBack(
    "listAttendance",
    "/classes/{classId}/attendance",
    "Who entered a class, when they left, and how long they stayed",
    AttendanceQuery,
    AttendanceRow,
    "by entry",
)
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
