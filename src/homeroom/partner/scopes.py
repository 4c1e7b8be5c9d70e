"""Scopes of actions: the part of its school that a call locks, so that others run beside it.

A scope is safe if nothing that the action reads outside of it is written by another action with a
scope; docs/adr/0029 has the reason for each action. An action without a scope locks its school.
"""

from typing import Protocol

from homeroom.base.ids import CourseId, LessonId
from homeroom.store.engine import UnitScope


class CourseTarget(Protocol):
    """The parameters of an action on a course."""

    @property
    def course_id(self) -> CourseId:
        """The id of the course."""
        ...


class LessonTarget(Protocol):
    """The parameters of an action on a class."""

    @property
    def class_id(self) -> LessonId:
        """The id of the class."""
        ...


def lock_course(params: CourseTarget) -> UnitScope:
    """Lock the course, with its teachers, members and classes."""
    return UnitScope(f"course {params.course_id}")


def share_course(params: CourseTarget) -> UnitScope:
    """Share the course with calls that do the same: each adds a row of its own."""
    return UnitScope(f"course {params.course_id}", is_shared=True)


def lock_recordings(params: LessonTarget) -> UnitScope:
    """Lock the recordings of a class that is over."""
    return UnitScope(f"recordings {params.class_id}")
