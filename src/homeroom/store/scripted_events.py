"""Events of rehearsed classes that are still to come."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId
from homeroom.contract.messages.script import AnyStep, parse_step
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import Statement
from homeroom.store.tables import lessons, scripted_events

_COLUMNS: Final = (scripted_events.c.due_at, scripted_events.c.event)
_ADD: Final = Statement(
    insert(scripted_events).values(
        lesson_id=bindparam("lesson"), due_at=bindparam("due_at"), event=bindparam("event")
    )
)
_ORDER: Final = (scripted_events.c.due_at, scripted_events.c.id)
_of_lesson = scripted_events.c.lesson_id == bindparam("lesson")
_LIST: Final = Statement(select(*_COLUMNS).where(_of_lesson).order_by(*_ORDER))
_LIST_DUE_CLASSES: Final = Statement(
    select(lessons.c.school_id, scripted_events.c.lesson_id, func.min(scripted_events.c.due_at))
    .select_from(scripted_events.join(lessons, lessons.c.id == scripted_events.c.lesson_id))
    .where(scripted_events.c.due_at <= bindparam("now"))
    .group_by(lessons.c.school_id, scripted_events.c.lesson_id)
    .order_by(func.min(scripted_events.c.due_at), scripted_events.c.lesson_id)
)
_TAKE_DUE: Final = Statement(
    delete(scripted_events)
    .where(_of_lesson, scripted_events.c.due_at <= bindparam("now"))
    .returning(*_COLUMNS, scripted_events.c.id)
)
_DELETE: Final = Statement(delete(scripted_events).where(_of_lesson))


class ScriptedEvents:
    """Repository of the events of rehearsed classes that are still to come."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, lesson: LessonId, steps: Iterable[tuple[Moment, AnyStep]]) -> None:
        """Add events of a class, in their order, with the moments at which they are due."""
        for due_at, step in steps:
            values: dict[str, Any] = {"lesson": lesson, "due_at": due_at}
            self._tx.execute(_ADD, values | {"event": msgspec.json.encode(step).decode()})

    def list_of_lesson(self, lesson: LessonId) -> list[tuple[Moment, AnyStep]]:
        """Return the events of a class that are still to come, in order."""
        return [_read_step(row) for row in self._tx.fetch_all(_LIST, {"lesson": lesson})]

    def list_due_classes(self, now: Moment) -> list[tuple[SchoolId, LessonId]]:
        """Return the classes with events that are due."""
        rows = self._tx.fetch_all(_LIST_DUE_CLASSES, {"now": now})
        return [(SchoolId(school), LessonId(lesson)) for school, lesson, _ in rows]

    def take_due(self, lesson: LessonId, now: Moment) -> list[tuple[Moment, AnyStep]]:
        """Delete the events of a class that are due, and return them in order."""
        rows = self._tx.fetch_all(_TAKE_DUE, {"lesson": lesson, "now": now})
        return [_read_step(row[:2]) for row in sorted(rows, key=lambda row: (row[0], row[2]))]

    def delete(self, lesson: LessonId) -> int:
        """Delete the events of a class that are still to come, and return their number."""
        return self._tx.execute(_DELETE, {"lesson": lesson})


def _read_step(row: Row) -> tuple[Moment, AnyStep]:
    due_at, event = row
    return due_at, parse_step(event)
