"""Courses, their teachers, and what changes in their classes together with the course."""

from collections.abc import Iterable
from functools import cache

import msgspec
from sqlalchemy import BindParameter, and_, bindparam, func, insert, null, or_, select, update
from sqlalchemy.sql import Select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, SchoolId, UserId
from homeroom.domain.courses import Course, CourseKind, CourseRule, check_course
from homeroom.domain.refusal import Refusal
from homeroom.store.engine import Row, SQLValue, Transaction
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.statement import ListParameter, Statement
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
    courses.c.name,
    courses.c.subject,
    courses.c.category,
)
_GET = Statement(select(*COLUMNS).where(courses.c.id == bindparam("course")))
_course_ids = ListParameter("course_ids")
_GET_MANY = Statement(
    select(*COLUMNS)
    .select_from(_course_ids.source)
    .join(courses, courses.c.id == _course_ids.integer())
)
_FIND_BY_IDENTITY = Statement(
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
_EXTEND_EXPIRY = Statement(
    update(courses)
    # Classes are added concurrently: the latest end counts, in whatever order they are committed.
    .where(courses.c.id == bindparam("course"), courses.c.expires_at < bindparam("new_expiry"))
    .values(expires_at=bindparam("new_expiry"))
)
_extended_ids = ListParameter("extended_ids")
_EXTEND_EXPIRIES = Statement(
    update(courses)
    .where(_extended_ids.contains(courses.c.id), courses.c.expires_at < bindparam("new_expiry"))
    .values(expires_at=bindparam("new_expiry"))
    .returning(courses.c.id)
)
_of_course = and_(lessons.c.course_id == bindparam("course"), lessons.c.deleted_at.is_(None))
_GET_LAST_END = Statement(select(func.max(lessons.c.ends_at)).where(_of_course))
_FIND_RUNNING = Statement(
    select(lessons.c.id).where(_of_course, LIFECYCLE.is_running(bindparam("now"))).limit(1)
)
_delete_unstarted = (
    update(lessons)
    .where(_of_course, LIFECYCLE.is_coming(bindparam("now")))
    .values(deleted_at=bindparam("now"))
    .returning(lessons.c.id)
)
_LIST_LESSONS = Statement(select(lessons.c.id).where(_of_course).order_by(lessons.c.id))
_DELETE_UNSTARTED = Statement(_delete_unstarted.values(unique_identity=null()))
_DELETE_UNSTARTED_KEEPING_IDENTITIES = Statement(_delete_unstarted)
_PIN_FOLDER = Statement(
    update(lessons)
    .where(_of_course, lessons.c.begins_at <= bindparam("now"), lessons.c.folder_id.is_(None))
    .values(folder_id=bindparam("former"))
)


def _select_unfinished(teacher: str) -> Select[tuple[int]]:
    helps = select(co_teachers.c.lesson_id).where(
        co_teachers.c.lesson_id == lessons.c.id, co_teachers.c.user_id == bindparam(teacher)
    )
    return select(lessons.c.id).where(
        _of_course,
        LIFECYCLE.is_not_over(bindparam("now")),
        or_(lessons.c.teacher_id == bindparam(teacher), helps.exists()),
    )


_FREE_IDENTITIES = Statement(
    update(lessons)
    .where(lessons.c.course_id == bindparam("course"), lessons.c.unique_identity.is_not(None))
    .values(unique_identity=null())
)
_FIND_UNFINISHED = Statement(_select_unfinished("user").limit(1))
_new_teachers = ListParameter("new_teachers")
_ADD_TEACHERS = Statement(
    lambda insert: (
        insert(course_teachers)
        .from_select(
            ["course_id", "user_id"],
            select(_new_teachers.integer(0), _new_teachers.integer(1))
            .select_from(_new_teachers.source)
            .order_by(_new_teachers.integer(1)),
        )
        .on_conflict_do_nothing()
    )
)
_DELETE_TEACHER = Statement(
    course_teachers.delete().where(
        course_teachers.c.course_id == bindparam("course"),
        course_teachers.c.user_id == bindparam("user"),
    )
)


@cache
def _save_statement(names: tuple[str, ...]) -> Statement:
    """Return the statement that saves some columns; it is built once for each set of columns."""
    values: dict[str, BindParameter[SQLValue]] = {name: bindparam(f"new_{name}") for name in names}
    return Statement(update(courses).where(courses.c.id == bindparam("course")).values(values))


def read_course(row: Row) -> Course:
    """Return the course of a row of `COLUMNS`."""
    (
        number, school, kind, head, folder, key, expires_at, ended_at, deleted_at,
        name, subject, category,
    ) = row  # fmt: skip
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
        name,
        subject,
        category,
    )


