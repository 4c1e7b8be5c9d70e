"""The log of what happened in the classrooms of classes."""

from typing import Final

import msgspec
from sqlalchemy import bindparam, insert, or_, select

from homeroom.base.ids import LessonId
from homeroom.domain.classroom_events import ClassroomEvent, ClassroomEventKind
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import classroom_events

_COLUMNS: Final = (
    classroom_events.c.lesson_id,
    classroom_events.c.at,
    classroom_events.c.kind,
    classroom_events.c.user_id,
    classroom_events.c.actor_id,
    classroom_events.c.details,
    classroom_events.c.is_simulated,
)
_ADD: Final = Statement(
    insert(classroom_events).values({column: bindparam(column.name) for column in _COLUMNS})
)
# Events of a script may be written after later ones; those of one second keep their order.
_ORDER: Final = (classroom_events.c.at, classroom_events.c.id)
_of_lesson = select(*_COLUMNS).where(classroom_events.c.lesson_id == bindparam("lesson"))
_LIST: Final = Statement(_of_lesson.order_by(*_ORDER))
_LIST_PASSAGES: Final = Statement(
    _of_lesson.where(
        or_(
            classroom_events.c.kind == ClassroomEventKind.ENTER.value,
            classroom_events.c.kind == ClassroomEventKind.LEAVE.value,
        )
    ).order_by(*_ORDER)
)


class ClassroomEvents:
    """Repository of the events of classrooms."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, event: ClassroomEvent) -> None:
        """Add an event to the log of its class."""
        values = {
            "lesson_id": event.lesson,
            "at": event.at,
            "kind": event.kind.value,
            "user_id": event.user,
            "actor_id": event.actor,
            "details": msgspec.json.encode(event.details).decode(),
            "is_simulated": int(event.is_simulated),
        }
        self._tx.execute(_ADD, values)

    def list_of_lesson(self, lesson: LessonId) -> list[ClassroomEvent]:
        """Return all events of a class in their order."""
        return self._list(_LIST, lesson)

    def list_passages(self, lesson: LessonId) -> list[ClassroomEvent]:
        """Return who entered and left a class, in order."""
        return self._list(_LIST_PASSAGES, lesson)

    def _list(self, statement: Statement, lesson: LessonId) -> list[ClassroomEvent]:
        return [_read_event(row) for row in self._tx.fetch_all(statement, {"lesson": lesson})]


def _read_event(row: Row) -> ClassroomEvent:
    lesson, at, kind, user, actor, details, is_simulated = row
    return ClassroomEvent(
        lesson,
        at,
        ClassroomEventKind(kind),
        user,
        actor,
        msgspec.json.decode(details),
        is_simulated=bool(is_simulated),
    )
