"""Accounts of all schools, and the students of each school.

A cancelled account keeps its row. Its telephone number or e-mail address may be registered again.
"""

import msgspec
from sqlalchemy import bindparam, delete, insert, literal, select, union, union_all, update

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, UserId
from homeroom.base.values import Value
from homeroom.domain.accounts import AccountName, User
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    course_members,
    course_teachers,
    courses,
    registrations,
    schools,
    students,
    sub_accounts,
    teachers,
    users,
)

_COLUMNS = (
    users.c.id,
    users.c.telephone,
    users.c.email,
    users.c.nickname,
    users.c.cancelled_at,
)
_GET = Statement(select(*_COLUMNS).where(users.c.id == bindparam("user")))
_names = ListParameter("account_names")
# A union each time: with OR, PostgreSQL would read all accounts.
_FIND_BY_NAMES = Statement(
    select(*_COLUMNS)
    .where(
        users.c.id.in_(
            union_all(
                *(
                    select(users.c.id).join(_names.source, column == _names.text())
                    for column in (users.c.telephone, users.c.email)
                )
            )
        )
    )
    # The active account comes last, so that it replaces cancelled ones of the same name.
    .order_by(users.c.cancelled_at.is_(None), users.c.id)
)
_FIND_PASSWORD_HASH = Statement(
    union_all(
        *(
            select(users.c.password_hash, *_COLUMNS).where(
                column == bindparam("account"), users.c.cancelled_at.is_(None)
            )
            for column in (users.c.telephone, users.c.email)
        )
    )
)
_ADD = Statement(
    insert(users)
    .values({column: bindparam(column.name) for column in users.c if column.name != "id"})
    .returning(users.c.id)
)
_ADD_REGISTRATION = Statement(
    insert(registrations).values(user_id=bindparam("user"), school_id=bindparam("school"))
)
_IS_REGISTERED_BY = Statement(
    select(registrations.c.user_id).where(
        registrations.c.user_id == bindparam("user"),
        registrations.c.school_id == bindparam("school"),
    )
)
_SAVE_PASSWORD = Statement(
    update(users).where(users.c.id == bindparam("user")).values(password_hash=bindparam("new_hash"))
)
_SAVE_TELEPHONE = Statement(
    update(users)
    .where(users.c.id == bindparam("user"))
    .values(telephone=bindparam("new_telephone"))
)
_CANCEL = Statement(
    update(users).where(users.c.id == bindparam("user")).values(cancelled_at=bindparam("moment"))
)
_LIST_ROLES = Statement(
    union_all(
        select(schools.c.id.label("school"), literal("school account").label("post")).where(
            schools.c.owner_id == bindparam("user")
        ),
        select(sub_accounts.c.school_id, literal("sub-account")).where(
            sub_accounts.c.user_id == bindparam("user")
        ),
        select(teachers.c.school_id, literal("teacher, ").concat(teachers.c.state)).where(
            teachers.c.user_id == bindparam("user")
        ),
        select(students.c.school_id, literal("student")).where(
            students.c.user_id == bindparam("user")
        ),
    ).order_by("school", "post")
)
_LIST_SCHOOLS = Statement(
    union(
        *(
            select(table.c.school_id.label("school")).where(table.c.user_id == bindparam("user"))
            for table in (students, teachers, sub_accounts)
        ),
        *(
            select(courses.c.school_id)
            .join(table, table.c.course_id == courses.c.id)
            .where(table.c.user_id == bindparam("user"), courses.c.deleted_at.is_(None))
            for table in (course_members, course_teachers)
        ),
        select(courses.c.school_id).where(
            courses.c.head_teacher_id == bindparam("user"), courses.c.deleted_at.is_(None)
        ),
    ).order_by("school")
)
_new_students = ListParameter("new_students")
_ADD_STUDENTS = Statement(
    insert(students).from_select(
        ["school_id", "user_id", "name", "created_at"],
        select(
            _new_students.integer(0),
            _new_students.integer(1),
            _new_students.text(2),
            _new_students.integer(3),
        ).select_from(_new_students.source),
    )
)
_uids = ListParameter("uids")
_FIND_STUDENTS = Statement(
    # Not a join: without statistics, SQLite would go through all students of the school.
    select(students.c.user_id, students.c.name).where(
        students.c.school_id == bindparam("school"), _uids.contains(students.c.user_id)
    )
)

_is_student = (
    students.c.school_id == bindparam("school"),
    students.c.user_id == bindparam("user"),
)
_SAVE_STUDENT_NAME = Statement(
    update(students).where(*_is_student).values(name=bindparam("new_name"))
)
_DELETE_STUDENT = Statement(delete(students).where(*_is_student))