class Courses:
    """Repository of courses."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, course: CourseId) -> Course | None:
        """Return a course of any school, or None.

        Rules distinguish a course that does not exist from one of another school.
        """
        rows = self._tx.fetch_all(_GET, {"course": course})
        return read_course(rows[0]) if rows else None

    def get_usable(
        self, school: SchoolId, course: CourseId, now: Moment, rule: CourseRule
    ) -> Course:
        """Return a course of the school that a rule lets an action use.

        Raises `Refusal` otherwise.
        """
        row = self.get(course)
        if row is None:
            raise Refusal(rule.missing, f"the school has no course {course}")
        return check_course(row, school, now, rule)

    def get_many(self, courses: Iterable[CourseId]) -> dict[CourseId, Course]:
        """Return the courses, of any school, that exist of some ids."""
        text = msgspec.json.encode(list(set(courses))).decode()
        rows = map(read_course, self._tx.fetch_all(_GET_MANY, {"course_ids": text}))
        return {course.id: course for course in rows}

    def find_by_identity(self, school: SchoolId, identity: str) -> CourseId | None:
        """Return the course with an identity, or None."""
        rows = self._tx.fetch_all(_FIND_BY_IDENTITY, {"school": school, "identity": identity})
        return CourseId(rows[0][0]) if rows else None

    def add(self, values: dict[str, SQLValue]) -> CourseId:
        """Add a course and return its id."""
        return CourseId(self._tx.fetch_all(_ADD, values)[0][0])

    def save(self, course: CourseId, values: dict[str, SQLValue]) -> None:
        """Save some columns of a course."""
        if values:
            columns = {f"new_{name}": value for name, value in values.items()}
            self._tx.execute(_save_statement(tuple(values)), {"course": course, **columns})

    def extend_expiry(self, course: CourseId, expires_at: Moment) -> bool:
        """Save a later expiry of a course; return False if it has a later one already."""
        values = {"course": course, "new_expiry": expires_at}
        return self._tx.execute(_EXTEND_EXPIRY, values) > 0

    def extend_expiries(self, courses: Iterable[CourseId], expires_at: Moment) -> list[CourseId]:
        """Save a later expiry of several courses; return those that had an earlier one."""
        text = msgspec.json.encode(list(courses)).decode()
        values = {"extended_ids": text, "new_expiry": expires_at}
        return sorted(CourseId(row[0]) for row in self._tx.fetch_all(_EXTEND_EXPIRIES, values))

    def get_last_end(self, course: CourseId) -> Moment | None:
        """Return the end of the last class of a course; None without classes."""
        end: Moment | None = self._tx.fetch_all(_GET_LAST_END, {"course": course})[0][0]
        return end

    def find_running_lesson(self, course: CourseId, now: Moment) -> LessonId | None:
        """Return a class of the course that is running, overtime included."""
        rows = self._tx.fetch_all(_FIND_RUNNING, {"course": course, "now": now})
        return LessonId(rows[0][0]) if rows else None

    def find_unfinished_lesson(
        self, course: CourseId, user: UserId, now: Moment
    ) -> LessonId | None:
        """Return a class of the course that is not over and has a user as teacher or co-teacher."""
        values = {"course": course, "user": user, "now": now}
        rows = self._tx.fetch_all(_FIND_UNFINISHED, values)
        return LessonId(rows[0][0]) if rows else None

    def pin_folder(self, course: CourseId, former: FolderId, now: Moment) -> None:
        """Save the former folder of the course in its classes that have started: they keep it."""
        self._tx.execute(_PIN_FOLDER, {"course": course, "former": former, "now": now})

    def delete_unstarted_lessons(
        self, course: CourseId, now: Moment, *, keeps_identities: bool
    ) -> list[LessonId]:
        """Delete the classes of a course that have not started, and return them."""
        statement = _DELETE_UNSTARTED_KEEPING_IDENTITIES if keeps_identities else _DELETE_UNSTARTED
        rows = self._tx.fetch_all(statement, {"course": course, "now": now})
        return sorted(LessonId(row[0]) for row in rows)

    def list_lessons(self, course: CourseId) -> list[LessonId]:
        """Return the classes of a course that are not deleted."""
        return [LessonId(row[0]) for row in self._tx.fetch_all(_LIST_LESSONS, {"course": course})]

    def free_identities(self, course: CourseId) -> None:
        """Clear the identities of the classes of a course, so that they can be used again."""
        self._tx.execute(_FREE_IDENTITIES, {"course": course})

    def add_teachers(self, course: CourseId, users: Iterable[UserId]) -> None:
        """Add users to the teachers of the course; the teachers it has stay."""
        self.add_teachers_of_courses((course, user) for user in users)

    def add_teachers_of_courses(self, rows: Iterable[tuple[CourseId, UserId]]) -> None:
        """Add users to the teachers of courses; the teachers they have stay."""
        rows = sorted(set(rows))
        if rows:
            self._tx.execute(_ADD_TEACHERS, {"new_teachers": msgspec.json.encode(rows).decode()})

    def delete_teacher(self, course: CourseId, user: UserId) -> None:
        """Remove a user from the teachers of the course."""
        self._tx.execute(_DELETE_TEACHER, {"course": course, "user": user})
