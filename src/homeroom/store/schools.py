"""Schools, with their plans, secrets, sub-accounts and classroom presets."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, PresetId, SchoolId, UserId
from homeroom.domain.courses import Course
from homeroom.domain.school_conf import SchoolConf
from homeroom.domain.schools import Plan, School
from homeroom.store.cipher import Keyring
from homeroom.store.courses import COLUMNS as COURSE_COLUMNS
from homeroom.store.courses import read_course
from homeroom.store.engine import Row, SQLValue, Transaction
from homeroom.store.server_keys import encrypt
from homeroom.store.statement import Statement
from homeroom.store.tables import (
    clips,
    courses,
    files,
    lessons,
    presets,
    schools,
    sub_accounts,
)

_plan_decoder = msgspec.json.Decoder(Plan)

_COLUMNS = (
    schools.c.id,
    schools.c.name,
    schools.c.secret,
    schools.c.former_secret,
    schools.c.plan,
    schools.c.owner_id,
)
_GET = Statement(select(*_COLUMNS).where(schools.c.id == bindparam("school")))
_GET_WITH_COURSE = Statement(
    select(*_COLUMNS, *COURSE_COLUMNS)
    .select_from(schools.outerjoin(courses, courses.c.id == bindparam("course")))
    .where(schools.c.id == bindparam("school"))
)
_LIST_PAGE = Statement(
    select(*_COLUMNS)
    .where(schools.c.id > bindparam("after"))
    .order_by(schools.c.id)
    .limit(bindparam("limit"))
)
# The JSON of a plan leaves out default values, and most schools have no retention: this finds
# the few that do.
_LIST_RETENTION_DAYS = Statement(
    select(schools.c.id, schools.c.plan)
    .where(schools.c.plan.contains('"retention_days":'))
    .order_by(schools.c.id)
)
_GET_NEWEST_ID = Statement(select(func.max(schools.c.id)))
_ADD = Statement(
    insert(schools).values(
        {column: bindparam(column.name) for column in schools.c if column.server_default is None}
    )
)
_SAVE_PLAN = Statement(
    update(schools).where(schools.c.id == bindparam("school")).values(plan=bindparam("new_plan"))
)
CONF = (schools.c.allows_replay, schools.c.allows_replay_to_new_students)
"""The columns of `read_conf`."""
_GET_CONF = Statement(select(*CONF).where(schools.c.id == bindparam("school")))
_SAVE_CONF = Statement(
    update(schools)
    .where(schools.c.id == bindparam("school"))
    .values(
        allows_replay=bindparam("replay"),
        allows_replay_to_new_students=bindparam("replay_to_new"),
    )
)
_GET_NEWEST_CREATION_TIME = Statement(select(func.max(schools.c.created_at)))
_FIND_BY_OWNER = Statement(select(schools.c.id).where(schools.c.owner_id == bindparam("user")))
_SAVE_SECRETS = Statement(
    update(schools)
    .where(schools.c.id == bindparam("school"))
    .values(secret=bindparam("new_secret"), former_secret=bindparam("new_former"))
)
_IS_SUB_ACCOUNT = Statement(
    select(sub_accounts.c.user_id).where(
        sub_accounts.c.school_id == bindparam("school"), sub_accounts.c.user_id == bindparam("user")
    )
)
_ADD_SUB_ACCOUNT = Statement(
    insert(sub_accounts).values(school_id=bindparam("school"), user_id=bindparam("user"))
)
_DELETE_SUB_ACCOUNT = Statement(
    delete(sub_accounts).where(
        sub_accounts.c.school_id == bindparam("school"), sub_accounts.c.user_id == bindparam("user")
    )
)
_LIST_SUB_ACCOUNTS = Statement(
    select(sub_accounts.c.user_id)
    .where(sub_accounts.c.school_id == bindparam("school"))
    .order_by(sub_accounts.c.user_id)
    .limit(1000)
)
_FIND_PRESET_SCHOOL = Statement(
    select(presets.c.school_id).where(presets.c.id == bindparam("preset"))
)
_ADD_PRESET = Statement(
    insert(presets)
    .values(school_id=bindparam("school"), name=bindparam("preset_name"))
    .returning(presets.c.id)
)
_LIST_PRESETS = Statement(
    select(presets.c.id, presets.c.name)
    .where(presets.c.school_id == bindparam("school"))
    .order_by(presets.c.id)
    .limit(1000)
)
_sum_clip_bytes = (
    select(func.coalesce(func.sum(clips.c.size), 0))
    .select_from(
        clips.join(lessons, lessons.c.id == clips.c.lesson_id).join(
            courses, courses.c.id == lessons.c.course_id
        )
    )
    .where(
        lessons.c.school_id == bindparam("school"),
        lessons.c.deleted_at.is_(None),
        courses.c.deleted_at.is_(None),
        clips.c.deleted_at.is_(None),
    )
)
_sum_file_bytes = select(func.coalesce(func.sum(files.c.size), 0)).where(
    files.c.school_id == bindparam("school")
)
_SUM_STORED_BYTES = Statement(
    select(_sum_clip_bytes.scalar_subquery(), _sum_file_bytes.scalar_subquery())
)


def secret_place(school: int) -> str:
    """Return the place that the secret of a school is encrypted for."""
    return f"schools.secret:{school}"


def former_secret_place(school: int) -> str:
    """Return the place that the former secret of a school is encrypted for."""
    return f"schools.former_secret:{school}"


def read_plan(text: str) -> Plan:
    """Return the plan of its JSON."""
    return _plan_decoder.decode(text)


def read_conf(row: Sequence[SQLValue]) -> SchoolConf:
    """Return the settings of their columns."""
    return SchoolConf(*map(bool, row))


class Schools:
    """Repository of schools."""

    def __init__(self, tx: Transaction, keyring: Keyring) -> None:
        self._tx = tx
        self._keyring = keyring

    def get(self, school: SchoolId) -> School | None:
        """Return a school, or None."""
        rows = self._tx.fetch_all(_GET, {"school": school})
        return self._read_school(rows[0]) if rows else None

    def get_with_course(
        self, school: SchoolId, course: CourseId
    ) -> tuple[School | None, Course | None]:
        """Return a school and a course of any school, read in one statement."""
        rows = self._tx.fetch_all(_GET_WITH_COURSE, {"school": school, "course": course})
        if not rows:
            return None, None
        row, course_row = rows[0][: len(_COLUMNS)], rows[0][len(_COLUMNS) :]
        return self._read_school(row), read_course(course_row) if course_row[0] else None

    def list_page(self, after: int, limit: int) -> list[School]:
        """Return schools in order of their ids, after a given id."""
        return [
            self._read_school(row)
            for row in self._tx.fetch_all(_LIST_PAGE, {"after": after, "limit": limit})
        ]

    def list_retention_days(self) -> list[tuple[SchoolId, int]]:
        """Return the schools with a retention of recordings, and its number of days."""
        rows = self._tx.fetch_all(_LIST_RETENTION_DAYS, {})
        return [(SchoolId(school), read_plan(plan).retention_days) for school, plan in rows]

    def find_by_owner(self, user: UserId) -> SchoolId | None:
        """Return the school of which a user is the school account, or None."""
        rows = self._tx.fetch_all(_FIND_BY_OWNER, {"user": user})
        return SchoolId(rows[0][0]) if rows else None

    def get_newest_creation_time(self) -> Moment | None:
        """Return when the newest school was added; None without schools."""
        moment: Moment | None = self._tx.fetch_all(_GET_NEWEST_CREATION_TIME, {})[0][0]
        return moment

    def get_newest_id(self) -> SchoolId | None:
        """Return the highest SID; None without schools."""
        sid: int | None = self._tx.fetch_all(_GET_NEWEST_ID, {})[0][0]
        return SchoolId(sid) if sid is not None else None

    def add(self, school: School, now: Moment) -> None:
        """Add a school with its SID."""
        values = {
            "id": school.id,
            "name": school.name,
            **self._encrypt_secrets(school.id, school.secret, school.former_secret),
            "plan": msgspec.json.encode(school.plan).decode(),
            "owner_id": school.owner,
            "created_at": now,
        }
        self._tx.execute(_ADD, values)

    def save_plan(self, school: SchoolId, plan: Plan) -> None:
        """Save the plan of a school."""
        text = msgspec.json.encode(plan).decode()
        self._tx.execute(_SAVE_PLAN, {"school": school, "new_plan": text})

    def get_conf(self, school: SchoolId) -> SchoolConf:
        """Return the settings of a school."""
        return read_conf(self._tx.fetch_all(_GET_CONF, {"school": school})[0])

    def save_conf(self, school: SchoolId, conf: SchoolConf) -> None:
        """Save the settings of a school."""
        values = {
            "replay": int(conf.allows_replay),
            "replay_to_new": int(conf.allows_replay_to_new_students),
        }
        self._tx.execute(_SAVE_CONF, {"school": school, **values})

    def save_secrets(self, school: SchoolId, secret: str, former: str | None) -> None:
        """Save the secret that a school signs with, and the former one that is still accepted."""
        sealed = self._encrypt_secrets(school, secret, former)
        values = {"new_secret": sealed["secret"], "new_former": sealed["former_secret"]}
        self._tx.execute(_SAVE_SECRETS, {"school": school, **values})

    def is_sub_account(self, school: SchoolId, user: UserId) -> bool:
        """Return whether a user is a sub-account of the school."""
        return bool(self._tx.fetch_all(_IS_SUB_ACCOUNT, {"school": school, "user": user}))

    def add_sub_account(self, school: SchoolId, user: UserId) -> None:
        """Add a sub-account to the school."""
        self._tx.execute(_ADD_SUB_ACCOUNT, {"school": school, "user": user})

    def delete_sub_account(self, school: SchoolId, user: UserId) -> bool:
        """Delete a sub-account; return False if there was none."""
        return self._tx.execute(_DELETE_SUB_ACCOUNT, {"school": school, "user": user}) > 0

    def list_sub_accounts(self, school: SchoolId) -> list[UserId]:
        """Return the sub-accounts of a school, at most 1,000."""
        return [
            UserId(row[0]) for row in self._tx.fetch_all(_LIST_SUB_ACCOUNTS, {"school": school})
        ]

    def find_preset_school(self, preset: PresetId) -> SchoolId | None:
        """Return the school of a classroom preset; None if there is no such preset."""
        rows = self._tx.fetch_all(_FIND_PRESET_SCHOOL, {"preset": preset})
        return SchoolId(rows[0][0]) if rows else None

    def add_preset(self, school: SchoolId, name: str) -> PresetId:
        """Add a classroom preset and return its id."""
        return PresetId(
            self._tx.fetch_all(_ADD_PRESET, {"school": school, "preset_name": name})[0][0]
        )

    def list_presets(self, school: SchoolId) -> list[tuple[PresetId, str]]:
        """Return the classroom presets of a school, at most 1,000."""
        rows = self._tx.fetch_all(_LIST_PRESETS, {"school": school})
        return [(PresetId(number), name) for number, name in rows]

    def sum_stored_bytes(self, school: SchoolId) -> int:
        """Return the bytes of the school's files and recordings, but for those of deleted classes.

        They are what the plan limits.
        """
        return sum(map(int, self._tx.fetch_all(_SUM_STORED_BYTES, {"school": school})[0]))

    def _read_school(self, row: Row) -> School:
        number, name, secret, former, plan, owner = row
        return School(
            SchoolId(number),
            name,
            self._keyring.decrypt(secret, secret_place(number)),
            former and self._keyring.decrypt(former, former_secret_place(number)),
            read_plan(plan),
            UserId(owner),
        )

    def _encrypt_secrets(
        self, school: SchoolId, secret: str, former: str | None
    ) -> dict[str, str | None]:
        return {
            "secret": encrypt(self._tx, self._keyring, secret, secret_place(school)),
            "former_secret": former
            and encrypt(self._tx, self._keyring, former, former_secret_place(school)),
        }
