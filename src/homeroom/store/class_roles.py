"""Roles of users in one class: its co-teachers."""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import and_, bindparam, delete, insert, or_, select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.base.values import Value
from homeroom.domain.lessons import Origin
from homeroom.store.engine import Transaction
from homeroom.store.lesson_rows import HAS_SUBS
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import co_teachers, guests, lessons

_LIST_CO_TEACHERS = Statement(
    select(co_teachers.c.user_id)
    .where(co_teachers.c.lesson_id == bindparam("lesson"))
    .order_by(co_teachers.c.position)
)
_lesson_ids = ListParameter("lesson_ids")
_FIND_CO_TAUGHT = Statement(
    select(co_teachers.c.lesson_id).where(
        co_teachers.c.user_id == bindparam("user"), _lesson_ids.contains(co_teachers.c.lesson_id)
    )
)
_DELETE_CO_TEACHERS = Statement(
    delete(co_teachers).where(co_teachers.c.lesson_id == bindparam("lesson"))
)
_new_co_teachers = ListParameter("new_co_teachers")
_ADD_CO_TEACHERS = Statement(
    insert(co_teachers).from_select(
        ["lesson_id", "user_id", "position"],
        select(
            _new_co_teachers.integer(0), _new_co_teachers.integer(1), _new_co_teachers.integer(2)
        ).select_from(_new_co_teachers.source),
    )
)
_LIST_COMING = Statement(
    select(
        lessons.c.id,
        lessons.c.origin,
        lessons.c.teacher_id,
        or_(lessons.c.main_lesson_id.is_not(None), HAS_SUBS),
        guests.c.user_id,
        co_teachers.c.user_id,
    )
    .select_from(lessons)
    .outerjoin(
        guests, and_(guests.c.lesson_id == lessons.c.id, guests.c.user_id == bindparam("user"))
    )
    .outerjoin(
        co_teachers,
        and_(co_teachers.c.lesson_id == lessons.c.id, co_teachers.c.user_id == bindparam("user")),
    )
    .where(
        lessons.c.course_id == bindparam("course"),
        lessons.c.deleted_at.is_(None),
        LIFECYCLE.is_coming(bindparam("now")),
    )
    .order_by(lessons.c.id)
)


class ComingLesson(Value, frozen=True):
    """A class that has not begun, and the roles of a user in it."""

    id: LessonId
    origin: Origin
    teacher: UserId
    is_dual: bool
    """It is the main or a sub class of dual-teacher classes."""
    is_guest: bool
    is_co_teacher: bool


class ClassRoles:
    """Repository of co-teachers."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_co_teachers(self, lesson: LessonId) -> tuple[UserId, ...]:
        """Return the co-teachers of a class in their order."""
        rows = self._tx.fetch_all(_LIST_CO_TEACHERS, {"lesson": lesson})
        return tuple(UserId(row[0]) for row in rows)

    def find_co_taught(self, user: UserId, lessons: Iterable[LessonId]) -> set[LessonId]:
        """Return those of some classes of which a user is a co-teacher."""
        text = msgspec.json.encode(list(lessons)).decode()
        rows = self._tx.fetch_all(_FIND_CO_TAUGHT, {"user": user, "lesson_ids": text})
        return {LessonId(row[0]) for row in rows}

    def add_co_teachers(self, lesson: LessonId, users: tuple[UserId, ...]) -> None:
        """Add co-teachers to a class that has none, in order."""
        self.add_co_teachers_of_lessons({lesson: users})

    def add_co_teachers_of_lessons(
        self, users_of_lessons: Mapping[LessonId, tuple[UserId, ...]]
    ) -> None:
        """Add co-teachers to classes that have none, in order, in one statement."""
        rows = [
            (lesson, user, place)
            for lesson, users in users_of_lessons.items()
            for place, user in enumerate(users)
        ]
        if rows:
            self._tx.execute(
                _ADD_CO_TEACHERS, {"new_co_teachers": msgspec.json.encode(rows).decode()}
            )

    def save_co_teachers(self, lesson: LessonId, users: tuple[UserId, ...]) -> None:
        """Replace the co-teachers of a class, in order."""
        self._tx.execute(_DELETE_CO_TEACHERS, {"lesson": lesson})
        self.add_co_teachers(lesson, users)

    def list_coming(self, course: CourseId, user: UserId, now: Moment) -> list[ComingLesson]:
        """Return the classes of a course that have not begun, with the roles of a user."""
        values = {"course": course, "user": user, "now": now}
        return [
            ComingLesson(
                LessonId(number),
                Origin(origin),
                UserId(teacher),
                is_dual=bool(is_dual),
                is_guest=guest is not None,
                is_co_teacher=co_teacher is not None,
            )
            for number, origin, teacher, is_dual, guest, co_teacher in self._tx.fetch_all(
                _LIST_COMING, values
            )
        ]
