"""Reset of a school: deletes all its rows, in a fixed number of statements."""

import msgspec
from sqlalchemy import (
    BindParameter,
    Delete,
    Select,
    bindparam,
    delete,
    exists,
    not_,
    or_,
    select,
    union,
)

from homeroom.base.ids import SchoolId, UserId
from homeroom.base.values import Value
from homeroom.domain.jobs import JobKind
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    chat_entries,
    chats,
    clips,
    co_teachers,
    course_labels,
    course_members,
    course_teachers,
    courses,
    folders,
    guests,
    jobs,
    labels,
    lessons,
    named_accounts,
    presets,
    push_keys,
    pushes,
    registrations,
    school_passwords,
    schools,
    sessions,
    students,
    sub_accounts,
    swept_rows,
    teachers,
    unknown_lookups,
    users,
    viewers,
)

_school: BindParameter[int] = bindparam("school")
_its_courses = select(courses.c.id).where(courses.c.school_id == _school)
_its_lessons = select(lessons.c.id).where(lessons.c.school_id == _school)

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
    viewers.c.user_id,
    sessions.c.user_id,
)


def _restrict_to_school(query: Select[tuple[int]]) -> Select[tuple[int]]:
    """Restrict a query to the rows of one school."""
    (table,) = query.get_final_froms()
    columns = table.c
    if "school_id" in columns:
        return query.where(columns["school_id"] == _school)
    if "course_id" in columns:
        return query.where(columns["course_id"].in_(_its_courses))
    return query.where(columns["lesson_id"].in_(_its_lessons))


_LIST_USERS = Statement(
    union(
        *(
            _restrict_to_school(select(column).where(column.is_not(None)))
            for column in _USER_COLUMNS
            if column is not schools.c.owner_id
        )
    )
)
_LIST_CLIP_FILES = Statement(
    select(clips.c.path, clips.c.storage_id).where(
        clips.c.lesson_id.in_(_its_lessons),
        or_(clips.c.deleted_at.is_(None), clips.c.erase_after.is_not(None)),
    )
)
_user_ids = ListParameter("user_ids")
_listed_user_ids = select(_user_ids.integer()).select_from(_user_ids.source)
_LIST_PICTURE_PATHS = Statement(
    union(
        select(users.c.avatar).where(users.c.id.in_(_listed_user_ids), users.c.avatar.is_not(None)),
        select(teachers.c.photo).where(
            teachers.c.school_id == _school, teachers.c.photo.is_not(None)
        ),
        select(courses.c.cover).where(courses.c.school_id == _school, courses.c.cover.is_not(None)),
    )
)


def _delete_of_school(deletion: Delete) -> Statement:
    table = deletion.table
    if "school_id" in table.c:
        return Statement(deletion.where(table.c["school_id"] == _school))
    if "course_id" in table.c:
        return Statement(deletion.where(table.c["course_id"].in_(_its_courses)))
    return Statement(deletion.where(table.c["lesson_id"].in_(_its_lessons)))


# Rows that refer to others are deleted before the rows they refer to.
_DELETIONS = {
    table.name: _delete_of_school(delete(table))
    for table in (
        swept_rows,
        chat_entries,
        chats,
        viewers,
        sessions,
        clips,
        pushes,
        push_keys,
        guests,
        co_teachers,
        lessons,
        course_labels,
        course_members,
        course_teachers,
        courses,
        labels,
        presets,
        folders,
        sub_accounts,
        students,
        teachers,
        registrations,
        named_accounts,
        school_passwords,
        unknown_lookups,
    )
}
# Other jobs stay, above all those that erase files of the school.
_DELETE_JOBS = Statement(
    delete(jobs).where(jobs.c.school_id == _school, jobs.c.kind == JobKind.FINISH_STOP)
)
_DELETE_USERS = Statement(
    delete(users).where(
        users.c.id.in_(_listed_user_ids),
        *(not_(exists().where(column == users.c.id)) for column in _USER_COLUMNS),
    )
)
_paths = ListParameter("paths")
_FIND_PATHS_IN_USE = Statement(
    select(_paths.text())
    .select_from(_paths.source)
    .where(
        exists().where(users.c.avatar == _paths.text())
        | exists().where(teachers.c.photo == _paths.text())
        | exists().where(courses.c.cover == _paths.text())
    )
)


class ResetResult(Value, frozen=True):
    """The number of deleted rows by table, and the files to erase."""

    rows: dict[str, int]
    files: list[tuple[str, str | None]]
    """The path of each, and the storage that has it; none if that is unknown."""


class Resets:
    """Repository for resets."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def empty(self, school: SchoolId) -> ResetResult:
        """Delete all rows of a school, and its accounts that no other school uses."""
        school_value = {"school": school}
        users_of_school = [UserId(row[0]) for row in self._tx.fetch_all(_LIST_USERS, school_value)]
        user_values = {"user_ids": msgspec.json.encode(users_of_school).decode()}
        pictures = self._tx.fetch_all(_LIST_PICTURE_PATHS, {**school_value, **user_values})
        files: list[tuple[str, str | None]] = [
            *(
                (path, storage)
                for path, storage in self._tx.fetch_all(_LIST_CLIP_FILES, school_value)
            ),
            # Any server may have stored the picture: it was the one that got the call.
            *((path, None) for (path,) in pictures),
        ]
        rows = {
            name: self._tx.execute(deletion, school_value) for name, deletion in _DELETIONS.items()
        }
        self._tx.execute(_DELETE_JOBS, school_value)
        rows["users"] = self._tx.execute(_DELETE_USERS, user_values)
        return ResetResult(rows, files)

    def find_paths_in_use(self, paths: list[str]) -> set[str]:
        """Return those of some files that are still in use.

        Only pictures can be shared: two accounts with the same picture share one file.
        """
        pictures = [path for path in paths if path.startswith("pictures/")]
        user_values = {"paths": msgspec.json.encode(pictures).decode()}
        return {path for (path,) in self._tx.fetch_all(_FIND_PATHS_IN_USE, user_values)}
