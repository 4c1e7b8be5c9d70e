"""Rosters: the students and the auditors of each course."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import (
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.domain.teachers import MemberRole
from homeroom.store.course_roles import join_course_roles
from homeroom.store.engine import SQLValue, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    course_members,
    course_teachers,
    courses,
    grouping_members,
    groupings,
    lesson_absences,
    lessons,
    named_accounts,
    registrations,
    students,
    users,
)

_uids = ListParameter("uids")
_FIND_CANDIDATES = Statement(
    select(
        users.c.id,
        users.c.cancelled_at,
        users.c.nickname,
        func.coalesce(users.c.telephone, users.c.email),
        students.c.name,
        course_members.c.role,
        course_teachers.c.user_id,
        named_accounts.c.user_id,
        registrations.c.user_id,
    )
    .select_from(join_course_roles(_uids.source.join(users, users.c.id == _uids.integer())))
    .outerjoin(
        students,
        and_(students.c.school_id == bindparam("school"), students.c.user_id == users.c.id),
    )
    .outerjoin(
        named_accounts,
        and_(
            named_accounts.c.school_id == bindparam("school"),
            named_accounts.c.user_id == users.c.id,
        ),
    )
    .outerjoin(
        registrations,
        and_(
            registrations.c.school_id == bindparam("school"),
            registrations.c.user_id == users.c.id,
        ),
    )
)
_COUNT = {
    role: Statement(
        select(func.count())
        .select_from(course_members)
        .where(
            course_members.c.course_id == bindparam("course"),
            # A literal: the index of the auditors does not serve a parameter.
            course_members.c.role == literal_column(str(role.value)),
        )
    )
    for role in MemberRole
}
_new_members = ListParameter("new_members")
_ADD = Statement(
    insert(course_members).from_select(
        ["course_id", "user_id", "role", "name", "nickname", "joined_at"],
        select(
            _new_members.integer(0),
            _new_members.integer(1),
            _new_members.integer(2),
            _new_members.text(3),
            _new_members.text(4),
            _new_members.integer(5),
        ).select_from(_new_members.source),
    )
)
_removed_uids = ListParameter("removed_uids")
_DELETE = Statement(
    delete(course_members).where(
        course_members.c.course_id == bindparam("course"),
        course_members.c.role == bindparam("role"),
        _removed_uids.contains(course_members.c.user_id),
    )
)
_LEAVE_GROUPING = Statement(
    # Not a list of the groupings of the course: a student is in few, and a course may have many.
    delete(grouping_members).where(
        _removed_uids.contains(grouping_members.c.user_id),
        select(groupings.c.id)
        .where(
            groupings.c.id == grouping_members.c.grouping_id,
            groupings.c.course_id == bindparam("course"),
        )
        .correlate(grouping_members)
        .exists(),
    )
)
_FORGET_ABSENCES = Statement(
    delete(lesson_absences).where(
        _removed_uids.contains(lesson_absences.c.user_id),
        select(lessons.c.id)
        .where(
            lessons.c.id == lesson_absences.c.lesson_id,
            lessons.c.course_id == bindparam("course"),
        )
        .correlate(lesson_absences)
        .exists(),
    )
)
_in_course = course_members.c.course_id == bindparam("course")
_of_member = and_(
    students.c.school_id == bindparam("school"), students.c.user_id == course_members.c.user_id
)
_is_active = users.c.cancelled_at.is_(None)
_COUNT_NAMES = Statement(
    select(
        func.count(),
        func.count(users.c.cancelled_at),
        func.count(case((_is_active, students.c.user_id))),
    )
    .select_from(
        course_members.join(users, users.c.id == course_members.c.user_id).outerjoin(
            students, _of_member
        )
    )
    .where(_in_course)
)
# A scalar subquery is read for each member of the course. PostgreSQL would turn an EXISTS into a
# join, and might read the members of all courses.
_school_name = (
    select(students.c.name)
    .join(users, users.c.id == students.c.user_id)
    .where(_of_member, _is_active)
    .scalar_subquery()
)
_COPY_NAMES = Statement(
    update(course_members)
    .where(_in_course, _school_name.is_not(None))
    .values(nickname=_school_name)
)
_GET_JOIN_TIME = Statement(
    select(course_members.c.joined_at).where(
        course_members.c.course_id == bindparam("course"),
        course_members.c.user_id == bindparam("user"),
        course_members.c.role == literal_column(str(MemberRole.STUDENT.value)),
    )
)
_named_uids = ListParameter("named_uids")
# For each membership of a person, as above: neither all courses of the school nor of all schools.
_running_course = (
    select(courses.c.id)
    .where(
        courses.c.id == course_members.c.course_id,
        courses.c.school_id == bindparam("school"),
        courses.c.deleted_at.is_(None),
        courses.c.ended_at.is_(None),
        or_(courses.c.expires_at.is_(None), courses.c.expires_at > bindparam("now")),
    )
    .scalar_subquery()
)
_SYNC_NICKNAMES = Statement(
    update(course_members)
    .where(_named_uids.contains(course_members.c.user_id), _running_course.is_not(None))
    .values(nickname=select(students.c.name).where(_of_member).scalar_subquery())
)


class RosterCandidate(Value, frozen=True):
    """A user to add to a course, or to remove from it."""

    user: UserId
    is_cancelled: bool
    nickname: str
    account: str
    """The telephone number or the e-mail address of the account."""
    school_name: str | None
    """The name in the students of the school; None for others."""
    role: MemberRole | None
    is_course_teacher: bool
    is_named: bool
    """True if the school may see the account."""
    is_registered_here: bool
    """True if the school registered the account, and with it chose the nickname."""


class NewMember(Value, frozen=True):
    """A member to add."""

    user: UserId
    name: str | None
    nickname: str | None


class NameCounts(Value, frozen=True):
    """Members of a course: all, those with cancelled accounts, and the others with a name.

    The name is that in the school's list of students.
    """

    members: int
    cancelled: int
    named: int


class Rosters:
    """Repository of the members of courses."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def find_candidates(
        self, school: SchoolId, course: CourseId | None, uids: Iterable[UserId]
    ) -> dict[UserId, RosterCandidate]:
        """Return the users that exist of some UIDs, with their roles in school and course.

        Without a course the roles are None.
        """
        text = msgspec.json.encode(list(set(uids))).decode()
        values = {"school": school, "course": course, "uids": text}
        rows = self._tx.fetch_all(_FIND_CANDIDATES, values)
        return {
            UserId(uid): RosterCandidate(
                UserId(uid),
                cancelled_at is not None,
                nickname,
                account,
                school_name,
                MemberRole(role) if role is not None else None,
                teacher is not None,
                naming is not None,
                registration is not None,
            )
            for (
                uid,
                cancelled_at,
                nickname,
                account,
                school_name,
                role,
                teacher,
                naming,
                registration,
            ) in rows
        }

    def count(self, course: CourseId, role: MemberRole) -> int:
        """Return the number of students, or of auditors, of a course."""
        return int(self._tx.fetch_all(_COUNT[role], {"course": course})[0][0])

    def get_join_time(self, course: CourseId, user: UserId) -> Moment | None:
        """Return when a user joined a course as a student; None for others."""
        rows = self._tx.fetch_all(_GET_JOIN_TIME, {"course": course, "user": user})
        return rows[0][0] if rows else None

    def add(self, course: CourseId, role: MemberRole, new: list[NewMember], now: Moment) -> None:
        """Add members to a course."""
        rows = [
            (course, member.user, role.value, member.name, member.nickname, now) for member in new
        ]
        if rows:
            self._tx.execute(_ADD, {"new_members": msgspec.json.encode(rows).decode()})

    def delete(self, course: CourseId, role: MemberRole, uids: list[UserId]) -> None:
        """Delete members of a course, with what a student has as such: a team, absences."""
        if not uids:
            return
        values: dict[str, SQLValue] = {
            "course": course,
            "removed_uids": msgspec.json.encode(uids).decode(),
        }
        self._tx.execute(_DELETE, {**values, "role": role.value})
        if role is MemberRole.STUDENT:
            self._tx.execute(_LEAVE_GROUPING, values)
            self._tx.execute(_FORGET_ABSENCES, values)

    def count_names(self, school: SchoolId, course: CourseId) -> NameCounts:
        """Count the members of a course, and those who have a name in the school."""
        return NameCounts(
            *self._tx.fetch_all(_COUNT_NAMES, {"school": school, "course": course})[0]
        )

    def copy_names(self, school: SchoolId, course: CourseId) -> None:
        """Save the names of the school's list of students as nicknames of active members."""
        self._tx.execute(_COPY_NAMES, {"school": school, "course": course})

    def sync_nicknames(self, school: SchoolId, uids: Iterable[UserId], now: Moment) -> None:
        """Set the nicknames of students in the school's running courses to their names there."""
        text = msgspec.json.encode(list(uids)).decode()
        self._tx.execute(_SYNC_NICKNAMES, {"school": school, "named_uids": text, "now": now})
