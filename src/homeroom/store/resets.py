"""Emptying a school in the database: a few statements, whatever its size."""

from dataclasses import dataclass

import msgspec
from sqlalchemy import BindParameter, Delete, Select, bindparam, delete, exists, not_, select, union

from homeroom.base.ids import SchoolId, UserId
from homeroom.domain.job_kinds import JobKind
from homeroom.store.engine import Tx
from homeroom.store.statement import Rows, Statement
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
    presets,
    push_keys,
    pushes,
    registrations,
    schools,
    sessions,
    students,
    sub_accounts,
    teachers,
    users,
    viewers,
)

_school: BindParameter[int] = bindparam("school")
_its_courses = select(courses.c.id).where(courses.c.school_id == _school)
_its_lessons = select(lessons.c.id).where(lessons.c.school_id == _school)

# Every column that says of a user: used by a school. Whoever stands in none is used by nobody.
_USES = (
    schools.c.owner_id,
    registrations.c.user_id,
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


def _of_school(uses: Select[tuple[int]]) -> Select[tuple[int]]:
    """Narrow a query to the rows of one school."""
    (table,) = uses.get_final_froms()
    columns = table.c
    if "school_id" in columns:
        return uses.where(columns["school_id"] == _school)
    if "course_id" in columns:
        return uses.where(columns["course_id"].in_(_its_courses))
    return uses.where(columns["lesson_id"].in_(_its_lessons))


_USERS = Statement(
    union(
        *(
            _of_school(select(column).where(column.is_not(None)))
            for column in _USES
            if column is not schools.c.owner_id
        )
    )
)
_CLIP_PATHS = Statement(
    select(clips.c.path).where(clips.c.lesson_id.in_(_its_lessons), clips.c.deleted_at.is_(None))
)
_given = Rows("given_users")
_given_ids = select(_given.whole()).select_from(_given.source)
_PICTURE_PATHS = Statement(
    union(
        select(users.c.avatar).where(users.c.id.in_(_given_ids), users.c.avatar.is_not(None)),
        select(teachers.c.photo).where(
            teachers.c.school_id == _school, teachers.c.photo.is_not(None)
        ),
        select(courses.c.cover).where(courses.c.school_id == _school, courses.c.cover.is_not(None)),
    )
)


def _all_of(deletion: Delete) -> Statement:
    table = deletion.table
    if "school_id" in table.c:
        return Statement(deletion.where(table.c["school_id"] == _school))
    if "course_id" in table.c:
        return Statement(deletion.where(table.c["course_id"].in_(_its_courses)))
    return Statement(deletion.where(table.c["lesson_id"].in_(_its_lessons)))


# What refers goes before what it refers to.
_DELETIONS = {
    table.name: _all_of(delete(table))
    for table in (
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
    )
}
# Files of the school that are to be erased still are.
_JOBS = Statement(
    delete(jobs).where(jobs.c.school_id == _school, jobs.c.kind == JobKind.FINISH_STOP)
)
_DELETE_USERS = Statement(
    delete(users).where(
        users.c.id.in_(_given_ids),
        *(not_(exists().where(column == users.c.id)) for column in _USES),
    )
)
_paths = Rows("given_paths")
_IN_USE = Statement(
    select(_paths.text())
    .select_from(_paths.source)
    .where(
        exists().where(users.c.avatar == _paths.text())
        | exists().where(teachers.c.photo == _paths.text())
        | exists().where(courses.c.cover == _paths.text())
    )
)


@dataclass(frozen=True, slots=True)
class Emptied:
    """What a school held: rows by the name of their table, and paths of files."""

    rows: dict[str, int]
    files: list[str]


class Resets:
    """Emptying schools in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def empty(self, school: SchoolId) -> Emptied:
        """Remove all that a school has, and the accounts that no other school uses."""
        one = {"school": school}
        its_users = [UserId(row[0]) for row in self._tx.all(_USERS, one)]
        given = {"given_users": msgspec.json.encode(its_users).decode()}
        paths = self._tx.all(_CLIP_PATHS, one) + self._tx.all(_PICTURE_PATHS, {**one, **given})
        rows = {name: self._tx.run(deletion, one) for name, deletion in _DELETIONS.items()}
        self._tx.run(_JOBS, one)
        rows["users"] = self._tx.run(_DELETE_USERS, given)
        return Emptied(rows, [path for (path,) in paths])

    def in_use(self, paths: list[str]) -> set[str]:
        """Return which of some files somebody still has; nobody but a picture's givers share."""
        pictures = [path for path in paths if path.startswith("pictures/")]
        given = {"given_paths": msgspec.json.encode(pictures).decode()}
        return {path for (path,) in self._tx.all(_IN_USE, given)}
