"""Retention: what a sweep deletes can be restored for some days."""

from enum import StrEnum

from homeroom.base.clock import DAY, Moment
from homeroom.base.ids import LessonId, SchoolId
from homeroom.base.values import Value

GRACE_SECONDS = 7 * DAY
"""Seconds for which an operator can restore what a sweep has deleted."""

MESSAGE_FILE_SECONDS = 181 * DAY
"""Seconds for which a file that only a message leads to is stored.

A message may wait for 90 days, and its address is good for 90 days from then (READINGS Q97).
"""


class SweptSort(StrEnum):
    """The sort of rows that a sweep deletes and keeps for a restore."""

    VIEWERS = "viewers"
    CHATS = "chats"
    PUSHES = "pushes"


class SweptBatch(Value, frozen=True):
    """What one unit of work of a sweep has deleted, for the log."""

    sort: str
    ids: list[int]


class SweptScope(Value, frozen=True):
    """A choice of swept rows: of a school, of a class, swept since a moment; None is no limit."""

    school: SchoolId | None = None
    lesson: LessonId | None = None
    since: Moment = 0


class SweptSummary(Value, frozen=True):
    """The number of swept rows of one sort and class."""

    school: SchoolId
    lesson: LessonId
    sort: SweptSort
    count: int
    swept_at: Moment
    """The latest sweep of them."""
    erase_after: Moment
    """When the first of them will be erased."""
