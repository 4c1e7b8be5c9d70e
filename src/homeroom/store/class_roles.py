"""Roles of users in one class: its co-teachers."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import bindparam, delete, insert, select

from homeroom.base.ids import LessonId, UserId
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import co_teachers

_LIST_CO_TEACHERS = Statement(
    select(co_teachers.c.user_id)
    .where(co_teachers.c.lesson_id == bindparam("lesson"))
    .order_by(co_teachers.c.position)
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


class ClassRoles:
    """Repository of co-teachers."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_co_teachers(self, lesson: LessonId) -> tuple[UserId, ...]:
        """Return the co-teachers of a class in their order."""
        rows = self._tx.fetch_all(_LIST_CO_TEACHERS, {"lesson": lesson})
        return tuple(UserId(row[0]) for row in rows)

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
