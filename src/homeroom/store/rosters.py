"""Students and auditors of courses in the database."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import and_, bindparam, delete, func, insert, select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.domain.teachers import MemberRole
from homeroom.store.engine import Tx
from homeroom.store.standing import with_standing
from homeroom.store.statement import Rows, Statement
from homeroom.store.tables import course_members, course_teachers, students, users

_asked = Rows("uids")
_PERSONS = Statement(
    select(
        users.c.id,
        users.c.cancelled_at,
        users.c.nickname,
        func.coalesce(users.c.telephone, users.c.email),
        students.c.name,
        course_members.c.role,
        course_teachers.c.user_id,
    )
    .select_from(with_standing(_asked.source.join(users, users.c.id == _asked.whole())))
    .outerjoin(
        students,
        and_(students.c.school_id == bindparam("school"), students.c.user_id == users.c.id),
    )
)
_COUNT = Statement(
    select(func.count())
    .select_from(course_members)
    .where(
        course_members.c.course_id == bindparam("course"),
        course_members.c.role == bindparam("role"),
    )
)
_new = Rows("new_members")
_ADD = Statement(
    insert(course_members).from_select(
        ["course_id", "user_id", "role", "name", "nickname", "joined_at"],
        select(
            _new.whole(0), _new.whole(1), _new.whole(2), _new.text(3), _new.text(4), _new.whole(5)
        ).select_from(_new.source),
    )
)
_gone = Rows("gone")
_REMOVE = Statement(
    delete(course_members).where(
        course_members.c.course_id == bindparam("course"),
        course_members.c.role == bindparam("role"),
        _gone.hold(course_members.c.user_id),
    )
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who shall be added to a course, or taken out of it."""

    user: UserId
    is_cancelled: bool
    nickname: str
    account: str
    """The telephone number or e-mail address the person is known by."""
    school_name: str | None
    """The name on the school's list of students; none for others."""
    role: MemberRole | None
    is_course_teacher: bool


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member to write."""

    user: UserId
    name: str | None
    nickname: str | None


class Rosters:
    """Members of courses in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def persons(
        self, school: SchoolId, course: CourseId, uids: Iterable[UserId]
    ) -> dict[UserId, Person]:
        """Return those of some users that exist, as the school and the course know them."""
        text = msgspec.json.encode(list(set(uids))).decode()
        values = {"school": school, "course": course, "uids": text}
        return {
            UserId(uid): Person(
                UserId(uid),
                cancelled_at is not None,
                nickname,
                account,
                school_name,
                None if role is None else MemberRole(role),
                teacher is not None,
            )
            for uid, cancelled_at, nickname, account, school_name, role, teacher in self._tx.all(
                _PERSONS, values
            )
        }

    def count(self, course: CourseId, role: MemberRole) -> int:
        """Return how many students, or auditors, a course has."""
        return int(self._tx.all(_COUNT, {"course": course, "role": role.value})[0][0])

    def add(self, course: CourseId, role: MemberRole, new: list[NewMember], now: Moment) -> None:
        """Write members of a course."""
        rows = [
            (course, member.user, role.value, member.name, member.nickname, now) for member in new
        ]
        if rows:
            self._tx.run(_ADD, {"new_members": msgspec.json.encode(rows).decode()})

    def remove(self, course: CourseId, role: MemberRole, gone: list[UserId]) -> None:
        """Remove members of a course."""
        if gone:
            text = msgspec.json.encode(gone).decode()
            self._tx.run(_REMOVE, {"course": course, "role": role.value, "gone": text})
