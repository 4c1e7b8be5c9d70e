"""Dual-teacher classes: a main class and the sub classes that follow it (READINGS Q85)."""

from homeroom.contract.errno import Errno
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import Refusal


def check_not_dual(lesson: Lesson, errno: Errno) -> None:
    """Refuse a class that only the dual-teacher calls may change (READINGS Q59, Q78)."""
    if lesson.is_dual:
        part = "main" if lesson.main is None else "sub"
        raise Refusal(errno, f"class {lesson.id} is a {part} class of the dual-teacher calls")
