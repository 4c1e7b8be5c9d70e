"""Extensions: the teacher lengthens a class shortly before its end, once."""

from enum import StrEnum
from typing import Final

from homeroom.base.clock import MINUTE, Moment
from homeroom.base.errors import HomeroomError
from homeroom.domain.lessons import MAX_LESSON_SECONDS, Hours, Lesson

EXTENSION_MINUTES: Final = (5, 10, 20)
EARLIEST_SECONDS: Final = 8 * MINUTE
"""Seconds before the end from which on a class can be extended."""
LATEST_SECONDS: Final = 3 * MINUTE
"""Seconds before the end until which a class can be extended."""
MAX_EXTENSION_SECONDS: Final = max(EXTENSION_MINUTES) * MINUTE


class ExtensionRefusal(StrEnum):
    """The reason why a class is not extended; the teacher's page has a text for each."""

    EARLY = "extend_early"
    LATE = "extend_late"
    AGAIN = "extend_again"
    """It was extended before."""
    MAINTENANCE = "extend_maintenance"
    LENGTH = "extend_length"
    """It would last longer than 24 hours."""
    DUAL = "extend_dual"
    """The hours of a sub class are those of its main class."""


class ExtensionError(HomeroomError):
    """A class is not extended."""

    def __init__(self, code: ExtensionRefusal) -> None:
        super().__init__(code.value)
        self.code = code


def extend_hours(lesson: Lesson, minutes: int, now: Moment) -> Hours:
    """Return the hours of a class that is lengthened now; raises `ExtensionError`."""
    end = lesson.hours.end
    if lesson.is_dual:
        raise ExtensionError(ExtensionRefusal.DUAL)
    if now < end - EARLIEST_SECONDS:
        raise ExtensionError(ExtensionRefusal.EARLY)
    if now > end - LATEST_SECONDS or lesson.is_over(now):
        raise ExtensionError(ExtensionRefusal.LATE)
    hours = Hours(lesson.hours.begin, end + minutes * MINUTE)
    if hours.end - hours.begin > MAX_LESSON_SECONDS:
        raise ExtensionError(ExtensionRefusal.LENGTH)
    return hours
