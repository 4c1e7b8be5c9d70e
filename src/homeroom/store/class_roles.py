"""Who helps in a class and who only visits it: co-teachers and guests, in the database."""

import msgspec
from sqlalchemy import bindparam, delete, insert, select

from homeroom.base.ids import LessonId, UserId
from homeroom.store.engine import Tx
from homeroom.store.statement import Rows, Statement
from homeroom.store.tables import co_teachers, guests

_CO_TEACHERS = Statement(
    select(co_teachers.c.user_id)
    .where(co_teachers.c.lesson_id == bindparam("lesson"))
    .order_by(co_teachers.c.position)
)
_DROP_CO_TEACHERS = Statement(
    delete(co_teachers).where(co_teachers.c.lesson_id == bindparam("lesson"))
)
_helpers = Rows("helpers")
_ADD_CO_TEACHERS = Statement(
    insert(co_teachers).from_select(
        ["lesson_id", "user_id", "position"],
        select(_helpers.whole(0), _helpers.whole(1), _helpers.whole(2)).select_from(
            _helpers.source
        ),
    )
)
_ADD_GUEST = Statement(
    lambda insert: (
        insert(guests)
        .values(lesson_id=bindparam("lesson"), user_id=bindparam("user"))
        .on_conflict_do_nothing()
    )
)
_REMOVE_GUEST = Statement(
    delete(guests).where(
        guests.c.lesson_id == bindparam("lesson"), guests.c.user_id == bindparam("user")
    )
)


class ClassRoles:
    """Co-teachers and guests in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def co_teachers(self, lesson: LessonId) -> tuple[UserId, ...]:
        """Return the co-teachers of a class in order."""
        rows = self._tx.all(_CO_TEACHERS, {"lesson": lesson})
        return tuple(UserId(row[0]) for row in rows)

    def add_co_teachers(self, lesson: LessonId, users: tuple[UserId, ...]) -> None:
        """Give a class its co-teachers, in order."""
        rows = [(lesson, user, place) for place, user in enumerate(users)]
        if rows:
            self._tx.run(_ADD_CO_TEACHERS, {"helpers": msgspec.json.encode(rows).decode()})

    def set_co_teachers(self, lesson: LessonId, users: tuple[UserId, ...]) -> None:
        """Give a class other co-teachers, in order."""
        self._tx.run(_DROP_CO_TEACHERS, {"lesson": lesson})
        self.add_co_teachers(lesson, users)

    def add_guest(self, lesson: LessonId, user: UserId) -> None:
        """Add a student to one class only."""
        self._tx.run(_ADD_GUEST, {"lesson": lesson, "user": user})

    def remove_guest(self, lesson: LessonId, user: UserId) -> bool:
        """Take a student out of one class; tells whether there was one."""
        return self._tx.run(_REMOVE_GUEST, {"lesson": lesson, "user": user}) > 0
