"""Courses in the database."""

from collections.abc import Iterable
from functools import cache

import msgspec
from sqlalchemy import BindParameter, and_, bindparam, func, insert, null, or_, select, update
from sqlalchemy.sql import Select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, SchoolId, UserId
from homeroom.domain.courses import Course, CourseKind, CourseRule, check_course
from homeroom.domain.lessons import MARGIN
from homeroom.store.engine import Row, Tx, Value
from homeroom.store.statement import Rows, Statement
from homeroom.store.tables import co_teachers, course_teachers, courses, lessons

COLUMNS = (
    courses.c.id,
    courses.c.school_id,
    courses.c.kind,
    courses.c.head_teacher_id,
    courses.c.folder_id,
    courses.c.key,
    courses.c.expires_at,
    courses.c.ended_at,
    courses.c.deleted_at,
)
_GET = Statement(select(*COLUMNS).where(courses.c.id == bindparam("course")))
_asked = Rows("course_ids")
_SEVERAL = Statement(
    select(*COLUMNS).select_from(_asked.source).join(courses, courses.c.id == _asked.whole())
)
_BY_IDENTITY = Statement(
    select(courses.c.id).where(
        courses.c.school_id == bindparam("school"),
        courses.c.unique_identity == bindparam("identity"),
    )
)
_ADD = Statement(
    insert(courses)
    .values({column: bindparam(column.name) for column in courses.c if column.name != "id"})
    .returning(courses.c.id)
)
_PUSH_EXPIRY = Statement(
    update(courses)
    # Classes are added side by side: the latest of them counts, whichever is written last.
    .where(courses.c.id == bindparam("course"), courses.c.expires_at < bindparam("new_expiry"))
    .values(expires_at=bindparam("new_expiry"))
)
_of_course = and_(lessons.c.course_id == bindparam("course"), lessons.c.deleted_at.is_(None))
_not_closed = or_(lessons.c.closed_at.is_(None), lessons.c.closed_at > bindparam("now"))
_not_over = and_(_not_closed, lessons.c.ends_at > bindparam("now") - MARGIN)
_LAST_END = Statement(select(func.max(lessons.c.ends_at)).where(_of_course))
_RUNNING = Statement(
    select(lessons.c.id)
    .where(_of_course, lessons.c.begins_at <= bindparam("now"), _not_over)
    .limit(1)
)
_delete_unstarted = (
    update(lessons)
    .where(_of_course, lessons.c.begins_at > bindparam("now"), _not_closed)
    .values(deleted_at=bindparam("now"))
)
_DELETE_UNSTARTED = Statement(_delete_unstarted.values(unique_identity=null()))
_DELETE_UNSTARTED_KEEPING = Statement(_delete_unstarted)
_PIN_FOLDER = Statement(
    update(lessons)
    .where(_of_course, lessons.c.begins_at <= bindparam("now"), lessons.c.folder_id.is_(None))
    .values(folder_id=bindparam("former"))
)


def _unfinished_of(teacher: str) -> Select[tuple[int]]:
    helped = select(co_teachers.c.lesson_id).where(
        co_teachers.c.lesson_id == lessons.c.id, co_teachers.c.user_id == bindparam(teacher)
    )
    return select(lessons.c.id).where(
        _of_course, _not_over, or_(lessons.c.teacher_id == bindparam(teacher), helped.exists())
    )


_FREE_IDENTITIES = Statement(
    update(lessons)
    .where(lessons.c.course_id == bindparam("course"), lessons.c.unique_identity.is_not(None))
    .values(unique_identity=null())
)
_HAS_UNFINISHED = Statement(_unfinished_of("user").limit(1))
_listed = Rows("listed")
_LIST_TEACHERS = Statement(
    lambda insert: (
        insert(course_teachers)
        .from_select(
            ["course_id", "user_id"],
            select(_listed.whole(0), _listed.whole(1))
            .select_from(_listed.source)
            .order_by(_listed.whole(1)),
        )
        .on_conflict_do_nothing()
    )
)
_UNLIST_TEACHER = Statement(
    course_teachers.delete().where(
        course_teachers.c.course_id == bindparam("course"),
        course_teachers.c.user_id == bindparam("user"),
    )
)


