"""The lifecycle of a class in SQL: the same rules as `domain/lifecycle.py`, on columns."""

from sqlalchemy import ColumnElement, and_, case, or_

from homeroom.domain.lifecycle import OPEN_EARLY_SECONDS, OVERTIME_SECONDS, Phase
from homeroom.store.tables import lessons

Column = ColumnElement[int]


class LifecycleColumns:
    """Expressions on the columns that hold the times of a class.

    Conditions compare a bare column with a value wherever they can, so that an index on
    `ends_at` or `begins_at` serves them. None of them is ever NULL.
    """

    def __init__(self, begins_at: Column, ends_at: Column, closed_at: Column) -> None:
        self._begins_at = begins_at
        self._ends_at = ends_at
        self._closed_at = closed_at

    def is_over(self, now: Column) -> ColumnElement[bool]:
        """Return the condition that the class has ended, by the clock or closed early."""
        closed = and_(self._closed_at.is_not(None), self._closed_at <= now)
        return or_(closed, self._ends_at <= now - OVERTIME_SECONDS)

    def is_not_over(self, now: Column) -> ColumnElement[bool]:
        """Return the condition that the class has not ended."""
        not_closed = or_(self._closed_at.is_(None), self._closed_at > now)
        return and_(not_closed, self._ends_at > now - OVERTIME_SECONDS)

    def is_running(self, now: Column) -> ColumnElement[bool]:
        """Return the condition that the class has begun and has not ended; overtime counts."""
        return and_(self._begins_at <= now, self.is_not_over(now))

    def is_coming(self, now: Column) -> ColumnElement[bool]:
        """Return the condition that the class has not begun, nor was closed before its start."""
        return and_(self._begins_at > now, self.is_not_over(now))

    def phase(self, now: Column) -> ColumnElement[str]:
        """Return the phase at a moment, as a value of `Phase`."""
        was_closed = and_(
            self._closed_at.is_not(None),
            self._closed_at <= now,
            self._closed_at < self._ends_at + OVERTIME_SECONDS,
        )
        return case(
            (was_closed, Phase.CLOSED_EARLY.value),
            (self.is_over(now), Phase.OVER.value),
            (self._begins_at <= now, Phase.RUNNING.value),
            (self._begins_at <= now + OPEN_EARLY_SECONDS, Phase.OPEN_EARLY.value),
            else_=Phase.BEFORE.value,
        )


LIFECYCLE = LifecycleColumns(lessons.c.begins_at, lessons.c.ends_at, lessons.c.closed_at)
"""The lifecycle of the rows of `lessons`."""
