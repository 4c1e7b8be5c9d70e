"""The accounts that each school named, its passwords, and its look-ups of unknown people."""

from collections.abc import Collection

import msgspec
from sqlalchemy import BigInteger, bindparam, delete, insert, or_, select, union_all

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, UserId
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    named_accounts,
    school_passwords,
    schools,
    students,
    sub_accounts,
    teachers,
    unknown_lookups,
)

_uids = ListParameter("uids")
_LIST_NAMED = Statement(
    select(named_accounts.c.user_id).where(
        named_accounts.c.school_id == bindparam("school"), _uids.contains(named_accounts.c.user_id)
    )
)
_new_uids = ListParameter("new_uids")
_ADD_NAMED = Statement(
    lambda insert: (
        insert(named_accounts)
        .from_select(
            ["school_id", "user_id"],
            select(bindparam("school", type_=BigInteger()), _new_uids.integer())
            .select_from(_new_uids.source)
            .order_by(_new_uids.integer()),
        )
        .on_conflict_do_nothing()
    )
)
_related = or_(
    *(
        select(table.c.user_id)
        .where(table.c.school_id == bindparam("school"), table.c.user_id == _uids.integer())
        .exists()
        for table in (named_accounts, students, teachers, sub_accounts)
    ),
    select(schools.c.id)
    .where(schools.c.id == bindparam("school"), schools.c.owner_id == _uids.integer())
    .exists(),
)
_LIST_RELATED = Statement(select(_uids.integer()).select_from(_uids.source).where(_related))
_is_of_account = (
    school_passwords.c.school_id == bindparam("school"),
    school_passwords.c.user_id == bindparam("user"),
)
_GET_PASSWORD = Statement(select(school_passwords.c.password_hash).where(*_is_of_account))
_ADD_PASSWORD = Statement(
    lambda insert: (
        insert(school_passwords)
        .values(
            school_id=bindparam("school"),
            user_id=bindparam("user"),
            password_hash=bindparam("new_hash"),
        )
        .on_conflict_do_nothing()
    )
)
_DELETE_PASSWORD = Statement(delete(school_passwords).where(*_is_of_account))
_GET_LIST_NAME = Statement(
    union_all(
        *(
            select(table.c.name).where(
                table.c.school_id == bindparam("school"), table.c.user_id == bindparam("user")
            )
            for table in (students, teachers)
        )
    )
)
_LIST_LOOKUPS = Statement(
    select(unknown_lookups.c.looked_up_at, unknown_lookups.c.people)
    .where(
        unknown_lookups.c.school_id == bindparam("school"),
        unknown_lookups.c.looked_up_at > bindparam("since"),
        unknown_lookups.c.looked_up_at <= bindparam("now"),
    )
    .order_by(unknown_lookups.c.looked_up_at)
)
_ADD_LOOKUP = Statement(
    insert(unknown_lookups).values(
        school_id=bindparam("school"), looked_up_at=bindparam("now"), people=bindparam("people")
    )
)
_DELETE_LOOKUPS = Statement(
    delete(unknown_lookups).where(
        unknown_lookups.c.school_id == bindparam("school"),
        unknown_lookups.c.looked_up_at <= bindparam("until"),
    )
)


class SchoolAccounts:
    """Repository of what a school knows and says of accounts, which belong to no school."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_named(self, school: SchoolId, uids: Collection[UserId]) -> set[UserId]:
        """Return those of some users whose account the school registered or named."""
        return self._list(_LIST_NAMED, school, uids)

    def list_related(self, school: SchoolId, uids: Collection[UserId]) -> set[UserId]:
        """Return those of some users that the school has on a list, or whose account it named."""
        return self._list(_LIST_RELATED, school, uids)

    def _list(
        self, statement: Statement, school: SchoolId, uids: Collection[UserId]
    ) -> set[UserId]:
        if not uids:
            return set()
        values = {"school": school, "uids": msgspec.json.encode(list(uids)).decode()}
        return {UserId(row[0]) for row in self._tx.fetch_all(statement, values)}

    def add_named(self, school: SchoolId, uids: Collection[UserId]) -> None:
        """Record that a school named accounts by their telephone numbers or e-mail addresses."""
        if uids:
            values = {"school": school, "new_uids": msgspec.json.encode(list(uids)).decode()}
            self._tx.execute(_ADD_NAMED, values)

    def get_list_name(self, school: SchoolId, user: UserId) -> str | None:
        """Return the name of a user on the school's list of students, or on that of teachers."""
        rows = self._tx.fetch_all(_GET_LIST_NAME, {"school": school, "user": user})
        return rows[0][0] if rows else None

    def get_password_hash(self, school: SchoolId, user: UserId) -> str | None:
        """Return the hash of the password that a school set for a user, or None."""
        rows = self._tx.fetch_all(_GET_PASSWORD, {"school": school, "user": user})
        return rows[0][0] if rows else None

    def add_password(self, school: SchoolId, user: UserId, password_hash: str) -> None:
        """Set the password of a user for a school, if the school has set none yet."""
        self._tx.execute(_ADD_PASSWORD, {"school": school, "user": user, "new_hash": password_hash})

    def save_password(self, school: SchoolId, user: UserId, password_hash: str) -> None:
        """Set the password of a user for a school, in place of the one that the school had."""
        self._tx.execute(_DELETE_PASSWORD, {"school": school, "user": user})
        self.add_password(school, user, password_hash)

    def list_lookups(
        self, school: SchoolId, since: Moment, now: Moment
    ) -> list[tuple[Moment, int]]:
        """Return when a school named unknown people after a moment, and how many, oldest first."""
        values = {"school": school, "since": since, "now": now}
        return [(at, people) for at, people in self._tx.fetch_all(_LIST_LOOKUPS, values)]

    def add_lookup(self, school: SchoolId, people: int, now: Moment) -> None:
        """Record that a school named some unknown people."""
        self._tx.execute(_ADD_LOOKUP, {"school": school, "people": people, "now": now})

    def delete_lookups(self, school: SchoolId, until: Moment) -> None:
        """Delete the look-ups up to a moment."""
        self._tx.execute(_DELETE_LOOKUPS, {"school": school, "until": until})
