"""Students of one class: the students of its course, less those transferred out, and its guests.

A person has one role in a class. A member of the course has that of the course, whether they were a
guest before or not (READINGS Q65).
"""

from collections.abc import Set as AbstractSet
from enum import StrEnum

from homeroom.domain.teachers import MemberRole


class ClassTie(StrEnum):
    """A tie between a person and one class, beside the role in its course."""

    GUEST = "guest"
    """A student of this class only."""
    TRANSFERRED_OUT = "transferred_out"
    """A student of the course who was taken out of this class."""
    CO_TEACHER = "co_teacher"


class ClassMemberState(StrEnum):
    """The state of a member of a class, as the read-back names it."""

    STUDENT = "student"
    GUEST = "guest"
    AUDITOR = "auditor"
    TRANSFERRED_OUT = "transferred_out"


def is_class_student(role: MemberRole | None, ties: AbstractSet[ClassTie]) -> bool:
    """Tell whether a person is a student of a class, by the role in its course and the ties."""
    if role is None:
        return ClassTie.GUEST in ties
    return role is MemberRole.STUDENT and ClassTie.TRANSFERRED_OUT not in ties