class NewUser(Value, frozen=True):
    """An account to add."""

    name: AccountName
    nickname: str
    avatar: str | None = None


def _read_user(row: Row) -> User:
    number, telephone, email, nickname, cancelled_at = row
    return User(UserId(number), telephone, email, nickname, cancelled_at is not None)


class Accounts:
    """Repository of accounts and of schools' students."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, user: UserId) -> User | None:
        """Return a user, a cancelled one too, or None."""
        rows = self._tx.fetch_all(_GET, {"user": user})
        return _read_user(rows[0]) if rows else None

    def find_by_names(self, names: list[str]) -> dict[str, User]:
        """Return users by telephone number or e-mail address, active ones before cancelled."""
        if not names:
            return {}
        text = msgspec.json.encode(names).decode()
        users_by_name: dict[str, User] = {}
        for row in self._tx.fetch_all(_FIND_BY_NAMES, {"account_names": text}):
            user = _read_user(row)
            for name in (user.telephone, user.email):
                if name is not None:
                    users_by_name[name] = user
        return users_by_name

    def find_with_password_hash(self, name: str) -> tuple[User, str | None] | None:
        """Return the active user of a name, and the hash of the password that the operator set."""
        for password_hash, *columns in self._tx.fetch_all(_FIND_PASSWORD_HASH, {"account": name}):
            return _read_user(tuple(columns)), password_hash
        return None

    def save_password(self, user: UserId, password_hash: str) -> None:
        """Set the password of a user that counts on the pages of all schools."""
        self._tx.execute(_SAVE_PASSWORD, {"user": user, "new_hash": password_hash})

    def add(self, new: NewUser, now: Moment) -> User:
        """Add an account and return it."""
        telephone = None if new.name.is_email else new.name.value
        email = new.name.value if new.name.is_email else None
        values = {
            "telephone": telephone,
            "email": email,
            "nickname": new.nickname,
            "password_hash": None,
            "avatar": new.avatar,
            "created_at": now,
            "cancelled_at": None,
        }
        uid = UserId(self._tx.fetch_all(_ADD, values)[0][0])
        return User(uid, telephone, email, new.nickname, is_cancelled=False)

    def add_registration(self, user: UserId, school: SchoolId) -> None:
        """Record which school registered an account."""
        self._tx.execute(_ADD_REGISTRATION, {"user": user, "school": school})

    def is_registered_by(self, user: UserId, school: SchoolId) -> bool:
        """Tell whether a school registered an account."""
        return bool(self._tx.fetch_all(_IS_REGISTERED_BY, {"user": user, "school": school}))

    def save_telephone(self, user: UserId, telephone: str) -> None:
        """Change the telephone number of an account; its former one can be registered again."""
        self._tx.execute(_SAVE_TELEPHONE, {"user": user, "new_telephone": telephone})

    def cancel(self, user: UserId, now: Moment) -> None:
        """Cancel an account; its name can be registered again."""
        self._tx.execute(_CANCEL, {"user": user, "moment": now})

    def list_roles(self, user: UserId) -> list[tuple[SchoolId, str]]:
        """Return the schools of a user and the role in each, in words for an operator."""
        rows = self._tx.fetch_all(_LIST_ROLES, {"user": user})
        return [(SchoolId(school), role) for school, role in rows]

    def list_schools(self, user: UserId) -> list[SchoolId]:
        """Return the schools that have a user on a list or in a course, in order of their ids."""
        return [SchoolId(row[0]) for row in self._tx.fetch_all(_LIST_SCHOOLS, {"user": user})]

    def find_students(self, school: SchoolId, uids: list[UserId]) -> dict[UserId, str]:
        """Return those users who are students of the school, with their names in its list."""
        values = {"school": school, "uids": msgspec.json.encode(uids).decode()}
        return {UserId(uid): name for uid, name in self._tx.fetch_all(_FIND_STUDENTS, values)}

    def add_students(self, school: SchoolId, new: list[tuple[UserId, str]], now: Moment) -> None:
        """Add users to the students of the school, with their names in its list."""
        rows = [(school, uid, name, now) for uid, name in new]
        if rows:
            self._tx.execute(_ADD_STUDENTS, {"new_students": msgspec.json.encode(rows).decode()})

    def save_student_name(self, school: SchoolId, user: UserId, name: str) -> bool:
        """Change the name of a student of the school; return False if the user is no student."""
        values = {"school": school, "user": user, "new_name": name}
        return self._tx.execute(_SAVE_STUDENT_NAME, values) > 0

    def delete_student(self, school: SchoolId, user: UserId) -> bool:
        """Delete a student from the list of the school; return False if the user is no student."""
        return self._tx.execute(_DELETE_STUDENT, {"school": school, "user": user}) > 0
