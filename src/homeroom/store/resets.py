"""Reset of a school: deletes all its rows, in slices that let others run in between.

A row is deleted after those that refer to it, an account with the last row that refers to it. So a
reset that was cut off between two slices can simply be repeated.
"""

from collections import Counter

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Table,
    bindparam,
    case,
    delete,
    exists,
    not_,
    null,
    or_,
    select,
    tuple_,
    union,
)

from homeroom.base.ids import SchoolId
from homeroom.domain.jobs import JobKind
from homeroom.store.engine import SQLValue, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    activities,
    activity_absences,
    attempts,
    chat_entries,
    chats,
    classroom_events,
    classroom_signs,
    clips,
    co_teachers,
    comments,
    course_labels,
    course_members,
    course_teachers,
    courses,
    deliveries,
    endpoints,
    files,
    folders,
    grouping_members,
    groupings,
    guests,
    jobs,
    labels,
    lanes,
    lesson_absences,
    lesson_labels,
    lessons,
    messages,
    named_accounts,
    open_classrooms,
    page_visits,
    presets,
    push_keys,
    pushes,
    registrations,
    reservations,
    school_passwords,
    schools,
    scripted_events,
    sessions,
    students,
    sub_accounts,
    swept_rows,
    teachers,
    units,
    unknown_lookups,
    users,
    viewers,
)

MAX_ROWS = 2**31 - 1
"""No limit."""

# All columns that refer to a user. An account that none of them refers to can be deleted.
_USER_COLUMNS = (
    schools.c.owner_id,
    registrations.c.user_id,
    named_accounts.c.user_id,
    school_passwords.c.user_id,
    teachers.c.user_id,
    students.c.user_id,
    sub_accounts.c.user_id,
    courses.c.head_teacher_id,
    course_teachers.c.user_id,
    course_members.c.user_id,
    lessons.c.teacher_id,
    co_teachers.c.user_id,
    guests.c.user_id,
    grouping_members.c.user_id,
    lesson_absences.c.user_id,
    comments.c.user_id,
    activities.c.teacher_id,
    activity_absences.c.user_id,
    viewers.c.user_id,
    sessions.c.user_id,
)
_CLIP_HAS_FILE = or_(clips.c.deleted_at.is_(None), clips.c.erase_after.is_not(None))
_USER_COLUMN_OF = {column.table: column for column in _USER_COLUMNS}
_PATH_OF: dict[Table, ColumnElement[str | None]] = {
    clips: case((_CLIP_HAS_FILE, clips.c.path), else_=null()),
    teachers: teachers.c.photo,
    courses: courses.c.cover,
    files: files.c.path,
}
_STORAGE_OF = {clips: clips.c.storage_id, files: files.c.storage_id}
_user_ids = ListParameter("user_ids")
_DELETE_USERS = Statement(
    delete(users)
    .where(
        _user_ids.contains(users.c.id),
        *(not_(exists().where(column == users.c.id)) for column in _USER_COLUMNS),
    )
    .returning(users.c.avatar)
)
_school: BindParameter[int] = bindparam("school")
_limit: BindParameter[int] = bindparam("limit")
_parents = ListParameter("parents")


class _Slice:
    """The deletion of some rows of a table: those of a school, or of some of its classes."""

    def __init__(self, table: Table, condition: ColumnElement[bool]) -> None:
        self.name = table.name
        key = tuple(table.primary_key.columns)
        some = select(*key).where(condition).limit(_limit)
        self.statement = Statement(
            delete(table)
            .where((tuple_(*key) if len(key) > 1 else key[0]).in_(some))
            .returning(
                _USER_COLUMN_OF.get(table, null()),
                _PATH_OF.get(table, null()),
                _STORAGE_OF.get(table, null()),
            )
        )


def _slice_by_parent(
    parent: Table, column: str, *children: Table
) -> tuple[Statement, list[_Slice]]:
    """Return the statement that lists some rows of a parent, and the slices that delete them."""
    list_some = select(parent.c.id).where(parent.c.school_id == _school).limit(_limit)
    return Statement(list_some), [
        *(_Slice(child, _parents.contains(child.c[column])) for child in children),
        _Slice(parent, _parents.contains(parent.c.id)),
    ]