@cache
def _setting(names: tuple[str, ...]) -> Statement:
    """Return the statement that writes some columns, made once for each choice of them."""
    values: dict[str, BindParameter[Value]] = {name: bindparam(f"new_{name}") for name in names}
    return Statement(update(courses).where(courses.c.id == bindparam("course")).values(values))


def course_from(row: Row) -> Course:
    """Return the course that the columns of this noun hold."""
    number, school, kind, head, folder, key, expires_at, ended_at, deleted_at = row
    return Course(
        CourseId(number),
        SchoolId(school),
        CourseKind(kind),
        head,
        folder,
        key,
        expires_at,
        ended_at,
        deleted_at,
    )


class Courses:
    """Courses in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, course: CourseId) -> Course | None:
        """Return a course of any school, for rules that tell "none" from "another's"."""
        rows = self._tx.all(_GET, {"course": course})
        return course_from(rows[0]) if rows else None

    def held_by(self, school: SchoolId, course: CourseId, now: Moment, rule: CourseRule) -> Course:
        """Return a course of the school that an action may use, or refuse it."""
        return check_course(self.get(course), school, now, rule)

    def several(self, asked: Iterable[CourseId]) -> dict[CourseId, Course]:
        """Return those of some courses that exist, of any school."""
        text = msgspec.json.encode(list(set(asked))).decode()
        found = map(course_from, self._tx.all(_SEVERAL, {"course_ids": text}))
        return {course.id: course for course in found}

    def by_identity(self, school: SchoolId, identity: str) -> CourseId | None:
        """Return the course made with an identity, or none."""
        rows = self._tx.all(_BY_IDENTITY, {"school": school, "identity": identity})
        return CourseId(rows[0][0]) if rows else None

    def add(self, values: dict[str, Value]) -> CourseId:
        """Write a course and return its id."""
        return CourseId(self._tx.all(_ADD, values)[0][0])

    def set(self, course: CourseId, values: dict[str, Value]) -> None:
        """Write some columns of a course."""
        if values:
            named = {f"new_{name}": value for name, value in values.items()}
            self._tx.run(_setting(tuple(values)), {"course": course, **named})

    def push_expiry(self, course: CourseId, expires_at: Moment) -> None:
        """Write a later expiry of a course; an earlier one changes nothing."""
        self._tx.run(_PUSH_EXPIRY, {"course": course, "new_expiry": expires_at})

    def last_end(self, course: CourseId) -> Moment | None:
        """Return the end of the last class of a course, or none."""
        end: Moment | None = self._tx.all(_LAST_END, {"course": course})[0][0]
        return end

    def has_running_lesson(self, course: CourseId, now: Moment) -> bool:
        """Tell whether a class of the course is running, overtime included."""
        return bool(self._tx.all(_RUNNING, {"course": course, "now": now}))

    def has_unfinished_lesson(self, course: CourseId, user: UserId, now: Moment) -> bool:
        """Tell whether a user holds or helps in a class of the course that is not over."""
        return bool(self._tx.all(_HAS_UNFINISHED, {"course": course, "user": user, "now": now}))

    def pin_folder(self, course: CourseId, former: FolderId, now: Moment) -> None:
        """Let the classes that have started keep the folder that they had from their course."""
        self._tx.run(_PIN_FOLDER, {"course": course, "former": former, "now": now})

    def delete_unstarted(self, course: CourseId, now: Moment, *, keeps_identities: bool) -> None:
        """Delete the classes of a course that have not started."""
        statement = _DELETE_UNSTARTED_KEEPING if keeps_identities else _DELETE_UNSTARTED
        self._tx.run(statement, {"course": course, "now": now})

    def free_identities(self, course: CourseId) -> None:
        """Let the identities of a course's classes be used again."""
        self._tx.run(_FREE_IDENTITIES, {"course": course})

    def list_teachers(self, course: CourseId, users: Iterable[UserId]) -> None:
        """Put users on the course's list of teachers; those on it stay."""
        rows = [(course, user) for user in users]
        if rows:
            self._tx.run(_LIST_TEACHERS, {"listed": msgspec.json.encode(rows).decode()})

    def unlist_teacher(self, course: CourseId, user: UserId) -> None:
        """Take a user off the course's list of teachers."""
        self._tx.run(_UNLIST_TEACHER, {"course": course, "user": user})