# Rows that refer to others are deleted before the rows they refer to.
_BY_PARENT = (
    _slice_by_parent(activities, "activity_id", activity_absences),
    _slice_by_parent(
        lessons,
        "lesson_id",
        *(page_visits, reservations, classroom_events, scripted_events),
        *(open_classrooms, classroom_signs),
        *(swept_rows, chat_entries, chats, viewers, clips, pushes, push_keys, guests, co_teachers),
        *(lesson_absences, lesson_labels, comments),
    ),
    _slice_by_parent(groupings, "grouping_id", grouping_members),
    _slice_by_parent(courses, "course_id", course_labels, course_members, course_teachers, units),
    _slice_by_parent(endpoints, "endpoint_id", attempts, deliveries, lanes),
)
_BY_SCHOOL = [
    _Slice(table, table.c.school_id == _school)
    for table in (
        messages,
        labels,
        files,
        presets,
        sessions,
        sub_accounts,
        students,
        teachers,
        registrations,
        named_accounts,
        school_passwords,
        unknown_lookups,
    )
]
# A folder is in another one, and the plan of a school limits their number: all go at once.
_DELETE_FOLDERS = Statement(delete(folders).where(folders.c.school_id == _school))
# Other jobs stay, above all those that erase files of the school.
_DELETE_JOBS = Statement(
    delete(jobs).where(jobs.c.school_id == _school, jobs.c.kind == JobKind.FINISH_STOP)
)
_paths = ListParameter("paths")
_listed_paths = select(_paths.text()).select_from(_paths.source)
_FIND_PATHS_IN_USE = Statement(
    union(
        *(
            select(column).where(column.in_(_listed_paths))
            for column in (users.c.avatar, teachers.c.photo, courses.c.cover, files.c.path)
        )
    )
)


class DeletedRows:
    """What a reset has deleted: the number of rows by table, and the files to erase."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self.files: set[tuple[str, str | None]] = set()
        """The path of each, and the storage that has it; none if that is unknown."""


class _Reset:
    """Deletes rows of a school, at most a number of them."""

    def __init__(self, tx: Transaction, school: SchoolId, limit: int) -> None:
        self._tx = tx
        self._school = school
        self._left = limit
        self._users: set[int] = set()
        self.deleted = DeletedRows()

    def run(self) -> bool:
        """Delete the rows; return False if the school may have more."""
        values: dict[str, SQLValue] = {"school": self._school}
        is_done = all(self._delete_by_parent(*by_parent) for by_parent in _BY_PARENT) and all(
            self._delete(by_school, values) for by_school in _BY_SCHOOL
        )
        self._delete_users()
        return is_done

    def _delete_by_parent(self, list_some: Statement, slices: list[_Slice]) -> bool:
        values = {"school": self._school, "limit": self._left}
        ids = [row[0] for row in self._tx.fetch_all(list_some, values)]
        parents: dict[str, SQLValue] = {"parents": msgspec.json.encode(ids).decode()}
        return not ids or all(self._delete(slice_of_table, parents) for slice_of_table in slices)

    def _delete(self, slice_of_table: _Slice, values: dict[str, SQLValue]) -> bool:
        """Delete rows of a table; return False if the limit is reached."""
        rows = self._tx.fetch_all(slice_of_table.statement, {**values, "limit": self._left})
        self._left -= len(rows)
        self.deleted.rows[slice_of_table.name] += len(rows)
        self._users.update(user for user, _, _ in rows if user is not None)
        # Any server may have stored a picture: it was the one that got the call.
        self.deleted.files.update((path, storage) for _, path, storage in rows if path is not None)
        return self._left > 0

    def _delete_users(self) -> None:
        """Delete the accounts that nothing refers to any more."""
        values = {"user_ids": msgspec.json.encode(sorted(self._users)).decode()}
        rows = self._tx.fetch_all(_DELETE_USERS, values)
        self.deleted.rows[users.name] += len(rows)
        self.deleted.files.update((path, None) for (path,) in rows if path is not None)


class Resets:
    """Repository for resets."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def delete_some(self, school: SchoolId, limit: int) -> tuple[DeletedRows, bool]:
        """Delete some rows of a school; also return whether it may have more."""
        reset = _Reset(self._tx, school, limit)
        is_done = reset.run()
        return reset.deleted, not is_done

    def empty(self, school: SchoolId) -> DeletedRows:
        """Delete all rows of a school, and its accounts that no other school uses."""
        reset = _Reset(self._tx, school, MAX_ROWS)
        reset.run()
        reset.deleted.rows[folders.name] += self._tx.execute(_DELETE_FOLDERS, {"school": school})
        self._tx.execute(_DELETE_JOBS, {"school": school})
        return reset.deleted

    def find_paths_in_use(self, paths: list[str]) -> set[str]:
        """Return those of some files that are still in use.

        Two accounts with the same picture share one file, and an upload to the drive is to be
        erased unless it was added to a folder. The file of a clip belongs to it alone.
        """
        shared = [path for path in paths if not path.startswith("clips/")]
        values = {"paths": msgspec.json.encode(shared).decode()}
        return {path for (path,) in self._tx.fetch_all(_FIND_PATHS_IN_USE, values)}
